"""The part of a graph that some outputs need, and nothing else of it."""

from typing import List, Sequence, Set, Tuple

from tf1_lstm.checkpoints.formats.wire import Message, bytes_field, int_field
from tf1_lstm.original.graph import Node, StoredGraph


def needed(graph: StoredGraph, fetches: Sequence[str], fed: Sequence[Tuple[str, int]]) -> Set[str]:
    """The nodes that must run for these nodes, where some tensors are fed."""
    given = set(fed)
    found: Set[str] = set()
    waiting = list(fetches)
    while waiting:
        name = waiting.pop()
        if name in found or name not in graph.nodes:
            continue
        found.add(name)
        node = graph.nodes[name]
        waiting += [source for source, output in node.inputs if (source, output) not in given]
        waiting += node.controls
    return found


def with_loop_exits(graph: StoredGraph, names: Set[str], fed: Sequence[Tuple[str, int]]) -> Set[str]:
    """Some nodes, and every exit of the loops among them.

    TensorFlow's gradient of a loop begins at all its exits, those that nothing reads too: without one of
    them it silently has no gradient for what only that loop variable depends on.
    """
    while True:
        exits = [
            node.name
            for node in graph.nodes.values()
            if node.op in ("Exit", "RefExit") and node.name not in names and node.inputs[0][0] in names
        ]
        if not exits:
            return names
        names = names | needed(graph, exits, fed)


def called_functions(graph: StoredGraph, nodes: Sequence[Node]) -> List[str]:
    """The functions of the library that nodes call, and those that these call."""
    found: List[str] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        for name in function_names(node):
            if name in graph.functions and name not in found:
                found.append(name)
                waiting += graph.functions[name]
    return found


def function_names(node: Node) -> List[str]:
    """The functions that a node may call: its operation, and its attributes of that kind."""
    names = [node.op]
    for attribute in node.attribute_names():
        value = node.attribute(attribute)
        if value is None:
            continue
        blobs = value.blobs(10) + (Message(value.blob(1)).blobs(9) if value.has(1) else [])
        names += [Message(blob).text(1) for blob in blobs]
    return names


def write_graph(graph: StoredGraph, names: Set[str], functions: Sequence[str]) -> bytes:
    """The bytes of a GraphDef with some of the nodes and functions, in the file's order."""
    pieces = [bytes_field(1, bytes(node.raw)) for name, node in graph.nodes.items() if name in names]
    library = b"".join(bytes_field(1, bytes(graph.function_raw[name])) for name in functions)
    pieces += [bytes_field(2, library)] if library else []
    return b"".join(pieces) + bytes_field(4, graph.versions or int_field(1, graph.producer))
