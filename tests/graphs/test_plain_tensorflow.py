"""Graphs of parts against plain TensorFlow 1 code, written the way people wrote it.

Each ``plain_...`` below is such a program's graph: dictionaries of Variables, ``static_rnn`` over
``unstack``, ``[cell] * n``, a state that is fed from batch to batch. Both graphs get the same weights;
their outputs and losses, and the weights after a training step, must be equal within 1e-6.
"""

from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np
import pytest

from tests.tiers import representative
from tf1_lstm.core.tensorflow import load_variables, tf
from tf1_lstm.graphs.build import build
from tf1_lstm.recipes import (
    GRU,
    SGD,
    Adam,
    Arrays,
    BasicLSTM,
    BasicRNN,
    Bidirectional,
    Embedding,
    Epochs,
    Experiment,
    Layer,
    PlainText,
    Recurrent,
    Regression,
    Rows,
    Softmax,
)

BATCH, STEPS, INPUTS, UNITS, CLASSES, WORDS = 9, 7, 3, 5, 4, 11
TOLERANCE = 1e-6
rnn_cell = tf.nn.rnn_cell


class Plain(NamedTuple):
    """A plain graph: what is fed, what comes out, and its variables by canonical name."""

    x: Any
    y: Any
    logits: Any
    loss: Any
    train: Any
    variables: Dict[str, Any]
    state: Any = None
    final: Any = None


def by_name(**names: str) -> Dict[str, Any]:
    """Canonical name -> variable, given the beginnings of the variables' names."""
    variables = {variable.op.name: variable for variable in tf.compat.v1.global_variables()}
    return {canonical.replace("__", "/"): variables[name] for canonical, name in names.items()}


def plain_static_classifier() -> Plain:
    """A hidden ReLU layer at each step, ``static_rnn`` over ``unstack``, the last output."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS])
    y = tf.compat.v1.placeholder(tf.float32, [None, CLASSES])
    weights = {
        "hidden": tf.Variable(tf.random.normal([INPUTS, UNITS])),
        "out": tf.Variable(tf.random.normal([UNITS, CLASSES])),
    }
    biases = {"hidden": tf.Variable(tf.random.normal([UNITS])), "out": tf.Variable(tf.zeros([CLASSES]))}
    flat = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, INPUTS])
    hidden = tf.split(tf.nn.relu(tf.matmul(flat, weights["hidden"]) + biases["hidden"]), STEPS, 0)
    cell = rnn_cell.BasicLSTMCell(UNITS, forget_bias=0.8)
    outputs, _ = tf.compat.v1.nn.static_rnn(cell, hidden, dtype=tf.float32)
    logits = tf.matmul(outputs[-1], weights["out"]) + biases["out"]
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
    train = tf.compat.v1.train.AdamOptimizer(learning_rate=0.01).minimize(loss)
    recurrent = by_name(
        lstm__fw__0__kernel="rnn/basic_lstm_cell/kernel", lstm__fw__0__bias="rnn/basic_lstm_cell/bias"
    )
    own = {
        "front/kernel": weights["hidden"],
        "front/bias": biases["hidden"],
        "softmax/weights": weights["out"],
        "softmax/bias": biases["out"],
    }
    return Plain(x, y, logits, loss, train, {**recurrent, **own})


def plain_shared_cell() -> Plain:
    """``MultiRNNCell([cell] * 2)``: both layers run with one cell's weights."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, UNITS])
    y = tf.compat.v1.placeholder(tf.float32, [None, CLASSES])
    cell = rnn_cell.BasicLSTMCell(UNITS)
    outputs, _ = tf.compat.v1.nn.dynamic_rnn(rnn_cell.MultiRNNCell([cell] * 2), x, dtype=tf.float32)
    weight = tf.Variable(tf.random.normal([UNITS, CLASSES]))
    bias = tf.Variable(tf.constant(0.1, shape=[1, CLASSES]))
    logits = tf.matmul(outputs[:, -1, :], weight) + bias
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
    train = tf.compat.v1.train.GradientDescentOptimizer(0.5).minimize(loss)
    recurrent = by_name(
        lstm__fw__0__kernel="rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel",
        lstm__fw__0__bias="rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias",
    )
    assert len(tf.compat.v1.trainable_variables()) == 4
    return Plain(x, y, logits, loss, train, {**recurrent, "softmax/weights": weight, "softmax/bias": bias})


