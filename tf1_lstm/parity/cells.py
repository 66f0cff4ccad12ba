"""The recurrent cells of TensorFlow 1 in NumPy, forward.

Written from the equations of ``tf.nn.rnn_cell`` and ``tf.contrib.rnn`` in TensorFlow 1.15, in any
float type, so that a port can be checked without TensorFlow. What ports get wrong inside a cell
(``gate_activation``, ``state_activation``, ``reset_after``, ``reset_before``) are switches here, off by
default.
"""

import dataclasses
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.cells import cell_kinds

Parts = Mapping[str, np.ndarray]
# Of a port whose GRU has a bias for the state too, where TensorFlow 1's has none.
SECOND_BIAS = "candidate/recurrent_bias"
Pair = Tuple[np.ndarray, np.ndarray]


def cell_kind(name: str) -> str:
    """``rnn``, ``lstm`` or ``gru``; of a cell of one's own, what it says."""
    return cell_kinds()[name].kind


def gate_order(name: str) -> Tuple[str, ...]:
    """The columns of the kernel that holds several gates."""
    return cell_kinds()[name].gate_order


@dataclass(frozen=True)
class ReferenceCell:
    """One kind of cell, and how it is calculated.

    Attributes:
      name: a name that ``core.cells.cell_kinds`` knows.
      units: width of its state.
      forget_bias: added to the forget gate when it runs (LSTM only).
      gate_activation: ``"sigmoid"``; ports use ``"hard_sigmoid"`` (0.2x + 0.5, old Keras) or
        ``"hard_sigmoid_6"`` (x/6 + 0.5, Keras 3 and PyTorch).
      state_activation: ``"tanh"``; ports use ``"relu"`` or ``"linear"``.
      reset_after: ``"gru"`` with the reset gate applied after the recurrent product.
      reset_before: ``"gru_reset_after"`` with the reset gate applied before it.
    """

    name: str
    units: int
    forget_bias: float = 1.0
    gate_activation: str = "sigmoid"
    state_activation: str = "tanh"
    reset_after: bool = False
    reset_before: bool = False

    @property
    def resets_after(self) -> bool:
        """Whether a GRU applies its reset gate after the recurrent product."""
        return self.reset_after if self.name == "gru" else not self.reset_before

    @property
    def has_c(self) -> bool:
        """Whether the state has a cell state beside the output."""
        return cell_kind(self.name) == "lstm"

    def with_forget_bias(self, forget_bias: float) -> "ReferenceCell":
        """Return the cell with another forget bias."""
        return dataclasses.replace(self, forget_bias=forget_bias)

    def shapes(self, inputs: int) -> Dict[str, Tuple[int, ...]]:
        """Part name -> shape of one cell that reads ``inputs`` numbers a step."""
        return cell_kinds()[self.name].part_shapes(inputs, self.units)


