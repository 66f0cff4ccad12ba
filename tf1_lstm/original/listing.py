"""What ``tf1-lstm graph`` says of a graph: as data for ``--json``, and as lines for people."""

from typing import Any, Dict, List

from tf1_lstm.checkpoints.restore import table
from tf1_lstm.checkpoints.slots import SLOT
from tf1_lstm.original.check import check_whole, refused
from tf1_lstm.original.forward import ForwardPart
from tf1_lstm.original.graph import PLACEHOLDERS, node_shape
from tf1_lstm.original.operations import SAVER
from tf1_lstm.original.outputs import described, losses, optimizer, outputs
from tf1_lstm.original.recurrent import recurrent_parts
from tf1_lstm.original.source import Original, reading
from tf1_lstm.original.variables import saved_under, show, stored_of, variables_of

Document = Dict[str, Any]
SHOWN_OUTPUTS = 12


def listing(original: Original, prune: bool = False) -> Document:
    """Everything that a graph says of itself: texts, numbers, lists and dictionaries.

    Raises:
      InputError: it holds an operation that touches files, processes, the network or Python.
    """
    with reading(original.file):
        return _listing(original, prune)


def _listing(original: Original, prune: bool) -> Document:
    graph = original.graph
    check_whole(graph, original.file, prune)
    forward = ForwardPart(graph)
    checkpoint = original.checkpoint
    placeholders = []
    of_saver = {source for node in graph.nodes.values() if node.op in SAVER for source, _ in node.inputs}
    for name, node in graph.nodes.items():
        if node.op in PLACEHOLDERS and name not in of_saver and not name.endswith("save/filename"):
            shape = node_shape(node, 0, graph.producer)
            placeholders.append(
                {
                    "name": f"{name}:0",
                    "shape": None if shape is None else list(shape),
                    "dtype": node.dtype("dtype"),
                    "optional": node.op == "PlaceholderWithDefault",
                }
            )
    saved = saved_under(graph)
    variables = []
    for name, node in sorted(variables_of(graph).items()):
        shape = node.shape("shape")
        stored = stored_of(name, saved, checkpoint) if checkpoint else None
        variables.append(
            {
                "name": name,
                "shape": None if shape is None else list(shape),
                "dtype": node.dtype("dtype"),
                "checkpoint": stored.key if stored else None,
            }
        )
    return {
        "graph": original.file,
        "kind": original.kind,
        "how": original.how,
        "checkpoint": checkpoint.prefix if checkpoint else None,
        "tensorflow": graph.tensorflow or None,
        "producer": graph.producer,
        "nodes": len(graph.nodes),
        "functions": len(graph.functions),
        "placeholders": placeholders,
        "recurrent": recurrent_parts(forward),
        "outputs": [described(forward, output) for output in outputs(forward)],
        "losses": [described(forward, output) for output in losses(forward)],
        "optimizer": optimizer(forward),
        "variables": variables,
        "refused": {op: names[:5] for op, names in sorted(refused(graph).items())},
    }


def lines(document: Document) -> List[str]:
    """The document for people."""
    made = f"by TensorFlow {document['tensorflow']}, " if document["tensorflow"] else ""
    found = [
        f"graph       {document['graph']}  ({document['how']})",
        f"kind        {document['kind']}, {made}{document['nodes']:,} nodes",
        f"checkpoint  {document['checkpoint'] or 'none: variables have no values'}",
    ]
    for part in document["recurrent"]:
        found.append(f"recurrent   {recurrent_line(part)}")
    if not document["recurrent"]:
        found.append("recurrent   no cell that is known")
    found.append(f"optimizer   {_optimizer(document['optimizer'])}")
    for operation, names in document["refused"].items():
        found.append(f"cannot run  {operation}: {', '.join(names[:3])}")
    for title, key in (("placeholder", "placeholders"), ("output", "outputs"), ("loss", "losses")):
        rows = [
            [entry["name"], _shape(entry["shape"]), entry["dtype"], _why(entry)]
            for entry in document[key][:SHOWN_OUTPUTS]
        ]
        if rows:
            found += ["", *table([(title, "shape", "dtype", ""), *rows])]
            left = len(document[key]) - len(rows)
            found += [f"and {left} more (--json lists them)"] if left > 0 else []
    rows = [
        [entry["name"], _shape(entry["shape"]), entry["dtype"], entry["checkpoint"] or "(none)"]
        for entry in document["variables"]
        if not SLOT.match(entry["name"])
    ]
    if rows:
        found += ["", *table([("variable", "shape", "dtype", "in the checkpoint"), *rows])]
        slots = len(document["variables"]) - len(rows)
        found += [f"and {slots} of the optimizer"] if slots else []
    return found


def _why(entry: Document) -> str:
    if "why" in entry:
        return str(entry["why"])
    return "may be left out: it has a default" if entry["optional"] else ""


def _shape(shape: Any) -> str:
    return show(None if shape is None else tuple(shape))


def recurrent_line(part: Document) -> str:
    """One loop, or one direction of unrolled steps, for people."""
    steps = f", {part['steps']} steps" if part["steps"] else ""
    cells = "; ".join(
        f"{cell['cell']} of {cell['units']} units"
        + ("" if cell["forget_bias"] is None else f", forget bias {cell['forget_bias']:g}")
        + (f", {cell['activation']}" if cell["activation"] else "")
        for cell in part["cells"]
    )
    shared = " that share one kernel" if part["shared"] else ""
    count = "one layer" if part["layers"] == 1 else f"{part['layers']} layers{shared}"
    return f"{part['kind']} {part['scope']}: {count}{steps}: {cells}"


def _optimizer(found: Any) -> str:
    if found is None:
        return "none: nothing in it trains"
    values = ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} from {value}"
        for name, value in found.items()
        if name not in ("name", "variables", "clipped")
    )
    clipped = ", gradients clipped" if found["clipped"] else ""
    return f"{found['name']} of {found['variables']} variables: {values}{clipped}"
