"""How gradients shrink over the steps: of the loss and of the last state, by the states before.

The states of a recurrent layer are given a zero added at each step; the derivative by that zero is the
derivative by the state, through all that follows. Dropout is off. One layer, one direction.
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.runs.record import looked_up

SCOPE = "rnn"


class GradientNorms(NamedTuple):
    """Means over the examples of a batch, float64 ``[steps]`` each; step T is the last.

    Attributes:
      loss: the norm of the derivative of an example's loss by its state h_t.
      last_state: the Frobenius norm of the derivative of h_T by h_t (the root of the units at T).
      carry: the mean of the derivative of c_t by c_(t-1), unit by unit, all else held (of an LSTM the
        forget gate); None where the cell has no c.
    """

    loss: np.ndarray
    last_state: np.ndarray
    carry: Optional[np.ndarray]


class _Nudged(tf.nn.rnn_cell.RNNCell):
    """A cell that adds the last columns of its input to h; its output is (h, c) flattened."""

    def __init__(self, cell: Any, units: int) -> None:
        super().__init__()
        self._cell, self._units = cell, units

    @property
    def state_size(self) -> Any:
        """As the cell's."""
        return self._cell.state_size

    @property
    def output_size(self) -> int:
        """The widths of all states together."""
        return sum(tf.nest.flatten(self._cell.state_size))

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Tuple[Any, Any]:
        """Run one step of ``[batch, inputs + units]``."""
        _, new = self._cell(inputs[:, : -self._units], state, scope=scope)
        parts = tf.nest.flatten(new)  # h is the last part of a state
        parts[-1] = parts[-1] + inputs[:, -self._units :]
        return tf.concat(parts, axis=1), tf.nest.pack_sequence_as(new, parts)


def check_supported(experiment: Experiment) -> None:
    """Refuse what is not one layer in one direction whose last state is read.

    Raises:
      InputError: naming the setting.
    """
    recurrent = experiment.recurrent
    if recurrent.layers != 1 or recurrent.bidirectional is not None or recurrent.go_backwards:
        raise InputError(f"{experiment.name}: expected one recurrent layer in one direction")
    if recurrent.read not in ("state", "output") or recurrent.mask != "none" or experiment.front:
        raise InputError(f"{experiment.name}: expected a model that reads its last state, without a mask")
    if experiment.head.task != "classes":
        raise InputError(f"{experiment.name}: expected a model of classes")


def gradient_norms(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    constants: Mapping[str, np.ndarray],
) -> GradientNorms:
    """Measure one batch.

    Args:
      experiment: see ``check_supported``.
      weights: by canonical name, float32.
      inputs: ``[batch, steps]`` int32 ids, or ``[batch, steps, inputs]`` float32.
      labels: ``[batch]`` class numbers.
      constants: the data set's arrays.

    Raises:
      InputError: a model of another kind.
    """
    check_supported(experiment)
    cell, units = experiment.recurrent.cell, experiment.recurrent.cell.units
    sequence = looked_up(experiment, weights, inputs, constants)
    batch, steps = sequence.shape[:2]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        read = tf.constant(sequence)
        nudge = tf.zeros([batch, steps, units])
        made = cell.tensorflow()
        states, _ = tf.compat.v1.nn.dynamic_rnn(
            _Nudged(made, units), tf.concat([read, nudge], axis=2), dtype=tf.float32, scope=SCOPE
        )
        last = states[:, -1, -units:]
        loss = tf.reduce_sum(_losses(experiment, weights, last, labels))
        by_loss = tf.gradients(loss, nudge)[0]
        direction = tf.compat.v1.placeholder(tf.float32, [batch, units])
        by_last = tf.gradients(last, nudge, grad_ys=direction)[0]
        carried = _carried(made, read, states, cell.states, units)
        session.run(tf.compat.v1.global_variables_initializer())
        _fill(experiment, weights, session)
        loss_norms = np.linalg.norm(session.run(by_loss).astype(np.float64), axis=2).mean(0)
        squares = np.zeros((batch, steps))
        for unit in range(units):
            one = np.zeros((batch, units), np.float32)
            one[:, unit] = 1
            squares += (session.run(by_last, {direction: one}).astype(np.float64) ** 2).sum(2)
        carry = None if carried is None else session.run(carried).astype(np.float64).mean((0, 2))
    return GradientNorms(loss_norms, np.sqrt(squares).mean(0), carry)


def _fill(experiment: Experiment, weights: Mapping[str, np.ndarray], session: Any) -> None:
    from tf1_lstm.graphs.cells import recurrent_variables

    found = recurrent_variables(experiment.recurrent, tf.compat.v1.trainable_variables())
    for name, variable in found.items():
        variable.load(weights[name], session)


def _losses(experiment: Experiment, weights: Mapping[str, np.ndarray], last: Any, labels: np.ndarray) -> Any:
    """Cross-entropy of each example, ``[batch]``, in nats."""
    if "dense/kernel" in weights:
        last = tf.nn.relu(tf.matmul(last, weights["dense/kernel"]) + weights["dense/bias"])
    logits = tf.matmul(last, weights["softmax/weights"]) + weights["softmax/bias"]
    if weights["softmax/bias"].shape[-1] == 1:
        logits = tf.concat([tf.zeros_like(logits), logits], axis=1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _carried(cell: Any, read: Any, states: Any, names: Tuple[str, ...], units: int) -> Optional[Any]:
    """The derivative of c_t by c_(t-1) unit by unit, h held: ``[batch, steps, units]``."""
    if "c" not in names:
        return None
    before = tf.stop_gradient(tf.concat([tf.zeros_like(states[:, :1]), states[:, :-1]], axis=1))
    width = len(names) * units
    flat = tf.reshape(before, [-1, width])
    c, h = flat[:, :units], flat[:, units:]
    with tf.compat.v1.variable_scope(SCOPE, reuse=True):
        _, new = cell(tf.reshape(read, [-1, read.shape[2].value]), tf.nn.rnn_cell.LSTMStateTuple(c, h))
    return tf.reshape(tf.gradients(new[0], c)[0], tf.shape(states[:, :, :units]))


def document_of(name: str, norms: GradientNorms) -> Dict[str, Any]:
    """The figures as JSON."""
    lists: Dict[str, Optional[List[float]]] = {
        "loss_by_state": norms.loss.tolist(),
        "last_state_by_state": norms.last_state.tolist(),
        "carry": None if norms.carry is None else norms.carry.tolist(),
    }
    return {"name": name, "steps": len(norms.loss), **lists}
