"""Mistakes made while loading TensorFlow 1's kernels and biases into another layout."""

import dataclasses
import itertools
from typing import Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.parity import gate_mistakes
from tf1_lstm.parity.cells import ReferenceCell, gate_order, split_rows
from tf1_lstm.parity.gate_mistakes import parts_changed
from tf1_lstm.parity.mistake import Change, Mistake
from tf1_lstm.parity.problem import Problem
from tf1_lstm.parity.rounding import SHORT_TYPES

Arrays = Dict[str, np.ndarray]
Pair = Tuple[np.ndarray, np.ndarray]
# (input half, recurrent half, the gates of their columns) -> the halves as they are taken
HalvesEdit = Callable[[np.ndarray, np.ndarray, Tuple[str, ...]], Pair]


def entries(problem: Problem) -> Iterator[Mistake]:
    """Yield every mistake of loading that this model allows."""
    cell = problem.spec.cell
    yield from gate_mistakes.entries(cell)
    yield from _layouts(cell)
    yield from _behind_the_cells(problem)
    for kind, bits in SHORT_TYPES.items():
        yield Mistake(
            "half-precision",
            kind,
            f"the weights are rounded to {kind}",
            {
                "any": "keep weights in float32",
                "keras": "keras.config.set_floatx('float32')",
                "torch": "model.float()",
            },
            _rounded(bits),
            common=False,
        )
    if problem.spec.bidirectional:
        yield Mistake(
            "directions-swapped",
            "weights",
            "the forward direction has the backward direction's weights, and the other way round",
            {"any": "forward takes 'fw' (TensorFlow: bidirectional_rnn/fw), backward takes 'bw'"},
            lambda p: dataclasses.replace(
                p, weights={_other_direction(r): p.weights[r] for r in map(_other_direction, p.weights)}
            ),
        )
    if cell.name == "lstm_peephole":
        yield Mistake(
            "peepholes-missing",
            "",
            "the peephole weights are not used",
            {"any": "i = sigmoid(i + w_i_diag * c); f likewise; o = sigmoid(o + w_o_diag * new_c)"},
            parts_changed(lambda _, p: {n: a * 0 if n.endswith("_diag") else a for n, a in p.items()}),
        )


def _rounded(bits: int) -> Change:
    """Keep so many bits of each fraction, rounding to the nearest; with the forget bias in the bias."""

    def short(array: np.ndarray) -> np.ndarray:
        whole = np.ascontiguousarray(array, np.float32).view(np.uint32).astype(np.uint64)
        drop = np.uint64(23 - bits)
        one = np.uint64(1)
        half = (one << (drop - one)) - one + ((whole >> drop) & one)
        kept = ((whole + half) >> drop) << drop
        return kept.astype(np.uint32).view(np.float32).reshape(array.shape).astype(array.dtype)

    def change(problem: Problem) -> Problem:
        def loaded(cell: ReferenceCell, parts: Arrays) -> Arrays:
            if not (cell.has_c and cell.forget_bias):
                return {name: short(array) for name, array in parts.items()}
            at = gate_order(cell.name).index("f") * cell.units
            bias = np.array(parts["bias"])
            bias[at : at + cell.units] += cell.forget_bias
            bias = short(bias)
            bias[at : at + cell.units] -= cell.forget_bias
            return {name: bias if name == "bias" else short(array) for name, array in parts.items()}

        changed = problem.with_parts(loaded)
        rest = {r: short(a) if "/fw/" not in r and "/bw/" not in r else a for r, a in changed.weights.items()}
        return dataclasses.replace(changed, weights=rest)

    return change


def _other_direction(role: str) -> str:
    return role.replace("/fw/", "/bw/") if "/fw/" in role else role.replace("/bw/", "/fw/")


def _layouts(cell: ReferenceCell) -> Iterator[Mistake]:
    """Kernels transposed, reshaped, or with their two halves exchanged."""
    says = "a kernel is {} where it should be transposed"
    torch = (
        "lstm.weight_ih_l0.data = torch.from_numpy(kernel[:inputs].T)  # .T, not reshape; likewise weight_hh"
    )
    fixes = {
        "any": "kernel[:inputs] reads the inputs, kernel[inputs:] the state; columns are gates",
        "torch": torch,
    }
    for where in ("recurrent", "input", "both"):
        yield Mistake(
            "kernel-transposed",
            f"each gate's block of the {where if where != 'both' else 'input and recurrent'} kernel",
            "each gate's block of a kernel is transposed",
            fixes,
            _on_halves(where, _transpose_blocks),
            common=where == "recurrent",
        )
    orders: Tuple[Tuple[str, ...], ...] = ((),)
    if len(gate_order(cell.name)) == 4:
        orders = ((), ("i", "f", "j", "o"))
    for where, order in itertools.product(("recurrent", "input", "both"), orders):
        layout = f", gates {', '.join(order)}" if order else ""
        yield Mistake(
            "kernel-transposed",
            f"{where} reshaped{layout}",
            says.format("reshaped"),
            fixes,
            _on_halves(where, _reshape, order),
            common=where == "both",
        )
    yield Mistake(
        "kernels-swapped",
        "",
        "the kernel's rows are taken as state first; TensorFlow 1 has the inputs first",
        {"any": "input_kernel, recurrent_kernel = kernel[:inputs], kernel[inputs:]"},
        _swap_halves,
    )


