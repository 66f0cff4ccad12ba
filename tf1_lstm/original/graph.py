"""TensorFlow 1 graphs read from their bytes, without TensorFlow: nodes, attributes, collections.

Field numbers are those of TensorFlow 1.15's ``graph.proto``, ``node_def.proto``, ``attr_value.proto``,
``tensor.proto``, ``meta_graph.proto`` and ``saved_model.proto``.
"""

import struct
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.checkpoints.formats import MalformedError
from tf1_lstm.checkpoints.formats.tensors import DTYPES, count, dtype_name
from tf1_lstm.checkpoints.formats.wire import (
    BYTES,
    Buffer,
    Message,
    decode,
    read_varint,
    signed,
)

Signature = Tuple[Dict[str, str], Dict[str, str]]
Shape = Optional[Tuple[Optional[int], ...]]  # None: unknown rank; None within: unknown extent
REFERENCE = 100  # what DataType adds for a reference to a variable
UNKNOWN_SHAPES_SINCE = 24  # producers below write an unknown shape of a placeholder as []
MOST_NODES = 500_000
MOST_CONSTANT_BYTES = 1 << 30  # of one constant, once it is unpacked; and of all together
FIELD_OF = {"float32": (5, "<f4"), "float64": (6, "<f8")}
VARINT_FIELD = {"int32": 7, "int16": 7, "int8": 7, "uint8": 7, "uint16": 7, "int64": 10, "bool": 11}


class Node:
    """One node of a graph.

    Attributes:
      name, op: as in the file.
      inputs: ``(node, output)`` of each data input, in order.
      controls: nodes that must run before.
      raw: the bytes of its NodeDef.
    """

    __slots__ = ("_attributes", "controls", "inputs", "name", "op", "raw")

    def __init__(self, raw: memoryview) -> None:
        """Read a NodeDef; raises MalformedError."""
        message = Message(raw)
        self.raw = raw
        self.name = message.text(1)
        self.op = message.text(2)
        self.inputs: List[Tuple[str, int]] = []
        self.controls: List[str] = []
        for blob in message.blobs(3):
            text = decode(blob)
            if text.startswith("^"):
                self.controls.append(text[1:])
            else:
                self.inputs.append(split_tensor(text))
        self._attributes: Dict[str, memoryview] = {}
        for entry in message.blobs(5):
            pair = Message(entry)
            self._attributes[pair.text(1)] = pair.blob(2)
        if not self.name or not self.op:
            raise MalformedError("a node without a name or an operation")

    def attribute(self, name: str) -> Optional[Message]:
        """An AttrValue, or None where the node has none of that name."""
        raw = self._attributes.get(name)
        return None if raw is None else Message(raw)

    def attribute_names(self) -> List[str]:
        """The names of its attributes."""
        return list(self._attributes)

    def text(self, name: str) -> str:
        """An attribute of bytes, as text; empty where it is missing."""
        found = self.attribute(name)
        return bytes(found.blob(2)).decode("utf-8", "replace") if found else ""

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute of int64."""
        found = self.attribute(name)
        return found.integer(3) if found and found.has(3) else default

    def number(self, name: str, default: float = 0.0) -> float:
        """An attribute of float."""
        found = self.attribute(name)
        if not found or not found.has(4):
            return default
        return float(struct.unpack("<f", struct.pack("<I", found.ints(4)[-1] & 0xFFFFFFFF))[0])

    def flag(self, name: str) -> bool:
        """An attribute of bool."""
        found = self.attribute(name)
        return bool(found and found.integer(5))

    def dtype(self, *names: str) -> str:
        """NumPy's name of the type in the first of these attributes that is there; empty without one."""
        for name in names:
            found = self.attribute(name)
            if found and found.has(6):
                return dtype_name(found.integer(6) % REFERENCE)
        return ""

    def shape(self, name: str) -> Shape:
        """An attribute of shape."""
        found = self.attribute(name)
        return read_partial_shape(found.blob(7)) if found and found.has(7) else None

    def output_shape(self, output: int = 0) -> Shape:
        """What the graph's writer noted of an output's shape."""
        found = self.attribute("_output_shapes")
        if not found:
            return None
        shapes = Message(found.blob(1)).blobs(7)
        return read_partial_shape(shapes[output]) if output < len(shapes) else None

    def constant(self, most: int = 1 << 16) -> Optional[np.ndarray]:
        """The value of a Const of at most ``most`` numbers; None for texts, larger ones and no Const."""
        found = self.attribute("value")
        if self.op != "Const" or not found or not found.has(8):
            return None
        return read_tensor(found.blob(8), most)


