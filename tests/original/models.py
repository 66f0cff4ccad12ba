"""Models of each kind in plain TensorFlow 1, as people wrote them, saved with their ``.meta``."""

from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np

from tf1_lstm.graphs.quiet import tf

v1 = tf.compat.v1


class Saved(NamedTuple):
    """A model that was run once and saved.

    Attributes:
      prefix: of the checkpoint.
      feeds: placeholder -> what was fed.
      outputs: tensor -> what the session gave.
      gradients: variable -> derivative of the loss.
      loss: name of the loss, or "".
    """

    prefix: str
    feeds: Dict[str, np.ndarray]
    outputs: Dict[str, np.ndarray]
    gradients: Dict[str, np.ndarray]
    loss: str = ""


def _random(*shape: int) -> np.ndarray:
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def _classes(count: int, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[np.arange(count) % classes]


def _softmax(read: Any, classes: int, labels: Any, lr: float = 0.01) -> Any:
    """The head of most tutorials: variables in dictionaries."""
    units = int(read.shape[-1])
    weights = {"out": tf.Variable(v1.random_normal([units, classes], seed=1))}
    biases = {"out": tf.Variable(v1.random_normal([classes], seed=2))}
    logits = tf.add(tf.matmul(read, weights["out"]), biases["out"], name="logits")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels), name="loss")
    v1.train.AdamOptimizer(lr).minimize(loss)
    return logits


def static_lstm() -> Dict[str, np.ndarray]:
    """static_rnn over unstacked rows, dictionaries of Variables, a forget bias of 0.8."""
    x = v1.placeholder(tf.float32, [None, 5, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    cell = tf.nn.rnn_cell.BasicLSTMCell(4, forget_bias=0.8)
    outputs, _ = v1.nn.static_rnn(cell, tf.unstack(x, 5, 1), dtype=tf.float32)
    _softmax(outputs[-1], 2, y)
    return {"x": _random(6, 5, 3), "y": _classes(6, 2)}


def dynamic_lstm() -> Dict[str, np.ndarray]:
    """dynamic_rnn, last step read, relu as the cell's activation, an embedding, ids."""
    ids = v1.placeholder(tf.int32, [None, 7], name="ids")
    y = v1.placeholder(tf.float32, [None, 3], name="y")
    table = v1.get_variable("embedding", [11, 4], initializer=v1.random_uniform_initializer(seed=3))
    cell = tf.nn.rnn_cell.LSTMCell(5, activation=tf.nn.relu, initializer=v1.orthogonal_initializer(seed=4))
    outputs, _ = v1.nn.dynamic_rnn(cell, tf.nn.embedding_lookup(table, ids), dtype=tf.float32)
    _softmax(outputs[:, -1, :], 3, y, lr=0.002)
    return {"ids": np.arange(28, dtype=np.int32).reshape(4, 7) % 11, "y": _classes(4, 3)}


def shared_layers() -> Dict[str, np.ndarray]:
    """MultiRNNCell([cell] * 2), a linear layer in front, dropout by a placeholder."""
    x = v1.placeholder(tf.float32, [None, 6, 5], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    keep = v1.placeholder(tf.float32, [], name="keep_prob")
    front = tf.Variable(v1.random_normal([5, 4], seed=5), name="in_w")
    bias = tf.Variable(tf.constant(0.1, shape=[4]), name="in_b")
    rows = tf.reshape(tf.matmul(tf.reshape(x, [-1, 5]), front) + bias, [-1, 6, 4])
    cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep)
    stack = tf.nn.rnn_cell.MultiRNNCell([cell] * 2)
    outputs, _ = v1.nn.dynamic_rnn(stack, rows, dtype=tf.float32)
    _softmax(tf.transpose(outputs, [1, 0, 2])[-1], 2, y)
    return {"x": _random(3, 6, 5), "y": _classes(3, 2), "keep_prob": np.float32(1.0)}


def stacked_gru() -> Dict[str, np.ndarray]:
    """Two layers of GRUCell, unrolled."""
    x = v1.placeholder(tf.float32, [None, 4, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    stack = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(5), tf.nn.rnn_cell.GRUCell(5)])
    outputs, _ = v1.nn.static_rnn(stack, tf.unstack(x, axis=1), dtype=tf.float32)
    _softmax(outputs[-1], 2, y)
    return {"x": _random(3, 4, 3), "y": _classes(3, 2)}


def regression() -> Dict[str, np.ndarray]:
    """The stock-price form: linear 1 to 8, LSTM(8), linear 8 to 1, at every step; squared error."""
    x = v1.placeholder(tf.float32, [None, 10, 1], name="x")
    y = v1.placeholder(tf.float32, [None, 10, 1], name="y")
    weights = {
        "in": tf.Variable(v1.random_normal([1, 8], seed=6)),
        "out": tf.Variable(v1.random_normal([8, 1], seed=7)),
    }
    biases = {"in": tf.Variable(tf.constant(0.1, shape=[8])), "out": tf.Variable(tf.constant(0.1, shape=[1]))}
    rows = tf.reshape(tf.matmul(tf.reshape(x, [-1, 1]), weights["in"]) + biases["in"], [-1, 10, 8])
    outputs, _ = v1.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(8), rows, dtype=tf.float32)
    predicted = tf.add(tf.matmul(tf.reshape(outputs, [-1, 8]), weights["out"]), biases["out"], name="logits")
    loss = tf.reduce_mean(tf.square(tf.reshape(predicted, [-1]) - tf.reshape(y, [-1])), name="loss")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    return {"x": _random(2, 10, 1), "y": _random(2, 10, 1)}


def per_step() -> Dict[str, np.ndarray]:
    """A character model: one-hot, logits at every step, clipped gradients, a resource variable."""
    ids = v1.placeholder(tf.int32, [None, 6], name="ids")
    targets = v1.placeholder(tf.int32, [None, 6], name="targets")
    outputs, _ = v1.nn.dynamic_rnn(tf.nn.rnn_cell.BasicRNNCell(5), tf.one_hot(ids, 4), dtype=tf.float32)
    weights = v1.get_variable("softmax_w", [5, 4], use_resource=True)
    bias = v1.get_variable("softmax_b", [4])
    logits = tf.add(tf.matmul(tf.reshape(outputs, [-1, 5]), weights), bias, name="logits")
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=tf.reshape(targets, [-1]))
    loss = tf.reduce_mean(errors, name="loss")
    variables = v1.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
    v1.train.AdamOptimizer(0.01).apply_gradients(zip(gradients, variables))
    ids_fed = (np.arange(12, dtype=np.int32) % 4).reshape(2, 6)
    return {"ids": ids_fed, "targets": (ids_fed + 1) % 4}


