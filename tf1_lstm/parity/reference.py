"""A whole model in NumPy: layers, directions, readout, softmax, loss and gradients.

What TensorFlow 1.15 computes from a recipe's graph with dropout off. The switches of ``Spec`` that
a port may have set wrongly keep the published value unless a mistake (see ``mistakes``) changes
them.
"""

from dataclasses import dataclass, field
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity import backprop, cells
from tf1_lstm.parity.adam import Adam
from tf1_lstm.parity.cells import KINDS, Cell, Trace

Arrays = Dict[str, np.ndarray]


@dataclass(frozen=True)
class Spec:
    """One model.

    Attributes:
      cell: the cell of every layer.
      readout: as in ``recipes.base.READOUTS``.
      layers: stacked layers in each direction.
      bidirectional: a second stack that reads the sequence from its end.
      adam: the optimizer.
      read: ``"h"``; ``"c"`` where a port reads the cell state.
      position: ``"final"``: each direction's last computed step; ``"first"`` or ``"last"``: that
        place in the sequence, for both directions.
      backward_first: joins the directions as (backward, forward).
      wrong_direction: reads the forward direction where the backward one was published.
      scale: factor on what the softmax reads.
      probabilities: returns the softmax in place of the logits (and takes its loss from that).
      steps_on_batch_axis: takes the batch axis for the steps.
      loss_sum: sums the loss over the batch in place of its mean.
      double_bias: recurrent biases are trained as two halves, so that they move twice as far.
    """

    cell: Cell
    readout: str
    layers: int = 1
    bidirectional: bool = False
    adam: Adam = field(default_factory=Adam)
    read: str = "h"
    position: str = "final"
    backward_first: bool = False
    wrong_direction: bool = False
    scale: float = 1.0
    probabilities: bool = False
    steps_on_batch_axis: bool = False
    loss_sum: bool = False
    double_bias: bool = False

    @property
    def directions(self) -> Tuple[str, ...]:
        """``("fw",)`` or ``("fw", "bw")``."""
        return ("fw", "bw") if self.bidirectional else ("fw",)

    def role(self, direction: str, layer: int, part: str) -> str:
        """Name of one array of the canonical weights."""
        return f"{KINDS[self.cell.name]}/{direction}/{layer}/{part}"

    def shapes(self, inputs: int, classes: int) -> Dict[str, Tuple[int, ...]]:
        """Role -> shape of every weight."""
        found: Dict[str, Tuple[int, ...]] = {}
        for direction in self.directions:
            for layer in range(self.layers):
                width = inputs if layer == 0 else self.cell.units
                for part, shape in self.cell.shapes(width).items():
                    found[self.role(direction, layer, part)] = shape
        read = self.cell.units * (2 if self.readout == "both-states" else 1)
        found["softmax/weights"] = (read, classes)
        found["softmax/bias"] = (classes,)
        return found

    def parts(self, weights: Mapping[str, np.ndarray], direction: str, layer: int) -> Arrays:
        """Part name -> array of one cell."""
        prefix = self.role(direction, layer, "")
        return {role[len(prefix) :]: array for role, array in weights.items() if role.startswith(prefix)}


class Forward(NamedTuple):
    """Everything computed from inputs to logits.

    Attributes:
      traces: (direction, layer) -> what the layer recorded, in its own order of processing.
      features: ``[batch, units]`` or ``[batch, 2 * units]``, what the softmax reads.
      logits: ``[batch, classes]`` as the model returns them.
    """

    traces: Dict[Tuple[str, int], Trace]
    features: np.ndarray
    logits: np.ndarray

    def steps(self) -> Arrays:
        """``DIRECTION/LAYER/h`` (and ``/c``) -> ``[batch, steps, units]``, in the order of the inputs."""
        found: Arrays = {}
        for (direction, layer), trace in self.traces.items():
            order = -1 if direction == "bw" else 1
            found[f"{direction}/{layer}/h"] = trace.h[:, ::order]
            if trace.c is not None:
                found[f"{direction}/{layer}/c"] = trace.c[:, ::order]
        return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities ``[batch, classes]``."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def forward(
    spec: Spec, weights: Mapping[str, np.ndarray], inputs: np.ndarray, mask: Optional[np.ndarray] = None
) -> Forward:
    """Run the model.

    Args:
      spec: what is computed.
      weights: role -> array, as in ``Spec.shapes``.
      inputs: ``[batch, steps, inputs]``.
      mask: ``[batch, steps]``, False at steps to skip.
    """
    if spec.steps_on_batch_axis:
        inputs, mask = inputs.swapaxes(0, 1), None if mask is None else mask.T
    traces: Dict[Tuple[str, int], Trace] = {}
    for direction in spec.directions:
        order = -1 if direction == "bw" else 1
        sequence, seen = inputs[:, ::order], None if mask is None else mask[:, ::order]
        for layer in range(spec.layers):
            trace = cells.run(spec.cell, spec.parts(weights, direction, layer), sequence, seen)
            traces[direction, layer] = trace
            sequence = trace.h
    features = np.concatenate([_read(spec, traces, name)[0] for name in _read_order(spec)], axis=1)
    logits = (features * spec.scale) @ weights["softmax/weights"] + weights["softmax/bias"]
    return Forward(traces, features, softmax(logits) if spec.probabilities else logits)