def plain_forecast() -> Plain:
    """A regression on the last output of an unrolled RNN with ReLU, mean squared error."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS])
    y = tf.compat.v1.placeholder(tf.float32, [None, 2])
    cell = rnn_cell.BasicRNNCell(UNITS, activation=tf.nn.relu)
    outputs, _ = tf.compat.v1.nn.static_rnn(cell, tf.unstack(x, STEPS, 1), dtype=tf.float32)
    weight, bias = tf.Variable(tf.random.normal([UNITS, 2])), tf.Variable(tf.zeros([2]))
    predicted = tf.matmul(outputs[-1], weight) + bias
    loss = tf.reduce_mean(tf.square(predicted - y))
    train = tf.compat.v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    recurrent = by_name(
        rnn__fw__0__kernel="rnn/basic_rnn_cell/kernel", rnn__fw__0__bias="rnn/basic_rnn_cell/bias"
    )
    return Plain(x, y, predicted, loss, train, {**recurrent, "softmax/weights": weight, "softmax/bias": bias})


def plain_absolute_error_of_a_gru() -> Plain:
    """A regression on the state of a GRU, mean absolute error, with ``sequence_length`` of all steps."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS])
    y = tf.compat.v1.placeholder(tf.float32, [None, 1])
    _, state = tf.compat.v1.nn.dynamic_rnn(rnn_cell.GRUCell(UNITS), x, dtype=tf.float32)
    predicted = tf.compat.v1.layers.dense(state, 1)
    loss = tf.compat.v1.losses.absolute_difference(y, predicted)
    train = tf.compat.v1.train.AdamOptimizer(0.01).minimize(loss)
    names = by_name(
        gru__fw__0__gates__kernel="rnn/gru_cell/gates/kernel",
        gru__fw__0__gates__bias="rnn/gru_cell/gates/bias",
        gru__fw__0__candidate__kernel="rnn/gru_cell/candidate/kernel",
        gru__fw__0__candidate__bias="rnn/gru_cell/candidate/bias",
        softmax__weights="dense/kernel",
        softmax__bias="dense/bias",
    )
    return Plain(x, y, predicted, loss, train, names)


