"""TensorFlow 1's recurrent cells in NumPy, written from their definitions, to judge restored graphs."""

from typing import Callable, Dict, List, Mapping, Tuple

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


STEPS: Dict[str, Callable[[Parts, np.ndarray, State], State]] = {
    "basic_rnn": _rnn,
    "basic_lstm": _lstm,
    "lstm_peephole": _lstm,
    "lstm_coupled": _coupled,
    "gru": _gru,
}


def final_states(
    cell: str, arrays: Mapping[str, np.ndarray], rows: np.ndarray, units: int
) -> List[np.ndarray]:
    """The last h of the top layer in each direction, for one sequence ``[steps, inputs]``.

    Args:
      cell: a key of ``STEPS``.
      arrays: role -> values; the roles say how many layers and directions there are.
      rows: the sequence.
      units: width of every layer.
    """
    found = []
    for way, sequence in (("fw", rows), ("bw", rows[::-1])):
        outputs = list(sequence.astype(np.float64))
        layer = 0
        while True:
            place = f"/{way}/{layer}/"
            parts = {role.split(place)[1]: array for role, array in arrays.items() if place in role}
            if not parts:
                break
            state: State = (np.zeros(units), np.zeros(units))
            for step, x in enumerate(outputs):
                state = STEPS[cell](parts, x, state)
                outputs[step] = state[1]
            layer += 1
        if layer:
            found.append(outputs[-1])
    return found
