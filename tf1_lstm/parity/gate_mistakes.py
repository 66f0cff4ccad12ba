"""Mistakes of loading that concern gates: their order, their biases, the forget bias."""

import itertools
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.cells import ReferenceCell, gate_order
from tf1_lstm.parity.mistake import Change, Mistake
from tf1_lstm.parity.problem import Problem

Arrays = Dict[str, np.ndarray]
KEPT, MOVED = "the forget bias is at the port's forget gate", "the forget bias moved with the columns"
# What Keras and PyTorch have in place of each cell's own order, so that one array may be left behind.
USUAL_ORDERS = (("i", "f", "j", "o"), ("u", "r"), ("r", "u", "candidate"))


def entries(cell: ReferenceCell) -> Iterator[Mistake]:
    """Yield every mistake that the gates of this cell allow."""
    if cell.has_c:
        yield from _forget_bias(cell)
    if gate_order(cell.name):
        yield from _gate_orders(cell)
    yield from _biases(cell)


def parts_changed(change: Callable[[ReferenceCell, Arrays], Arrays]) -> Change:
    """Return the change of a problem that changes the parts of every cell."""
    return lambda problem: problem.with_parts(change)


def _forget_bias(cell: ReferenceCell) -> Iterator[Mistake]:
    amount = cell.forget_bias or 1.0
    fixes = {
        "any": f"bias[forget gate] += {amount:g}  # once, when loading",
        "keras": f"bias[units:2 * units] += {amount:g}  # once; unit_forget_bias only initialises",
        "torch": f"lstm.bias_ih_l0.data[units:2 * units] += {amount:g}  # once, not in both biases",
    }
    forms = [
        ("missing", 0.0, "is not added; TensorFlow 1 adds it when the cell runs and never saves it"),
        ("twice", 2 * amount, "is added twice"),
    ]
    if not cell.forget_bias:
        forms = [("added", amount, "is added; the original has none")]
        fixes = {"any": "BasicLSTMCell(units, forget_bias=0.0)", "keras": "unit_forget_bias=False"}
    for name, found, says in forms:
        yield Mistake(
            f"forget-bias-{name}",
            "",
            f"{'the' if cell.forget_bias else 'a'} forget bias ({amount:g}) {says}",
            fixes,
            lambda p, found=found: p.with_cell(forget_bias=found),  # type: ignore[misc]
        )


def _gate_orders(cell: ReferenceCell) -> Iterator[Mistake]:
    own = gate_order(cell.name)
    fixes = {"any": f"TensorFlow 1's columns are {', '.join(own)}: split and join them in the port's order"}
    if cell.name == "basic_lstm":
        fixes["keras"] = (
            "i, j, f, o = np.split(kernel, 4, axis=-1); kernel = np.concatenate([i, f, j, o], axis=-1)"
        )
        fixes["torch"] = fixes["keras"] + "  # the bias too, then transpose"
    if cell.name == "gru":
        fixes["keras"] = (
            "r, u = np.split(gates, 2, axis=-1); kernel = np.concatenate([u, r, candidate], axis=-1)"
        )
    if cell.name == "gru_reset_after":
        fixes["keras"] = "the columns are u (Keras: z), r, candidate (h), as in keras.layers.GRU"
        fixes["torch"] = (
            "u, r, n = np.split(kernel, 3, axis=-1); kernel = np.concatenate([r, u, n], axis=-1)"
            "  # the biases too, then transpose"
        )
    for order in itertools.permutations(own):
        if order == own:
            continue
        text = ", ".join(order)
        says = f"the kernel's columns are taken as {text}; TensorFlow 1 has {', '.join(own)}"
        common = len(own) < 4 or order[0] == "i"
        name = "gate-order-" + "".join(gate[0] for gate in order)
        moved = (MOVED,) if "f" in own and order.index("f") != own.index("f") and cell.forget_bias else ()
        for variant in (KEPT if "f" in own else "", *moved):
            yield Mistake(name, variant, says, fixes, _reorder(order, variant == MOVED), common)
        if order in USUAL_ORDERS:
            for variant in (KEPT if "f" in own else "", *moved):
                yield Mistake(
                    "gate-order-of-bias",
                    variant,
                    f"the kernel's columns are in the right order, the bias is taken as {text}",
                    fixes,
                    _reorder(order, variant == MOVED, ("bias",)),
                )


