"""Mistakes made while loading TensorFlow 1's kernels and biases into another layout."""

import dataclasses
import itertools
from typing import Callable, Dict, Iterator, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.cells import GATE_ORDER, Cell
from tf1_lstm.parity.input_mistakes import Change, Entry
from tf1_lstm.parity.problem import Problem

Arrays = Dict[str, np.ndarray]
KEPT, MOVED = "the forget bias is at the port's forget gate", "the forget bias moved with the columns"


def entries(problem: Problem) -> Iterator[Entry]:
    """Yield every mistake of loading that this cell allows."""
    if problem.spec.cell.has_c:
        yield from _forget_bias(problem.spec.cell)
    if GATE_ORDER[problem.spec.cell.name]:
        yield from _gate_orders(problem.spec.cell)
    yield from _layouts(problem.spec.cell)
    yield from _biases(problem.spec.cell)
    if problem.spec.cell.name == "lstm_peephole":
        yield Entry(
            "peepholes-missing",
            "",
            "the peephole weights are not used",
            {"any": "i = sigmoid(i + w_i_diag * c); f likewise; o = sigmoid(o + w_o_diag * new_c)"},
            _parts(lambda cell, p: {n: a * 0 if n.endswith("_diag") else a for n, a in p.items()}),
        )


def _parts(change: Callable[[Cell, Arrays], Arrays]) -> Change:
    return lambda problem: problem.with_parts(change)


def _forget_bias(cell: Cell) -> Iterator[Entry]:
    line = f"bias[forget gate] += {cell.forget_bias:g}"
    mends = {
        "any": line + "  # once, when loading",
        "keras": f"bias[units:2 * units] += {cell.forget_bias:g}  # once; unit_forget_bias only initialises",
        "torch": f"lstm.bias_ih_l0.data[units:2 * units] += {cell.forget_bias:g}  # once, not in both biases",
    }
    for name, factor, says in (
        (
            "forget-bias-missing",
            0,
            "is not added; TensorFlow 1 adds it when the cell runs and never saves it",
        ),
        ("forget-bias-twice", 2, "is added twice"),
    ):
        yield Entry(
            name,
            "",
            f"the forget bias ({cell.forget_bias:g}) {says}",
            mends,
            lambda p, factor=factor: (  # type: ignore[misc]
                p.with_cell(forget_bias=factor * p.spec.cell.forget_bias) if p.spec.cell.forget_bias else None
            ),
        )


def _gate_orders(cell: Cell) -> Iterator[Entry]:
    own = GATE_ORDER[cell.name]
    mends = {"any": f"TensorFlow 1's columns are {', '.join(own)}: split and join them in the port's order"}
    if cell.name == "basic_lstm":
        mends["keras"] = (
            "i, j, f, o = np.split(kernel, 4, axis=-1); kernel = np.concatenate([i, f, j, o], axis=-1)"
        )
        mends["torch"] = mends["keras"] + "  # the bias too, then transpose"
    if cell.name == "gru":
        mends["keras"] = (
            "r, u = np.split(gates, 2, axis=-1); kernel = np.concatenate([u, r, candidate], axis=-1)"
        )
    for order in itertools.permutations(own):
        if order == own:
            continue
        text = ", ".join(order)
        says = f"the kernel's columns are taken as {text}; TensorFlow 1 has {', '.join(own)}"
        common = len(own) < 4 or order[0] == "i"
        name = "gate-order-" + "".join(order)
        moved = (MOVED,) if "f" in own and order.index("f") != own.index("f") and cell.forget_bias else ()
        for variant in (KEPT if "f" in own else "", *moved):
            yield Entry(name, variant, says, mends, _reorder(order, variant == MOVED), common)
        if order in (("i", "f", "j", "o"), ("u", "r")):
            for variant in (KEPT if "f" in own else "", *moved):
                yield Entry(
                    "gate-order-of-bias",
                    variant,
                    f"the kernel's columns are in the right order, the bias is taken as {text}",
                    mends,
                    _reorder(order, variant == MOVED, ("bias",)),
                )


def _reorder(
    order: Sequence[str], forget_bias_moves: bool, only: Tuple[str, ...] = ("kernel", "bias")
) -> Change:
    """Read the columns of the gates as if they stood in ``order``."""

    def change(cell: Cell, parts: Arrays) -> Arrays:
        own, found = GATE_ORDER[cell.name], dict(parts)
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


