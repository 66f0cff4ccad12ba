"""The recurrent cells: one class each, with its gates, shapes, variable names and TensorFlow cell.

Graphs, checkpoints and the NumPy reference take these facts from here. A cell of one's own is one more
class: ``kind`` and ``flat_kind`` name it, ``tensorflow_classes`` is what its variables are called by,
``part_shapes`` gives its weights, ``tensorflow`` builds it and ``step`` is its NumPy reference.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Dict, Mapping, Optional, Tuple, Type

import numpy as np

from tf1_lstm.core.parts import Part, kinds, setting

Shape = Tuple[int, ...]
State = Tuple[np.ndarray, ...]

VERSIONS = ("0.12", "1.0", "1.2")  # the last version of, or the first with, each way to name variables
ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear")
LAYER_ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear", "selu")  # of fully connected layers
DIRECTIONS = ("fw", "bw")
PEEPHOLES = ("w_i_diag", "w_f_diag", "w_o_diag")
RECURRENT_KERNEL = "recurrent_kernel"

_LINEAR = {"kernel": "Linear/Matrix", "bias": "Linear/Bias"}
_SHARDED = {  # cells that could split their kernel into W_0, W_1, ...
    "kernel": "W_0",
    "bias": "B",
    "w_i_diag": "W_I_diag",
    "w_f_diag": "W_F_diag",
    "w_o_diag": "W_O_diag",
}


@dataclass(frozen=True)
class Cell(Part):
    """A recurrent cell.

    Attributes:
      units: width of its state.
      kind: first word of its weights' canonical names (``lstm/fw/0/kernel``).
      states: what it carries from step to step; ``h``, its output, is the last.
      gate_order: the blocks of the kernel's columns, in order; empty where there is one only.
      default_forget_bias: TensorFlow's, added when the cell runs and never saved; None without a
        forget gate.
      kernels: part of a kernel -> (part of its bias, how many times ``units`` wide it is).
      optional_parts: parts of shape ``[units]`` that TensorFlow's cell may have and this class has not.
      tensorflow_classes: TensorFlow's classes whose variables it reads; the first is the one it runs.
      old_parts: its parts as they were named up to 0.12.
      fixed_parts: its parts as they are named from 1.0 on, where they differ from the canonical ones
        or never followed the others (empty: ``weights`` and ``biases`` in 1.0, canonical since 1.2).
    """

    abstract = True
    kind: ClassVar[str] = ""
    states: ClassVar[Tuple[str, ...]] = ("h",)
    gate_order: ClassVar[Tuple[str, ...]] = ()
    default_forget_bias: ClassVar[Optional[float]] = None
    kernels: ClassVar[Mapping[str, Tuple[str, int]]] = {"kernel": ("bias", 1)}
    optional_parts: ClassVar[Tuple[str, ...]] = ()
    has_recurrent_kernel: ClassVar[bool] = False
    tensorflow_classes: ClassVar[Tuple[str, ...]] = ()
    old_parts: ClassVar[Mapping[str, str]] = {}
    fixed_parts: ClassVar[Mapping[str, str]] = {}

    units: int = setting("width of the state", low=1, high=100_000, flat="units")

    @classmethod
    def part_shapes(cls, inputs: int, units: int, optional: bool = False) -> Dict[str, Shape]:
        """Part -> shape of one cell.

        Args:
          inputs: width of what the cell reads besides its own state.
          units: width of its state.
          optional: with its ``optional_parts``.
        """
        shapes: Dict[str, Shape] = {}
        for kernel, (bias, blocks) in cls.kernels.items():
            width = blocks * units
            if cls.has_recurrent_kernel:
                shapes.update({kernel: (inputs, width), RECURRENT_KERNEL: (units, width), bias: (2, width)})
            else:
                shapes.update({kernel: (inputs + units, width), bias: (width,)})
        if optional:
            shapes.update(dict.fromkeys(cls.optional_parts, (units,)))
        return shapes

    def shapes(self, inputs: int) -> Dict[str, Shape]:
        """Part -> shape of this cell where it reads ``inputs`` numbers a step."""
        return self.part_shapes(inputs, self.units)

    @property
    def added_forget_bias(self) -> Optional[float]:
        """What is added to the forget gate when it runs; None without such a gate."""
        return getattr(self, "forget_bias", None)

    @classmethod
    def variable_name(cls, part: str, version: str) -> str:
        """A variable's name from the cell's class on: ``basic_lstm_cell/kernel``.

        Args:
          part: canonical, e.g. ``gates/kernel``.
          version: one of ``VERSIONS``.
        """
        name = cls.tensorflow_classes[0]
        if version == "0.12":
            return f"{name}/{cls.old_parts.get(part, part)}"
        head, _, last = part.rpartition("/")
        if cls.fixed_parts:
            last = cls.fixed_parts.get(part, last)
        elif version == "1.0":
            last = {"kernel": "weights", "bias": "biases"}.get(last, last)
        return f"{snake_case(name)}/{head + '/' if head else ''}{last}"

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        raise NotImplementedError(f"{type(self).__name__} has no TensorFlow cell")

    def step(self, parts: Mapping[str, np.ndarray], inputs: np.ndarray, state: State) -> State:
        """One step in NumPy, for a cell of one's own; the reference of the built-in ones is in parity.

        Args:
          parts: part -> weights.
          inputs: ``[batch, inputs]``.
          state: ``[batch, units]`` for each of ``states``.

        Returns:
          The new state, in the same order.
        """
        raise NotImplementedError(f"{type(self).__name__} has no NumPy reference")


def snake_case(name: str) -> str:
    """TensorFlow's scope of a class: ``BasicLSTMCell`` -> ``basic_lstm_cell``."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def tensorflow_activation(name: str) -> Any:
    """TensorFlow's function of one of ``ACTIVATIONS`` or ``LAYER_ACTIVATIONS``."""
    from tf1_lstm.core.tensorflow import tf

    known = {"tanh": tf.tanh, "relu": tf.nn.relu, "sigmoid": tf.sigmoid, "selu": tf.nn.selu}
    return {**known, "linear": tf.identity}[name]


