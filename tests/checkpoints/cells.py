"""TensorFlow 1's recurrent cells in NumPy, written from their definitions, to judge restored graphs."""

from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from tests.checkpoints.support import sigmoid

Parts = Mapping[str, np.ndarray]
State = Tuple[np.ndarray, np.ndarray]  # c and h; cells without c leave it alone


def _rnn(parts: Parts, x: np.ndarray, state: State) -> State:
    return state[0], np.tanh(np.concatenate([x, state[1]]) @ parts["kernel"] + parts["bias"])


def _lstm(parts: Parts, x: np.ndarray, state: State) -> State:
    c, h = state
    i, j, f, o = np.split(np.concatenate([x, h]) @ parts["kernel"] + parts["bias"], 4)
    if "w_f_diag" in parts:
        i, f = i + parts["w_i_diag"] * c, f + parts["w_f_diag"] * c
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
    if "w_o_diag" in parts:
        o = o + parts["w_o_diag"] * c
    return c, sigmoid(o) * np.tanh(c)


def _coupled(parts: Parts, x: np.ndarray, state: State) -> State:
    c, h = state
    j, f, o = np.split(np.concatenate([x, h]) @ parts["kernel"] + parts["bias"], 3)
    forget = sigmoid(f + 1)
    c = forget * c + (1 - forget) * np.tanh(j)
    return c, sigmoid(o) * np.tanh(c)


def _gru(parts: Parts, x: np.ndarray, state: State) -> State:
    h = state[1]
    r, u = np.split(sigmoid(np.concatenate([x, h]) @ parts["gates/kernel"] + parts["gates/bias"]), 2)
    c = np.tanh(np.concatenate([x, r * h]) @ parts["candidate/kernel"] + parts["candidate/bias"])
    return state[0], u * h + (1 - u) * c


def _reset_after(parts: Parts, x: np.ndarray, state: State) -> State:
    h, kernels = state[1], (parts["kernel"], parts["recurrent_kernel"])
    of_x, of_h = (np.split(a @ kernel + bias, 3) for a, kernel, bias in zip((x, h), kernels, parts["bias"]))
    u, r = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
    return state[0], u * h + (1 - u) * np.tanh(of_x[2] + r * of_h[2])


STEPS: Dict[str, Callable[[Parts, np.ndarray, State], State]] = {
    "basic_rnn": _rnn,
    "basic_lstm": _lstm,
    "lstm_peephole": _lstm,
    "lstm_coupled": _coupled,
    "gru": _gru,
    "gru_reset_after": _reset_after,
}


def _layer(cell: str, parts: Parts, sequence: np.ndarray, units: int, way: str) -> np.ndarray:
    """Every h of one layer ``[steps, units]``, in the order of the sequence."""
    order = range(len(sequence)) if way == "fw" else range(len(sequence) - 1, -1, -1)
    outputs = np.zeros((len(sequence), units))
    state: State = (np.zeros(units), np.zeros(units))
    for step in order:
        state = STEPS[cell](parts, sequence[step], state)
        outputs[step] = state[1]
    return outputs


def final_states(
    cell: str, arrays: Mapping[str, np.ndarray], rows: np.ndarray, units: Sequence[int], joined: bool = False
) -> List[np.ndarray]:
    """The last h of the top layer in each direction, for one sequence ``[steps, inputs]``.

    Args:
      cell: a key of ``STEPS``.
      arrays: role -> values; the roles say how many layers and directions there are.
      rows: the sequence.
      units: width of each layer.
      joined: whether each layer reads both directions of the one below.
    """
    places = {tuple(role.split("/")[1:3]) for role in arrays if role.count("/") > 1}
    ways = [way for way in ("fw", "bw") if (way, "0") in places]
    sequences = [rows.astype(np.float64)] * len(ways)
    for layer in range(len(places) // len(ways)):
        outputs = []
        for way, sequence in zip(ways, sequences):
            place = f"/{way}/{layer}/"
            parts = {role.split(place)[1]: array for role, array in arrays.items() if place in role}
            outputs.append(_layer(cell, parts, sequence, units[layer], way))
        sequences = [np.concatenate(outputs, 1)] * len(ways) if joined else outputs
    return [output[-1 if way == "fw" else 0] for way, output in zip(ways, outputs)]