@dataclass(frozen=True)
class StoredGraph:
    """A graph as it stands in a file.

    Attributes:
      nodes: by name, in the file's order.
      functions: name -> the nodes of each function of its library.
      function_raw: name -> bytes of its FunctionDef.
      producer: version of the graph format that wrote it.
      versions: bytes of its VersionDef.
      collections: name -> names of nodes, for collections of names.
      contexts: collection -> its raw CollectionDef, for loops and conditionals.
      signatures: name -> (inputs, outputs): key -> tensor; of a SavedModel.
      tags: of a SavedModel's meta graph.
      tensorflow: the version that wrote it, or "".
    """

    nodes: Dict[str, Node]
    functions: Dict[str, List[Node]]
    function_raw: Dict[str, memoryview]
    producer: int
    versions: bytes
    collections: Dict[str, List[str]] = field(default_factory=dict)
    contexts: Dict[str, bytes] = field(default_factory=dict)
    signatures: Dict[str, Signature] = field(default_factory=dict)
    tags: Tuple[str, ...] = ()
    tensorflow: str = ""

    def all_nodes(self) -> Iterator[Node]:
        """Every node, those of functions too."""
        yield from self.nodes.values()
        for nodes in self.functions.values():
            yield from nodes

    def consumers(self) -> Dict[str, List[Tuple[Node, int, int]]]:
        """Node -> (consumer, its input's number, the node's output)."""
        found: Dict[str, List[Tuple[Node, int, int]]] = {}
        for node in self.nodes.values():
            for place, (source, output) in enumerate(node.inputs):
                found.setdefault(source, []).append((node, place, output))
        return found


def split_tensor(name: str) -> Tuple[str, int]:
    """``"a/b:1"`` to ``("a/b", 1)``; without a number it is output 0."""
    head, colon, tail = name.rpartition(":")
    return (head, int(tail)) if colon and tail.isdigit() and len(tail) < 8 else (name, 0)


def read_partial_shape(raw: Buffer) -> Shape:
    """A TensorShapeProto whose extents may be unknown."""
    message = Message(raw)
    if message.integer(3):
        return None
    extents = [Message(dimension).integer(1) for dimension in message.blobs(2)]
    return tuple(extent if extent >= 0 else None for extent in extents)


def constant_bytes(node: Node) -> int:
    """The bytes that a Const takes once it is unpacked, from its claim alone."""
    found = node.attribute("value")
    if not found or not found.has(8):
        return 0
    tensor = Message(found.blob(8))
    dtype = DTYPES.get(tensor.integer(1) % REFERENCE, "")
    shape = read_partial_shape(tensor.blob(2)) or ()
    return count([extent or 0 for extent in shape]) * int(np.dtype(dtype).itemsize if dtype else 16)


def read_tensor(raw: Buffer, most: int) -> Optional[np.ndarray]:
    """A TensorProto of numbers; None where it holds something else or more than ``most`` of them.

    Raises:
      MalformedError: fewer or more values than its shape has.
    """
    message = Message(raw)
    dtype = DTYPES.get(message.integer(1), "")
    shape = read_partial_shape(message.blob(2))
    if not dtype or shape is None or None in shape or len(shape) > 32:
        return None
    extents = [int(extent or 0) for extent in shape]
    total = count(extents)
    if total > most:
        return None
    kind = np.dtype(dtype)
    if message.has(4) and len(message.blob(4)):
        content = message.blob(4)
        if len(content) != total * kind.itemsize:
            raise MalformedError(f"a constant of {len(content):,} bytes, expected {total:,} numbers")
        return np.frombuffer(content, kind.newbyteorder("<")).astype(kind).reshape(extents)
    values = _listed(message, dtype)
    if values is None or len(values) > total:
        return None
    if not len(values):
        return np.zeros(extents, kind)
    whole = np.full(total, values[-1], kind)
    whole[: len(values)] = values
    return whole.reshape(extents)


