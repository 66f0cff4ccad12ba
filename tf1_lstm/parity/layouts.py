"""Canonical weights to and from the layouts of Keras and PyTorch layers.

Both directions are linear but for the forget bias, which TensorFlow 1 adds when the cell runs and
Keras and PyTorch keep in the bias; pass ``forget_bias=0`` to convert gradients.
"""

from typing import Dict, List, Mapping, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.cells import SECOND_BIAS, ReferenceCell, gate_order

Arrays = Dict[str, np.ndarray]
LSTM_ORDER = ("i", "f", "j", "o")  # Keras and PyTorch alike
GRU_ORDERS = ("zrn", "rzn")  # Keras's, PyTorch's; z is the update gate u, n the candidate
# Cells for which the framework has a layer of its own; the others keep TensorFlow 1's layout.
KERAS_LAYERS = {"basic_rnn": "SimpleRNN", "basic_lstm": "LSTM", "gru": "GRU", "gru_reset_after": "GRU"}
TORCH_LAYERS = {"basic_rnn": "RNN", "basic_lstm": "LSTM", "gru_reset_after": "GRU"}


def has_keras_layer(cell: ReferenceCell) -> bool:
    """Whether Keras has a layer of its own for a cell."""
    return cell.name in KERAS_LAYERS


def has_torch_layer(cell: ReferenceCell, mask: str = "none") -> bool:
    """Whether PyTorch has a layer of its own for a cell; steps in a sequence's middle it cannot leave out."""
    return cell.name in TORCH_LAYERS and cell.state_activation == "tanh" and mask != "mask_zero"


def reorder(array: np.ndarray, found: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Return the last axis' blocks, one for each gate of ``found``, in the order ``wanted``."""
    blocks = dict(zip(found, np.split(array, len(found), axis=-1)))
    return np.concatenate([blocks[gate] for gate in wanted], axis=-1)


def _plus_forget_bias(bias: np.ndarray, units: int, amount: float) -> np.ndarray:
    """Add to the second of four blocks, the forget gate in ``LSTM_ORDER``."""
    found = np.array(bias)
    found[..., units : 2 * units] += np.asarray(amount, found.dtype)
    return found


def to_keras(cell: ReferenceCell, parts: Mapping[str, np.ndarray]) -> List[np.ndarray]:
    """Return ``[kernel, recurrent_kernel, bias]`` for a Keras layer, in the order of ``set_weights``.

    Args:
      cell: with a layer in Keras (``KERAS_LAYERS``); that of ``"gru"`` must have ``reset_after=False``.
      parts: of one cell, in the layout of the canonical weights.
    """
    if cell.name == "gru_reset_after":  # has Keras's own layout
        return [parts["kernel"], parts["recurrent_kernel"], parts["bias"]]
    if cell.name == "gru":
        r_u, bias_r_u = parts["gates/kernel"], parts["gates/bias"]
        kernel = np.concatenate([reorder(r_u, "ru", "ur"), parts["candidate/kernel"]], axis=1)
        bias = np.concatenate([reorder(bias_r_u, "ru", "ur"), parts["candidate/bias"]])
    else:
        kernel, bias = parts["kernel"], parts["bias"]
    if cell.name == "basic_lstm":
        kernel = reorder(kernel, gate_order(cell.name), LSTM_ORDER)
        bias = reorder(bias, gate_order(cell.name), LSTM_ORDER)
        bias = _plus_forget_bias(bias, cell.units, cell.forget_bias)
    return [kernel[: -cell.units], kernel[-cell.units :], bias]


def from_keras(cell: ReferenceCell, weights: Sequence[np.ndarray], summed_bias: bool = True) -> Arrays:
    """Return the parts of one cell from a Keras layer's weights; a missing bias counts as zero.

    A GRU with two biases in place of TensorFlow 1's gives its candidate's second one as ``SECOND_BIAS``.

    Args:
      cell: what the layer stands for.
      weights: as ``get_weights`` returns them.
      summed_bias: add the gates' two biases (their values); False takes the first (for a gradient, which
        is the same for both).
    """
    if cell.name == "gru_reset_after":
        bias = weights[2] if len(weights) > 2 else np.zeros((2, weights[0].shape[1]), weights[0].dtype)
        if bias.ndim == 1:  # GRU with reset_after=False
            bias = np.stack([bias, np.zeros_like(bias)])
        return {"kernel": weights[0], "recurrent_kernel": weights[1], "bias": bias}
    kernel = np.concatenate([weights[0], weights[1]])
    bias = weights[2] if len(weights) > 2 else np.zeros(kernel.shape[1], kernel.dtype)
    second: Arrays = {}
    two = 2 * cell.units
    if bias.ndim == 2:  # GRU with reset_after: an input and a recurrent bias
        second = {SECOND_BIAS: bias[1, two:]}
        bias = np.concatenate([bias[:, :two].sum(axis=0) if summed_bias else bias[0, :two], bias[0, two:]])
    if cell.name == "gru":
        return {
            "gates/kernel": reorder(kernel[:, :two], "ur", "ru"),
            "gates/bias": reorder(bias[:two], "ur", "ru"),
            "candidate/kernel": kernel[:, two:],
            "candidate/bias": bias[two:],
            **second,
        }
    if cell.name == "basic_lstm":
        bias = _plus_forget_bias(bias, cell.units, -cell.forget_bias)
        kernel = reorder(kernel, LSTM_ORDER, gate_order(cell.name))
        bias = reorder(bias, LSTM_ORDER, gate_order(cell.name))
    return {"kernel": kernel, "bias": bias}


def to_torch(cell: ReferenceCell, parts: Mapping[str, np.ndarray]) -> Arrays:
    """Return ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh`` for a PyTorch layer.

    ``bias_hh`` is zero but for a cell that has two biases itself.

    Args:
      cell: with a layer in PyTorch (``TORCH_LAYERS``).
      parts: of one cell, in the layout of the canonical weights.
    """
    kernel, recurrent, bias = to_keras(cell, parts)
    if cell.name == "gru_reset_after":
        kernel, recurrent, bias = (reorder(array, *GRU_ORDERS) for array in (kernel, recurrent, bias))
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return {
        "weight_ih": np.ascontiguousarray(kernel.T),
        "weight_hh": np.ascontiguousarray(recurrent.T),
        "bias_ih": biases[0],
        "bias_hh": biases[1],
    }


def from_torch(cell: ReferenceCell, weights: Mapping[str, np.ndarray], summed_bias: bool = True) -> Arrays:
    """Return the parts of one cell from a PyTorch layer's weights.

    Args:
      cell: what the layer stands for.
      weights: ``weight_ih``, ``weight_hh`` and, where there are any, ``bias_ih`` and ``bias_hh``.
      summed_bias: add the two biases (their values); False takes the first (for a gradient, which
        is the same for both).
    """
    bias: List[np.ndarray] = [weights[name] for name in ("bias_ih", "bias_hh") if name in weights]
    arrays = [weights["weight_ih"].T, weights["weight_hh"].T]
    if bias and cell.name in ("gru", "gru_reset_after"):
        arrays.append(np.stack(bias))
    elif bias:
        arrays.append(sum(bias[1:], bias[0]) if summed_bias else bias[0])
    if cell.name in ("gru", "gru_reset_after"):
        arrays = [reorder(array, *reversed(GRU_ORDERS)) for array in arrays]
    return from_keras(cell, arrays, summed_bias)


def cells_in_order(directions: Sequence[str], layers: int) -> List[Tuple[str, int]]:
    """Return (direction, layer) of every cell: layer by layer, forward first."""
    return [(direction, layer) for layer in range(layers) for direction in directions]
