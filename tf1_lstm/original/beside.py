"""What the graph beside a checkpoint adds to what ``inspect`` says of it, and the command that goes on."""

from typing import Any, Dict, List

from tf1_lstm.errors import InputError
from tf1_lstm.original.forward import ForwardPart
from tf1_lstm.original.listing import recurrent_line
from tf1_lstm.original.recurrent import recurrent_parts
from tf1_lstm.original.source import open_graph, reading

Document = Dict[str, Any]


def with_graph(document: Document) -> Document:
    """An ``inspect`` document with ``graph`` (what its own graph says of the cells) and ``next``."""
    graph = _graph(document["prefix"])
    found = dict(document, graph=graph)
    model = document["model"]
    if graph and model and model["layers_may_share"] and len(graph["recurrent"]) == 1:
        layers = graph["recurrent"][0]["layers"]
        said = "one layer" if layers == 1 else f"{layers} layers that share one cell"
        summary = model["summary"].replace("one layer, or several that share it", said)
        found["model"] = dict(model, summary=summary, layers_may_share=False)
    found["next"] = next_commands(found)
    return found


def _graph(prefix: str) -> Any:
    try:
        original = open_graph(prefix)
        with reading(original.file):
            return {"file": original.file, "recurrent": recurrent_parts(ForwardPart(original.graph))}
    except InputError:
        return None


def next_commands(document: Document) -> List[str]:
    """What goes on from here: a recipe that fits, the checkpoint's own graph, or ``adopt``."""
    prefix = document["prefix"]
    fitting = [one for one in document["recipes"] if one["fits"]]
    found = [f"tf1-lstm evaluate {one['name']} --checkpoint {prefix}" for one in fitting[:2]]
    if document["graph"]:
        found.append(f"tf1-lstm graph {prefix}")
    if not fitting and document["model"] is not None and not document["missing"]:
        found.append(f"tf1-lstm adopt {prefix} --out mine.py")
    return found


def graph_lines(document: Document) -> List[str]:
    """The lines that ``inspect`` prints of it, the command that goes on last."""
    found = []
    if document["graph"]:
        found += [f"graph       {recurrent_line(part)}" for part in document["graph"]["recurrent"]]
    return found + [f"next        {command}" for command in document["next"]]
