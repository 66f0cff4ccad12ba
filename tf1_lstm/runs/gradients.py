"""How gradients shrink over the steps: of the loss and of a layer's last state, by the states before.

The states of a recurrent layer are given a zero added at each step; the derivative by that zero is the
derivative by the state, through all that follows. Dropout is off.
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.cells import DIRECTIONS, canonical_name, cell_name, tensorflow_activation
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.layers import Sequence, merged, read_out
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.runs.record import StateRecorder, looked_up


class GradientNorms(NamedTuple):
    """Means over the examples of a batch, float64 ``[steps]`` each, of one layer in one direction.

    Of the backward direction, step 1 is the one that reads the last input; step T is the last in both.

    Attributes:
      layer: from 0, the first that reads the inputs.
      direction: ``"fw"`` or ``"bw"``.
      loss: the norm of the derivative of an example's loss by its state h_t.
      last_state: the Frobenius norm of the derivative of the layer's h_T by h_t (the root of the units at T).
      carry: the mean of the derivative of c_t by c_(t-1), unit by unit, all else held (of an LSTM the
        forget gate); None where the cell has no c.
    """

    layer: int
    direction: str
    loss: np.ndarray
    last_state: np.ndarray
    carry: Optional[np.ndarray]


class _Nudged(StateRecorder):
    """A cell that adds the last columns of its input to h; its output is (h, c) flattened."""

    def __init__(self, cell: Any, units: int) -> None:
        super().__init__(cell)
        self._units = units

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Tuple[Any, Any]:
        """Run one step of ``[batch, inputs + units]``."""
        _, new = self._cell(inputs[:, : -self._units], state, scope=scope)
        parts = tf.nest.flatten(new)  # h is the last part of a state
        parts[-1] = parts[-1] + inputs[:, -self._units :]
        return tf.concat(parts, axis=1), tf.nest.pack_sequence_as(new, parts)


class _Series(NamedTuple):
    """One layer in one direction, in the graph.

    Attributes:
      cell: TensorFlow's.
      scope: of its variables.
      read: ``[batch, steps, inputs]`` in the order in which it reads.
      nudge: ``[batch, steps, units]`` zeros that are added to h.
      states: ``[batch, steps, all parts]``, h last.
    """

    cell: Any
    scope: str
    read: Any
    nudge: Any
    states: Any


def check_supported(experiment: Experiment) -> None:
    """Refuse what is not a model of classes, or reads its steps by a mask.

    Raises:
      InputError: naming what was found.
    """
    recurrent = experiment.recurrent
    found = {
        "a mask": recurrent.mask != "none",
        "go_backwards": recurrent.go_backwards,
        "a layer in front": experiment.front is not None,
        "an output at every step": recurrent.read == "steps",
        "a regression": experiment.head.task != "classes",
    }
    for what, is_so in found.items():
        if is_so:
            raise InputError(f"{experiment.name}: found {what}, expected a model of classes without it")


def gradient_norms(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    constants: Mapping[str, np.ndarray],
) -> List[GradientNorms]:
    """Measure one batch.

    Args:
      experiment: see ``check_supported``.
      weights: by canonical name, float32.
      inputs: ``[batch, steps]`` int32 ids, or ``[batch, steps, inputs]`` float32.
      labels: ``[batch]`` class numbers.
      constants: the data set's arrays.

    Returns:
      every layer and direction, the layer that reads the inputs first.

    Raises:
      InputError: a model of another kind.
    """
    check_supported(experiment)
    sequence = looked_up(experiment, weights, inputs, constants)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        layers, last = _layers(experiment, tf.constant(sequence))
        losses = tf.reduce_sum(_losses(experiment, weights, last, labels))
        session.run(tf.compat.v1.global_variables_initializer())
        found = []
        for layer, directions in enumerate(layers):
            for direction, series in zip(DIRECTIONS, directions):
                _fill(experiment, weights, layer, direction, series, session)
        for layer, directions in enumerate(layers):
            for direction, series in zip(DIRECTIONS, directions):
                norms = _measured(experiment, series, losses, session)
                found.append(GradientNorms(layer, direction, *norms))
    return found


def _layers(experiment: Experiment, values: Any) -> Tuple[List[List[_Series]], Any]:
    """All layers over ``[batch, steps, inputs]``, and what the head reads, ``[batch, units]``."""
    recurrent = experiment.recurrent
    steps = values.shape[1].value
    directions = DIRECTIONS[: recurrent.directions]
    layers: List[List[_Series]] = []
    outputs = [values] * len(directions)
    for layer in range(recurrent.layers):
        if layer and recurrent.joined_layers:
            outputs = [tf.concat(outputs, axis=2)] * len(directions)
        made, outputs_now = [], []
        for direction, output in zip(directions, outputs):
            read = tf.reverse(output, [1]) if direction == "bw" else output
            series = _series(recurrent.cell_of(layer), read, f"{direction}{layer}")
            made.append(series)
            h = series.states[:, :, -recurrent.units[layer] :]
            outputs_now.append(tf.reverse(h, [1]) if direction == "bw" else h)
        layers.append(made)
        outputs = outputs_now
    if recurrent.read == "state":
        ends = [series.states[:, -1, -recurrent.units[-1] :] for series in layers[-1]]
        return layers, ends[0] if len(ends) == 1 else merged(recurrent, ends)
    both = outputs[0] if len(outputs) == 1 else tuple(outputs)
    return layers, read_out(recurrent, Sequence(values, steps), both, None, False)


def _series(kind: Any, read: Any, scope: str) -> _Series:
    cell = kind.tensorflow()
    nudge = tf.zeros([read.shape[0].value, read.shape[1].value, kind.units])
    nudged = tf.concat([read, nudge], axis=2)
    states, _ = tf.compat.v1.nn.dynamic_rnn(_Nudged(cell, kind.units), nudged, dtype=tf.float32, scope=scope)
    return _Series(cell, scope, read, nudge, states)


def _measured(
    experiment: Experiment, series: _Series, losses: Any, session: Any
) -> Tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]:
    batch, steps, units = series.nudge.shape.as_list()
    (by_loss,) = tf.gradients(losses, series.nudge, unconnected_gradients="zero")
    direction = tf.compat.v1.placeholder(tf.float32, [batch, units])
    by_last = tf.gradients(series.states[:, -1, -units:], series.nudge, grad_ys=direction)[0]
    carried = _carried(series, experiment.recurrent.cell.states, units)
    norms = np.linalg.norm(session.run(by_loss).astype(np.float64), axis=2).mean(0)
    squares = np.zeros((batch, steps))
    for unit in range(units):
        one = np.zeros((batch, units), np.float32)
        one[:, unit] = 1
        squares += (session.run(by_last, {direction: one}).astype(np.float64) ** 2).sum(2)
    carry = None if carried is None else session.run(carried).astype(np.float64).mean((0, 2))
    return norms, np.sqrt(squares).mean(0), carry


def _fill(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    layer: int,
    direction: str,
    series: _Series,
    session: Any,
) -> None:
    cell = experiment.recurrent.cell
    variables = tf.compat.v1.trainable_variables(f"{series.scope}/")
    for part in cell.shapes(1):
        ending = cell.variable_name(part, "1.2").partition("/")[2]
        (variable,) = [one for one in variables if one.op.name.endswith("/" + ending)]
        number = 0 if experiment.recurrent.shared_cell else layer
        name = canonical_name(cell_name(cell), DIRECTIONS.index(direction), number, part)
        variable.load(weights[name], session)


def _losses(experiment: Experiment, weights: Mapping[str, np.ndarray], last: Any, labels: np.ndarray) -> Any:
    """Cross-entropy of each example, ``[batch]``, in nats."""
    if "dense/kernel" in weights:
        activation = tensorflow_activation(experiment.head.dense_activation)
        last = activation(tf.matmul(last, weights["dense/kernel"]) + weights["dense/bias"])
    logits = tf.matmul(last, weights["softmax/weights"]) + weights["softmax/bias"]
    if weights["softmax/bias"].shape[-1] == 1:
        logits = tf.concat([tf.zeros_like(logits), logits], axis=1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _carried(series: _Series, names: Tuple[str, ...], units: int) -> Optional[Any]:
    """The derivative of c_t by c_(t-1) unit by unit, h held: ``[batch, steps, units]``."""
    if "c" not in names:
        return None
    states = series.states
    before = tf.stop_gradient(tf.concat([tf.zeros_like(states[:, :1]), states[:, :-1]], axis=1))
    flat = tf.reshape(before, [-1, len(names) * units])
    c, h = flat[:, :units], flat[:, units:]
    read = tf.reshape(series.read, [-1, series.read.shape[2].value])
    with tf.compat.v1.variable_scope(series.scope, reuse=True):
        _, new = series.cell(read, tf.nn.rnn_cell.LSTMStateTuple(c, h))
    return tf.reshape(tf.gradients(new[0], c)[0], tf.shape(states[:, :, :units]))


def documents_of(name: str, found: List[GradientNorms]) -> List[Dict[str, Any]]:
    """The figures as JSON, a document a layer and direction; the name tells which where there are several."""
    several = len({one.layer for one in found}) > 1, len({one.direction for one in found}) > 1
    documents = []
    for one in found:
        words = [name]
        words += [f"layer {one.layer + 1}"] if several[0] else []
        words += ["forward" if one.direction == "fw" else "backward"] if several[1] else []
        documents.append(
            {
                "name": ", ".join(words),
                "layer": one.layer + 1,
                "direction": one.direction,
                "steps": len(one.loss),
                "loss_by_state": one.loss.tolist(),
                "last_state_by_state": one.last_state.tolist(),
                "carry": None if one.carry is None else one.carry.tolist(),
            }
        )
    return documents