class Trace(NamedTuple):
    """Everything one layer computed over a sequence.

    Attributes:
      inputs: ``[batch, steps, inputs]``.
      h: ``[batch, steps, units]``, the output at each step.
      c: ``[batch, steps, units]``, the cell state at each step; None where the cell has none.
      gates: gate name -> ``[batch, steps, units]``, after its activation.
      mask: ``[batch, steps]``, False where the step is skipped and the state carried on; or None.
    """

    inputs: np.ndarray
    h: np.ndarray
    c: Optional[np.ndarray]
    gates: Dict[str, np.ndarray]
    mask: Optional[np.ndarray]


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Apply the logistic function, without overflow, in the type of ``values``."""
    return np.tanh(values * 0.5) * 0.5 + 0.5


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _selu(x: np.ndarray) -> np.ndarray:
    """Scaled exponential linear units (Klambauer et al., 2017)."""
    found = SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))
    return np.asarray(found, x.dtype)


def _relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


# name -> (function of x, derivative as a function of the *result*)
ACTIVATIONS: Dict[str, Tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "sigmoid": (sigmoid, lambda y: y * (1 - y)),
    "hard_sigmoid": (
        lambda x: np.clip(x * 0.2 + 0.5, 0, 1),
        lambda y: 0.2 * ((y > 0) & (y < 1)).astype(y.dtype),
    ),
    "hard_sigmoid_6": (
        lambda x: np.clip(x / 6 + 0.5, 0, 1),
        lambda y: ((y > 0) & (y < 1)).astype(y.dtype) / 6,
    ),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "relu": (_relu, lambda y: (y > 0).astype(y.dtype)),
    "selu": (_selu, lambda y: np.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA).astype(y.dtype)),
    "linear": (lambda x: x, np.ones_like),
}


def run(
    cell: ReferenceCell,
    parts: Parts,
    inputs: np.ndarray,
    mask: Optional[np.ndarray] = None,
    state: Optional[Pair] = None,
    noise: Optional["StateNoise"] = None,
) -> Trace:
    """Run one layer over a sequence.

    Args:
      cell: what is calculated.
      parts: the cell's weights in TensorFlow 1's own layout (see ``ReferenceCell.shapes``).
      inputs: ``[batch, steps, inputs]``.
      mask: ``[batch, steps]``; at False the state is carried on.
      state: h and c to start from, ``[batch, units]`` each (c counts for an LSTM only); zeros if None.
      noise: what a port that leaves it on does to the states; None for nothing.
    """
    if state is None:
        state = (np.zeros((len(inputs), cell.units), parts[_first(parts)].dtype),) * 2
    kind = {"rnn": _run_rnn, "lstm": _run_lstm, "gru": _run_gru}.get(cell_kind(cell.name))
    if kind is None:
        return _run_own(cell, parts, inputs, mask)
    return kind(cell, parts, inputs, mask, state, noise or StateNoise())


class StateNoise:
    """Nothing done to the states between two steps; ``dropout.NoisyStates`` does something."""

    def product(self, what: str, state: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Return ``state @ kernel`` of the gates or the candidate: ``[batch, units]``, ``[units, n * units]``."""
        return state @ kernel

    def kept(self, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        """Return the state after a step, from the new one and the one before."""
        return new


def _run_own(cell: ReferenceCell, parts: Parts, inputs: np.ndarray, mask: Optional[np.ndarray]) -> Trace:
    """Run a cell of one's own by its own ``step``."""
    kind = cell_kinds()[cell.name]
    own = kind(units=cell.units)
    zeros = np.zeros((len(inputs), cell.units), parts[_first(parts)].dtype)
    state: Tuple[np.ndarray, ...] = (zeros,) * len(kind.states)
    found: Dict[str, List[np.ndarray]] = {name: [] for name in kind.states}
    for step in range(inputs.shape[1]):
        new = own.step(parts, inputs[:, step], state)
        state = tuple(keep(mask, step, now, old) for now, old in zip(new, state))
        for name, array in zip(kind.states, state):
            found[name].append(array)
    stacked = {name: np.stack(arrays, axis=1) for name, arrays in found.items()}
    return Trace(inputs, stacked.pop("h"), stacked.pop("c", None), stacked, mask)


def _first(parts: Parts) -> str:
    return next(iter(parts))


def keep(mask: Optional[np.ndarray], step: int, new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Take ``new`` where the step is not skipped, else ``old``; both ``[batch, n]``."""
    return new if mask is None else np.where(mask[:, step, None], new, old)


def split_rows(kernel: np.ndarray, units: int) -> Pair:
    """Split a kernel into its rows for the inputs and for the state: ``[inputs, n]``, ``[units, n]``."""
    return kernel[:-units], kernel[-units:]


def _run_rnn(
    cell: ReferenceCell,
    parts: Parts,
    inputs: np.ndarray,
    mask: Optional[np.ndarray],
    state: Pair,
    noise: StateNoise,
) -> Trace:
    activation = ACTIVATIONS[cell.state_activation][0]
    input_kernel, recurrent = split_rows(parts["kernel"], cell.units)
    projected = inputs @ input_kernel + parts["bias"]  # [batch, steps, units]
    h = state[0]
    states: List[np.ndarray] = []
    for step in range(inputs.shape[1]):
        new = activation(projected[:, step] + noise.product("gates", h, recurrent))
        h = keep(mask, step, noise.kept(new, h), h)
        states.append(h)
    return Trace(inputs, np.stack(states, axis=1), None, {}, mask)


def _run_lstm(
    cell: ReferenceCell,
    parts: Parts,
    inputs: np.ndarray,
    mask: Optional[np.ndarray],
    state: Pair,
    noise: StateNoise,
) -> Trace:
    gate, squash = ACTIVATIONS[cell.gate_activation][0], ACTIVATIONS[cell.state_activation][0]
    order, units = gate_order(cell.name), cell.units
    input_kernel, recurrent = split_rows(parts["kernel"], units)
    projected = inputs @ input_kernel + parts["bias"]  # [batch, steps, gates * units]
    at = {name: slice(k * units, (k + 1) * units) for k, name in enumerate(order)}
    peephole = {name: parts.get(f"w_{name}_diag") for name in "ifo"}
    h, c = state
    records: Dict[str, List[np.ndarray]] = {name: [] for name in ("h", "c", "i", "j", "f", "o")}
    for step in range(inputs.shape[1]):
        z = projected[:, step] + noise.product("gates", h, recurrent)
        f = gate(_peep(z[:, at["f"]] + cell.forget_bias, peephole["f"], c))
        i = gate(_peep(z[:, at["i"]], peephole["i"], c)) if "i" in at else 1 - f
        j = squash(z[:, at["j"]])
        new_c = f * c + i * j
        o = gate(_peep(z[:, at["o"]], peephole["o"], new_c))
        h = keep(mask, step, noise.kept(o * squash(new_c), h), h)
        c = keep(mask, step, noise.kept(new_c, c), c)
        for name, value in (("h", h), ("c", c), ("i", i), ("j", j), ("f", f), ("o", o)):
            records[name].append(value)
    stacked = {name: np.stack(values, axis=1) for name, values in records.items()}
    return Trace(inputs, stacked.pop("h"), stacked.pop("c"), stacked, mask)


def _peep(z: np.ndarray, diagonal: Optional[np.ndarray], c: np.ndarray) -> np.ndarray:
    return z if diagonal is None else z + diagonal * c


class GruArrays(NamedTuple):
    """The weights of either GRU, or their derivatives; the gates' columns are r, u.

    Attributes:
      gates_in, gates_back: ``[inputs, 2 * units]``, ``[units, 2 * units]``.
      gates_bias: ``[2 * units]``; the sum where the cell has two.
      new_in, new_back: of the candidate, ``[inputs, units]``, ``[units, units]``.
      new_bias: ``[units]``.
      new_back_bias: ``[units]``, added to the recurrent product; zero where the cell has one bias.
    """

    gates_in: np.ndarray
    gates_back: np.ndarray
    gates_bias: np.ndarray
    new_in: np.ndarray
    new_back: np.ndarray
    new_bias: np.ndarray
    new_back_bias: np.ndarray


def gru_arrays(cell: ReferenceCell, parts: Parts) -> GruArrays:
    """Return the weights of a GRU, whatever its layout."""
    units = cell.units
    if cell.name == "gru":
        gates_in, gates_back = split_rows(parts["gates/kernel"], units)
        new_in, new_back = split_rows(parts["candidate/kernel"], units)
        bias = parts["candidate/bias"]
        back_bias = parts.get(SECOND_BIAS, np.zeros_like(bias))
        return GruArrays(gates_in, gates_back, parts["gates/bias"], new_in, new_back, bias, back_bias)

    def r_u(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array[..., units : 2 * units], array[..., :units]], axis=-1)

    kernel, recurrent, bias = parts["kernel"], parts["recurrent_kernel"], parts["bias"]
    at = np.s_[..., 2 * units :]
    return GruArrays(r_u(kernel), r_u(recurrent), r_u(bias).sum(axis=0), kernel[at], recurrent[at], *bias[at])


def gru_gradients(cell: ReferenceCell, parts: Parts, found: GruArrays) -> Dict[str, np.ndarray]:
    """Return derivatives by ``gru_arrays`` as derivatives by the cell's own ``parts``."""
    if cell.name == "gru":
        gradients = {
            "gates/kernel": np.concatenate([found.gates_in, found.gates_back]),
            "gates/bias": found.gates_bias,
            "candidate/kernel": np.concatenate([found.new_in, found.new_back]),
            "candidate/bias": found.new_bias,
        }
        return {**gradients, SECOND_BIAS: found.new_back_bias} if SECOND_BIAS in parts else gradients

    def joined(r_u: np.ndarray, new: np.ndarray) -> np.ndarray:
        r, u = np.split(r_u, 2, axis=-1)
        return np.concatenate([u, r, new], axis=-1)

    biases = [joined(found.gates_bias, new) for new in (found.new_bias, found.new_back_bias)]
    return {
        "kernel": joined(found.gates_in, found.new_in),
        "recurrent_kernel": joined(found.gates_back, found.new_back),
        "bias": np.stack(biases),
    }


def _run_gru(
    cell: ReferenceCell,
    parts: Parts,
    inputs: np.ndarray,
    mask: Optional[np.ndarray],
    state: Pair,
    noise: StateNoise,
) -> Trace:
    gate, squash = ACTIVATIONS[cell.gate_activation][0], ACTIVATIONS[cell.state_activation][0]
    units, own = cell.units, gru_arrays(cell, parts)
    gates_x, new_x = inputs @ own.gates_in + own.gates_bias, inputs @ own.new_in + own.new_bias
    h = state[0]
    records: Dict[str, List[np.ndarray]] = {name: [] for name in ("h", "r", "u", "candidate")}
    for step in range(inputs.shape[1]):
        both = gate(gates_x[:, step] + noise.product("gates", h, own.gates_back))
        r, u = both[:, :units], both[:, units:]
        if cell.resets_after:
            recurrent = r * (noise.product("new", h, own.new_back) + own.new_back_bias)
        else:
            recurrent = noise.product("new", r * h, own.new_back) + own.new_back_bias
        candidate = squash(new_x[:, step] + recurrent)
        h = keep(mask, step, noise.kept(u * h + (1 - u) * candidate, h), h)
        for name, value in (("h", h), ("r", r), ("u", u), ("candidate", candidate)):
            records[name].append(value)
    stacked = {name: np.stack(values, axis=1) for name, values in records.items()}
    return Trace(inputs, stacked.pop("h"), None, stacked, mask)
