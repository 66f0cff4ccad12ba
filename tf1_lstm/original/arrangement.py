"""What operations that rearrange do to steps: which one is picked, whether they change places with examples."""

from typing import List, Optional, Tuple

from tf1_lstm.original.forward import ForwardPart
from tf1_lstm.original.graph import PLACEHOLDERS, Node, node_shape

SHAPES = ("Shape", "ShapeN", "Size")
COUNTS = ("Sum", "Max", "CountNonZero")  # by which graphs find lengths


def constant(forward: ForwardPart, name: str) -> Optional[List[int]]:
    """The whole numbers of a constant behind a node, or None."""
    node = forward.behind(name)
    value = node.constant() if node is not None else None
    return None if value is None or value.dtype.kind not in "iu" else [int(one) for one in value.reshape(-1)]


def swaps_steps(forward: ForwardPart, node: Node) -> bool:
    """Whether a Transpose exchanges the first two axes: steps and examples."""
    order = constant(forward, node.inputs[1][0])
    if order is None:
        joined = forward.behind(node.inputs[1][0])  # dynamic_rnn's [1, 0] with a range behind it
        if joined is not None and joined.op == "ConcatV2":
            order = constant(forward, joined.inputs[0][0])
    return order is not None and order[:2] == [1, 0]


def reduced_over_steps(forward: ForwardPart, node: Node) -> bool:
    """Whether a Mean or Max is over the second axis of three, or (steps first) the first one."""
    axes = constant(forward, node.inputs[1][0])
    return axes in ([1], [0], [-2])


def picked_step(forward: ForwardPart, node: Node, output: int) -> Tuple[str, int]:
    """Which step a node picks, and along which axis.

    Returns:
      ``last``, ``first``, ``length`` (the one that a length says), ``all`` (none is picked), or an empty
      text for what is none of these; and the axis.
    """
    if node.op == "Unpack":
        return _place(output, node.integer("num")), node.integer("axis")
    if node.op in ("Split", "SplitV"):
        along = constant(forward, node.inputs[0 if node.op == "Split" else 2][0])
        return _place(output, node.integer("num_split")), along[0] if along else 0
    if node.op == "StridedSlice":
        return _sliced(forward, node)
    if node.op == "GatherNd":
        return ("length" if _of_lengths(forward, node.inputs[1][0]) else ""), 1
    index = constant(forward, node.inputs[1][0])
    axes = constant(forward, node.inputs[2][0]) if len(node.inputs) > 2 else [0]
    axis = axes[0] if axes else 0
    if index is None:
        return ("length" if _of_lengths(forward, node.inputs[1][0]) else "last"), axis
    extent = _extent(forward, node.inputs[0], axis)
    return (_place(index[0], extent or index[0] + 1) if len(index) == 1 else ""), axis


def _place(index: int, count: int) -> str:
    if index in (-1, count - 1):
        return "last"
    return "first" if index == 0 else "middle"


def _sliced(forward: ForwardPart, node: Node) -> Tuple[str, int]:
    begin = constant(forward, node.inputs[1][0])
    shrunk, begins, ends = (node.integer(f"{name}_mask") for name in ("shrink_axis", "begin", "end"))
    if begin is None:
        return ("last", 0) if shrunk == 1 else ("", 0)
    axes = [axis for axis in range(len(begin)) if shrunk >> axis & 1]
    rest = [axis for axis in range(len(begin)) if axis not in axes]
    whole = all(begins >> axis & 1 and ends >> axis & 1 for axis in rest)
    if not whole or len(axes) > 1:
        return "", 0
    if not axes:
        return "all", 0
    shape = node_shape(forward.graph.nodes[node.inputs[0][0]], node.inputs[0][1], forward.graph.producer)
    if axes[0] == len(shape or (0, 0, 0)) - 1 and begin[axes[0]] == 0:
        return "all", 0  # the one column of a matrix
    return _place(begin[axes[0]], _extent(forward, node.inputs[0], axes[0]) or 0), axes[0]


def _extent(forward: ForwardPart, tensor: Tuple[str, int], axis: int) -> int:
    node = forward.graph.nodes.get(tensor[0])
    shape = node_shape(node, tensor[1], forward.graph.producer) if node is not None else None
    return int(shape[axis] or 0) if shape and 0 <= axis < len(shape) else 0


def _of_lengths(forward: ForwardPart, name: str) -> bool:
    """Whether an index depends on what is fed, and not on its extents alone."""
    nodes = [
        forward.graph.nodes[one] for one in forward.ancestors(name, SHAPES) if one in forward.graph.nodes
    ]
    # A placeholder of no dimension is the size of the batch.
    fed = [node for node in nodes if node.op in PLACEHOLDERS and node.shape("shape") != ()]
    return bool(fed) or any(node.op in COUNTS for node in nodes)