def _behind_the_cells(problem: Problem) -> Iterator[Mistake]:
    """The softmax and, where there is one, the dense layer before it."""
    if problem.spec.outputs > 1:
        yield Mistake(
            "softmax-weights-reshaped",
            "",
            "the softmax weights are reshaped where they should be transposed",
            {"any": "weights[units, classes]", "torch": "linear.weight.data = torch.from_numpy(weights.T)"},
            _one_array("softmax/weights", lambda array: _reshape(array, 1)),
        )
    yield Mistake(
        "no-softmax-bias",
        "",
        "the softmax has no bias",
        {"any": "logits = features @ weights + bias"},
        _one_array("softmax/bias", lambda array: array * 0),
    )
    if problem.spec.dense_units:
        yield Mistake(
            "dense-kernel-reshaped",
            "",
            "the dense layer's kernel is reshaped where it should be transposed",
            {"any": "kernel[states, dense_units]", "torch": "dense.weight.data = torch.from_numpy(kernel.T)"},
            _one_array("dense/kernel", lambda array: _reshape(array, 1)),
        )
        yield Mistake(
            "no-dense-bias",
            "",
            "the dense layer has no bias",
            {"any": "features = maximum(states @ kernel + bias, 0)"},
            _one_array("dense/bias", lambda array: array * 0),
        )


def _one_array(role: str, edit: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda p: dataclasses.replace(p, weights={**p.weights, role: edit(p.weights[role])})


def _with_halves(cell: ReferenceCell, parts: Mapping[str, np.ndarray], edit: HalvesEdit) -> Arrays:
    """Return the parts with both halves of every kernel edited, whether they are one array or two."""
    found, own = dict(parts), gate_order(cell.name)
    if "recurrent_kernel" in parts:
        found["kernel"], found["recurrent_kernel"] = edit(parts["kernel"], parts["recurrent_kernel"], own)
        return found
    for name, kernel in parts.items():
        if name.endswith("kernel"):
            gates = () if name.startswith("candidate") else own
            found[name] = np.concatenate(edit(*split_rows(kernel, cell.units), gates))
    return found


def _swap_halves(problem: Problem) -> Optional[Problem]:
    def swap(of_inputs: np.ndarray, of_state: np.ndarray, gates: Tuple[str, ...]) -> Pair:
        rows = np.concatenate([of_inputs, of_state])
        return rows[len(of_state) :], rows[: len(of_state)]

    if problem.spec.cell.name == "gru_reset_after" and not _square(problem):
        return None  # two arrays of different shapes
    return problem.with_parts(lambda cell, parts: _with_halves(cell, parts, swap))


HalfEdit = Callable[[np.ndarray, int], np.ndarray]


def _on_halves(where: str, edit: HalfEdit, order: Tuple[str, ...] = ()) -> Change:
    """Apply ``edit`` to the input or recurrent rows of every kernel, with the gates in ``order``."""

    def both(of_inputs: np.ndarray, of_state: np.ndarray, own: Tuple[str, ...]) -> Pair:
        width = of_state.shape[1]
        columns = _columns(width, own, order) if order else np.arange(width)
        back, gates = np.argsort(columns), max(1, len(own))
        if where in ("input", "both"):
            of_inputs = edit(of_inputs[:, columns], gates)[:, back]
        if where in ("recurrent", "both"):
            of_state = edit(of_state[:, columns], gates)[:, back]
        return of_inputs, of_state

    def whole(problem: Problem) -> Optional[Problem]:
        if edit is _transpose_blocks and where != "recurrent" and not _square(problem):
            return None
        return problem.with_parts(lambda cell, parts: _with_halves(cell, parts, both))

    return whole


def _square(problem: Problem) -> bool:
    """Return whether every layer reads as many numbers as it has units."""
    spec, read = problem.spec, []

    def note(of_inputs: np.ndarray, of_state: np.ndarray, gates: Tuple[str, ...]) -> Pair:
        read.append(len(of_inputs) == len(of_state))
        return of_inputs, of_state

    for layer in range(spec.layers):
        _with_halves(spec.cell_of(layer), spec.parts(problem.weights, "fw", layer), note)
    return all(read)


def _columns(width: int, own: Sequence[str], order: Sequence[str]) -> np.ndarray:
    """Return the columns of ``own`` order that stand one after the other in ``order``."""
    blocks = np.split(np.arange(width), len(own))
    return np.concatenate([blocks[own.index(gate)] for gate in order])


def _transpose_blocks(half: np.ndarray, gates: int) -> np.ndarray:
    return np.concatenate([block.T for block in np.split(half, gates, axis=1)], axis=1)


def _reshape(half: np.ndarray, gates: int) -> np.ndarray:
    """``[n, m]`` laid out as ``[m, n]`` without moving a number, and then read as its transpose."""
    return half.reshape(half.shape[1], half.shape[0]).T
