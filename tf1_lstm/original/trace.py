"""A graph followed backward from its output to its placeholders: the layers between, and what is read."""

from typing import List, NamedTuple, Optional, Set

from tf1_lstm.original.forward import ADD, PASSING, ForwardPart, weight_shape
from tf1_lstm.original.graph import PLACEHOLDERS, Node
from tf1_lstm.original.recurrent import ACTIVATIONS

ARRANGING = (
    *PASSING,
    "Transpose",
    "Pack",
    "Unpack",
    "Split",
    "SplitV",
    "TensorArrayScatterV3",
    "TensorArrayReadV3",
    "Cast",
    "Merge",
)
PICKING = ("StridedSlice", "Gather", "GatherV2", "GatherNd", "Slice")
MOST = 400


class TracedDense(NamedTuple):
    """A fully connected layer.

    Attributes:
      kernel, bias: its variables; no bias is an empty text.
      activation: one of TensorFlow's, or ``linear``.
      inputs, units: its widths.
      node: the multiplication.
    """

    kernel: str
    bias: str
    activation: str
    inputs: int
    units: int
    node: str


class Path(NamedTuple):
    """What lies between a tensor and where it comes from.

    Attributes:
      layers: in the order of the way back.
      picked: what is done to steps, in that order: ``pick``, ``Mean``, ``Max``, ``gather`` (of a loop).
      end: the node where the way ends.
      embedding: the variable that ids are looked up in.
      one_hot: width of one-hot inputs, or 0.
      dropped: whether dropout lies on the way.
      unknown: an operation that is none of these.
    """

    layers: List[TracedDense]
    picked: List[str]
    end: Optional[Node]
    embedding: str = ""
    one_hot: int = 0
    dropped: bool = False
    unknown: str = ""


def back(forward: ForwardPart, name: str, stop: Set[str]) -> Path:  # noqa: PLR0912 (one branch an operation)
    """Follow a tensor back to a placeholder, or to one of the nodes of ``stop``."""
    layers: List[TracedDense] = []
    picked: List[str] = []
    embedding, one_hot, dropped, activation = "", 0, False, "linear"
    node = forward.graph.nodes.get(name)
    for _ in range(MOST):
        if node is None or node.name in stop or node.op in PLACEHOLDERS or not node.inputs:
            return Path(layers, picked, node, embedding, one_hot, dropped)
        place = 0
        if node.op in ACTIVATIONS:
            activation = ACTIVATIONS[node.op]
        elif node.op in ADD and forward.weight(node.inputs[1][0]) is not None:
            pass  # the bias is found with its multiplication
        elif node.op in ADD and forward.weight(node.inputs[0][0]) is not None:
            place = 1
        elif node.op == "MatMul":
            found = _dense(forward, node, activation)
            if found is None:
                return Path(layers, picked, node, embedding, one_hot, dropped, node.op)
            layers.append(found)
            activation = "linear"
        elif node.op in ("GatherV2", "Gather", "ResourceGather") and forward.weight(node.inputs[0][0]):
            weight = forward.weight(node.inputs[0][0])
            embedding, place = weight.name if weight is not None else "", 1
        elif node.op == "OneHot":
            one_hot = int(forward.number(node.inputs[1][0]) or 0)
        elif node.op in PICKING:
            picked.append("pick")
        elif node.op in ("Mean", "Max", "Sum"):
            picked.append(node.op)
        elif node.op in ("Mul", "RealDiv", "Div") and "dropout" in node.name.lower():
            dropped = True
        elif node.op in ("Split", "SplitV"):
            place = 1 if node.op == "Split" else 0
        elif node.op == "TensorArrayScatterV3":
            place = 2
        elif node.op == "TensorArrayReadV3":
            return _through_array(
                forward, node, Path(layers, picked, node, embedding, one_hot, dropped), stop
            )
        elif node.op == "Select":
            place = 2
        elif node.op == "TensorArrayGatherV3":
            written = _written(forward, node)
            if written is None:
                return Path(layers, picked, node, embedding, one_hot, dropped, node.op)
            picked.append("gather")
            node = forward.graph.nodes.get(written)
            continue
        elif node.op not in ARRANGING:
            return Path(layers, picked, node, embedding, one_hot, dropped, node.op)
        node = forward.graph.nodes.get(node.inputs[place][0])
    return Path(layers, picked, node, embedding, one_hot, dropped, "a way without end")


def _dense(forward: ForwardPart, node: Node, activation: str) -> Optional[TracedDense]:
    weight = forward.weight(node.inputs[1][0])
    if weight is None or node.flag("transpose_a") or node.flag("transpose_b"):
        return None
    shape = weight_shape(weight)
    bias = ""
    for use in forward.uses.get(node.name, []):
        if use.node.op in ADD and len(use.node.inputs) == 2:
            other = forward.weight(use.node.inputs[1 - use.place][0])
            bias = other.name if other is not None else bias
    return (
        TracedDense(weight.name, bias, activation, shape[0], shape[1], node.name) if len(shape) == 2 else None
    )


def _written(forward: ForwardPart, gather: Node) -> Optional[str]:
    """The node whose value a loop writes, step by step, into the TensorArray that a node gathers."""
    array = forward.behind(gather.inputs[0][0])
    for use in forward.uses.get(array.name, []) if array is not None else []:
        for inner in [use.node, *(one.node for one in forward.uses.get(use.node.name, []))]:
            if inner.op == "TensorArrayWriteV3":
                return inner.inputs[2][0]
    return None


def _through_array(forward: ForwardPart, node: Node, found: Path, stop: Set[str]) -> Path:
    """From the reading of a TensorArray inside of a loop to what was scattered into it before."""
    array = forward.behind(node.inputs[0][0])
    for use in forward.uses.get(array.name, []) if array is not None else []:
        if use.node.op == "TensorArrayScatterV3":
            more = back(forward, use.node.inputs[2][0], stop)
            return more._replace(
                layers=found.layers + more.layers,
                picked=found.picked + more.picked,
                embedding=found.embedding or more.embedding,
                one_hot=found.one_hot or more.one_hot,
                dropped=found.dropped or more.dropped,
            )
    return found._replace(unknown="TensorArrayReadV3")
