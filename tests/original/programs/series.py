"""Forecasts of series of numbers."""

import numpy as np

from tests.original.programs import Program, floats, outside, program, rnn, tf, v1

STEPS = 7


def _series(width=3, outputs=1, per_step=False):
    x = v1.placeholder(tf.float32, [None, STEPS, width], name="X")
    shape = [None, STEPS, outputs] if per_step else [None, outputs]
    y = v1.placeholder(tf.float32, shape, name="Y")
    right = floats(4, STEPS, outputs) if per_step else floats(4, outputs)
    return x, y, {x: floats(4, STEPS, width), y: right}


def _minimise(optimizer, loss, limit=0.0):
    if not limit:
        return optimizer.minimize(loss)
    pairs = optimizer.compute_gradients(loss)
    return optimizer.apply_gradients(
        [(tf.clip_by_value(one, -limit, limit), variable) for one, variable in pairs if one is not None]
    )


@program
def prices_at_every_step():
    """Linear 1 to 8, two LSTM layers, linear 8 to 1, at every step; gradients clipped by value."""
    x, y, feeds = _series(1, 1, per_step=True)
    w_in, w_out = tf.Variable(v1.random_normal([1, 8])), tf.Variable(v1.random_normal([8, 1]))
    b_in, b_out = tf.Variable(tf.constant(0.1, shape=[8])), tf.Variable(tf.constant(0.1, shape=[1]))
    inside = tf.reshape(tf.matmul(tf.reshape(x, [-1, 1]), w_in) + b_in, [-1, tf.shape(x)[1], 8])
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(8) for _ in range(2)])
    start = stack.zero_state(tf.shape(x)[0], dtype=tf.float32)
    outputs, _ = v1.nn.dynamic_rnn(stack, inside, initial_state=start, dtype=tf.float32)
    values = tf.matmul(tf.reshape(outputs, [-1, 8]), w_out) + b_out
    loss = tf.reduce_mean(tf.square(tf.reshape(values, [-1]) - tf.reshape(y, [-1])))
    _minimise(v1.train.AdamOptimizer(0.0006), loss, 5.0)
    return Program(feeds, values, loss)


@program
def sum_of_squares():
    """tf.contrib's fully connected layer on the last output; a sum of squares, a rooted mean beside it."""
    x, y, feeds = _series(5)
    cell = tf.contrib.rnn.BasicLSTMCell(num_units=6, state_is_tuple=True, activation=tf.tanh)
    outputs, _ = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    values = tf.contrib.layers.fully_connected(outputs[:, -1], 1, activation_fn=None)
    loss = tf.reduce_sum(tf.square(values - y))
    targets, found = v1.placeholder(tf.float32, [None, 1]), v1.placeholder(tf.float32, [None, 1])
    tf.sqrt(tf.reduce_mean(tf.square(targets - found)))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, values, loss)


@program
def rooted_mean():
    """Unrolled steps, a rooted mean of squares, RMSProp."""
    x, y, feeds = _series(1)
    outputs, _ = v1.nn.static_rnn(rnn.BasicLSTMCell(6), tf.unstack(x, axis=1), dtype=tf.float32)
    w, b = tf.Variable(v1.truncated_normal([6, 1])), tf.Variable(tf.constant(0.1, shape=[1]))
    values = tf.matmul(outputs[-1], w) + b
    loss = tf.sqrt(tf.reduce_mean(tf.square(values - y)))
    v1.train.RMSPropOptimizer(0.001, 0.9).minimize(loss)
    return Program(feeds, values, loss)


@program
def dense_at_every_step():
    """A GRU with a dense layer on all its outputs at once; tf.losses."""
    x, y, feeds = _series(2, 2, per_step=True)
    outputs, _ = v1.nn.dynamic_rnn(rnn.GRUCell(5), x, dtype=tf.float32)
    values = v1.layers.dense(outputs, 2)
    loss = v1.losses.mean_squared_error(y, values)
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, values, loss)


@program
def rows_of_all_steps():
    """A plain cell with ReLU; its outputs as rows, a dense layer, and back to steps."""
    x, y, feeds = _series(1, 1, per_step=True)
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicRNNCell(8, activation=tf.nn.relu), x, dtype=tf.float32)
    rows = v1.layers.dense(tf.reshape(outputs, [-1, 8]), 1)
    values = tf.reshape(rows, [-1, STEPS, 1])
    loss = tf.reduce_mean(tf.square(values - y))
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program(feeds, values, loss)


@program
def wrapped_projection():
    """OutputProjectionWrapper around a GRU."""
    x, y, feeds = _series(1, 1, per_step=True)
    cell = tf.contrib.rnn.OutputProjectionWrapper(rnn.GRUCell(6), output_size=1)
    values, _ = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(values - y))
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program(feeds, values, loss)


@program
def several_ahead():
    """Three numbers ahead behind a ReLU layer; a Huber loss."""
    x, y, feeds = _series(4, 3)
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), x, dtype=tf.float32)
    hidden = tf.contrib.layers.fully_connected(outputs[:, -1, :], 5)
    values = tf.contrib.layers.fully_connected(hidden, 3, activation_fn=None)
    loss = v1.losses.huber_loss(y, values)
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program(feeds, values, loss)