def _listed(message: Message, dtype: str) -> Optional[np.ndarray]:
    """Values that stand in a TensorProto one by one, packed or not."""
    if dtype in FIELD_OF:
        number, kind = FIELD_OF[dtype]
        packed = [bytes(entry.value) for entry in message.all(number) if not isinstance(entry.value, int)]
        if any(len(piece) % np.dtype(kind).itemsize for piece in packed):
            raise MalformedError("a constant whose numbers are cut off")
        return np.frombuffer(b"".join(packed), kind).astype(dtype)
    if dtype not in VARINT_FIELD:
        return None
    values: List[int] = []
    for entry in message.all(VARINT_FIELD[dtype]):
        if isinstance(entry.value, int):
            values.append(signed(entry.value))
            continue
        position = 0
        while position < len(entry.value):
            value, position = read_varint(entry.value, position)
            values.append(signed(value))
    return np.array(values, np.int64).astype(dtype)


def read_graph(raw: Buffer) -> StoredGraph:
    """A GraphDef.

    Raises:
      MalformedError: not one, two nodes of one name, or more nodes than any model has.
    """
    message = Message(raw)
    blobs = message.blobs(1)
    if len(blobs) > MOST_NODES:
        raise MalformedError(f"{len(blobs):,} nodes, expected at most {MOST_NODES:,}")
    nodes: Dict[str, Node] = {}
    for blob in blobs:
        node = Node(blob)
        if node.name in nodes:
            raise MalformedError(f"two nodes named {node.name}")
        nodes[node.name] = node
    functions: Dict[str, List[Node]] = {}
    function_raw: Dict[str, memoryview] = {}
    for blob in Message(message.blob(2)).blobs(1):
        function = Message(blob)
        name = Message(function.blob(1)).text(1)
        functions[name] = [Node(inner) for inner in function.blobs(3)]
        function_raw[name] = blob
    versions = bytes(message.blob(4))
    return StoredGraph(nodes, functions, function_raw, Message(versions).integer(1), versions)


def read_meta_graph(raw: Buffer) -> StoredGraph:
    """A MetaGraphDef: a graph with its collections and signatures. Raises MalformedError."""
    message = Message(raw)
    information = Message(message.blob(1))
    collections: Dict[str, List[str]] = {}
    contexts: Dict[str, bytes] = {}
    for entry in message.blobs(4):
        pair = Message(entry)
        name, value = pair.text(1), pair.blob(2)
        listed = Message(value)
        if listed.has(1):
            collections[name] = [decode(text) for text in Message(listed.blob(1)).blobs(1)]
        elif name in ("while_context", "cond_context"):
            contexts[name] = bytes(value)
    signatures = {}
    for entry in message.blobs(5):
        pair = Message(entry)
        signature = Message(pair.blob(2))
        signatures[pair.text(1)] = (_tensors(signature.blobs(1)), _tensors(signature.blobs(2)))
    return replace(
        read_graph(message.blob(2)),
        collections=collections,
        contexts=contexts,
        signatures=signatures,
        tags=tuple(decode(tag) for tag in information.blobs(4)),
        tensorflow=information.text(5),
    )


def _tensors(entries: Sequence[memoryview]) -> Dict[str, str]:
    pairs = [Message(entry) for entry in entries]
    return {pair.text(1): Message(pair.blob(2)).text(1) for pair in pairs}


def looks_like_meta_graph(raw: Buffer) -> bool:
    """Whether a message can be a MetaGraphDef: a GraphDef's first field repeats, its own does not."""
    message = Message(raw)
    if not message.has(2) or len(message.all(1)) > 1:
        return False
    return all(entry.kind == BYTES for entry in message.all(2)) and Message(message.blob(2)).has(1)


def node_shape(node: Node, output: int, producer: int) -> Shape:
    """What is known of a tensor's shape: a placeholder's own, else what the writer noted."""
    noted = node.output_shape(output)
    own: Any = node.shape("shape") if node.op in PLACEHOLDERS else None
    if own == () and producer < UNKNOWN_SHAPES_SINCE:
        own = None
    return own if own is not None else noted


PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")
VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")