def _activation(where: str) -> Any:
    return setting(f"of {where}", "tanh", choices=ACTIVATIONS)


@dataclass(frozen=True)
class BasicRNN(Cell):
    """``tf.nn.rnn_cell.BasicRNNCell``: h = tanh(W [x, h] + b) (Elman, 1990)."""

    flat_kind = "basic_rnn"
    kind = "rnn"
    tensorflow_classes = ("BasicRNNCell",)
    old_parts = _LINEAR

    activation: str = _activation("the new state")

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.tensorflow import tf

        return tf.nn.rnn_cell.BasicRNNCell(self.units, activation=tensorflow_activation(self.activation))


@dataclass(frozen=True)
class _LSTM(Cell):
    """What the cells with a cell state c have in common."""

    abstract = True
    kind = "lstm"
    states = ("c", "h")
    default_forget_bias = 1.0

    forget_bias: float = setting(
        "added to the forget gate when the cell runs; never saved", 1.0, flat="forget_bias"
    )
    activation: str = _activation("the candidate and of the output")


@dataclass(frozen=True)
class BasicLSTM(_LSTM):
    """``tf.nn.rnn_cell.BasicLSTMCell`` (Hochreiter and Schmidhuber, 1997; Zaremba et al., 2014)."""

    flat_kind = "basic_lstm"
    gate_order = ("i", "j", "f", "o")
    kernels = {"kernel": ("bias", 4)}
    tensorflow_classes = (
        "BasicLSTMCell",
        "LSTMCell",
        "LSTMBlockCell",
        "LSTMBlockWrapper",
        "LSTMFusedCell",
        "LSTMBlockFusedCell",
    )
    old_parts = _LINEAR

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.tensorflow import tf

        activation = tensorflow_activation(self.activation)
        return tf.nn.rnn_cell.BasicLSTMCell(self.units, forget_bias=self.forget_bias, activation=activation)


