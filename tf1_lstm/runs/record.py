"""What TensorFlow 1.15 computes from given weights, dropout off: states, loss, gradients, Adam steps."""

import warnings
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Tuple

import numpy as np

from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.cells import make_cell, roles_of
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.base import GraphSettings

Arrays = Dict[str, np.ndarray]
ADAM_STEPS = 3
EXAMPLES_AT_ONCE = 500


class Recorded(NamedTuple):
    """Numbers of one batch; every array is float32.

    Attributes:
      steps: ``{fw|bw}/LAYER/h`` (and ``/c`` where the cell has one) -> [batch, steps, units], in the
        order of the inputs.
      logits: [batch, classes].
      loss: mean softmax cross-entropy.
      gradients: role -> derivative of the loss; zeros where TensorFlow has none.
      adam: the weights by role after 1, 2, 3 steps on this batch, from fresh slots.
    """

    steps: Arrays
    logits: np.ndarray
    loss: float
    gradients: Arrays
    adam: List[Arrays]


class StateRecorder(tf.nn.rnn_cell.RNNCell):
    """A cell whose output is its new state, flattened, so that ``dynamic_rnn`` returns every state.

    It opens no variable scope of its own: the variables keep the names of the cell inside.

    Args:
      cell: the cell, or stack of cells, to be watched.
    """

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self._cell = cell

    @property
    def state_size(self) -> Any:
        """As the cell's."""
        return self._cell.state_size

    @property
    def output_size(self) -> int:
        """The widths of all states together."""
        return sum(tf.nest.flatten(self._cell.state_size))

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Tuple[Any, Any]:
        """Run one step; the output is [batch, all states]."""
        _, new_state = self._cell(inputs, state, scope=scope)
        return tf.concat(tf.nest.flatten(new_state), axis=1), new_state


def record(
    settings: GraphSettings,
    learning_rate: float,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    constants: Mapping[str, np.ndarray],
) -> Recorded:
    """Compute everything that a bundle holds of one batch.

    Args:
      settings: the recipe's graph.
      learning_rate: Adam's.
      weights: role -> float32 array.
      inputs: [batch, steps] int32 ids, or [batch, steps, inputs] float32.
      labels: [batch, classes] float32, one-hot.
      constants: the data set's frozen arrays.
    """
    graph = _build(settings, constants, learning_rate, training=True)
    with graph.graph.as_default():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The gradient of the last step's gather is sparse.
            found = tf.gradients(graph.loss, list(graph.variables.values()))
        gradients = {
            role: tf.zeros_like(variable) if gradient is None else tf.convert_to_tensor(gradient)
            for (role, variable), gradient in zip(graph.variables.items(), found)
        }
    feed = {graph.inputs: inputs, graph.labels: labels, graph.keep_prob: 1.0}
    with _session(graph, weights, constants) as session:
        logits, loss, gradient_values = session.run((graph.logits, graph.loss, gradients), feed)
        adam = []
        for _ in range(ADAM_STEPS):
            session.run(graph.train_op, feed)
            adam.append(session.run(graph.variables))
    sequence = inputs if settings.inputs == "rows" else constants["word_vectors"][inputs]
    steps = record_states(settings, weights, np.asarray(sequence, np.float32))
    return Recorded(steps, logits, float(loss), gradient_values, adam)


def record_states(settings: GraphSettings, weights: Mapping[str, np.ndarray], sequence: np.ndarray) -> Arrays:
    """Return every state at every step, as in ``Recorded.steps``.

    Args:
      settings: the recipe's graph.
      weights: role -> float32 array.
      sequence: [batch, steps, inputs] float32, after any look-up.
    """
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        placeholder = tf.compat.v1.placeholder(tf.float32, sequence.shape)
        cells = [StateRecorder(make_cell(settings, direction, None)) for direction in ("fw", "bw")]
        if settings.bidirectional:
            outputs, _ = tf.compat.v1.nn.bidirectional_dynamic_rnn(*cells, placeholder, dtype=tf.float32)
        else:
            outputs = [tf.compat.v1.nn.dynamic_rnn(cells[0], placeholder, dtype=tf.float32)[0]]
        session.run(tf.compat.v1.global_variables_initializer())
        for role, variable in roles_of(settings, tf.compat.v1.trainable_variables()).items():
            variable.load(weights[role], session)
        values = session.run(list(outputs), {placeholder: sequence})
    names = ("h",) if settings.cell in ("basic_rnn", "gru") else ("c", "h")
    states: Arrays = {}
    for direction, value in zip(("fw", "bw"), values):
        columns = np.split(value, settings.layers * len(names), axis=2)
        for place, column in enumerate(columns):
            layer, part = divmod(place, len(names))
            states[f"{direction}/{layer}/{names[part]}"] = column
    return states


def split_logits(
    settings: GraphSettings,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    constants: Mapping[str, np.ndarray],
) -> Iterator[np.ndarray]:
    """Yield the logits of many examples, a part [examples, classes] at a time."""
    graph = _build(settings, constants, learning_rate=0.001, training=False)
    with _session(graph, weights, constants) as session:
        for start in range(0, len(inputs), EXAMPLES_AT_ONCE):
            feed = {graph.inputs: inputs[start : start + EXAMPLES_AT_ONCE], graph.keep_prob: 1.0}
            yield session.run(graph.logits, feed)


def _build(
    settings: GraphSettings, constants: Mapping[str, np.ndarray], learning_rate: float, training: bool
) -> Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = {name: array.shape for name, array in constants.items()}
        return build(settings, shapes, learning_rate=learning_rate, training=training)


def _session(graph: Graph, weights: Mapping[str, np.ndarray], constants: Mapping[str, np.ndarray]) -> Any:
    """Return a session with the given weights and fresh optimizer slots."""
    session = tf.compat.v1.Session(graph=graph.graph)
    feeds = graph.constant_feeds
    session.run(graph.initializer, {feeds[name]: constants[name] for name in feeds})
    for role, variable in graph.variables.items():
        variable.load(weights[role], session)
    return session