def bidirectional() -> Dict[str, np.ndarray]:
    """bidirectional_dynamic_rnn with both final states, lengths fed."""
    x = v1.placeholder(tf.float32, [None, 5, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    lengths = v1.placeholder(tf.int32, [None], name="lengths")
    cells = [tf.nn.rnn_cell.LSTMCell(4, use_peepholes=True), tf.nn.rnn_cell.LSTMCell(4, use_peepholes=True)]
    _, states = v1.nn.bidirectional_dynamic_rnn(*cells, x, sequence_length=lengths, dtype=tf.float32)
    _softmax(tf.concat([states[0].h, states[1].h], 1), 2, y)
    return {"x": _random(3, 5, 3), "y": _classes(3, 2), "lengths": np.array([5, 2, 3], np.int32)}


def convolutional() -> Dict[str, np.ndarray]:
    """A convolution and batch normalisation in front of an LSTM."""
    x = v1.placeholder(tf.float32, [None, 8, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    kernel = v1.get_variable("conv/kernel", [3, 3, 4])
    hidden = tf.nn.relu(tf.nn.conv1d(x, kernel, 1, "SAME"))
    mean, variance = tf.nn.moments(hidden, [0, 1])
    scale = v1.get_variable("norm/scale", [4], initializer=v1.ones_initializer())
    hidden = tf.nn.batch_normalization(hidden, mean, variance, None, scale, 1e-3)
    outputs, _ = v1.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), hidden, dtype=tf.float32)
    _softmax(outputs[:, -1], 2, y)
    return {"x": _random(4, 8, 3), "y": _classes(4, 2)}


def attention() -> Dict[str, np.ndarray]:
    """Attention over the steps of an LSTM, with a variable of three dimensions."""
    x = v1.placeholder(tf.float32, [None, 5, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    outputs, _ = v1.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), x, dtype=tf.float32)
    context = v1.get_variable("attention/context", [5, 1, 4])
    scores = tf.reduce_sum(tf.transpose(outputs, [1, 0, 2]) * context, 2)
    weights = tf.nn.softmax(scores, 0, name="attention_weights")
    _softmax(tf.einsum("tb,btu->bu", weights, outputs), 2, y)
    return {"x": _random(4, 5, 3), "y": _classes(4, 2)}


ALL: List[Callable[[], Dict[str, np.ndarray]]] = [
    static_lstm,
    dynamic_lstm,
    shared_layers,
    stacked_gru,
    regression,
    per_step,
    bidirectional,
    convolutional,
    attention,
]


def save(build: Callable[[], Dict[str, np.ndarray]], folder: Path) -> Saved:
    """Build a model, run it once and save it."""
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(11)
        feeds = build()
        saver = v1.train.Saver()
        variables = v1.trainable_variables()
        derived = tf.gradients(graph.get_tensor_by_name("loss:0"), variables)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            fed = {f"{name}:0": value for name, value in feeds.items()}
            # Saved first: the gradients that only the test asks for are in the .meta too, as after training.
            prefix = saver.save(session, str(folder / "model.ckpt"), global_step=3)
            logits, loss = session.run(["logits:0", "loss:0"], fed)
            gradients = session.run([tf.convert_to_tensor(one) for one in derived], fed)
    names = [variable.op.name for variable in variables]
    return Saved(prefix, feeds, {"logits:0": logits, "loss:0": loss}, dict(zip(names, gradients)), "loss:0")
