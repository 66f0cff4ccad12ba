"""What a graph must be before any of it reaches TensorFlow."""

from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.original.cut import called_functions, function_names, needed, with_loop_exits
from tf1_lstm.original.graph import MOST_CONSTANT_BYTES, Node, StoredGraph, constant_bytes
from tf1_lstm.original.operations import ALLOWED, SAVER, is_hostile

MOST_FUNCTIONS = 1000


class CheckedPart(NamedTuple):
    """The part of a graph that is to run.

    Attributes:
      names: its nodes.
      functions: the functions of the library that these call.
    """

    names: Set[str]
    functions: List[str]


def refused(graph: StoredGraph) -> Dict[str, List[str]]:
    """Operation -> nodes, for all that may not run; the Saver's own are left out."""
    found: Dict[str, List[str]] = {}
    for node in graph.all_nodes():
        if node.op not in ALLOWED and node.op not in SAVER and node.op not in graph.functions:
            found.setdefault(node.op, []).append(node.name)
    return found


def check_whole(graph: StoredGraph, file: str, prune: bool = False) -> None:
    """Refuse a graph that holds an operation which touches files, processes, the network or Python.

    Args:
      graph: the whole graph.
      file: what an error names.
      prune: only what is needed will run, so the rest may hold anything.

    Raises:
      InputError: such an operation, its nodes named; or constants beyond any model's.
    """
    hostile = {op: names for op, names in refused(graph).items() if is_hostile(op)}
    if hostile and not prune:
        op = sorted(hostile)[0]
        more = f" (and {len(hostile) - 1} more kinds)" if len(hostile) > 1 else ""
        raise InputError(
            f"{file}: found the operation {op} ({hostile[op][0]}){more}, expected none that touches files, "
            "processes, the network or Python; --prune leaves out what the fetched outputs do not need"
        )
    if len(graph.functions) > MOST_FUNCTIONS:
        raise InputError(f"{file}: found {len(graph.functions):,} functions, expected {MOST_FUNCTIONS:,}")
    if not prune:
        _check_constants(list(graph.all_nodes()), file)


def _check_constants(nodes: Sequence[Node], file: str) -> None:
    total = 0
    for node in nodes:
        if node.op != "Const":
            continue
        size = constant_bytes(node)
        total += size
        if total > MOST_CONSTANT_BYTES:
            raise InputError(
                f"{file}: found constants of {total:,} bytes (the last one {node.name}, {size:,}), expected "
                f"at most {MOST_CONSTANT_BYTES:,} in all"
            )


def part_to_run(
    graph: StoredGraph,
    fetches: Sequence[str],
    fed: Sequence[Tuple[str, int]],
    file: str,
    differentiate: bool = False,
) -> CheckedPart:
    """The part that some nodes need, each of its operations on the list of those that may run.

    Args:
      graph: the whole graph.
      fetches: names of nodes.
      fed: ``(node, output)`` of the tensors that are given.
      file: what an error names.
      differentiate: whether gradients are to be taken of it.

    Raises:
      InputError: an operation that may not, a node that is not there, or constants beyond any model's.
    """
    names = needed(graph, fetches, fed)
    if differentiate:
        names = with_loop_exits(graph, names, fed)
    nodes = [graph.nodes[name] for name in graph.nodes if name in names]
    functions = called_functions(graph, nodes)
    inner = [node for name in functions for node in graph.functions[name]]
    for node in [*nodes, *inner]:
        if node.op not in ALLOWED and node.op not in graph.functions:
            why = "the Saver's own" if node.op in SAVER else "not one of those that may run"
            raise InputError(
                f"{file}: the outputs need the operation {node.op} ({node.name}), {why}; feed a tensor "
                "behind it (--feed takes any tensor of the graph)"
            )
        lacking = [name for name in node_references(node) if name not in graph.nodes] if node in nodes else []
        if lacking:
            raise InputError(f"{file}: {node.name} reads {lacking[0]}, which is not in the graph")
        strange = [name for name in function_names(node)[1:] if name and name not in graph.functions]
        if strange:
            raise InputError(f"{file}: {node.name} calls {strange[0]}, which is not in the graph's library")
    _check_constants([*nodes, *inner], file)
    return CheckedPart(names, functions)


def node_references(node: Node) -> List[str]:
    """The nodes that a node names."""
    return [source for source, _ in node.inputs] + node.controls
