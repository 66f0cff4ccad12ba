"""What TensorFlow 1.15 computes from given weights, dropout off: states, loss, gradients, updates."""

import dataclasses
import warnings
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.data.split_batches import batches_of
from tf1_lstm.graphs.build import Graph, build
from tf1_lstm.graphs.cells import MaskedCell, layer_scope, make_cell, recurrent_variables
from tf1_lstm.graphs.dropout import LoopClock
from tf1_lstm.graphs.layers import one_by_one
from tf1_lstm.parity.reference import first_reads
from tf1_lstm.parity.spec import counted_steps, spec_of
from tf1_lstm.recipes.experiment import Dropout, Experiment, FrozenVectors, OneHot, Recurrent, Rows
from tf1_lstm.recipes.flat import flat_settings

Arrays = Dict[str, np.ndarray]
UPDATES = 3
EXAMPLES_AT_ONCE = 500


class Recorded(NamedTuple):
    """Numbers of one batch; every array is float32.

    Attributes:
      steps: ``{fw|bw}/LAYER/h`` (and ``/c`` where the cell has one) -> [batch, steps, units], in the
        order of the inputs.
      logits: [batch, classes], or [batch, steps, classes].
      loss: mean cross-entropy, or mean error.
      gradients: role -> derivative of the loss; zeros where TensorFlow has none.
      updates: the weights by role after 1, 2, 3 steps of the optimizer on this batch, from fresh slots.
    """

    steps: Arrays
    logits: np.ndarray
    loss: float
    gradients: Arrays
    updates: List[Arrays]


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
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: np.ndarray,
    constants: Mapping[str, np.ndarray],
    lengths: Optional[np.ndarray] = None,
) -> Recorded:
    """Compute everything that a bundle holds of one batch.

    Args:
      experiment: its model; its optimizer makes the updates.
      weights: role -> float32 array.
      inputs: [batch, steps] int32 ids, or [batch, steps, inputs] float32.
      labels: as the graph takes them.
      constants: the data set's arrays.
      lengths: [batch], steps of each example that count, where the graph takes them.

    A state that is carried begins at zeros.
    """
    recurrent = dataclasses.replace(experiment.recurrent, carried_state=False)
    experiment = dataclasses.replace(experiment, recurrent=recurrent)
    graph = _build(experiment, constants, training=True)
    with graph.graph.as_default():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The gradient of the last step's gather is sparse.
            found = tf.gradients(graph.loss, list(graph.variables.values()))
        gradients = {
            role: tf.zeros_like(variable) if gradient is None else tf.convert_to_tensor(gradient)
            for (role, variable), gradient in zip(graph.variables.items(), found)
        }
    feed = {graph.inputs: inputs, graph.labels: labels, graph.keep_prob: 1.0}
    if graph.lengths is not None:
        feed[graph.lengths] = lengths
    with _session(graph, weights, constants) as session:
        logits, loss, gradient_values = session.run((graph.logits, graph.loss, gradients), feed)
        updates = []
        for _ in range(UPDATES):
            session.run(graph.train_op, feed)
            updates.append(session.run(graph.variables))
    spec = spec_of(flat_settings(experiment))
    counted = counted_steps(spec, inputs, lengths)
    sequence = first_reads(spec, weights, looked_up(experiment, weights, inputs, constants), counted)
    if counted is not None and spec.go_backwards and spec.mask == "mask_zero":
        counted = counted[:, ::-1]
    steps = record_states(experiment, weights, np.asarray(sequence, np.float32), counted)
    return Recorded(steps, logits, float(loss), gradient_values, updates)


