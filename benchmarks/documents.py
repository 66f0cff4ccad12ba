"""The published documents' own training loops, written after their descriptions, to be timed.

A fixed batch dimension, word vectors as a constant, ``feed_dict``, Python's ``random``, TensorFlow's own
dropout; each is a function of the iteration's number.
"""

import random
from typing import Any, Callable, Tuple

import numpy as np

from tf1_lstm.core.tensorflow import tf
from tf1_lstm.data.base import Dataset
from tf1_lstm.graphs.cells import make_cell
from tf1_lstm.graphs.dropout import LoopClock
from tf1_lstm.recipes.experiment import Experiment, Recurrent, Rows
from tf1_lstm.recipes.flat import flat_settings
from tf1_lstm.runs.resolve import Resolved


def document_loop(experiment: Resolved, threads: int) -> Tuple[Callable[[int], None], Callable[[], int]]:
    """The document's loop as a function of the iteration's number, and its way to measure a whole split."""
    make = _rows_loop if isinstance(experiment.recipe.inputs, Rows) else _ids_loop
    return make(experiment.recipe, experiment.dataset, threads)


def _ids_loop(
    recipe: Experiment, dataset: Any, threads: int
) -> Tuple[Callable[[int], None], Callable[[], int]]:
    """Source: LSTM in TensorFlow (Easter79), sections 2 to 6."""
    settings, size = flat_settings(recipe), recipe.schedule.batch_size
    steps, classes, units = settings["steps"], recipe.head.columns, settings["units"]
    graph, draw = tf.Graph(), random.Random(1)
    with graph.as_default():
        labels = tf.compat.v1.placeholder(tf.float32, [size, classes])
        inputs = tf.compat.v1.placeholder(tf.int32, [size, steps])
        data = tf.nn.embedding_lookup(np.asarray(dataset.vectors), inputs)
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=recipe.keep_prob)
        value, _ = tf.compat.v1.nn.dynamic_rnn(cell, data, dtype=tf.float32)
        last = tf.gather(tf.transpose(value, [1, 0, 2]), steps - 1)
        weights = tf.Variable(tf.random.truncated_normal([units, classes]))
        logits = tf.matmul(last, weights) + tf.Variable(tf.constant(0.1, shape=[classes]))
        step, loss, accuracy = _training_ops(logits, labels, recipe)
    session = _session(graph, threads)
    positive, negative = dataset.layout.train_numbers()
    ids = np.asarray(dataset.ids)

    def iterate(iteration: int) -> None:
        batch, one_hot = np.zeros([size, steps]), []
        for place in range(size):
            number = draw.randint(*(negative if place % 2 else positive))
            one_hot.append([0, 1] if place % 2 else [1, 0])
            batch[place] = ids[number - 1 : number]
        feed = {inputs: batch, labels: one_hot}
        session.run(step, feed)
        if iteration % recipe.schedule.log_every == 0 and iteration:
            session.run(loss, feed)
            session.run(accuracy, feed)

    def evaluate() -> int:
        split = dataset.split(dataset.split_names()[-1])
        for start in range(0, len(split.inputs), size):
            batch, one_hot = np.zeros([size, steps]), np.zeros([size, classes])  # the last one is filled up
            rows = split.inputs[start : start + size]
            batch[: len(rows)] = rows
            one_hot[np.arange(len(rows)), split.labels[start : start + size]] = 1
            session.run(accuracy, {inputs: batch, labels: one_hot})
        return len(split.inputs)

    return iterate, evaluate


def _rows_loop(
    recipe: Experiment, dataset: Dataset, threads: int
) -> Tuple[Callable[[int], None], Callable[[], int]]:
    """Source: the notes on RNN and LSTM, section 3: training and test batch drawn every iteration, accuracy every 20."""
    settings, size = flat_settings(recipe), recipe.schedule.batch_size
    steps, classes, width = settings["steps"], recipe.head.columns, settings["input_size"]
    graph = tf.Graph()
    with graph.as_default():
        inputs = tf.compat.v1.placeholder(tf.float32, [None, steps, width])
        labels = tf.compat.v1.placeholder(tf.float32, [None, classes])
        last = _rows_last(recipe.recurrent, inputs, size)
        weights = tf.Variable(tf.random.normal([last.shape[1].value, classes]))
        logits = tf.matmul(last, weights) + tf.Variable(tf.constant(0.1, shape=[classes]))
        step, _, accuracy = _training_ops(logits, labels, recipe)
    session = _session(graph, threads)
    train = dataset.train_sampler("published", size, 1)
    test = dataset.test_sampler("published", size, 1)

    def iterate(iteration: int) -> None:
        batch, test_batch = train.batch(iteration), test.batch(iteration)
        session.run([step], {inputs: batch.inputs, labels: batch.labels})
        if iteration % 20 == 0:
            session.run(accuracy, {inputs: test_batch.inputs, labels: test_batch.labels})

    return iterate, lambda: 0


def _rows_last(recurrent: Recurrent, inputs: Any, size: int) -> Any:
    forward = make_cell(recurrent, "fw", None, LoopClock())
    if recurrent.bidirectional is None:
        zero = forward.zero_state(size, tf.float32)
        _, state = tf.compat.v1.nn.dynamic_rnn(forward, inputs, initial_state=zero)
        return getattr(state, "h", state)
    backward = make_cell(recurrent, "bw", None, LoopClock())
    _, states = tf.compat.v1.nn.bidirectional_dynamic_rnn(
        forward,
        backward,
        inputs,
        initial_state_fw=forward.zero_state(size, tf.float32),
        initial_state_bw=backward.zero_state(size, tf.float32),
    )
    return states[1].h


def _training_ops(logits: Any, labels: Any, recipe: Experiment) -> Any:
    cross_entropy = tf.compat.v1.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels)
    loss = tf.reduce_mean(cross_entropy)
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1))
    optimizer = tf.compat.v1.train.AdamOptimizer(recipe.optimizer.learning_rate)
    return optimizer.minimize(loss), loss, tf.reduce_mean(tf.cast(correct, tf.float32))


def _session(graph: Any, threads: int) -> Any:
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    with graph.as_default():
        session.run(tf.compat.v1.global_variables_initializer())
    return session
