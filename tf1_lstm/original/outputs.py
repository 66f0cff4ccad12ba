"""What a graph computes for its user: losses, likely outputs, the optimizer."""

import re
from typing import Any, Dict, List, NamedTuple, Optional

from tf1_lstm.original.feeds import dtype_of
from tf1_lstm.original.forward import APPLY, ForwardPart
from tf1_lstm.original.graph import PLACEHOLDERS, VARIABLE_OPS, Node, Shape, node_shape

CROSS_ENTROPY = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
ENDS = ("Softmax", "Sigmoid", "LogSoftmax", "ArgMax")
REDUCTIONS = ("Mean", "Sum")
# Operation -> its hyperparameters by the number of the input.
HYPERPARAMETERS: Dict[str, Dict[str, int]] = {
    "Adam": {"learning_rate": 5, "beta1": 6, "beta2": 7, "epsilon": 8},
    "GradientDescent": {"learning_rate": 1},
    "RMSProp": {"learning_rate": 3, "decay": 4, "momentum": 5, "epsilon": 6},
    "CenteredRMSProp": {"learning_rate": 4, "decay": 5, "momentum": 6, "epsilon": 7},
    "Momentum": {"learning_rate": 2, "momentum": 4},
    "Adagrad": {"learning_rate": 2},
    "Adadelta": {"learning_rate": 3, "rho": 4, "epsilon": 5},
    "AdaMax": {"learning_rate": 4, "beta1": 5, "beta2": 6, "epsilon": 7},
    "Ftrl": {"learning_rate": 4},
    "ProximalGradientDescent": {"learning_rate": 1},
}
GRADIENT_INPUT = {
    "Adam": 9,
    "GradientDescent": 2,
    "RMSProp": 7,
    "CenteredRMSProp": 8,
    "Momentum": 3,
    "Adagrad": 3,
}
KIND = re.compile(r"^(?:Resource)?(?:Sparse)?Apply(.+?)(?:V2)?$")


class Output(NamedTuple):
    """A tensor that its user may want.

    Attributes:
      name: ``node:output``.
      why: what speaks for it.
    """

    name: str
    why: str


def losses(forward: ForwardPart) -> List[Output]:
    """The tensors that were trained on, or could be: those with a gradient that nothing further reads."""
    found: List[Output] = []
    for name in forward.differentiated:
        node = forward.nodes[name]
        readers = [use.node.name for use in forward.uses.get(name, [])]
        if node.op in ("Exit", "RefExit") or not dtype_of(node).startswith("float"):
            continue
        if not any(reader in forward.differentiated for reader in readers) and not forward.frames.get(name):
            found.append(Output(f"{node.name}:0", "its gradient is in the graph"))
    scalars = [one for one in found if _rank(forward, one.name) in (0, None)]
    if scalars:
        return sorted(scalars)
    guessed = []
    for node in forward.nodes.values():
        if node.op in REDUCTIONS and _is_last(forward, node) and _measures(forward, node):
            guessed.append(Output(f"{node.name}:0", "a mean or sum of errors"))
    return guessed


def _rank(forward: ForwardPart, tensor: str) -> Optional[int]:
    name, _, output = tensor.rpartition(":")
    shape = node_shape(forward.graph.nodes[name], int(output), forward.graph.producer)
    return None if shape is None else len(shape)


def _is_last(forward: ForwardPart, node: Node) -> bool:
    return not any(use.node.op not in ("Identity",) for use in forward.uses.get(node.name, []))


def _measures(forward: ForwardPart, node: Node) -> bool:
    """Whether a reduction is of a cross-entropy or of squared differences."""
    below = forward.behind(node.inputs[0][0]) if node.inputs else None
    return below is not None and below.op in (
        *CROSS_ENTROPY,
        "SquaredDifference",
        "Square",
        "Abs",
        "Neg",
        "Pow",
    )


def outputs(forward: ForwardPart) -> List[Output]:
    """Likely outputs, the likeliest first."""
    found: Dict[str, str] = {}
    for key, (_, given) in sorted(forward.graph.signatures.items()):
        for name, tensor in sorted(given.items()):
            found.setdefault(tensor, f"output {name} of the signature {key}")
    for node in forward.nodes.values():
        if node.op in CROSS_ENTROPY:
            below = forward.behind(node.inputs[0][0])
            if below is not None:
                found.setdefault(f"{below.name}:0", "the logits of a cross-entropy")
    _add_regression(forward, found)
    for node in forward.nodes.values():
        if node.op in ENDS and not forward.frames.get(node.name) and _is_computed(forward, node):
            found.setdefault(f"{node.name}:0", f"a {node.op}")
            source, output = node.inputs[0]
            below = forward.graph.nodes.get(source)
            if below is not None and below.op not in (*PLACEHOLDERS, "Const") and not _is_gate(forward, node):
                found.setdefault(f"{source}:{output}", f"what a {node.op} reads")
    trained = {one.name for one in losses(forward)}
    for node in forward.nodes.values():
        if f"{node.name}:0" not in trained and _is_end(forward, node):
            found.setdefault(f"{node.name}:0", "nothing reads it")
    return [Output(name, why) for name, why in found.items() if not _inside_cell(forward, name)]


