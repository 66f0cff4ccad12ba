"""What a graph says of its model: inputs, front layer, cells, what is read, head, loss, optimizer."""

from typing import Any, Dict, List, NamedTuple, Optional, Set

from tf1_lstm.errors import InputError
from tf1_lstm.original.forward import ForwardPart, weight_shape
from tf1_lstm.original.graph import PLACEHOLDERS, Node, node_shape, split_tensor
from tf1_lstm.original.outputs import CROSS_ENTROPY, losses, optimizer, outputs
from tf1_lstm.original.recurrent import ACTIVATIONS, Application, applications, layers_of
from tf1_lstm.original.source import Original
from tf1_lstm.original.trace import Path, TracedDense, back

CELL_OUTPUTS = ("Mul", "Add", "AddV2", *ACTIVATIONS)


class Described(NamedTuple):
    """A model as its graph describes it.

    Attributes:
      output: tensor of the logits or numbers.
      loss: tensor, or "".
      inputs: the placeholder of what the recurrent layers read.
      labels: the placeholder that the loss compares with, or "".
      steps: of the input placeholder; 0 where it is open.
      width: of rows; 0 for ids.
      embedding: variable; "" without one.
      one_hot: width of one-hot inputs; 0 for others.
      front, dense: layers around the recurrent ones, or None.
      head: the last layer.
      kind: ``softmax``, ``sigmoid`` or ``regression``.
      error: of a regression: ``squared`` or ``absolute``.
      layers, shared: of cells.
      first: the lowest layer's cell.
      directions: 1 or 2.
      read: ``state``, ``output``, ``steps``, ``mean`` or ``maximum``.
      masked: whether lengths are fed to the loop.
      dropped: whether there is dropout.
      optimizer: as ``outputs.optimizer`` gives it.
    """

    output: str
    loss: str
    inputs: str
    labels: str
    steps: int
    width: int
    embedding: str
    one_hot: int
    front: Optional[TracedDense]
    dense: Optional[TracedDense]
    head: TracedDense
    kind: str
    error: str
    layers: int
    shared: bool
    first: Application
    directions: int
    read: str
    masked: bool
    dropped: bool
    optimizer: Optional[Dict[str, Any]]


def described(original: Original, output: str = "") -> Described:
    """Read a model out of its graph.

    Args:
      original: the graph.
      output: the tensor of logits or numbers; the likeliest one by default.

    Raises:
      InputError: something in it is none of the parts that an experiment has; the message says what.
    """
    forward, file = ForwardPart(original.graph), original.file
    found = applications(forward)
    if not found:
        raise InputError(f"{file}: found no recurrent cell that is known, expected one")
    tensor = output or next(iter(one.name for one in outputs(forward)), "")
    if not tensor or split_tensor(tensor)[0] not in original.graph.nodes:
        raise InputError(f"{file}: found no output {tensor or 'at all'}, expected --answer output=TENSOR")
    node = original.graph.nodes[split_tensor(tensor)[0]]
    if node.op in ("Sigmoid", "Softmax", "LogSoftmax", "ArgMax"):
        tensor = "{}:{}".format(*node.inputs[0])
    cells = _cell_nodes(forward, found)
    behind = back(forward, split_tensor(tensor)[0], cells)
    if not behind.layers or (behind.unknown and not _joins(behind)):
        what = behind.unknown or "no layer"
        raise InputError(
            f"{file}: found {what} between the output {tensor} and the recurrent layers, expected one or two "
            "fully connected layers (adopt takes no attention, convolution or CRF; graph runs them all)"
        )
    if len(behind.layers) > 2:
        raise InputError(
            f"{file}: found {len(behind.layers)} layers behind the recurrent ones, expected 1 or 2"
        )
    layers = layers_of(forward, found)
    lowest = [one for one in found if layers[one.node.name] == 0]
    kernels = list(dict.fromkeys(one.kernel for one in lowest))
    directions = len(kernels)
    if directions > 2 or (directions == 2 and not _joins(behind)):
        raise InputError(f"{file}: found {directions} recurrent models ({', '.join(kernels)}), expected one")
    before = back(forward, lowest[0].data or "", set())
    if before.end is None or before.end.op not in PLACEHOLDERS or before.unknown or len(before.layers) > 1:
        what = before.unknown or (before.end.op if before.end else "nothing")
        raise InputError(
            f"{file}: found {what} in front of the recurrent layers, expected a placeholder, an embedding or "
            "one fully connected layer"
        )
    shape = node_shape(before.end, 0, original.graph.producer) or ()
    ids = bool(before.embedding or before.one_hot)
    loss, error, kind = _loss(forward, tensor, behind.layers[0])
    return Described(
        output=tensor,
        loss=loss,
        inputs=before.end.name,
        labels=_labels(forward, loss, before.end.name),
        steps=_steps(shape, 0 if ids else _width(forward, before, lowest[0])),
        width=0 if ids else _width(forward, before, lowest[0]),
        embedding=before.embedding,
        one_hot=before.one_hot,
        front=before.layers[0] if before.layers else None,
        dense=behind.layers[1] if len(behind.layers) == 2 else None,
        head=behind.layers[0],
        kind=kind,
        error=error,
        layers=1 + max(layers.values()),
        shared=len({one.kernel for one in found}) < directions * (1 + max(layers.values())),
        first=lowest[0],
        directions=directions,
        read=_read(behind, lowest),
        masked=any("CheckSeqLen" in name or "sequence_length" in name for name in forward.nodes),
        dropped=before.dropped or behind.dropped or any("dropout" in name.lower() for name in forward.nodes),
        optimizer=optimizer(forward),
    )