def _layouts(cell: Cell) -> Iterator[Entry]:
    """Kernels transposed, reshaped, or with their two halves exchanged."""
    says = "a kernel is {} where it should be transposed"
    torch = (
        "lstm.weight_ih_l0.data = torch.from_numpy(kernel[:inputs].T)  # .T, not reshape; likewise weight_hh"
    )
    mends = {
        "any": "kernel[:inputs] reads the inputs, kernel[inputs:] the state; columns are gates",
        "torch": torch,
    }
    for where in ("recurrent", "input", "both"):
        yield Entry(
            "kernel-transposed",
            f"each gate's block of the {where if where != 'both' else 'input and recurrent'} kernel",
            "each gate's block of a kernel is transposed",
            mends,
            _on_halves(where, _transpose_blocks),
            common=where == "recurrent",
        )
    orders: Tuple[Tuple[str, ...], ...] = ((),)
    if len(GATE_ORDER[cell.name]) == 4:
        orders = ((), ("i", "f", "j", "o"))
    for where, order in itertools.product(("recurrent", "input", "both"), orders):
        layout = f", gates {', '.join(order)}" if order else ""
        yield Entry(
            "kernel-transposed",
            f"{where} reshaped{layout}",
            says.format("reshaped"),
            mends,
            _on_halves(where, _reshape, order),
            common=where == "both",
        )
    yield Entry(
        "kernels-swapped",
        "",
        "the kernel's rows are taken as state first; TensorFlow 1 has the inputs first",
        {"any": "input_kernel, recurrent_kernel = kernel[:inputs], kernel[inputs:]"},
        _parts(
            lambda cell, p: {
                n: np.concatenate([a[cell.units :], a[: cell.units]]) if n.endswith("kernel") else a
                for n, a in p.items()
            }
        ),
    )
    yield Entry(
        "softmax-weights-reshaped",
        "",
        "the softmax weights are reshaped where they should be transposed",
        {"any": "weights[units, classes]", "torch": "linear.weight.data = torch.from_numpy(weights.T)"},
        lambda p: dataclasses.replace(
            p, weights={**p.weights, "softmax/weights": _reshape(p.weights["softmax/weights"], 1)}
        ),
    )


Half = Callable[[np.ndarray, int], np.ndarray]


def _on_halves(where: str, edit: Half, order: Tuple[str, ...] = ()) -> Change:
    """Apply ``edit`` to the input or recurrent rows of every kernel, with the gates in ``order``."""

    def change(cell: Cell, parts: Arrays) -> Arrays:
        found = dict(parts)
        for name, kernel in parts.items():
            if not name.endswith("kernel"):
                continue
            own = GATE_ORDER[cell.name]
            gates = 1 if name.startswith("candidate") else max(1, len(own))
            columns = _columns(kernel.shape[1], own, order) if order else np.arange(kernel.shape[1])
            back = np.argsort(columns)
            halves = [kernel[: -cell.units][:, columns], kernel[-cell.units :][:, columns]]
            if where in ("input", "both"):
                halves[0] = edit(halves[0], gates)
            if where in ("recurrent", "both"):
                halves[1] = edit(halves[1], gates)
            found[name] = np.concatenate(halves)[:, back]
        return found

    def whole(problem: Problem) -> Optional[Problem]:
        blocks = edit is _transpose_blocks and where != "recurrent"
        if blocks and not _square(problem):
            return None
        return problem.with_parts(change)

    return whole


def _square(problem: Problem) -> bool:
    """Return whether every layer reads as many numbers as it has units."""
    role = problem.spec.role("fw", 0, "candidate/kernel" if problem.spec.cell.name == "gru" else "kernel")
    return problem.weights[role].shape[0] == 2 * problem.spec.cell.units


def _columns(width: int, own: Sequence[str], order: Sequence[str]) -> np.ndarray:
    """Return the columns of ``own`` order that stand one after the other in ``order``."""
    blocks = np.split(np.arange(width), len(own))
    return np.concatenate([blocks[own.index(gate)] for gate in order])


def _transpose_blocks(half: np.ndarray, gates: int) -> np.ndarray:
    return np.concatenate([block.T for block in np.split(half, gates, axis=1)], axis=1)


def _reshape(half: np.ndarray, gates: int) -> np.ndarray:
    """``[n, m]`` laid out as ``[m, n]`` without moving a number, and then read as its transpose."""
    return half.reshape(half.shape[1], half.shape[0]).T


def _biases(cell: Cell) -> Iterator[Entry]:
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
    own = cell.forget_bias
    forms = [
        ("no-bias", "", 0, own, "the layer has no bias"),
        ("bias-twice", "", 2, own, "the bias is added twice"),
    ]
    if cell.has_c and own:
        forms = [
            ("no-bias", "the forget bias is there", 0, own, "the saved bias is not loaded"),
            ("no-bias", "nor a forget bias", 0, 0.0, "the layer has no bias"),
            (
                "bias-twice",
                "the forget bias once",
                2,
                own,
                "the bias is in both biases, so it is added twice",
            ),
            (
                "bias-twice",
                "the forget bias too",
                2,
                2 * own,
                "the bias is in both biases, so it is added twice",
            ),
        ]
    for name, variant, factor, forget, says in forms:
        yield Entry(name, variant, says, use, scaled(factor, forget))
    yield Entry(
        "no-softmax-bias",
        "",
        "the softmax has no bias",
        {"any": "logits = features @ weights + bias"},
        lambda p: dataclasses.replace(
            p, weights={**p.weights, "softmax/bias": p.weights["softmax/bias"] * 0}
        ),
    )