def plain_projection_at_every_step() -> Plain:
    """``OutputProjectionWrapper``: an output at every step, as in forecasts of whole series."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS])
    y = tf.compat.v1.placeholder(tf.float32, [None, STEPS, 1])
    inner = rnn_cell.BasicRNNCell(UNITS, activation=tf.nn.relu)
    cell = tf.contrib.rnn.OutputProjectionWrapper(inner, output_size=1)
    outputs, _ = tf.compat.v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - y))
    train = tf.compat.v1.train.AdamOptimizer(learning_rate=0.001).minimize(loss)
    names = by_name(
        rnn__fw__0__kernel="rnn/output_projection_wrapper/basic_rnn_cell/kernel",
        rnn__fw__0__bias="rnn/output_projection_wrapper/basic_rnn_cell/bias",
        softmax__weights="rnn/output_projection_wrapper/kernel",
        softmax__bias="rnn/output_projection_wrapper/bias",
    )
    return Plain(x, y, outputs, loss, train, names)


def plain_both_directions() -> Plain:
    """``static_bidirectional_rnn``, whose last output holds one step only of the backward direction."""
    x = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS])
    y = tf.compat.v1.placeholder(tf.float32, [None, CLASSES])
    cells = [rnn_cell.BasicLSTMCell(UNITS, forget_bias=1.0) for _ in range(2)]
    outputs, _, _ = tf.compat.v1.nn.static_bidirectional_rnn(
        *cells, tf.unstack(x, STEPS, 1), dtype=tf.float32
    )
    weights = {"out": tf.Variable(tf.random.normal([2 * UNITS, CLASSES]))}
    biases = {"out": tf.Variable(tf.random.normal([CLASSES]))}
    logits = tf.matmul(outputs[-1], weights["out"]) + biases["out"]
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
    train = tf.compat.v1.train.GradientDescentOptimizer(learning_rate=0.1).minimize(loss)
    recurrent = by_name(
        lstm__fw__0__kernel="bidirectional_rnn/fw/basic_lstm_cell/kernel",
        lstm__fw__0__bias="bidirectional_rnn/fw/basic_lstm_cell/bias",
        lstm__bw__0__kernel="bidirectional_rnn/bw/basic_lstm_cell/kernel",
        lstm__bw__0__bias="bidirectional_rnn/bw/basic_lstm_cell/bias",
    )
    own = {"softmax/weights": weights["out"], "softmax/bias": biases["out"]}
    return Plain(x, y, logits, loss, train, {**recurrent, **own})


def plain_language_model() -> Plain:
    """Two layers over an embedding; the loss of every step; the state goes in and out by feeding."""
    x = tf.compat.v1.placeholder(tf.int32, [BATCH, STEPS])
    y = tf.compat.v1.placeholder(tf.int32, [BATCH, STEPS])
    cell = rnn_cell.MultiRNNCell([rnn_cell.BasicLSTMCell(UNITS, forget_bias=0.0) for _ in range(2)])
    state = cell.zero_state(BATCH, tf.float32)
    embedding = tf.compat.v1.get_variable("embedding", [WORDS, INPUTS])
    inputs = tf.unstack(tf.nn.embedding_lookup(embedding, x), num=STEPS, axis=1)
    outputs, final = tf.compat.v1.nn.static_rnn(cell, inputs, initial_state=state)
    output = tf.reshape(tf.concat(outputs, 1), [-1, UNITS])
    softmax_w = tf.compat.v1.get_variable("softmax_w", [UNITS, WORDS])
    softmax_b = tf.compat.v1.get_variable("softmax_b", [WORDS])
    logits = tf.matmul(output, softmax_w) + softmax_b
    losses = tf.contrib.legacy_seq2seq.sequence_loss_by_example(
        [logits], [tf.reshape(y, [-1])], [tf.ones([BATCH * STEPS])]
    )
    loss = tf.reduce_sum(losses) / BATCH / STEPS
    train = tf.compat.v1.train.AdamOptimizer(0.01).minimize(loss)
    names = by_name(
        embedding="embedding",
        lstm__fw__0__kernel="rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel",
        lstm__fw__0__bias="rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias",
        lstm__fw__1__kernel="rnn/multi_rnn_cell/cell_1/basic_lstm_cell/kernel",
        lstm__fw__1__bias="rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias",
        softmax__weights="softmax_w",
        softmax__bias="softmax_b",
    )
    return Plain(x, y, tf.reshape(logits, [BATCH, STEPS, WORDS]), loss, train, names, state, final)


def experiment(recurrent: Recurrent, head: Any, optimizer: Any, **more: Any) -> Experiment:
    """An experiment whose data are never opened."""
    parts = {"data": Arrays("none.npz"), "inputs": Rows(INPUTS), **more}
    schedule = Epochs(1, batch_size=BATCH)
    return Experiment(recurrent=recurrent, head=head, optimizer=optimizer, schedule=schedule, **parts)


ROWS: Dict[str, Tuple[Callable[[], Plain], Experiment]] = {
    "static_rnn over unstack behind a ReLU layer": (
        plain_static_classifier,
        experiment(
            Recurrent(BasicLSTM(UNITS, forget_bias=0.8), read="output"),
            Softmax(CLASSES),
            Adam(0.01),
            front=Layer(UNITS),
        ),
    ),
    "[cell] * 2": (
        plain_shared_cell,
        experiment(
            Recurrent(BasicLSTM(UNITS), layers=2, shared_cell=True, read="output"),
            Softmax(CLASSES),
            SGD(0.5),
            inputs=Rows(UNITS),
        ),
    ),
    "regression, squared errors": (
        plain_forecast,
        experiment(Recurrent(BasicRNN(UNITS, activation="relu"), read="output"), Regression(2), SGD(0.01)),
    ),
    "regression, absolute errors": (
        plain_absolute_error_of_a_gru,
        experiment(Recurrent(GRU(UNITS)), Regression(1, loss="absolute"), Adam(0.01)),
    ),
    "an output at every step": (
        plain_projection_at_every_step,
        experiment(Recurrent(BasicRNN(UNITS, activation="relu"), read="steps"), Regression(1), Adam(0.001)),
    ),
    "both directions, the last output": (
        plain_both_directions,
        experiment(
            Recurrent(BasicLSTM(UNITS), bidirectional=Bidirectional(), read="output"),
            Softmax(CLASSES),
            SGD(0.1),
        ),
    ),
}


def session_with(graph: Any, variables: Dict[str, Any], weights: Dict[str, np.ndarray]) -> Any:
    """A session in which each variable holds the weights of its canonical name."""
    session = tf.compat.v1.Session(graph=graph)
    with graph.as_default():
        session.run(tf.compat.v1.global_variables_initializer())
    values = (
        (variable, weights[name].reshape(variable.shape.as_list())) for name, variable in variables.items()
    )
    load_variables(values, session)
    return session


def drawn(variables: Dict[str, Any]) -> Dict[str, np.ndarray]:
    """Random weights for each variable."""
    random = np.random.RandomState(3)
    return {
        name: random.normal(0, 0.5, variable.shape.as_list()).astype(np.float32)
        for name, variable in sorted(variables.items())
    }


def assert_equal(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, np.reshape(expected, np.shape(found)), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "kind",
    representative(
        ROWS,
        "static_rnn over unstack behind a ReLU layer",
        "regression, squared errors",
        "an output at every step",
        "both directions, the last output",
    ),
)
def test_outputs_and_a_training_step_are_those_of_plain_code(kind: str) -> None:
    make, composed = ROWS[kind]
    plain_graph = tf.Graph()
    with plain_graph.as_default():
        plain = make()
    ours = build(composed, batch_size=None)
    assert set(ours.variables) == set(plain.variables)
    weights = drawn(ours.variables)
    random = np.random.RandomState(4)
    x = random.normal(size=[BATCH, *plain.x.shape.as_list()[1:]]).astype(np.float32)
    y = random.normal(size=[BATCH, *plain.y.shape.as_list()[1:]]).astype(np.float32)
    if composed.head.task == "classes":
        y = np.eye(CLASSES, dtype=np.float32)[random.randint(0, CLASSES, BATCH)]
    theirs = session_with(plain_graph, plain.variables, weights)
    mine = session_with(ours.graph, ours.variables, weights)
    feed, plain_feed = {ours.inputs: x, ours.labels: y}, {plain.x: x, plain.y: y}
    logits, loss = mine.run([ours.logits, ours.loss], feed)
    expected = theirs.run([plain.logits, plain.loss], plain_feed)
    assert_equal(logits, expected[0])
    assert_equal(loss, expected[1])
    mine.run(ours.train_op, feed)
    theirs.run(plain.train, plain_feed)
    moved, expected_weights = mine.run(ours.variables), theirs.run(plain.variables)
    for name, value in moved.items():
        assert_equal(value, expected_weights[name])
        assert np.abs(value - weights[name]).max() > 1e-5, name


def test_a_language_model_carries_its_state_as_plain_code_feeds_it() -> None:
    composed = experiment(
        Recurrent(BasicLSTM(UNITS, forget_bias=0.0), layers=2, read="steps", carried_state=True),
        Softmax(WORDS),
        Adam(0.01),
        data=PlainText("none.txt", STEPS),
        inputs=Embedding(INPUTS, words=WORDS),
    )
    plain_graph = tf.Graph()
    with plain_graph.as_default():
        plain = plain_language_model()
    ours = build(composed, batch_size=BATCH)
    weights = drawn(ours.variables)
    theirs = session_with(plain_graph, plain.variables, weights)
    mine = session_with(ours.graph, ours.variables, weights)
    text = np.random.RandomState(5).randint(0, WORDS, (BATCH, 4 * STEPS + 1))
    state = theirs.run(plain.state)
    for place in range(0, 4 * STEPS, STEPS):
        x, y = text[:, place : place + STEPS], text[:, place + 1 : place + STEPS + 1]
        feed = {plain.x: x, plain.y: y, plain.state: state}
        expected, expected_loss, state, _ = theirs.run(
            [plain.logits, plain.loss, plain.final, plain.train], feed
        )
        logits, loss, _ = mine.run([ours.logits, ours.loss, ours.train_op], {ours.inputs: x, ours.labels: y})
        assert_equal(logits, expected)
        assert_equal(loss, expected_loss)
    moved, expected_weights = mine.run(ours.variables), theirs.run(plain.variables)
    for name, value in moved.items():
        np.testing.assert_allclose(value, expected_weights[name], rtol=0, atol=4 * TOLERANCE)


def test_the_last_step_that_counts_is_read_as_plain_code_gathers_it() -> None:
    composed = experiment(
        Recurrent(BasicLSTM(UNITS), read="output", mask="sequence_length"), Softmax(CLASSES), Adam(0.01)
    )
    ours = build(composed)
    weights = drawn(ours.variables)
    lengths = np.array([1, 7, 3, 4, 7, 2, 5, 6, 1], np.int32)
    x = np.random.RandomState(4).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    with tf.Graph().as_default() as plain_graph:
        data = tf.constant(x)
        outputs, _ = tf.compat.v1.nn.dynamic_rnn(
            rnn_cell.BasicLSTMCell(UNITS), data, dtype=tf.float32, sequence_length=lengths
        )
        index = tf.range(0, BATCH) * STEPS + (lengths - 1)
        last = tf.gather(tf.reshape(outputs, [-1, UNITS]), index)
        names = by_name(
            lstm__fw__0__kernel="rnn/basic_lstm_cell/kernel", lstm__fw__0__bias="rnn/basic_lstm_cell/bias"
        )
    theirs = session_with(plain_graph, names, weights)
    expected = theirs.run(last) @ weights["softmax/weights"] + weights["softmax/bias"]
    mine = session_with(ours.graph, ours.variables, weights)
    assert_equal(mine.run(ours.logits, {ours.inputs: x, ours.lengths: lengths}), expected)