def _read_order(spec: Spec) -> Tuple[str, ...]:
    """Return the directions that the softmax reads, in order."""
    if spec.readout == "both-states":
        return ("bw", "fw") if spec.backward_first else ("fw", "bw")
    backward = (spec.readout == "backward-state") != spec.wrong_direction
    return ("bw",) if backward and spec.bidirectional else ("fw",)


def _read(spec: Spec, traces: Dict[Tuple[str, int], Trace], direction: str) -> Tuple[np.ndarray, int]:
    """Return what is read of one direction, ``[batch, units]``, and its index in the layer's own order."""
    trace = traces[direction, spec.layers - 1]
    states = trace.c if spec.read == "c" and trace.c is not None else trace.h
    steps = states.shape[1]
    index = steps - 1
    if spec.position != "final" and (spec.position == "first") == (direction == "fw"):
        index = 0
    if spec.steps_on_batch_axis:
        # The port still cuts out[:, -1] or the last state, which is now the last example's.
        place = 0 if spec.position == "first" else -1
        return states[place][:: -1 if direction == "bw" else 1], index
    return states[:, index], index


def cross_entropy(spec: Spec, logits: np.ndarray, labels: np.ndarray) -> Tuple[float, np.ndarray]:
    """Return the softmax cross-entropy and its derivative by the logits ``[batch, classes]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    share = 1.0 if spec.loss_sum else 1.0 / len(logits)
    return float(-(labels * log_p).sum() * share), (
        np.exp(log_p) * labels.sum(1, keepdims=True) - labels
    ) * share


class Training(NamedTuple):
    """One loss and its gradient, by role."""

    loss: float
    gradients: Arrays
    forward: Forward


def gradients(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    mask: Optional[np.ndarray] = None,
) -> Training:
    """Return the loss and the gradient of every weight, backward through time.

    Args:
      spec: what is computed; ``steps_on_batch_axis`` is not differentiated.
      weights: role -> array.
      inputs: ``[batch, steps, inputs]``.
      labels: ``[batch, classes]``, one-hot.
      mask: ``[batch, steps]``, False at steps to skip.
    """
    result = forward(spec, weights, inputs, mask)
    loss, d_logits = cross_entropy(spec, result.logits, labels)
    if spec.probabilities:
        p = result.logits
        d_logits = p * (d_logits - (d_logits * p).sum(axis=1, keepdims=True))
    found: Arrays = {role: np.zeros_like(array) for role, array in weights.items()}
    found["softmax/weights"] = (result.features * spec.scale).T @ d_logits
    found["softmax/bias"] = d_logits.sum(axis=0)
    d_features = (d_logits @ weights["softmax/weights"].T) * spec.scale
    units = spec.cell.units
    for place, direction in enumerate(_read_order(spec)):
        d_read = d_features[:, place * units : (place + 1) * units]
        _back_direction(spec, weights, result, direction, d_read, found)
    return Training(loss, found, result)


def _back_direction(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    result: Forward,
    direction: str,
    d_read: np.ndarray,
    found: Arrays,
) -> None:
    """Add to ``found`` the gradients of one direction's stack."""
    top = result.traces[direction, spec.layers - 1]
    d_h, d_c = np.zeros_like(top.h), None
    index = _read(spec, result.traces, direction)[1]
    if spec.read == "c" and top.c is not None:
        d_c = np.zeros_like(top.c)
        d_c[:, index] = d_read
    else:
        d_h[:, index] = d_read
    for layer in reversed(range(spec.layers)):
        trace = result.traces[direction, layer]
        back = backprop.back(spec.cell, spec.parts(weights, direction, layer), trace, d_h, d_c)
        for part, gradient in back.parts.items():
            found[spec.role(direction, layer, part)] = gradient
        d_h, d_c = back.inputs, None
