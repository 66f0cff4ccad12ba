"""A graph followed backward from a tensor: the layers on the way, and what is done to the steps."""

from typing import List, NamedTuple, Optional, Set, Tuple

from tf1_lstm.original.arrangement import picked_step, reduced_over_steps, swaps_steps
from tf1_lstm.original.forward import ADD, PASSING, ForwardPart, weight_shape
from tf1_lstm.original.graph import PLACEHOLDERS, Node
from tf1_lstm.original.recurrent import ACTIVATIONS, through_array

ARRANGING = (
    *PASSING,
    "TensorArrayScatterV3",
    "Cast",
    "Merge",
    "ReverseV2",
    "ReverseSequence",
    "Transpose",
)
CONCAT = ("ConcatV2", "Concat")
GATHERS = ("Gather", "GatherV2", "ResourceGather")
PICKING = ("StridedSlice", "GatherNd", "Unpack", "Split", "SplitV", *GATHERS)
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
      picked: what is done to steps, in that order: ``last``, ``first``, ``length`` (the step that a length
        says), ``Mean``, ``Max``, ``gather`` (of a loop's outputs), ``state`` (what a loop ends with).
      end: the node where the way ends.
      embedding: the variable, or constant, that ids are looked up in.
      one_hot: width of one-hot inputs, or 0.
      dropped: whether dropout lies on the way.
      unknown: an operation that is none of these.
      split: the axis along which steps were taken apart, as far as the way went; None where they were not.
      swaps: how often the first two axes changed places behind that, on the way back.
    """

    layers: Tuple[TracedDense, ...] = ()
    picked: Tuple[str, ...] = ()
    end: Optional[Node] = None
    embedding: str = ""
    one_hot: int = 0
    dropped: bool = False
    unknown: str = ""
    split: Optional[int] = None
    swaps: int = 0

    @property
    def steps_first(self) -> bool:
        """Whether what the way ends at has its steps before its examples."""
        return self.split is not None and (self.split + self.swaps) % 2 == 0


Step = Tuple[Path, str, int]  # the way so far, and where it goes on


def back(forward: ForwardPart, name: str, stop: Set[str], output: int = 0) -> Path:
    """Follow a tensor back to a placeholder, or to one of the nodes of ``stop``."""
    path, activation, bias = Path(), "linear", ""
    for _ in range(MOST):
        node = forward.graph.nodes.get(name)
        path = path._replace(end=node)
        if node is None or node.name in stop or node.op in PLACEHOLDERS or not node.inputs:
            return path
        if node.op in ACTIVATIONS:
            activation = ACTIVATIONS[node.op]
        elif node.op in ADD:
            place = next((place for place in (1, 0) if forward.weight(node.inputs[place][0])), None)
            if place is None:
                return path._replace(unknown=node.op)
            found = forward.weight(node.inputs[place][0])
            bias = found.name if found is not None else ""
            name, output = node.inputs[1 - place]
            continue
        elif node.op == "MatMul":
            layer = _dense(forward, node, activation, bias)
            if layer is None:
                return path._replace(unknown=node.op)
            path, activation, bias = path._replace(layers=(*path.layers, layer)), "linear", ""
        else:
            step = _step(forward, node, output, path)
            if step is None:
                return path._replace(unknown=node.op)
            path, name, output = step
            continue
        name, output = node.inputs[0]
    return path._replace(unknown="a way without end")


def _step(  # noqa: PLR0911, PLR0912 (one branch an operation)
    forward: ForwardPart, node: Node, output: int, path: Path
) -> Optional[Step]:
    """One node further back, where it is no layer; None where it is nothing that is known."""
    place = 0
    if node.op in GATHERS and forward.weight(node.inputs[0][0]) is not None:
        weight = forward.weight(node.inputs[0][0])
        path, place = path._replace(embedding=weight.name if weight is not None else ""), 1
    elif node.op == "OneHot":
        path = path._replace(one_hot=int(forward.number(node.inputs[1][0]) or 0))
    elif node.op in PICKING:
        what, axis = picked_step(forward, node, output)
        if not what:
            return None
        if what != "all":
            path = path._replace(picked=(*path.picked, what), split=axis, swaps=0)
        place = 1 if node.op == "Split" else 0
    elif node.op in ("Mean", "Max"):
        if not reduced_over_steps(forward, node):
            return None
        path = path._replace(picked=(*path.picked, node.op))
    elif node.op in ("Mul", "RealDiv", "Div") and "dropout" in node.name.lower():
        path = path._replace(dropped=True)
    elif node.op in ("Select", "TensorArrayScatterV3"):
        place = 2
    elif node.op in ("Exit", "RefExit"):
        inner = last_value(forward, node)
        return None if inner is None else (path._replace(picked=(*path.picked, "state")), *inner)
    elif node.op == "TensorArrayGatherV3":
        written = through_array(forward, node)
        return None if written is None else (path._replace(picked=(*path.picked, "gather")), *written)
    elif node.op == "TensorArrayReadV3":
        scattered = through_array(forward, node)
        return None if scattered is None else (path._replace(split=0, swaps=0), *scattered)
    elif node.op == "Pack":
        if len(node.inputs) > 1:
            return None
    elif node.op not in ARRANGING:
        return None
    if node.op == "Transpose" and swaps_steps(forward, node):
        path = path._replace(swaps=path.swaps + 1)
    return (path, *node.inputs[place])


def _dense(forward: ForwardPart, node: Node, activation: str, bias: str) -> Optional[TracedDense]:
    weight = forward.weight(node.inputs[1][0])
    if weight is None or node.flag("transpose_a") or node.flag("transpose_b"):
        return None
    shape = weight_shape(weight)
    if len(shape) != 2:
        return None
    return TracedDense(weight.name, bias, activation, shape[0], shape[1], node.name)


def last_value(forward: ForwardPart, node: Node) -> Optional[Tuple[str, int]]:
    """Where a loop's exit has its value from: the tensor that each iteration hands to the next."""
    graph = forward.graph.nodes
    switch = graph.get(node.inputs[0][0]) if node.inputs else None
    merge = graph.get(switch.inputs[0][0]) if switch is not None and switch.op == "Switch" else None
    for source, _ in merge.inputs if merge is not None else ():
        following = graph.get(source)
        if following is not None and following.op == "NextIteration":
            return following.inputs[0]
    return None


def operands(forward: ForwardPart, node: Node, stop: Set[str]) -> List[Path]:
    """The ways back from all that a node joins."""
    inputs = {"ConcatV2": node.inputs[:-1], "Concat": node.inputs[1:]}.get(node.op, node.inputs)
    return [back(forward, source, stop, output) for source, output in inputs]
