"""What a graph says of its model: inputs, front layer, cells, what is read, head, loss, optimizer."""

from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from tf1_lstm.checkpoints.identify import identify
from tf1_lstm.errors import InputError
from tf1_lstm.original.forward import ForwardPart, weight_shape
from tf1_lstm.original.graph import MOST_CONSTANT_BYTES, PLACEHOLDERS, VARIABLE_OPS, node_shape, split_tensor
from tf1_lstm.original.loss import LossOfGraph, loss_of
from tf1_lstm.original.outputs import optimizer, outputs
from tf1_lstm.original.reading import CellReading, Cells, reading
from tf1_lstm.original.recurrent import Application, applications, layers_of
from tf1_lstm.original.source import Original
from tf1_lstm.original.trace import Path, TracedDense, back

ENDS = ("Sigmoid", "Softmax", "LogSoftmax", "ArgMax")


class Described(NamedTuple):
    """A model as its graph describes it.

    Attributes:
      output: tensor of the logits or numbers.
      loss: tensor that an experiment's loss is compared with, or "".
      loss_note: how the graph's loss is another than an experiment's; empty where it is not.
      inputs: the placeholder of what the recurrent layers read.
      labels: the placeholder that the loss compares with, or "".
      steps: of the input placeholder; 0 where it is open.
      steps_first: whether it is ``[steps, batch, ...]``.
      width: of rows; 0 for ids.
      embedding: variable, or constant; "" without one.
      vectors: the constant that ids are looked up in, ``[words, width]``; None without one.
      one_hot: width of one-hot inputs; 0 for others.
      front, dense: layers around the recurrent ones, or None.
      head: the last layer.
      kind: ``softmax``, ``sigmoid`` or ``regression``.
      error: of a regression: ``squared`` or ``absolute``.
      layers, shared: of cells.
      first: the lowest layer's cell.
      directions: 1 or 2.
      merge: of two directions, as ``reading.CellReading`` has it.
      read: ``state``, ``output``, ``steps``, ``mean`` or ``maximum``.
      lengths: the tensor that says how many steps of each example count, or "".
      dropped: whether there is dropout.
      drops: whether it is on whatever is fed.
      optimizer: as ``outputs.optimizer`` gives it.
    """

    output: str
    loss: str
    loss_note: str
    inputs: str
    labels: str
    steps: int
    steps_first: bool
    width: int
    embedding: str
    vectors: Optional[np.ndarray]
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
    merge: str
    read: str
    lengths: str
    dropped: bool
    drops: bool
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
        raise InputError(f"{file}: found no recurrent cell that is known, expected one{_why_none(original)}")
    tensor = output or next(iter(one.name for one in outputs(forward)), "")
    if not tensor or split_tensor(tensor)[0] not in original.graph.nodes:
        raise InputError(f"{file}: found no output {tensor or 'at all'}, expected --answer output=TENSOR")
    node = original.graph.nodes[split_tensor(tensor)[0]]
    if node.op in ENDS:
        tensor = "{}:{}".format(*node.inputs[0])
    layers = layers_of(forward, found)
    behind = reading(Cells(forward, found, layers), split_tensor(tensor))
    _check_behind(forward, file, tensor, behind)
    lowest = [one for one in found if layers[one.node.name] == 0]
    kernels = list(dict.fromkeys(one.kernel for one in lowest))
    directions = len(kernels)
    if directions > 2 or (directions == 2 and behind.merge == "join" and len(behind.layers) == 0):
        raise InputError(f"{file}: found {directions} recurrent models ({', '.join(kernels)}), expected one")
    before = _before(forward, file, lowest[0])
    assert before.end is not None
    shape = node_shape(before.end, 0, original.graph.producer) or ()
    if before.steps_first and len(shape) > 1:
        shape = (shape[1], shape[0], *shape[2:])
    width = 0 if before.embedding or before.one_hot else _width(forward, before, lowest[0])
    loss = loss_of(forward, tensor, behind.layers[0].units)
    lengths = _lengths(forward, found)
    return Described(
        output=tensor,
        loss=loss.tensor,
        loss_note=loss.note,
        inputs=before.end.name,
        labels=_labels(forward, loss, before.end.name, lengths),
        steps=_steps(shape, width),
        steps_first=before.steps_first,
        width=width,
        embedding=before.embedding,
        vectors=_constant_vectors(original, before.embedding),
        one_hot=before.one_hot,
        front=before.layers[0] if before.layers else None,
        dense=behind.layers[1] if len(behind.layers) == 2 else None,
        head=behind.layers[0],
        kind=loss.kind,
        error=loss.error,
        layers=1 + max(layers.values()),
        shared=len({one.kernel for one in found}) < directions * (1 + max(layers.values())),
        first=lowest[0],
        directions=directions,
        merge=behind.merge,
        read=behind.read,
        lengths=lengths,
        dropped=before.dropped or behind.dropped or any("dropout" in name.lower() for name in forward.nodes),
        drops=_drops(forward, split_tensor(tensor)[0]),
        optimizer=optimizer(forward),
    )


