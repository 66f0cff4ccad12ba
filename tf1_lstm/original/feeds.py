"""What is fed to a graph and fetched from it, checked against the graph before anything runs."""

import json
import os
import re
from difflib import get_close_matches
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_npy
from tf1_lstm.original.cut import needed
from tf1_lstm.original.graph import PLACEHOLDERS, Node, Shape, StoredGraph, node_shape, split_tensor
from tf1_lstm.original.variables import fits, show

NUMBER = re.compile(r"^\s*(?:-?\d|\[|true\b|false\b)", re.I)
DTYPE_ATTRIBUTES = ("dtype", "DstT", "out_type", "output_type", "T", "Tparams")
BOOLEAN = {"Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "LogicalAnd", "LogicalOr"}


class Tensor(NamedTuple):
    """An output of a node.

    Attributes:
      typed: as it was asked for.
      node, output: where it is.
    """

    typed: str
    node: str
    output: int

    @property
    def name(self) -> str:
        """``node:output``, as TensorFlow has it."""
        return f"{self.node}:{self.output}"


def find_tensor(graph: StoredGraph, typed: str, file: str, option: str) -> Tensor:
    """The tensor of that name; ``:0`` may be left out.

    Raises:
      InputError: there is none; the nearest names are listed.
    """
    name, output = split_tensor(typed)
    if name not in graph.nodes:
        near = nearest(name, _likely(graph, option))
        raise InputError(f"{option} {typed}: found no such tensor in {file}{near}")
    return Tensor(typed, name, output)


def _likely(graph: StoredGraph, option: str) -> List[str]:
    """Names to suggest: placeholders to feed, nodes outside of gradients and the Saver to fetch."""
    if option == "--feed":
        return [name for name, node in graph.nodes.items() if node.op in PLACEHOLDERS]
    return [name for name in graph.nodes if not name.startswith(("gradients", "save/"))]


def nearest(name: str, names: Iterable[str]) -> str:
    """The names most like one, as the end of an error message."""
    known = list(names)
    near = get_close_matches(name, known, 4, 0.3)
    contained = [other for other in known if name.lower() in other.lower() and other not in near]
    found = [*near, *sorted(contained, key=len)][:4] or known[:4]
    return f"; the nearest are {', '.join(found)}" if found else ""


def dtype_of(node: Node, output: int = 0) -> str:
    """NumPy's name of a tensor's type, where its node says it; else empty."""
    if node.op in BOOLEAN:
        return "bool"
    if node.op in ("ArgMax", "ArgMin"):
        return node.dtype("output_type") or "int64"
    if node.op in ("Shape", "Size", "Rank"):
        return node.dtype("out_type") or "int32"
    if node.op in ("TopK", "TopKV2") and output == 1:
        return "int32"
    return node.dtype(*DTYPE_ATTRIBUTES)


def parse_feeds(pairs: Sequence[str], graph: StoredGraph, file: str) -> Dict[Tensor, np.ndarray]:
    """``NAME=FILE.npy``, or ``NAME=0.5`` for a number or a JSON list, to arrays of the tensors' types.

    Raises:
      InputError: no such tensor, fed twice, a file that is no array, another shape or type.
    """
    found: Dict[Tensor, np.ndarray] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise InputError(f"--feed: found {pair!r}, expected NAME=FILE.npy or NAME=NUMBER")
        tensor = find_tensor(graph, name.strip(), file, "--feed")
        if any(other.name == tensor.name for other in found):
            raise InputError(f"--feed {name}: found it twice, expected once")
        node = graph.nodes[tensor.node]
        dtype = dtype_of(node, tensor.output)
        shape = node_shape(node, tensor.output, graph.producer)
        found[tensor] = _value(name, value, dtype, shape)
    return found


def _value(name: str, value: str, dtype: str, shape: Shape) -> np.ndarray:
    typed = bool(NUMBER.match(value)) and not os.path.exists(value)
    array = _typed(name, value, dtype) if typed else read_npy(value, f"an array for {name}")
    where = value if not typed else f"--feed {name}"
    if dtype and str(array.dtype) != dtype:
        raise InputError(
            f"{where}: found {array.dtype}, expected {dtype} for {name} (array.astype({dtype!r}) makes it)"
        )
    if not fits(array.shape, shape):
        raise InputError(f"{where}: found shape {list(array.shape)}, expected {show(shape)} for {name}")
    return array


def _typed(name: str, text: str, dtype: str) -> np.ndarray:
    """A number or a list as it was typed, in the tensor's type where that loses nothing."""
    try:
        value: Any = json.loads(text.lower() if text.lower() in ("true", "false") else text)
        array = np.array(value)
    except ValueError as error:
        raise InputError(f"--feed {name}: found {text!r}, expected a file.npy or a number") from error
    if array.dtype.kind not in "fiub":
        raise InputError(f"--feed {name}: found {text!r}, expected numbers")
    if not dtype or dtype == "string":
        return array
    if (array.dtype.kind == "f" and np.dtype(dtype).kind not in "fc") or (
        (array.dtype.kind == "b") != (dtype == "bool")
    ):
        raise InputError(f"--feed {name}: found {text!r}, expected {dtype}")
    return array.astype(dtype)


def check_complete(graph: StoredGraph, file: str, fetches: Sequence[Tensor], feeds: Iterable[Tensor]) -> None:
    """Refuse fetches that need a placeholder which nothing is fed to.

    Raises:
      InputError: names all such placeholders with their types and shapes.
    """
    fed = [(tensor.node, tensor.output) for tensor in feeds]
    given = {node for node, _ in fed}
    lacking = []
    for name in sorted(
        needed(graph, [fetch.node for fetch in fetches if (fetch.node, fetch.output) not in fed], fed)
    ):
        node = graph.nodes[name]
        if node.op in ("Placeholder", "PlaceholderV2") and name not in given:
            lacking.append(f"{name} {node.dtype('dtype')} {show(node_shape(node, 0, graph.producer))}")
    if lacking:
        raise InputError(
            f"{file}: {', '.join(fetch.typed for fetch in fetches)} needs what nothing is fed to: "
            f"{'; '.join(lacking)}; expected --feed NAME=FILE.npy for each"
        )


def fed_pairs(feeds: Iterable[Tensor]) -> List[Tuple[str, int]]:
    """Tensors as ``cut.needed`` takes them."""
    return [(tensor.node, tensor.output) for tensor in feeds]


def used_by(graph: StoredGraph, fetches: Sequence[Tensor], feeds: Iterable[Tensor]) -> List[Tensor]:
    """Those of the feeds that some outputs need."""
    found = []
    given = list(feeds)
    for tensor in given:
        fed = [(other.node, other.output) for other in given if other is not tensor]
        names = needed(graph, [fetch.node for fetch in fetches], fed)
        if tensor.node in names:
            found.append(tensor)
    return found