def _steps(shape: Any, width: int) -> int:
    """The steps of a placeholder; of one that holds each example in a row, so many as fit."""
    extent = int(shape[1] or 0) if len(shape) > 1 else 0
    return extent // width if len(shape) == 2 and width else extent


def _width(forward: ForwardPart, before: Path, first: Application) -> int:
    """The numbers of a step that the placeholder holds."""
    if before.layers:
        return before.layers[0].inputs
    shape = weight_shape(forward.graph.nodes[first.kernel])
    return max(0, shape[0] - first.units) if shape else 0


def _cell_nodes(forward: ForwardPart, found: List[Application]) -> Set[str]:
    """Where the way back from an output ends: the cells' own nodes, and the exits of their loops."""
    names = {one.node.name for one in found}
    frames = {one.frame for one in found if one.frame}
    for node in forward.nodes.values():
        if node.op == "Exit" and forward.frames.get(node.inputs[0][0] if node.inputs else "") in frames:
            names.add(node.name)
    # A cell's output is a product of its gate and its activation, in the cell's own scope.
    scopes = {one.node.name.rpartition("/")[0] for one in found}
    names |= {
        n.name for n in forward.nodes.values() if n.op in CELL_OUTPUTS and n.name.rpartition("/")[0] in scopes
    }
    names |= {
        n.name for n in forward.nodes.values() if n.op in ("LSTMBlockCell", "BlockLSTM", "GRUBlockCell")
    }
    return names


def _joins(behind: Path) -> bool:
    return behind.unknown in ("ConcatV2", "Concat")


def _read(behind: Path, lowest: List[Application]) -> str:
    if "Mean" in behind.picked:
        return "mean"
    if "Max" in behind.picked:
        return "maximum"
    if "gather" in behind.picked:
        return "output" if "pick" in behind.picked else "steps"
    if _joins(behind):
        return "output" if any(one.frame == "" for one in lowest) or "pick" in behind.picked else "state"
    return "state"


def _loss(forward: ForwardPart, tensor: str, head: TracedDense) -> Any:
    """The loss, its error for a regression, and the kind of head."""
    found = losses(forward)
    loss = found[0].name if len(found) == 1 else ""
    ops: Dict[str, Node] = {}
    if loss:
        ops = {
            forward.graph.nodes[n].op: forward.graph.nodes[n]
            for n in forward.ancestors(split_tensor(loss)[0], ("MatMul",))
        }
    if any(op in CROSS_ENTROPY for op in ops) or not ops:
        kind = "softmax" if head.units > 1 else "regression"
        readers = forward.uses.get(split_tensor(tensor)[0], [])
        if head.units == 1 and any(use.node.op == "Sigmoid" for use in readers):
            kind = "sigmoid"
        return loss, "squared", kind
    if any(op in ops for op in ("Softmax", "Log")) and head.units > 1:
        return loss, "squared", "softmax"
    if "Log1p" in ops and head.units == 1:
        return loss, "squared", "sigmoid"
    return loss, "absolute" if "Abs" in ops and "Square" not in ops else "squared", "regression"


def _labels(forward: ForwardPart, loss: str, inputs: str) -> str:
    """The placeholder that only the loss needs."""
    if not loss:
        return ""
    names = [
        name
        for name in sorted(forward.ancestors(split_tensor(loss)[0]))
        if forward.graph.nodes[name].op == "Placeholder" and name != inputs
    ]
    with_rank = [n for n in names if node_shape(forward.graph.nodes[n], 0, forward.graph.producer) != ()]
    return (
        with_rank[-1]
        if len(with_rank) == 1
        else next((n for n in with_rank if any(w in n.lower() for w in ("y", "label", "target"))), "")
    )