def _drops(forward: ForwardPart, output: str) -> bool:
    """Whether dropout with a constant share is on the way to an output."""
    for name in forward.ancestors(output):
        node = forward.graph.nodes.get(name)
        if node is None or node.op not in ("GreaterEqual", "Floor") or "dropout" not in name.lower():
            continue
        ops = {forward.graph.nodes[one].op for one in forward.ancestors(name) if one in forward.graph.nodes}
        if "RandomUniform" in ops and not ops & set(PLACEHOLDERS):
            return True
    return False


def _why_none(original: Original) -> str:
    """What the checkpoint's names say of cells that no graph of a known one holds."""
    problem = identify(original.checkpoint.specs).problem if original.checkpoint is not None else ""
    return f" ({problem})" if problem else ""


def _check_behind(forward: ForwardPart, file: str, tensor: str, behind: CellReading) -> None:
    """Refuse what no experiment has between the cells and the output."""
    if behind.unknown or not behind.layers:
        what = _named(forward, behind.unknown) if behind.unknown else "no layer"
        raise InputError(
            f"{file}: found {what} between the output {tensor} and the recurrent layers, expected one or two "
            "fully connected layers (adopt takes no attention, convolution or CRF; graph runs them all)"
        )
    if len(behind.layers) > 2:
        raise InputError(
            f"{file}: found {len(behind.layers)} layers behind the recurrent ones, expected 1 or 2"
        )
    if behind.layers[0].activation != "linear":
        raise InputError(
            f"{file}: found {behind.layers[0].activation} behind the last layer, expected logits or numbers "
            "(an experiment's last layer has no activation; graph runs it)"
        )


def _named(forward: ForwardPart, unknown: str) -> str:
    """What an operation that is no part of an experiment is likely to be."""
    names = " ".join(forward.graph.nodes).lower()
    if unknown.startswith(("Conv", "DepthwiseConv", "MaxPool", "AvgPool")):
        return f"a convolution ({unknown})"
    if unknown in ("Mul", "AddV2", "Add", "FusedBatchNormV3") and "moving_variance" in names:
        return f"batch normalisation ({unknown})"
    if unknown in ("Mul", "Sum", "BatchMatMulV2", "BatchMatMul", "MatMul") and "softmax" in names:
        return f"{unknown}, perhaps of attention,"
    return unknown


def _before(forward: ForwardPart, file: str, lowest: Application) -> Path:
    """The way from the lowest cell to the placeholder."""
    before = back(forward, lowest.data or "", set())
    fed = before.end is not None and before.end.op in PLACEHOLDERS
    if fed and not before.unknown and len(before.layers) < 2 and before.end is not None:
        return before
    what = before.unknown or (before.end.op if before.end else "nothing")
    if len(before.layers) > 1:
        what = f"{len(before.layers)} layers"
    raise InputError(
        f"{file}: found {_named(forward, what)} in front of the recurrent layers, expected a placeholder, an "
        "embedding or one fully connected layer"
    )


def _constant_vectors(original: Original, name: str) -> Optional[np.ndarray]:
    """Word vectors that stand in the graph itself."""
    node = original.graph.nodes.get(name)
    value = node.constant(MOST_CONSTANT_BYTES // 4) if node is not None and node.op == "Const" else None
    return None if value is None or value.ndim != 2 else value.astype(np.float32)


def _lengths(forward: ForwardPart, found: List[Application]) -> str:
    """The tensor with the steps of each example that count: what a step's number is compared with."""
    scopes = {one.node.name.split("/")[0] for one in found}
    for node in forward.nodes.values():
        if node.op != "Select" or not node.inputs or node.name.split("/")[0] not in scopes:
            continue
        late = forward.behind(node.inputs[0][0])
        if late is None or late.op not in ("GreaterEqual", "LessEqual"):
            continue
        lengths = forward.behind(late.inputs[late.op == "GreaterEqual"][0])
        if lengths is not None and lengths.op not in ("Const", *VARIABLE_OPS):
            return f"{lengths.name}:0"
    return ""


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


def _labels(forward: ForwardPart, loss: LossOfGraph, inputs: str, lengths: str) -> str:
    """The placeholder that only the loss needs."""
    if not loss.tensor:
        return ""
    names = [
        name
        for name in sorted(forward.ancestors(split_tensor(loss.tensor)[0]))
        if forward.graph.nodes[name].op in PLACEHOLDERS and name not in (inputs, lengths[:-2])
    ]
    outer = [name for name in names if name not in forward.ancestors(split_tensor(loss.output)[0])]
    with_rank = [n for n in outer if node_shape(forward.graph.nodes[n], 0, forward.graph.producer) != ()]
    return (
        with_rank[-1]
        if len(with_rank) == 1
        else next((n for n in with_rank if any(w in n.lower() for w in ("y", "label", "target"))), "")
    )