@dataclass(frozen=True)
class PeepholeLSTM(_LSTM):
    """``tf.nn.rnn_cell.LSTMCell(use_peepholes=True)`` (Gers and Schmidhuber, 2000; Sak et al., 2014)."""

    flat_kind = "lstm_peephole"
    gate_order = ("i", "j", "f", "o")
    kernels = {"kernel": ("bias", 4)}
    tensorflow_classes = (
        "LSTMCell",
        "LSTMBlockCell",
        "LSTMBlockWrapper",
        "LSTMFusedCell",
        "LSTMBlockFusedCell",
    )
    old_parts = _SHARDED

    @classmethod
    def part_shapes(cls, inputs: int, units: int, optional: bool = False) -> Dict[str, Shape]:
        """Part -> shape of one cell; see ``Cell.part_shapes``."""
        shapes = super().part_shapes(inputs, units)
        shapes.update(dict.fromkeys(PEEPHOLES, (units,)))
        return shapes

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.tensorflow import tf

        activation = tensorflow_activation(self.activation)
        return tf.nn.rnn_cell.LSTMCell(
            self.units, use_peepholes=True, forget_bias=self.forget_bias, activation=activation
        )


@dataclass(frozen=True)
class CoupledLSTM(_LSTM):
    """``tf.contrib.rnn.CoupledInputForgetGateLSTMCell``: the input gate is 1 - f (Greff et al., 2015).

    Without peepholes, so that only one thing differs from the basic cell.
    """

    flat_kind = "lstm_coupled"
    gate_order = ("j", "f", "o")
    kernels = {"kernel": ("bias", 3)}
    optional_parts = PEEPHOLES[1:]
    tensorflow_classes = ("CoupledInputForgetGateLSTMCell",)
    old_parts = _SHARDED
    fixed_parts = _SHARDED

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.tensorflow import tf  # noqa: F401 (quietens what contrib imports)
        from tensorflow.contrib.rnn import CoupledInputForgetGateLSTMCell  # isort: skip

        return CoupledInputForgetGateLSTMCell(
            self.units, forget_bias=self.forget_bias, activation=tensorflow_activation(self.activation)
        )


@dataclass(frozen=True)
class GRU(Cell):
    """``tf.nn.rnn_cell.GRUCell``: the reset gate before the recurrent product (Cho et al., 2014)."""

    flat_kind = "gru"
    kind = "gru"
    gate_order = ("r", "u")
    kernels = {"gates/kernel": ("gates/bias", 2), "candidate/kernel": ("candidate/bias", 1)}
    tensorflow_classes = ("GRUCell",)
    old_parts = {
        "gates/kernel": "Gates/Linear/Matrix",
        "gates/bias": "Gates/Linear/Bias",
        "candidate/kernel": "Candidate/Linear/Matrix",
        "candidate/bias": "Candidate/Linear/Bias",
    }

    activation: str = _activation("the candidate")

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.tensorflow import tf

        return tf.nn.rnn_cell.GRUCell(self.units, activation=tensorflow_activation(self.activation))


@dataclass(frozen=True)
class ResetAfterGRU(Cell):
    """Keras's and cuDNN's GRU: the reset gate after the recurrent product, and two biases."""

    flat_kind = "gru_reset_after"
    kind = "gru"
    gate_order = ("u", "r", "candidate")
    kernels = {"kernel": ("bias", 3)}
    has_recurrent_kernel = True
    tensorflow_classes = ("ResetAfterGRUCell",)
    # No cell of TensorFlow 1: one written for it has the same parts at every version.
    fixed_parts = {part: part for part in ("kernel", RECURRENT_KERNEL, "bias")}

    def tensorflow(self) -> Any:
        """The cell for ``dynamic_rnn``."""
        from tf1_lstm.core.reset_after import ResetAfterGRUCell

        return ResetAfterGRUCell(self.units)


def cell_kinds() -> Dict[str, Type[Cell]]:
    """Every cell by its name in records and checkpoints (``basic_lstm``), those of users included."""
    found = list(kinds(Cell).values())
    return {kind.flat_kind or kind.__name__: kind for kind in found}


def cell_name(cell: Cell) -> str:
    """A cell's name in records and checkpoints."""
    return type(cell).flat_kind or type(cell).__name__


def canonical_name(cell: str, direction: int, layer: int, part: str) -> str:
    """The canonical name of one recurrent weight; ``direction`` is 0 (forward) or 1 (backward)."""
    return f"{cell_kinds()[cell].kind}/{DIRECTIONS[direction]}/{layer}/{part}"
