"""A trained model as an ONNX graph: nodes and constants, made into a file by ``parity.ports.save``.

ONNX's operators have every cell of the recipes: ``LSTM`` with peepholes and with coupled gates, and
``GRU`` with its reset before or after the recurrent product. Source: the operators' specification
(``LSTM``, ``GRU``, ``RNN`` of operator set 14).
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.parity.cells import ReferenceCell, gate_order, split_rows
from tf1_lstm.parity.layouts import reorder, to_keras
from tf1_lstm.parity.model_code import check_cell
from tf1_lstm.parity.spec import FRONT
from tf1_lstm.parity.torch_code import CELLS
from tf1_lstm.parity.weight_files import Trained

Arrays = Dict[str, np.ndarray]
OPERATOR_SET = 14
LSTM_GATES = ("i", "o", "f", "j")
FLOAT, INT32, INT64 = 1, 6, 7  # of TensorProto.DataType
ONNX_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "selu": "Selu"}
DENSE, SOFTMAX = ("dense/kernel", "dense/bias"), ("softmax/weights", "softmax/bias")


class OnnxModel(NamedTuple):
    """A model from ``inputs`` to ``logits``.

    Attributes:
      nodes: (operator, inputs, outputs, attributes) of each, in order.
      constants: name -> array.
      inputs: its shape; None for what may vary.
      takes_ids: whether the inputs are int32 ids; else they are float32.
      outputs: shape of the logits; None for what may vary.
    """

    nodes: List[Tuple[str, List[str], List[str], Dict[str, Any]]]
    constants: Arrays
    inputs: List[Any]
    takes_ids: bool
    outputs: List[Any]


def onnx_graph(trained: Trained) -> OnnxModel:
    """Return the graph of a trained model.

    Raises:
      InputError: a cell of one's own, or a mask that ONNX has not.
    """
    check_cell(trained.spec, tuple(CELLS))
    if trained.spec.mask == "mask_zero":
        raise InputError(
            "recurrent.mask: found mask_zero, expected none or sequence_length: ONNX's recurrent operators take "
            "lengths and no mask (export --to keras or torch)"
        )
    return _Graph(trained).build()


class _Graph:
    """An ONNX graph that is being put together."""

    def __init__(self, trained: Trained) -> None:
        spec, table = trained.spec, trained.table
        steps = None if spec.any_steps else spec.steps
        shape = [None, steps] if table is not None else [None, steps, trained.read_width]
        self._trained, self._spec = trained, spec
        each = [steps] if spec.per_step else []
        self._found = OnnxModel([], {}, shape, table is not None, [None, *each, spec.outputs])
        self._lengths = ""

    def build(self) -> OnnxModel:
        """Return the graph from inputs to logits."""
        spec, x = self._spec, "inputs"
        if spec.mask != "none":
            self._lengths = "lengths" if spec.takes_lengths else self._lengths_of_ids()
        if self._trained.table is not None:
            x = self._add("Gather", [self._constant("embedding", self._trained.table), x], "embedded")
        if spec.front:
            x = self._activated(spec.front, self._linear(x, FRONT, "front"), "front_activated")
        x = self._add("Transpose", [x], "by_step", perm=[1, 0, 2])  # [steps, batch, inputs]
        features = self._read(self._layers(self._turned(x)))
        if spec.dense_units:
            dense = self._linear(features, DENSE, "dense")
            features = self._activated(spec.dense_activation, dense, f"dense_{spec.dense_activation}")
        linear = spec.scores_activation == "linear"
        self._activated(
            spec.scores_activation,
            self._linear(features, SOFTMAX, "logits" if linear else "scores"),
            "logits",
        )
        return self._found

    def _add(self, operator: str, inputs: List[str], output: str, **attributes: Any) -> str:
        self._found.nodes.append((operator, inputs, [output], attributes))
        return output

    def _constant(self, name: str, array: np.ndarray) -> str:
        kind = array.dtype if array.dtype.kind == "i" else np.dtype(np.float32)
        self._found.constants[name] = np.array(array, kind, order="C")  # a scalar stays one
        return name

    def _axis(self, number: int) -> str:
        return self._constant(f"axis_{number}", np.array([number], np.int64))

    def _linear(self, x: str, roles: Tuple[str, str], output: str) -> str:
        kernel, bias = (self._constant(role.replace("/", "_"), self._trained.weights[role]) for role in roles)
        return self._add("Add", [self._add("MatMul", [x, kernel], f"{output}_product"), bias], output)

    def _activated(self, name: str, x: str, output: str) -> str:
        return x if name == "linear" else self._add(ONNX_ACTIVATIONS[name], [x], output)

    def _lengths_of_ids(self) -> str:
        """Up to the last id that is not 0, and one at least: int32 [batch]."""
        zero, one = (self._constant(f"int_{n}", np.array(n, np.int32)) for n in (0, 1))
        ones = self._add("Add", [self._add("Mul", ["inputs", zero], "zeros"), one], "ones")
        places = self._add("CumSum", [ones, self._constant("along", np.array(1, np.int32))], "places")
        used = self._add("Not", [self._add("Equal", ["inputs", zero], "padding")], "word")
        counted = self._add("Mul", [places, self._add("Cast", [used], "word_int", to=INT32)], "word_places")
        last = self._add("ReduceMax", [counted], "last_word", axes=[1], keepdims=0)
        return self._add("Max", [last, one], "lengths")

    def _turned(self, x: str) -> str:
        if not self._spec.go_backwards:
            return x
        if self._lengths:
            long = self._add("Cast", [self._lengths], "lengths_long", to=INT64)
            return self._add("ReverseSequence", [x, long], "turned", time_axis=0, batch_axis=1)
        last, end, back = (
            self._constant(name, np.array([value], np.int64))
            for name, value in (("last", -1), ("end", -(2**63) + 1), ("back", -1))
        )
        return self._add("Slice", [x, last, end, self._axis(0), back], "turned")

    def _layers(self, x: str) -> Dict[str, str]:
        """Run all layers; return direction -> the last state [batch, units], or outputs [batch, steps, units]."""
        spec = self._spec
        read = dict.fromkeys(spec.directions, x)
        last: Dict[str, str] = {}
        for layer in range(spec.layers):
            for direction in spec.directions:
                name = f"{direction}_{layer}"
                parts = spec.parts(self._trained.weights, direction, layer)
                operator, arrays, attributes = _operator(spec.cell_of(layer), parts)
                given = {
                    key: self._constant(f"{spec.role(direction, layer, key).replace('/', '_')}", array[None])
                    for key, array in arrays.items()
                }
                attributes["direction"] = "forward" if direction == "fw" else "reverse"
                peephole = ["", "", given["p"]] if "p" in given else []
                inputs = [read[direction], given["w"], given["r"], given["b"]]
                inputs += [self._lengths, *peephole] if self._lengths or peephole else []
                self._found.nodes.append((operator, inputs, [f"{name}_outputs", f"{name}_state"], attributes))
                last[direction] = self._add("Squeeze", [f"{name}_state", self._axis(0)], f"{name}_h")
                read[direction] = self._add("Squeeze", [f"{name}_outputs", self._axis(1)], f"{name}_y")
            if spec.joined_layers and layer < spec.layers - 1:
                both = self._add("Concat", list(read.values()), f"joined_{layer}", axis=2)
                read = dict.fromkeys(read, both)
        if not spec.reads_sequence:
            return last
        return {n: self._add("Transpose", [y], f"{n}_by_example", perm=[1, 0, 2]) for n, y in read.items()}

    def _read(self, outputs: Dict[str, str]) -> str:
        spec = self._spec
        found = [outputs[name] for name in spec.directions_read]
        x = found[0]
        if len(found) == 2 and spec.merge == "join":
            x = self._add("Concat", found, "merged", axis=-1)
        elif len(found) == 2:
            x = self._add({"product": "Mul", "average": "Mean"}.get(spec.merge, "Add"), found, "merged")
        if spec.position in ("final", "steps"):
            return x
        if not self._lengths:
            if spec.position == "last":
                return self._add(
                    "Gather", [x, self._constant("last_step", np.array(-1, np.int64))], "read", axis=1
                )
            return self._add(
                "ReduceMean" if spec.position == "mean" else "ReduceMax", [x], "read", axes=[1], keepdims=0
            )
        return self._read_of_counted(x)

    def _read_of_counted(self, x: str) -> str:
        """Return the mean, the largest or the last of the steps that count."""
        spec, steps = self._spec, self._spec.steps
        places = self._constant("steps", np.arange(1, steps + 1, dtype=np.int32)[None])
        lengths = self._add("Unsqueeze", [self._lengths, self._axis(1)], "lengths_by_row")
        if spec.any_steps and "places" in [node[2][0] for node in self._found.nodes]:
            places = "places"
        chosen = self._add("Equal" if spec.position == "last" else "LessOrEqual", [places, lengths], "chosen")
        share = self._add("Cast", [chosen], "chosen_float", to=FLOAT)
        share = self._add("Unsqueeze", [share, self._constant("axis_2", np.array([2], np.int64))], "share")
        if spec.position == "max":
            one, huge = (self._constant(n, np.array(v, np.float32)) for n, v in (("one", 1), ("huge", 1e38)))
            left_out = self._add("Mul", [self._add("Sub", [share, one], "below"), huge], "left_out")
            kept = self._add("Add", [x, left_out], "kept")
            return self._add("ReduceMax", [kept], "read", axes=[1], keepdims=0)
        total = self._add(
            "ReduceSum", [self._add("Mul", [x, share], "shared"), self._axis(1)], "total", keepdims=0
        )
        if spec.position == "last":
            return total
        count = self._add("Cast", [lengths], "count", to=FLOAT)
        return self._add("Div", [total, count], "read")


def _operator(cell: ReferenceCell, parts: Mapping[str, np.ndarray]) -> Tuple[str, Arrays, Dict[str, Any]]:
    """Return ONNX's operator for a cell, its ``w``, ``r``, ``b`` (and ``p``), and its attributes."""
    attributes: Dict[str, Any] = {"hidden_size": cell.units}
    own = {"linear": "Affine", **ONNX_ACTIVATIONS}[cell.state_activation]
    if own != "Tanh":
        first = [] if cell.name == "basic_rnn" else ["Sigmoid"]
        attributes["activations"] = [*first, own, *([own] if cell.has_c else [])]
        # One for each function: that of a linear one is 1.
        attributes["activation_alpha"] = [1.0] * len(attributes["activations"])
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
