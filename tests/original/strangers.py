"""Models as strangers left them: one more way each to write what an experiment can say."""

import numpy as np

from tests.original.models import _classes, _random, tf, v1


def stocks():
    """The stock-price tutorial: a linear layer in front of and behind the cell, zero states made by hand."""
    x = v1.placeholder(tf.float32, [None, 10, 7], name="X")
    y = v1.placeholder(tf.float32, [None, 10, 1], name="Y")
    weights = {"in": tf.Variable(v1.random_normal([7, 10])), "out": tf.Variable(v1.random_normal([10, 1]))}
    biases = {
        "in": tf.Variable(
            tf.constant(
                0.1,
                shape=[
                    10,
                ],
            )
        ),
        "out": tf.Variable(
            tf.constant(
                0.1,
                shape=[
                    1,
                ],
            )
        ),
    }
    batch_size = tf.shape(x)[0]
    time_step = tf.shape(x)[1]
    inp = tf.reshape(x, [-1, 7])
    r = tf.matmul(inp, weights["in"]) + biases["in"]
    r = tf.reshape(r, [-1, time_step, 10])
    cell = tf.nn.rnn_cell.BasicLSTMCell(10)
    init = cell.zero_state(batch_size, dtype=tf.float32)
    out, _ = v1.nn.dynamic_rnn(cell, r, initial_state=init, dtype=tf.float32)
    o = tf.reshape(out, [-1, 10])
    pred = tf.matmul(o, weights["out"]) + biases["out"]
    tf.identity(pred, name="logits")
    loss = tf.reduce_mean(tf.square(tf.reshape(pred, [-1]) - tf.reshape(y, [-1])), name="loss")
    v1.train.AdamOptimizer(0.0006).minimize(loss)
    return {"X": _random(3, 10, 7), "Y": _random(3, 10, 1)}


def char():
    """A character model of two layers: fixed batch, dropout by a placeholder, one-hot labels at every step."""
    ids = v1.placeholder(tf.int32, [2, 6], name="inputs")
    t = v1.placeholder(tf.int32, [2, 6], name="targets")
    kp = v1.placeholder(tf.float32, name="keep_prob")

    def get():
        return tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicLSTMCell(8), output_keep_prob=kp)

    cell = tf.nn.rnn_cell.MultiRNNCell([get() for _ in range(2)])
    init = cell.zero_state(2, tf.float32)
    out, _ = v1.nn.dynamic_rnn(cell, tf.one_hot(ids, 5), initial_state=init)
    seq = tf.concat(out, axis=1)
    x = tf.reshape(seq, [-1, 8])
    with v1.variable_scope("softmax"):
        w = tf.Variable(v1.truncated_normal([8, 5], stddev=0.1))
        b = tf.Variable(tf.zeros(5))
    lg = tf.matmul(x, w) + b
    tf.identity(lg, name="logits")
    tf.nn.softmax(lg, name="predictions")
    y = tf.reshape(tf.one_hot(t, 5), lg.get_shape())
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=lg, labels=y))
    tf.identity(loss, name="loss")
    tv = v1.trainable_variables()
    g, _ = tf.clip_by_global_norm(tf.gradients(loss, tv), 5)
    v1.train.AdamOptimizer(0.001).apply_gradients(zip(g, tv))
    a = (np.arange(12) % 5).reshape(2, 6).astype(np.int32)
    return {"inputs": a, "targets": (a + 1) % 5, "keep_prob": np.float32(1)}


def projected():
    """OutputProjectionWrapper: the last layer is inside of the loop."""
    x = v1.placeholder(tf.float32, [None, 20, 1], name="X")
    y = v1.placeholder(tf.float32, [None, 20, 1], name="y")
    cell = tf.contrib.rnn.OutputProjectionWrapper(
        tf.nn.rnn_cell.BasicRNNCell(num_units=9, activation=tf.nn.relu), output_size=1
    )
    out, _ = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    tf.identity(out, name="logits")
    loss = tf.reduce_mean(tf.square(out - y), name="loss")
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return {"X": _random(2, 20, 1), "y": _random(2, 20, 1)}


