"""The forward part of a graph: what is left without gradients, optimizer, Saver and summaries."""

import re
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

import numpy as np

from tf1_lstm.original.graph import VARIABLE_OPS, Node, StoredGraph
from tf1_lstm.original.operations import SAVER

GRADIENT_SCOPE = re.compile(r"(?:^|/)gradients(?:_\d+)?/")
GRADIENT_OF = re.compile(r"(?:^|/)gradients(?:_\d+)?/(.+)_grad(?:/|$)")
APPLY = re.compile(r"^(?:Resource)?(?:Sparse)?Apply[A-Z]")
SUMMARY = re.compile(r"Summary(?:V2)?$")
ASSIGN = (
    "Assign",
    "AssignAdd",
    "AssignSub",
    "AssignVariableOp",
    "AssignAddVariableOp",
    "AssignSubVariableOp",
)
# Operations that give on what they read, perhaps in another arrangement or from another frame.
PASSING = (
    "Identity",
    "Enter",
    "Exit",
    "Switch",
    "Reshape",
    "Squeeze",
    "ExpandDims",
    "StopGradient",
    "CheckNumerics",
    "EnsureShape",
    "PlaceholderWithDefault",
)
ADD = ("Add", "AddV2", "BiasAdd")


class NodeUse(NamedTuple):
    """A node that reads another's output.

    Attributes:
      node: the reader.
      place: the number of its input.
      output: the number of the other's output.
    """

    node: Node
    place: int
    output: int


class ForwardPart:
    """The forward part of a graph.

    Attributes:
      graph: the whole of it.
      nodes: name -> node, without gradients, optimizer, Saver, initializers and summaries.
      uses: node -> its readers among these.
      frames: node -> the frame of the loop it is in; outside of loops it is missing.
      differentiated: forward nodes whose gradient is in the graph.
    """

    def __init__(self, graph: StoredGraph) -> None:
        """Separate a graph's forward part from the rest."""
        self.graph = graph
        self.nodes: Dict[str, Node] = {
            name: node
            for name, node in graph.nodes.items()
            if not GRADIENT_SCOPE.search(name) and _computes(node)
        }
        self.uses: Dict[str, List[NodeUse]] = {}
        for node in self.nodes.values():
            for place, (source, output) in enumerate(node.inputs):
                self.uses.setdefault(source, []).append(NodeUse(node, place, output))
        self.frames = _frames(self)
        self.differentiated: Set[str] = set()
        for name in graph.nodes:
            match = GRADIENT_OF.search(name)
            if match and match.group(1) in self.nodes:
                self.differentiated.add(match.group(1))

    def behind(self, name: str, hops: int = 64) -> Optional[Node]:
        """The node whose numbers a node gives on, rearranged at most."""
        for _ in range(hops):
            node = self.graph.nodes.get(name)
            if node is None or not node.inputs or not (node.op in PASSING or self._keeps_order(node)):
                return node
            name = node.inputs[0][0]
        return None

    def _keeps_order(self, node: Node) -> bool:
        """Whether a Transpose is none: the one that tensordot puts behind a kernel."""
        order = self.graph.nodes.get(node.inputs[1][0]) if node.op == "Transpose" else None
        value = order.constant() if order is not None else None
        return value is not None and value.tolist() == list(range(value.size))

    def weight(self, name: str) -> Optional[Node]:
        """The variable (or constant of a frozen graph) behind a node, or None."""
        node = self.behind(name)
        if node is not None and node.op == "ReadVariableOp":
            node = self.behind(node.inputs[0][0])
        if node is None or not (node.op in VARIABLE_OPS or node.op == "Const"):
            return None
        return node

    def number(self, name: str) -> Optional[float]:
        """The one number of a constant behind a node, or None."""
        node = self.behind(name)
        value = node.constant(1) if node is not None else None
        # The shortest number of its type: 0.8, where 0.8 was written in float32.
        return float(str(value.reshape(-1)[0])) if value is not None and value.size == 1 else None

    def ancestors(self, name: str, stop: Tuple[str, ...] = ()) -> Set[str]:
        """All nodes that a node depends on, itself too; ``stop`` are operations not to go beyond."""
        found: Set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            node = self.graph.nodes.get(current)
            if current in found or node is None:
                continue
            found.add(current)
            if node.op not in stop or current == name:
                waiting += [source for source, _ in node.inputs]
        return found


def _computes(node: Node) -> bool:
    if APPLY.match(node.op) or node.op in SAVER or node.op in ASSIGN or SUMMARY.search(node.op):
        return False
    return not node.name.startswith("save/") and "/Initializer/" not in node.name


def _frames(forward: ForwardPart) -> Dict[str, str]:
    found: Dict[str, str] = {}
    waiting: List[str] = []
    for node in forward.nodes.values():
        if node.op in ("Enter", "RefEnter"):
            found[node.name] = node.text("frame_name")
            waiting.append(node.name)
    while waiting:
        name = waiting.pop()
        for use in forward.uses.get(name, []):
            if use.node.name not in found and use.node.op not in ("Exit", "RefExit"):
                found[use.node.name] = found[name]
                waiting.append(use.node.name)
    return found


def weight_shape(node: Node) -> Tuple[int, ...]:
    """The shape of a variable or constant; () where it is unknown."""
    if node.op == "Const":
        value = node.constant(1 << 28)
        return tuple(value.shape) if value is not None else ()
    shape = node.shape("shape") or ()
    return tuple(int(extent or 0) for extent in shape)


def as_list(values: Optional[np.ndarray]) -> List[float]:
    """A constant's numbers as a list."""
    return [] if values is None else [float(value) for value in values.reshape(-1)]