def looked_up(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    constants: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Numbers, float32 [batch, steps, inputs], of ids or rows."""
    if isinstance(experiment.inputs, Rows):
        return np.asarray(inputs, np.float32)
    if isinstance(experiment.inputs, OneHot):
        return np.eye(experiment.words, dtype=np.float32)[inputs]
    frozen = isinstance(experiment.inputs, FrozenVectors)
    return np.asarray((constants["word_vectors"] if frozen else weights["embedding"])[inputs], np.float32)


def record_states(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    sequence: np.ndarray,
    counted: Optional[np.ndarray] = None,
) -> Arrays:
    """Return every state at every step, as in ``Recorded.steps``.

    Args:
      experiment: its recurrent layers.
      weights: role -> float32 array.
      sequence: [batch, steps, inputs] float32, what the first layer reads.
      counted: [batch, steps], False at steps that are left out, whose states are given as zeros.
    """
    recurrent = experiment.recurrent
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        placeholder = tf.compat.v1.placeholder(tf.float32, sequence.shape)
        read = _Read(placeholder, recurrent.mask, counted)
        if one_by_one(recurrent, isinstance(experiment.dropout, Dropout)):
            outputs = _layer_by_layer(recurrent, read)
        else:
            cells = [make_cell(recurrent, direction, None, LoopClock()) for direction in ("fw", "bw")]
            outputs = _watched(recurrent, cells, read, None)
        session.run(tf.compat.v1.global_variables_initializer())
        found = recurrent_variables(recurrent, tf.compat.v1.trainable_variables())
        load_variables(((variable, weights[role]) for role, variable in found.items()), session)
        values = session.run(outputs, {placeholder: sequence})
    names = recurrent.cell.states
    states: Arrays = {}
    directions = ("fw", "bw")[: recurrent.directions]
    if counted is not None:
        values = [value * counted[:, :, None] for value in values]
    several = len(values) == len(directions)  # each holds the states of all layers, side by side
    for place, value in enumerate(values):
        first_layer, direction = divmod(place, len(directions))
        layers = range(recurrent.layers) if several else [first_layer]
        columns = [(layer, name) for layer in layers for name in names]
        ends = np.cumsum([recurrent.units[layer] for layer, _ in columns])
        for (layer, name), part in zip(columns, np.split(value, ends[:-1], axis=2)):
            states[f"{directions[direction]}/{layer}/{name}"] = part
    return states


class _Read(NamedTuple):
    """What layers read: [batch, steps, inputs], the kind of mask, and which steps count."""

    values: Any
    mask: str
    counted: Optional[np.ndarray]


def _watched(recurrent: Recurrent, cells: List[Any], read: _Read, scope: Optional[str]) -> List[Any]:
    """All states of all steps, [batch, steps, states], for each direction."""
    watched: List[Any] = [StateRecorder(cell) for cell in cells]
    options: Dict[str, Any] = {"dtype": tf.float32, "scope": scope}
    values = read.values
    if read.mask == "mask_zero" and read.counted is not None:
        watched = [MaskedCell(cell, LoopClock()) for cell in watched]
        values = tf.concat([values, tf.constant(read.counted[:, :, None], tf.float32)], axis=2)
    elif read.counted is not None:
        options["sequence_length"] = read.counted.sum(axis=1)
    if recurrent.bidirectional is not None:
        return list(tf.compat.v1.nn.bidirectional_dynamic_rnn(*watched, values, **options)[0])
    return [tf.compat.v1.nn.dynamic_rnn(watched[0], values, **options)[0]]


def _layer_by_layer(recurrent: Recurrent, read: _Read) -> List[Any]:
    """As ``_watched``, layer by layer, where each reads h of all directions of the one below."""
    found: List[Any] = []
    shared = recurrent.cell.tensorflow() if recurrent.shared_cell else None
    for layer in range(recurrent.layers):
        cell = recurrent.cell_of(layer)
        cells = [shared or cell.tensorflow(), cell.tensorflow()]
        states = _watched(recurrent, cells, read, layer_scope(recurrent, layer))
        # The last block of a cell's flattened state is h.
        joined = tf.concat([state[:, :, -cell.units :] for state in states], axis=2)
        read = read._replace(values=joined)
        found += states
    return found


def split_logits(
    experiment: Experiment,
    weights: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    constants: Mapping[str, np.ndarray],
    lengths: Optional[np.ndarray] = None,
) -> np.ndarray:
    """Return the logits of many examples, [examples, classes] float32, cut as in ``batches_of``."""
    graph = _build(experiment, constants, training=False)
    found = np.empty((len(inputs), experiment.head.columns), np.float32)
    with _session(graph, weights, constants) as session:
        for rows, steps in batches_of(inputs, experiment.data.any_steps, EXAMPLES_AT_ONCE):
            feed = {graph.inputs: inputs[rows, :steps], graph.keep_prob: 1.0}
            if graph.lengths is not None and lengths is not None:
                feed[graph.lengths] = lengths[rows]
            found[rows] = session.run(graph.logits, feed)
    return found


def _build(experiment: Experiment, constants: Mapping[str, np.ndarray], training: bool) -> Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = {name: array.shape for name, array in constants.items()}
        return build(experiment, shapes, training=training)


def _session(graph: Graph, weights: Mapping[str, np.ndarray], constants: Mapping[str, np.ndarray]) -> Any:
    """Return a session with the given weights and fresh optimizer slots."""
    session = tf.compat.v1.Session(graph=graph.graph)
    feeds = graph.constant_feeds
    session.run(graph.initializer, {feeds[name]: constants[name] for name in feeds})
    load_variables(((variable, weights[role]) for role, variable in graph.variables.items()), session)
    return session
