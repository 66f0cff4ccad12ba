"""What a graph makes small: the loss that an experiment has too, and what is added to it or done with it."""

from typing import Dict, List, NamedTuple, Set, Tuple

from tf1_lstm.original.forward import ForwardPart
from tf1_lstm.original.graph import PLACEHOLDERS, Node, split_tensor
from tf1_lstm.original.outputs import CROSS_ENTROPY, losses

SUMS = ("Add", "AddV2", "AddN")


class LossOfGraph(NamedTuple):
    """A graph's loss.

    Attributes:
      tensor: what an experiment's loss is compared with; empty where nothing is.
      note: how the graph's whole loss is another one; empty where it is not.
      kind: of head: ``softmax``, ``sigmoid`` or ``regression``.
      error: of a regression: ``squared`` or ``absolute``.
      output: tensor of the logits or numbers.
    """

    tensor: str
    note: str
    kind: str
    error: str
    output: str


def loss_of(forward: ForwardPart, output: str, units: int) -> LossOfGraph:
    """Find what a graph trains on.

    Args:
      forward: the graph.
      output: tensor of the logits or numbers.
      units: how many of them there are for each example.
    """
    found = losses(forward)
    tensor = found[0].name if len(found) == 1 else ""
    data, added = _without_terms(forward, tensor) if tensor else ("", [])
    note = (
        f"adds {', '.join(added[:2])} to its loss (regularisation?), which is not done here" if added else ""
    )
    ops: Dict[str, Node] = {}
    if data:
        names = forward.ancestors(split_tensor(data)[0], ("MatMul",))
        ops = {forward.graph.nodes[name].op: forward.graph.nodes[name] for name in names}
    kind, error, other = _kind(forward, output, units, ops)
    if other:
        return LossOfGraph(
            "", f"has {other} for its loss" + (f", and {note}" if note else ""), kind, error, output
        )
    return LossOfGraph(data, note, kind, error, output)


def _without_terms(forward: ForwardPart, tensor: str) -> Tuple[str, List[str]]:
    """The term of a sum that depends on what is fed, and the names of those that do not."""
    name, output = split_tensor(tensor)
    added: List[str] = []
    while True:
        node = forward.graph.nodes.get(name)
        if node is not None and node.op == "Identity":
            name, output = node.inputs[0]
            continue
        if node is None or node.op not in SUMS:
            break
        fed = [pair for pair in node.inputs if _is_fed(forward, pair[0])]
        apart = [pair[0] for pair in node.inputs if pair not in fed]
        if len(fed) != 1 or not apart:
            break
        added += [one for one in apart if forward.number(one) != 0.0]
        name, output = fed[0]
    return f"{name}:{output}", added


def _is_fed(forward: ForwardPart, name: str) -> bool:
    ops: Set[str] = {
        forward.graph.nodes[one].op for one in forward.ancestors(name) if one in forward.graph.nodes
    }
    return bool(ops & set(PLACEHOLDERS))


def _kind(forward: ForwardPart, output: str, units: int, ops: Dict[str, Node]) -> Tuple[str, str, str]:
    """The kind of head, of a regression's error, and what the loss is where it is another one."""
    readers = forward.uses.get(split_tensor(output)[0], [])
    probability = units == 1 and any(use.node.op == "Sigmoid" for use in readers)
    if any(op in CROSS_ENTROPY for op in ops) or not ops:
        return ("softmax" if units > 1 else "sigmoid" if probability else "regression"), "squared", ""
    if any(op in ops for op in ("Softmax", "Log")) and units > 1:
        return "softmax", "squared", ""
    if "Log1p" in ops and units == 1:
        return "sigmoid", "squared", ""
    error = (
        "absolute" if "Abs" in ops and not {"Square", "SquaredDifference", "Pow"} & set(ops) else "squared"
    )
    other = ""
    if "Sqrt" in ops:
        other = "the root of a mean"
    elif "Abs" in ops and "Minimum" in ops:
        error, other = "squared", "Huber's errors"
    if probability:
        return "sigmoid", "squared", other or ("" if "Log" in ops else "errors of the probability")
    return "regression", error, other
