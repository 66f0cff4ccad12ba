"""What a graph's output reads of its recurrent cells: which steps, of which layer, of which direction."""

from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from tf1_lstm.checkpoints.names import parse_name
from tf1_lstm.original.forward import ADD, ForwardPart
from tf1_lstm.original.recurrent import ACTIVATIONS, Application
from tf1_lstm.original.trace import CONCAT, Path, TracedDense, back, operands

BLOCKS = ("LSTMBlockCell", "BlockLSTM", "GRUBlockCell")
CELL_OUTPUTS = ("Mul", "Add", "AddV2", *ACTIVATIONS, *BLOCKS)
JOINS = (*CONCAT, "Pack", *ADD)
MOST_JOINED = 20_000
MOST_HOPS = 16
# What directions read -> what that is: the last step forward and the first one backward are both states.
TOGETHER: Dict[Tuple[str, ...], str] = {
    ("first",): "state",
    ("first", "output"): "state",
    ("output", "state"): "output",  # unrolled: forward, the last output is the state
    ("state",): "state",
    ("output",): "output",
    ("steps",): "steps",
    ("mean",): "mean",
    ("maximum",): "maximum",
}
BY_EVENT = {"Mean": "mean", "Max": "maximum", "length": "state", "last": "output"}


class CellReading(NamedTuple):
    """What is read of recurrent layers.

    Attributes:
      read: ``state``, ``output``, ``steps``, ``mean`` or ``maximum``.
      merge: of two directions: ``join``, ``sum``, ``forward`` or ``backward``.
      layers: fully connected layers on the way back.
      dropped: whether dropout lies on the way.
      by_length: whether the step is picked by a length.
      unknown: what is on the way that is none of these; empty where all is known.
    """

    read: str = "state"
    merge: str = "join"
    layers: Tuple[TracedDense, ...] = ()
    dropped: bool = False
    by_length: bool = False
    unknown: str = ""


class _Leaf(NamedTuple):
    """A cell's output that is read."""

    path: Path
    cell: Application


class Cells:
    """The cells of a graph, and where their outputs are."""

    def __init__(self, forward: ForwardPart, found: List[Application], layers: Dict[str, int]) -> None:
        """Find the nodes of the scopes in which cells are."""
        self.forward = forward
        self.layers = layers
        self.top = max(layers.values())
        self._applied = {one.node.name: one for one in found}
        scopes = {name.rpartition("/")[0] for name in self._applied}
        self.nodes: Set[str] = {  # where a way back ends
            node.name
            for node in forward.nodes.values()
            if node.op in CELL_OUTPUTS and node.name.rpartition("/")[0] in scopes
        }.union(self._applied)
        # The unrolled applications of each kernel at the top, in the order of their steps.
        self.steps: Dict[str, List[str]] = {}
        for one in found:
            if layers[one.node.name] == self.top:
                self.steps.setdefault(one.kernel, []).append(one.node.name)

    def owner(self, path: Path) -> Optional[Application]:
        """The cell whose output a way ends at: the nearest one, as a step's state is further away."""
        if path.end is None or path.end.name not in self.nodes:
            return None
        near, seen = [path.end.name], {path.end.name}
        for _ in range(MOST_HOPS):
            found = [self._applied[name] for name in near if name in self._applied]
            if found or not near:
                return max(found, key=lambda one: self.layers[one.node.name]) if found else None
            sources = [source for name in near for source, _ in self._inputs(name)]
            near = [name for name in dict.fromkeys(sources) if name not in seen]
            seen.update(near)
        return None

    def _inputs(self, name: str) -> List[Tuple[str, int]]:
        node = self.forward.graph.nodes.get(name)
        return node.inputs if node is not None else []


