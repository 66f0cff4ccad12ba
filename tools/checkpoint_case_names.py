"""Variable names and shapes of recurrent weights, as each version of TensorFlow 1 wrote them.

They are typed here, not taken from the package, so that tests can say what the reader must find.
"""

from typing import Any, Dict, Optional, Sequence, Tuple

INPUTS, UNITS, CLASSES = 3, 4, 2
Shape = Tuple[int, ...]

LINEAR = {"kernel": "Linear/Matrix", "bias": "Linear/Bias"}
OLD_LSTM = {"kernel": "W_0", "bias": "B"}
OLD_PEEPHOLES = {"w_i_diag": "W_I_diag", "w_f_diag": "W_F_diag", "w_o_diag": "W_O_diag"}
WEIGHTS = {"kernel": "weights", "bias": "biases"}
KERNEL = {"kernel": "kernel", "bias": "bias"}
PEEPHOLES = {part: part for part in OLD_PEEPHOLES}
OWN = {**KERNEL, "recurrent_kernel": "recurrent_kernel"}  # a cell of one's own: the same in every version
COUPLED = {**OLD_LSTM, "w_f_diag": "W_F_diag", "w_o_diag": "W_O_diag"}


def _gru(first: str, second: str, kernel: str, bias: str) -> Dict[str, str]:
    return {
        "gates/kernel": first + kernel,
        "gates/bias": first + bias,
        "candidate/kernel": second + kernel,
        "candidate/bias": second + bias,
    }


# (version, cell) -> the class's scope and part -> name, as that version wrote them
CELLS: Dict[str, Dict[str, Tuple[str, Dict[str, str]]]] = {
    "0.12": {
        "basic_rnn": ("BasicRNNCell", LINEAR),
        "basic_lstm": ("BasicLSTMCell", LINEAR),
        "lstm_peephole": ("LSTMCell", {**OLD_LSTM, **OLD_PEEPHOLES}),
        "lstm_coupled": ("CoupledInputForgetGateLSTMCell", OLD_LSTM),
        "gru": ("GRUCell", _gru("Gates/Linear/", "Candidate/Linear/", "Matrix", "Bias")),
        "gru_reset_after": ("ResetAfterGRUCell", OWN),
    },
    "1.0": {
        "basic_rnn": ("basic_rnn_cell", WEIGHTS),
        "basic_lstm": ("basic_lstm_cell", WEIGHTS),
        "lstm_peephole": ("lstm_cell", {**WEIGHTS, **PEEPHOLES}),
        "lstm_coupled": ("coupled_input_forget_gate_lstm_cell", OLD_LSTM),
        "gru": ("gru_cell", _gru("gates/", "candidate/", "weights", "biases")),
        "gru_reset_after": ("reset_after_gru_cell", OWN),
    },
    "1.15": {
        "basic_rnn": ("basic_rnn_cell", KERNEL),
        "basic_lstm": ("basic_lstm_cell", KERNEL),
        "lstm_peephole": ("lstm_cell", {**KERNEL, **PEEPHOLES}),
        "lstm_coupled": ("coupled_input_forget_gate_lstm_cell", OLD_LSTM),
        "gru": ("gru_cell", _gru("gates/", "candidate/", "kernel", "bias")),
        "gru_reset_after": ("reset_after_gru_cell", OWN),
    },
}
# version -> (one direction, two directions, one layer of several)
SCOPES = {
    "0.12": ("RNN/", ("BiRNN/FW/", "BiRNN/BW/"), "MultiRNNCell/Cell{}/"),
    "1.0": ("rnn/", ("bidirectional_rnn/fw/", "bidirectional_rnn/bw/"), "multi_rnn_cell/cell_{}/"),
    "1.15": ("rnn/", ("bidirectional_rnn/fw/", "bidirectional_rnn/bw/"), "multi_rnn_cell/cell_{}/"),
}
# version -> what stands before the two directions where each layer reads both of the one below
JOINED = {
    "0.12": "StackRNN/Layer{}/",
    "1.0": "stack_bidirectional_rnn/cell_{}/",
    "1.15": "stack_bidirectional_rnn/cell_{}/",
}
KINDS = {"basic_rnn": "rnn", "gru": "gru", "gru_reset_after": "gru"}
BLOCKS = {"basic_rnn": 1, "basic_lstm": 4, "lstm_peephole": 4, "lstm_coupled": 3, "gates": 2, "candidate": 1}


def part_shape(cell: str, part: str, inputs: int, units: int) -> Shape:
    """The shape of one part of a cell."""
    if part.endswith("diag"):
        return (units,)
    if cell == "gru_reset_after":
        return {"kernel": (inputs, 3 * units), "bias": (2, 3 * units)}.get(part, (units, 3 * units))
    blocks = BLOCKS[part.rpartition("/")[0] or cell]
    return (inputs + units, blocks * units) if part.endswith("kernel") else (blocks * units,)


def cell_weights(
    version: str,
    cell: str,
    layers: int = 1,
    directions: int = 1,
    inputs: int = INPUTS,
    units: int = UNITS,
    scope: Optional[str] = None,
    parts: Optional[Dict[str, str]] = None,
    joined: bool = False,
) -> Dict[str, Tuple[str, Shape]]:
    """Role -> (variable name, shape) of the recurrent part of a model."""
    single, both, stack = SCOPES[version]
    found = {}
    class_scope, named = CELLS[version][cell]
    for direction in range(directions):
        for layer in range(layers):
            where = (single if directions == 1 else both[direction]) if scope is None else scope
            if joined:
                where = JOINED[version].format(layer) + where
            elif layers > 1:
                where += stack.format(layer)
            below = directions * units if joined else units
            for part, name in (parts or named).items():
                role = f"{KINDS.get(cell, 'lstm')}/{('fw', 'bw')[direction]}/{layer}/{part}"
                shape = part_shape(cell, part, below if layer else inputs, units)
                found[role] = (f"{where}{class_scope}/{name}", shape)
    return found


def softmax(
    width: int, classes: int = CLASSES, names: Sequence[str] = ("softmax/weights", "softmax/bias")
) -> Any:
    """The two roles of a softmax under any names."""
    return {"softmax/weights": (names[0], (width, classes)), "softmax/bias": (names[1], (classes,))}
