"""A trained model as an ONNX graph: nodes and constants, made into a file by ``parity.ports.save``.

ONNX's operators have every cell of the recipes: ``LSTM`` with peepholes and with coupled gates, and
``GRU`` with its reset before or after the recurrent product. Source: the operators' specification
(``LSTM``, ``GRU``, ``RNN`` of operator set 14).
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy as np

from tf1_lstm.parity.cells import ReferenceCell, gate_order, split_rows
from tf1_lstm.parity.layouts import reorder, to_keras
from tf1_lstm.parity.weight_files import Trained

Arrays = Dict[str, np.ndarray]
OPERATOR_SET = 14
LSTM_GATES = ("i", "o", "f", "j")


class OnnxModel(NamedTuple):
    """A model from ``inputs`` to ``logits``.

    Attributes:
      nodes: (operator, inputs, outputs, attributes) of each, in order.
      constants: name -> array.
      inputs: its shape; None for what may vary.
      takes_ids: whether the inputs are int32 ids; else they are float32.
      outputs: how many numbers a row of the logits has.
    """

    nodes: List[Tuple[str, List[str], List[str], Dict[str, Any]]]
    constants: Arrays
    inputs: List[Any]
    takes_ids: bool
    outputs: int


def onnx_graph(trained: Trained) -> OnnxModel:
    """Return the graph of a trained model."""
    spec, table = trained.spec, trained.table
    steps = None if spec.any_steps else spec.steps
    shape = [None, steps] if table is not None else [None, steps, trained.width]
    found = OnnxModel([], {}, shape, table is not None, spec.outputs)

    def add(operator: str, inputs: List[str], output: str, **attributes: Any) -> str:
        found.nodes.append((operator, inputs, [output], attributes))
        return output

    def constant(name: str, array: np.ndarray) -> str:
        kind = array.dtype if array.dtype.kind == "i" else np.dtype(np.float32)
        found.constants[name] = np.ascontiguousarray(array, kind)
        return name

    x = "inputs"
    if table is not None:
        x = add("Gather", [constant("embedding", table), x], "embedded")
    x = add("Transpose", [x], "by_step", perm=[1, 0, 2])  # [steps, batch, inputs]
    read = dict.fromkeys(spec.directions, x)
    last: Dict[str, str] = {}
    first_axis, second_axis = (constant(f"axis_{k}", np.array([k], np.int64)) for k in (0, 1))
    for layer in range(spec.layers):
        for direction in spec.directions:
            name = f"{direction}_{layer}"
            operator, arrays, attributes = _operator(spec.cell, spec.parts(trained.weights, direction, layer))
            names = [constant(f"{name}_{key}", array[None]) for key, array in arrays.items()]
            optional = ["", "", "", names[3]] if len(names) > 3 else []
            attributes["direction"] = "forward" if direction == "fw" else "reverse"
            inputs = [read[direction], *names[:3], *optional]
            found.nodes.append((operator, inputs, [f"{name}_outputs", f"{name}_state"], attributes))
            last[direction] = add("Squeeze", [f"{name}_state", first_axis], f"{name}_h")
            read[direction] = add("Squeeze", [f"{name}_outputs", second_axis], f"{name}_y")
        if spec.joined_layers:
            read = dict.fromkeys(read, add("Concat", list(read.values()), f"joined_{layer}", axis=2))
    features = last["bw" if spec.readout == "backward-state" else "fw"]
    if spec.readout == "both-states":
        features = add("Concat", list(last.values()), "features", axis=1)
    if spec.dense_units:
        dense = [constant(f"dense_{part}", trained.weights[f"dense/{part}"]) for part in ("kernel", "bias")]
        features = add("Relu", [add("Gemm", [features, *dense], "dense")], "dense_relu")
    softmax = [
        constant(f"softmax_{part}", trained.weights[f"softmax/{part}"]) for part in ("weights", "bias")
    ]
    add("Gemm", [features, *softmax], "logits")
    return found


def _operator(cell: ReferenceCell, parts: Mapping[str, np.ndarray]) -> Tuple[str, Arrays, Dict[str, Any]]:
    """Return ONNX's operator for a cell, its ``w``, ``r``, ``b`` (and ``p``), and its attributes."""
    attributes: Dict[str, Any] = {"hidden_size": cell.units}
    if cell.name in ("basic_rnn", "gru", "gru_reset_after"):
        kernel, recurrent, bias = to_keras(cell, parts)  # Keras's gates z, r, h are ONNX's
        biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        arrays = {"w": kernel.T, "r": recurrent.T, "b": biases.reshape(-1)}
        if cell.name == "basic_rnn":
            return "RNN", arrays, attributes
        return "GRU", arrays, dict(attributes, linear_before_reset=int(cell.name == "gru_reset_after"))
    order = gate_order(cell.name)
    bias = np.array(parts["bias"])
    at = order.index("f") * cell.units
    bias[at : at + cell.units] += np.float32(cell.forget_bias)
    arrays = {"kernel": parts["kernel"], "bias": bias}
    if "i" not in order:  # i = 1 - f is the sigmoid of -f; then ONNX sets f to 1 - i
        attributes["input_forget"] = 1
        for name, array in arrays.items():
            j, f, o = np.split(array, 3, axis=-1)
            arrays[name] = np.concatenate([-f, j, f, o], axis=-1)
        order = ("i", "j", "f", "o")
    arrays = {name: reorder(array, order, LSTM_GATES) for name, array in arrays.items()}
    kernel, recurrent = split_rows(arrays["kernel"], cell.units)
    found = {"w": kernel.T, "r": recurrent.T}
    found["b"] = np.concatenate([arrays["bias"], np.zeros_like(arrays["bias"])])
    if cell.name == "lstm_peephole":
        found["p"] = np.concatenate([parts[f"w_{gate}_diag"] for gate in "iof"])
    return "LSTM", found, attributes