def reading(cells: Cells, tensor: Tuple[str, int]) -> CellReading:
    """Follow an output back to the cells."""
    path = back(cells.forward, tensor[0], cells.nodes, tensor[1])
    leaves: List[_Leaf] = []
    problem = _collect(cells, path, leaves)
    if problem:
        return CellReading(layers=path.layers, unknown=problem)
    first = leaves[0].path
    if any(leaf.path.layers != first.layers for leaf in leaves):
        return CellReading(layers=first.layers, unknown="several layers side by side")
    by_kernel: Dict[str, List[_Leaf]] = {}
    for leaf in leaves:
        by_kernel.setdefault(leaf.cell.kernel, []).append(leaf)
    found = [_of_one(cells, each) for each in by_kernel.values()]
    reads = sorted({read for read, _ in found})
    unknown = next((what for _, what in found if what), "")
    read = TOGETHER.get(tuple(reads), "")
    merge, strange = _merge(path, list(by_kernel), cells)
    return CellReading(
        read=read or "state",
        merge=merge,
        layers=first.layers,
        dropped=first.dropped,
        by_length="length" in first.picked,
        unknown=unknown or strange or ("" if read else f"{' and '.join(reads)} side by side"),
    )


def _collect(cells: Cells, path: Path, leaves: List[_Leaf]) -> str:  # noqa: PLR0911 (one a reason)
    """Add the cells' outputs behind a way; returns what stands between, if anything does."""
    node = path.end
    if node is None or len(leaves) > MOST_JOINED:
        return path.unknown or "nothing"
    if path.unknown in JOINS:
        for one in operands(cells.forward, node, cells.nodes):
            whole = one._replace(
                layers=(*path.layers, *one.layers),
                picked=(*path.picked, *one.picked),
                dropped=path.dropped or one.dropped,
            )
            problem = _collect(cells, whole, leaves)
            if problem:
                return problem if problem != "Placeholder" else path.unknown
        return ""
    cell = cells.owner(path)
    if path.unknown or cell is None:
        return path.unknown or node.op
    if cell.cell == "cudnn":
        return node.op
    if node.op in ("Add", "AddV2") and "lstm" in cell.cell:
        return "the memory c of a cell"
    if cells.layers[cell.node.name] != cells.top:
        return "the states of lower layers"
    leaves.append(_Leaf(path, cell))
    return ""


def _of_one(cells: Cells, leaves: List[_Leaf]) -> Tuple[str, str]:  # noqa: PLR0911 (one a reason)
    """What is read of one direction, and what is strange about it."""
    path, cell = leaves[0]
    picked = [event for event in path.picked if event not in ("state", "gather")]
    steps = cells.steps[cell.kernel]
    if cell.frame:
        if len(leaves) > 1:
            return "state", "a cell's outputs beside one another"
        if "state" in path.picked:
            return "state", f"{picked[0]} of a state" if picked else ""
        if "gather" not in path.picked and cell.node.op not in BLOCKS:
            return "state", "a value inside of a loop"
    elif len(leaves) == len(steps) > 1:
        if [leaf.cell.node.name for leaf in leaves] not in (steps, steps[::-1]):
            return "steps", "steps in another order"
    else:
        place = steps.index(cell.node.name)
        if len(leaves) > 1 or place not in (0, len(steps) - 1):
            return "state", "the output of a step that is not the last"
        backward = _direction(cell.kernel)
        if place == len(steps) - 1:
            return "state", ""
        return ("output", "") if backward else ("state", "the output of the first step")
    if not picked:
        return "steps", ""
    if len(picked) > 1 or picked[0] == "middle":
        return "output", f"{' of '.join(picked)} of the steps"
    if picked[0] == "first":
        return "first", "" if _direction(cell.kernel) else "the output of the first step"
    return BY_EVENT[picked[0]], ""


def _direction(kernel: str) -> int:
    named = parse_name(kernel)
    return named.direction if named else 0


def _merge(path: Path, kernels: List[str], cells: Cells) -> Tuple[str, str]:
    """What becomes of directions, and what is strange about it."""
    directions = [_direction(kernel) for kernel in kernels]
    if len(kernels) > 2:
        return "join", f"{len(kernels)} recurrent models"
    if len(kernels) == 2:
        if directions == [0, 0]:
            return "join", "2 recurrent models"
        if path.unknown in ADD:
            return "sum", ""
        return "join", "" if directions == [0, 1] else "directions joined in another order"
    if len(cells.steps) == 2 and {_direction(kernel) for kernel in cells.steps} == {0, 1}:
        return ("backward" if directions[0] else "forward"), ""
    return "join", ""