def _reorder(
    order: Sequence[str],
    forget_bias_moves: bool,
    only: Tuple[str, ...] = ("kernel", "recurrent_kernel", "bias"),
) -> Change:
    """Read the columns of the gates as if they stood in ``order``."""

    def change(cell: ReferenceCell, parts: Arrays) -> Arrays:
        own, found = gate_order(cell.name), dict(parts)
        for name, array in parts.items():
            if name.split("/")[-1] not in only or name.startswith("candidate"):
                continue
            blocks = np.split(array, len(own), axis=-1)
            if forget_bias_moves and name == "bias":
                blocks[own.index("f")] = blocks[own.index("f")] + cell.forget_bias
            found[name] = np.concatenate([blocks[order.index(gate)] for gate in own], axis=-1)
        return found

    def whole(problem: Problem) -> Problem:
        changed = problem.with_parts(change)
        return changed.with_cell(forget_bias=0.0) if forget_bias_moves else changed

    return whole


def _biases(cell: ReferenceCell) -> Iterator[Mistake]:
    if cell.name == "gru_reset_after":
        yield from _two_biases()
        return

    def scaled(factor: int, forget: float) -> Change:
        def change(problem: Problem) -> Problem:
            changed = problem.with_parts(
                lambda _, p: {n: a * factor if n.endswith("bias") else a for n, a in p.items()}
            )
            return changed.with_cell(forget_bias=forget)

        return change

    use = {
        "any": "load the bias once",
        "keras": "use_bias=True",
        "torch": "bias=True; bias_ih = bias, bias_hh = 0",
    }
    own, both = cell.forget_bias, "the bias is in both biases, so it is added twice"
    forms = [
        ("no-bias", "", 0, own, "the layer has no bias"),
        ("bias-twice", "", 2, own, "the bias is added twice"),
    ]
    if cell.has_c and own:
        forms = [
            ("no-bias", "the forget bias is there", 0, own, "the saved bias is not loaded"),
            ("no-bias", "nor a forget bias", 0, 0.0, "the layer has no bias"),
            ("bias-twice", "the forget bias once", 2, own, both),
            ("bias-twice", "the forget bias too", 2, 2 * own, both),
        ]
    for name, variant, factor, forget, says in forms:
        yield Mistake(name, variant, says, use, scaled(factor, forget))


def _two_biases() -> Iterator[Mistake]:
    """Yield the mistakes of a cell with one bias for the inputs (row 0) and one for the state (row 1)."""
    fixes = {
        "any": "candidate = tanh(x @ kernel + bias[0] + reset * (h @ recurrent + bias[1]))",
        "keras": "keras.layers.GRU(units, reset_after=True)  # its bias is [2, 3 * units], as saved",
        "torch": "bias_ih, bias_hh = bias  # each in the order r, u, candidate",
    }

    def rows(change: Callable[[np.ndarray], List[np.ndarray]]) -> Change:
        return parts_changed(lambda _, p: {**p, "bias": np.stack(change(p["bias"]))})

    yield Mistake("no-bias", "", "the layer has no bias", fixes, rows(lambda b: [b[0] * 0, b[1] * 0]))
    yield Mistake(
        "no-bias", "of the state", "the second bias is not loaded", fixes, rows(lambda b: [b[0], b[1] * 0])
    )
    yield Mistake(
        "biases-summed",
        "",
        "the two biases are added up, so that the candidate's second one is outside of the reset gate",
        fixes,
        rows(lambda b: [b[0] + b[1], b[1] * 0]),
    )
    yield Mistake("biases-swapped", "", "the two biases change places", fixes, rows(lambda b: [b[1], b[0]]))