def dense_sigmoid():
    """tf.layers in a scope, dropout behind a condition, one sigmoid, RMSProp."""
    x = v1.placeholder(tf.int32, [None, 9], name="x")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    tr = v1.placeholder_with_default(False, [], name="training")
    with v1.variable_scope("m"):
        e = v1.get_variable("emb", [13, 6])
        z = tf.nn.embedding_lookup(e, x)
        _, st = v1.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(7), z, dtype=tf.float32)
        h = v1.layers.dense(st, 5, activation=tf.nn.relu)
        h = v1.layers.dropout(h, 0.5, training=tr)
        lg = v1.layers.dense(h, 1)
    tf.identity(lg, name="logits")
    tf.sigmoid(lg, name="p")
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=lg, labels=y))
    tf.identity(loss, name="loss")
    v1.train.RMSPropOptimizer(0.01).minimize(loss)
    return {"x": (np.arange(18) % 13).reshape(2, 9).astype(np.int32), "y": np.array([[0], [1]], np.float32)}


def row_bias():
    """A bias of shape [1, n], sparse labels, a forget bias of 0.8, a learning rate that decays."""
    x = v1.placeholder(tf.float32, [None, 28, 28], name="image")
    y = v1.placeholder(tf.int64, [None], name="label")
    cell = tf.nn.rnn_cell.LSTMCell(16, forget_bias=0.8)
    _, st = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    w = v1.get_variable("W", [16, 10])
    b = v1.get_variable("B", [1, 10])
    lg = tf.matmul(st[1], w) + b
    tf.identity(lg, name="logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=lg, labels=y))
    tf.identity(loss, name="loss")
    v1.train.AdamOptimizer(
        learning_rate=v1.train.exponential_decay(0.1, v1.train.get_or_create_global_step(), 100, 0.9)
    ).minimize(loss)
    return {"image": _random(3, 28, 28), "label": np.array([1, 2, 3])}


def static_bi():
    """Two directions, unrolled, over rows that hold all steps of an example."""
    x = v1.placeholder(tf.float32, [None, 4 * 3], name="x")
    y = v1.placeholder(tf.float32, [None, 2], name="y")
    xs = tf.split(tf.reshape(tf.transpose(tf.reshape(x, [-1, 4, 3]), [1, 0, 2]), [-1, 3]), 4, 0)
    o, _, _ = v1.nn.static_bidirectional_rnn(
        tf.nn.rnn_cell.BasicLSTMCell(5), tf.nn.rnn_cell.BasicLSTMCell(5), xs, dtype=tf.float32
    )
    w = tf.Variable(v1.random_normal([10, 2]))
    b = tf.Variable(v1.random_normal([2]))
    lg = tf.matmul(o[-1], w) + b
    tf.identity(lg, name="logits")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=lg, labels=y))
    tf.identity(loss, name="loss")
    v1.train.AdamOptimizer().minimize(loss)
    return {"x": _random(3, 12), "y": _classes(3, 2)}


def no_bias():
    """A last layer without bias, absolute errors."""
    x = v1.placeholder(tf.float32, [None, 5, 3], name="x")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    out, _ = v1.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(6), x, dtype=tf.float32)
    w = tf.Variable(v1.random_normal([6, 1]))
    lg = tf.matmul(out[:, -1], w)
    tf.identity(lg, name="logits")
    loss = tf.reduce_mean(tf.abs(lg - y))
    tf.identity(loss, name="loss")
    v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    return {"x": _random(3, 5, 3), "y": _random(3, 1)}


def relu_front():
    """A ReLU layer in front of two layers, unrolled
    the loss has L2 losses of all weights.
    """
    x = v1.placeholder(tf.float32, [None, 4, 9], name="x")
    y = v1.placeholder(tf.float32, [None, 6], name="y")
    w = tf.Variable(v1.random_normal([9, 27]))
    b = tf.Variable(v1.random_normal([27]))
    w2 = tf.Variable(v1.random_normal([27, 6]))
    b2 = tf.Variable(v1.random_normal([6]))
    z = tf.transpose(x, [1, 0, 2])
    z = tf.reshape(z, [-1, 9])
    z = tf.nn.relu(tf.matmul(z, w) + b)
    z = tf.split(z, 4, 0)
    c = tf.nn.rnn_cell.MultiRNNCell(
        [tf.nn.rnn_cell.BasicLSTMCell(27, forget_bias=1.0, state_is_tuple=True) for _ in range(2)],
        state_is_tuple=True,
    )
    o, _ = v1.nn.static_rnn(c, z, dtype=tf.float32)
    lg = tf.matmul(o[-1], w2) + b2
    tf.identity(lg, name="logits")
    l2 = 0.0015 * sum(tf.nn.l2_loss(v) for v in v1.trainable_variables())
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=lg)) + l2
    tf.identity(loss, name="loss")
    v1.train.AdamOptimizer(0.0025).minimize(loss)
    return {"x": _random(3, 4, 9), "y": _classes(3, 6)}


ALL = [stocks, char, projected, dense_sigmoid, row_bias, static_bi, no_bias, relu_front]