@program
def weights_kept_small():
    """Squared errors and L2 losses of everything that is no bias."""
    x, y, feeds = _series(3)
    stack = rnn.MultiRNNCell([rnn.DropoutWrapper(rnn.LSTMCell(6), output_keep_prob=1.0) for _ in range(2)])
    outputs, _ = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    last = tf.gather(tf.transpose(outputs, [1, 0, 2]), STEPS - 1)
    w = tf.Variable(v1.truncated_normal([6, 1]), name="w")
    b = tf.Variable(tf.constant(0.1, shape=[1]), name="b")
    values = tf.matmul(last, w) + b
    kept = [tf.nn.l2_loss(one) for one in v1.trainable_variables() if "bias" not in one.name]
    loss = tf.reduce_mean(tf.square(values - y)) + 0.003 * tf.add_n(kept)
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program(feeds, values, loss)


@program
def squeezed():
    """A vector of numbers; Momentum with clipped gradients."""
    x = v1.placeholder(tf.float32, [None, STEPS, 2])
    y = v1.placeholder(tf.float32, [None])
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(5), x, dtype=tf.float32)
    values = tf.squeeze(v1.layers.dense(outputs[:, -1], 1), 1)
    loss = tf.reduce_mean(tf.square(values - y))
    optimizer = v1.train.MomentumOptimizer(0.01, 0.9, use_nesterov=True)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    optimizer.apply_gradients(zip(gradients, variables))
    return Program({x: floats(4, STEPS, 2), y: floats(4)}, values, loss)


@program
def steps_first_with_front():
    """[steps, batch, width], a linear layer in front of unrolled steps, absolute errors."""
    x = v1.placeholder(tf.float32, [STEPS, None, 2], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    w = tf.Variable(v1.random_normal([2, 6]), name="in_w")
    b = tf.Variable(tf.zeros([6]), name="in_b")
    inside = tf.reshape(tf.matmul(tf.reshape(x, [-1, 2]), w) + b, [STEPS, -1, 6])
    outputs, _ = v1.nn.static_rnn(rnn.BasicLSTMCell(6), tf.unstack(inside, axis=0), dtype=tf.float32)
    values = v1.layers.dense(outputs[-1], 1, name="out")
    loss = tf.reduce_mean(tf.abs(values - y))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program({x: floats(STEPS, 4, 2), y: floats(4, 1)}, values, loss)


@program
def a_scope_for_each_layer():
    """Two calls of dynamic_rnn, the second over the outputs of the first."""
    x, y, feeds = _series(3)
    hidden = x
    for number in (1, 2):
        with v1.variable_scope(f"lstm{number}"):
            hidden, _ = v1.nn.dynamic_rnn(rnn.BasicLSTMCell(5), hidden, dtype=tf.float32)
    values = v1.layers.dense(hidden[:, -1], 1)
    loss = v1.losses.mean_squared_error(y, values)
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program(feeds, values, loss)


@program
def hidden_sigmoid():
    """A layer with a sigmoid in between; absolute errors, Adadelta."""
    x, y, feeds = _series(3)
    _, state = v1.nn.dynamic_rnn(rnn.LSTMCell(5, forget_bias=0.5), x, dtype=tf.float32)
    hidden = v1.layers.dense(state.h, 4, activation=tf.sigmoid)
    values = v1.layers.dense(hidden, 1)
    loss = v1.losses.absolute_difference(y, values)
    v1.train.AdadeltaOptimizer(0.1).minimize(loss)
    return Program(feeds, values, loss)


@program
def state_that_is_fed():
    """Classes at every step; the state of two layers goes in through a placeholder and comes out."""
    x = v1.placeholder(tf.float32, [3, STEPS], name="batchX")
    y = v1.placeholder(tf.int32, [3, STEPS], name="batchY")
    start = v1.placeholder(tf.float32, [2, 2, 3, 4], name="init_state")
    pairs = tuple(rnn.LSTMStateTuple(one[0], one[1]) for one in tf.unstack(start, axis=0))
    stack = rnn.MultiRNNCell([rnn.LSTMCell(4) for _ in range(2)])
    outputs, _ = v1.nn.dynamic_rnn(stack, tf.expand_dims(x, -1), initial_state=pairs)
    w, b = tf.Variable(floats(4, 2)), tf.Variable(np.zeros((1, 2), np.float32))
    logits = tf.matmul(tf.reshape(outputs, [-1, 4]), w) + b
    labels = tf.reshape(y, [-1])
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    v1.train.AdagradOptimizer(0.3).minimize(loss)
    zeros = np.zeros((2, 2, 3, 4), np.float32)
    return Program(
        {x: floats(3, STEPS), y: (floats(3, STEPS) > 0).astype(np.int32), start: zeros}, logits, loss
    )


@outside("tanh")
def bounded():
    """A tanh behind the last layer."""
    x, y, feeds = _series(3)
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(5), x, dtype=tf.float32)
    values = v1.layers.dense(outputs[:, -1], 1, activation=tf.tanh)
    loss = tf.reduce_mean(tf.square(values - y))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, values, loss)


@outside("3 layers")
def three_dense_layers():
    """Two ReLU layers in front of the last."""
    x, y, feeds = _series(3)
    outputs, _ = v1.nn.dynamic_rnn(rnn.GRUCell(5), x, dtype=tf.float32)
    hidden = v1.layers.dense(outputs[:, -1], 6, activation=tf.nn.relu)
    hidden = v1.layers.dense(hidden, 4, activation=tf.nn.relu)
    values = v1.layers.dense(hidden, 1)
    loss = tf.reduce_mean(tf.square(values - y))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, values, loss)
