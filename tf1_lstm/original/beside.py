"""What the graph beside a checkpoint adds to what ``inspect`` says of it, and the command that goes on."""

from typing import Any, Dict, List

from tf1_lstm.errors import InputError
from tf1_lstm.original.forward import ForwardPart
from tf1_lstm.original.listing import recurrent_line
from tf1_lstm.original.model import described
from tf1_lstm.original.recurrent import recurrent_parts
from tf1_lstm.original.source import Original, open_graph, reading

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
            parts = recurrent_parts(ForwardPart(original.graph))
            return {"file": original.file, "recurrent": parts, "outside": _outside_by_graph(original)}
    except InputError:
        return None


def _outside_by_graph(original: Original) -> str:
    try:
        described(original)
    except InputError as error:
        text = str(error).replace(f"{original.file}: ", "", 1)
        return text.split(", expected")[0].split(" (")[0]
    return ""


def next_commands(document: Document) -> List[str]:
    """What goes on from here: a recipe that fits, the checkpoint's own graph, or ``adopt``."""
    prefix = document["prefix"]
    fitting = [one for one in document["recipes"] if one["fits"]]
    found = [f"tf1-lstm evaluate {one['name']} --checkpoint {prefix}" for one in fitting[:2]]
    if document["graph"]:
        found.append(f"tf1-lstm graph {prefix}")
    adoptable = document["model"] is not None and not document["missing"] and not outside(document)
    if not fitting and adoptable:
        found.append(f"tf1-lstm adopt {prefix} --out mine.py")
    return found


def outside(document: Document) -> str:
    """Why ``adopt`` would refuse a checkpoint; empty where it would not, or where a recipe fits."""
    if any(one["fits"] for one in document["recipes"]):
        return ""
    if document["graph"]:
        return str(document["graph"]["outside"])
    asked = any("nothing decides" in note for note in document["notes"])
    names = document["unassigned"]
    return "" if asked or not names else f"{', '.join(names[:3])} may be read by it, and no experiment does"


def graph_lines(document: Document) -> List[str]:
    """The lines that ``inspect`` prints of it, the command that goes on last."""
    found = []
    if document["graph"]:
        found += [f"graph       {recurrent_line(part)}" for part in document["graph"]["recurrent"]]
    reason = outside(document)
    if reason and document["model"] is not None:
        runs = "graph runs it" if document["graph"] else "only its own graph would run it"
        found.append(f"outside     adopt does not take it: {reason}; {runs}")
    return found + [f"next        {command}" for command in document["next"]]