def _is_gate(forward: ForwardPart, node: Node) -> bool:
    return node.op == "Sigmoid" and any(
        use.node.op in ("Mul", "Split") for use in forward.uses.get(node.name, [])
    )


def _inside_cell(forward: ForwardPart, tensor: str) -> bool:
    """Whether a tensor is a gate: a sigmoid that is multiplied, in a cell's own scope."""
    node = forward.graph.nodes.get(tensor.rpartition(":")[0])
    return node is not None and (_is_gate(forward, node) or bool(forward.frames.get(node.name)))


def _add_regression(forward: ForwardPart, found: Dict[str, str]) -> None:
    """What is subtracted from a placeholder, or it from that, and then squared or made absolute."""
    for node in forward.nodes.values():
        if node.op not in ("SquaredDifference", "Sub") or len(node.inputs) != 2:
            continue
        if node.op == "Sub" and not any(
            use.node.op in ("Square", "Pow", "Abs", "L2Loss", "Mul")
            for use in forward.uses.get(node.name, [])
        ):
            continue
        sides = [forward.behind(source) for source, _ in node.inputs]
        for place, (one, other) in enumerate((tuple(sides), tuple(sides[::-1]))):
            if (
                one is not None
                and other is not None
                and other.op in PLACEHOLDERS
                and _is_computed(forward, one)
            ):
                del place
                found.setdefault(f"{one.name}:0", "compared with what is fed: a regression's value")


def _is_computed(forward: ForwardPart, node: Node) -> bool:
    """Whether a node depends on a variable (a constant matrix in a frozen graph) and on what is fed."""
    names = forward.ancestors(node.name, ("Shape", "ShapeN", "Size"))
    if any(name not in forward.nodes for name in names if name in forward.graph.nodes):
        return False  # a gradient, or what an optimizer makes of one
    ops = {forward.graph.nodes[name].op for name in names}
    fed = bool(ops & set(PLACEHOLDERS)) or bool(
        ops & {"QueueDequeueV2", "QueueDequeueManyV2", "IteratorGetNext"}
    )
    return fed and (bool(ops & set(VARIABLE_OPS)) or "MatMul" in ops)


def _is_end(forward: ForwardPart, node: Node) -> bool:
    apart = ("NoOp", "Const", "Assert", "Exit", "RefExit", *PLACEHOLDERS, *VARIABLE_OPS)
    if node.op in apart or forward.frames.get(node.name):
        return False
    if any(use.node.op != "Identity" for use in forward.uses.get(node.name, [])) or not node.inputs:
        return False
    return dtype_of(node) not in ("", "string", "resource") and _is_computed(forward, node)


def optimizer(forward: ForwardPart) -> Optional[Dict[str, Any]]:
    """The optimizer that the graph trains with, its constants and whether gradients are clipped."""
    steps = [node for node in forward.graph.nodes.values() if APPLY.match(node.op)]
    if not steps:
        return None
    match = KIND.match(steps[0].op)
    kind = match.group(1) if match else steps[0].op
    found: Dict[str, Any] = {"name": kind, "variables": len(steps)}
    shift = 1 if steps[0].op.startswith("ResourceSparse") else 0
    for name, place in HYPERPARAMETERS.get(kind, {}).items():
        if place + shift < len(steps[0].inputs):
            source = steps[0].inputs[place][0]
            value = forward.number(source)
            found[name] = value if value is not None else f"{source}:0"
    found["clipped"] = any(
        "clip_by" in source for node in steps for source, _ in node.inputs[len(node.inputs) - 2 :]
    ) or any("clip_by_global_norm" in name for name in forward.graph.nodes)
    return found


def described(forward: ForwardPart, output: Output) -> Dict[str, Any]:
    """An output with its shape and type."""
    name, _, number = output.name.rpartition(":")
    node = forward.graph.nodes.get(name)
    shape: Shape = node_shape(node, int(number), forward.graph.producer) if node else None
    return {
        "name": output.name,
        "shape": None if shape is None else list(shape),
        "dtype": dtype_of(node, int(number)) if node else "",
        "why": output.why,
    }
