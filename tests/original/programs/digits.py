"""Pictures row by row, and other short series of numbers, to classes."""

import numpy as np

from tests.original.programs import Program, floats, one_hot, outside, program, rnn, tf, v1

STEPS, WIDTH, CLASSES = 6, 5, 4


def _pictures():
    x = v1.placeholder(tf.float32, [None, STEPS, WIDTH], name="x")
    y = v1.placeholder(tf.float32, [None, CLASSES], name="y")
    return x, y, {x: floats(3, STEPS, WIDTH), y: one_hot(3, CLASSES)}


def _cross_entropy(logits, y):
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))


def _variables(units):
    weight = tf.Variable(v1.random_normal([units, CLASSES]))
    return weight, tf.Variable(v1.random_normal([CLASSES]))


@program
def unstacked_rows():
    """static_rnn over unstacked rows; weights in dictionaries."""
    x, y, feeds = _pictures()
    weights, biases = {}, {}
    weights["out"], biases["out"] = _variables(8)
    outputs, _ = v1.nn.static_rnn(
        rnn.BasicLSTMCell(8, forget_bias=1.0), tf.unstack(x, STEPS, 1), dtype=tf.float32
    )
    logits = tf.matmul(outputs[-1], weights["out"]) + biases["out"]
    loss = _cross_entropy(logits, y)
    tf.nn.softmax(logits)
    v1.train.GradientDescentOptimizer(0.001).minimize(loss)
    return Program(feeds, logits, loss)


@program
def flat_pixels():
    """Whole pictures in a row of pixels, split by hand as before TensorFlow 1.0."""
    x = v1.placeholder(tf.float32, [None, STEPS * WIDTH])
    y = v1.placeholder(tf.float32, [None, CLASSES])
    rows = tf.transpose(tf.reshape(x, [-1, STEPS, WIDTH]), [1, 0, 2])
    rows = tf.split(tf.reshape(rows, [-1, WIDTH]), STEPS, 0)
    outputs, _ = v1.nn.static_rnn(rnn.BasicLSTMCell(7), rows, dtype=tf.float32)
    w, b = _variables(7)
    logits = tf.nn.bias_add(tf.matmul(outputs[-1], w), b)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer(0.003).minimize(loss)
    return Program({x: floats(3, STEPS * WIDTH), y: one_hot(3, CLASSES)}, logits, loss)


@program
def layer_in_front():
    """A linear layer in front, a state of zeros for a fixed batch, the last state read."""
    x = v1.placeholder(tf.float32, [4, STEPS, WIDTH])
    y = v1.placeholder(tf.float32, [4, CLASSES])
    weights = {
        "in": tf.Variable(v1.random_normal([WIDTH, 9])),
        "out": tf.Variable(v1.random_normal([9, CLASSES])),
    }
    biases = {
        "in": tf.Variable(tf.constant(0.1, shape=[9])),
        "out": tf.Variable(tf.constant(0.1, shape=[CLASSES])),
    }
    inside = tf.matmul(tf.reshape(x, [-1, WIDTH]), weights["in"]) + biases["in"]
    cell = rnn.BasicLSTMCell(9, forget_bias=1.0, state_is_tuple=True)
    start = cell.zero_state(4, dtype=tf.float32)
    _, last = v1.nn.dynamic_rnn(
        cell, tf.reshape(inside, [-1, STEPS, 9]), initial_state=start, time_major=False
    )
    logits = tf.matmul(last[1], weights["out"]) + biases["out"]
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer(0.001).minimize(loss)
    return Program({x: floats(4, STEPS, WIDTH), y: one_hot(4, CLASSES)}, logits, loss)


@program
def outputs_unstacked():
    """dynamic_rnn, its outputs transposed and unstacked, the last one read; a scope around it all."""
    with v1.variable_scope("classifier"):
        x, y, feeds = _pictures()
        outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), x, dtype=tf.float32)
        w = v1.get_variable("w", [6, CLASSES], initializer=v1.truncated_normal_initializer(stddev=0.1))
        b = v1.get_variable("b", [CLASSES], initializer=v1.zeros_initializer())
        logits = tf.matmul(tf.unstack(tf.transpose(outputs, [1, 0, 2]))[-1], w) + b
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def two_layers_dropped():
    """Two layers with dropout at both ends, shares fed; the state of the upper one read."""
    x, y, feeds = _pictures()
    keep = v1.placeholder(tf.float32, name="keep_prob")

    def layer():
        return rnn.DropoutWrapper(rnn.LSTMCell(5), input_keep_prob=keep, output_keep_prob=keep)

    stack = rnn.MultiRNNCell([layer() for _ in range(2)], state_is_tuple=True)
    _, states = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    w, b = _variables(5)
    logits = tf.add(tf.matmul(states[-1].h, w), b)
    loss = _cross_entropy(logits, y)
    v1.train.RMSPropOptimizer(0.002, decay=0.95).minimize(loss)
    return Program({**feeds, keep: np.float32(1)}, logits, loss)


@program
def gated_units():
    """A GRU, tf.layers.dense on its last state, labels as numbers."""
    x = v1.placeholder(tf.float32, [None, STEPS, WIDTH])
    y = v1.placeholder(tf.int32, [None])
    _, state = v1.nn.dynamic_rnn(rnn.GRUCell(num_units=7), x, dtype=tf.float32)
    logits = v1.layers.dense(state, CLASSES)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    right = tf.nn.in_top_k(logits, y, 1)
    tf.reduce_mean(tf.cast(right, tf.float32))
    v1.train.AdamOptimizer(learning_rate=0.001).minimize(loss)
    return Program({x: floats(3, STEPS, WIDTH), y: np.array([0, 3, 1], np.int32)}, logits, loss)


@program
def plain_cells():
    """A plain cell, tf.contrib's fully connected layer, Momentum."""
    x = v1.placeholder(tf.float32, [None, STEPS, WIDTH])
    y = v1.placeholder(tf.int32, [None])
    _, state = v1.nn.dynamic_rnn(rnn.BasicRNNCell(7), x, dtype=tf.float32)
    logits = tf.contrib.layers.fully_connected(state, CLASSES, activation_fn=None)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    v1.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
    return Program({x: floats(3, STEPS, WIDTH), y: np.array([0, 3, 1], np.int32)}, logits, loss)


@program
def upper_state_of_three():
    """Three layers of LSTM, the hidden state of the upper one read."""
    x, _, feeds = _pictures()
    feeds.popitem()
    y = v1.placeholder(tf.int32, [None], name="labels")
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(num_units=6) for _ in range(3)])
    _, states = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    logits = v1.layers.dense(states[-1][1], CLASSES, name="softmax")
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name="loss"
    )
    v1.train.AdamOptimizer().minimize(loss)
    return Program({**feeds, y: np.array([0, 3, 1], np.int32)}, logits, loss)


@outside("layers")
def states_of_all_layers():
    """The states of all three layers side by side."""
    x, y, feeds = _pictures()
    stack = rnn.MultiRNNCell([rnn.BasicRNNCell(6, activation=tf.nn.relu) for _ in range(3)])
    _, states = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    logits = v1.layers.dense(tf.concat(states, 1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def both_ways():
    """Two directions, unrolled; the last of the joined outputs read."""
    x, y, feeds = _pictures()
    forward, backward = rnn.BasicLSTMCell(6, forget_bias=1.0), rnn.BasicLSTMCell(6, forget_bias=1.0)
    outputs, _, _ = v1.nn.static_bidirectional_rnn(
        forward, backward, tf.unstack(x, STEPS, 1), dtype=tf.float32
    )
    w, b = _variables(12)
    logits = tf.matmul(outputs[-1], w) + b
    loss = _cross_entropy(logits, y)
    v1.train.GradientDescentOptimizer(0.001).minimize(loss)
    return Program(feeds, logits, loss)


@program
def peepholes():
    """Peepholes, an initializer, Adagrad."""
    x, y, feeds = _pictures()
    cell = rnn.LSTMCell(6, use_peepholes=True, initializer=v1.random_uniform_initializer(-0.5, 0.5))
    outputs, _ = v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1, :], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdagradOptimizer(0.05).minimize(loss)
    return Program(feeds, logits, loss)


@program
def hidden_tanh():
    """A layer with tanh behind the cell; the cross-entropy written out."""
    x, y, feeds = _pictures()
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicLSTMCell(6), x, dtype=tf.float32)
    hidden = v1.layers.dense(outputs[:, -1], 5, activation=tf.nn.tanh)
    logits = v1.layers.dense(hidden, CLASSES)
    probabilities = tf.nn.softmax(logits)
    loss = -tf.reduce_mean(tf.reduce_sum(y * v1.log(probabilities), 1))
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def steps_first():
    """Batches of [steps, batch, width], time_major."""
    x = v1.placeholder(tf.float32, [STEPS, None, WIDTH])
    y = v1.placeholder(tf.float32, [None, CLASSES])
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicLSTMCell(6), x, dtype=tf.float32, time_major=True)
    w, b = _variables(6)
    logits = tf.matmul(outputs[-1], w) + b
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program({x: floats(STEPS, 3, WIDTH), y: one_hot(3, CLASSES)}, logits, loss)


@outside("normalisation")
def normalised():
    """Batch normalisation between the cell and the last layer."""
    x, y, feeds = _pictures()
    training = v1.placeholder_with_default(False, [])
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicLSTMCell(6), x, dtype=tf.float32)
    inner = v1.layers.batch_normalization(outputs[:, -1], training=training)
    logits = v1.layers.dense(inner, CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def fused_cells():
    """LSTMBlockCell, one operation a step, in a loop."""
    x, y, feeds = _pictures()
    outputs, _ = v1.nn.dynamic_rnn(tf.contrib.rnn.LSTMBlockCell(6), x, dtype=tf.float32)
    w, b = _variables(6)
    logits = tf.matmul(outputs[:, -1], w) + b
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@outside("Conv2D")
def convolved():
    """A convolution in front."""
    x, y, feeds = _pictures()
    maps = v1.layers.conv2d(tf.expand_dims(x, -1), 2, 3, padding="same", activation=tf.nn.relu)
    rows = tf.reshape(maps, [-1, STEPS, 2 * WIDTH])
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicLSTMCell(6), rows, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@outside("Keras")
def keras_layers():
    """tf.keras layers in a TensorFlow 1 graph."""
    x, y, feeds = _pictures()
    last = tf.keras.layers.LSTM(6)(x)
    logits = tf.keras.layers.Dense(CLASSES)(last)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@outside("projection")
def projected_states():
    """LSTMCell with a projection of its own."""
    x, y, feeds = _pictures()
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6, num_proj=3), x, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@outside("layer_norm_basic_lstm_cell")
def normalised_cells():
    """Layer normalisation in the cell."""
    x, y, feeds = _pictures()
    outputs, _ = v1.nn.dynamic_rnn(tf.contrib.rnn.LayerNormBasicLSTMCell(6), x, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def layers_of_two_widths():
    """A layer of 8 units below one of 4."""
    x, y, feeds = _pictures()
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(units) for units in (8, 4)])
    outputs, _ = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def two_loops_of_two_widths():
    """A loop of 8 units, and a second one of 5 in a scope of its own that reads its outputs."""
    x, y, feeds = _pictures()
    with v1.variable_scope("lstm1"):
        below, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(8), x, dtype=tf.float32)
    with v1.variable_scope("lstm2"):
        outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(5), below, dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def joined_layers_of_three_widths():
    """Both directions, joined below each layer: 7, 5 and 3 units."""
    x, y, feeds = _pictures()
    cells = [[rnn.GRUCell(units) for units in (7, 5, 3)] for _ in "fb"]
    outputs, *_ = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(*cells, x, dtype=tf.float32)
    logits = v1.layers.dense(tf.reduce_mean(outputs, 1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def stacks_of_two_widths():
    """A stack of 6 and 4 units in each direction; the last states joined."""
    x, y, feeds = _pictures()
    stacks = [rnn.MultiRNNCell([rnn.LSTMCell(units) for units in (6, 4)]) for _ in "fb"]
    _, (forward, backward) = v1.nn.bidirectional_dynamic_rnn(*stacks, x, dtype=tf.float32)
    logits = v1.layers.dense(tf.concat([forward[-1].h, backward[-1].h], 1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def regularised():
    """A ReLU layer in front of two unrolled layers; L2 losses of all variables; a decaying rate."""
    x, y, feeds = _pictures()
    rows = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, WIDTH])
    rows = tf.nn.relu(
        tf.matmul(rows, tf.Variable(v1.random_normal([WIDTH, 8])))
        + tf.Variable(v1.random_normal([8], mean=1.0))
    )
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(8, forget_bias=1.0) for _ in range(2)])
    outputs, _ = v1.nn.static_rnn(stack, tf.split(rows, STEPS, 0), dtype=tf.float32)
    w, b = tf.Variable(v1.random_normal([8, CLASSES])), tf.Variable(v1.random_normal([CLASSES]))
    logits = tf.matmul(outputs[-1], w) + b
    l2 = 0.0015 * sum(tf.nn.l2_loss(one) for one in v1.trainable_variables())
    loss = _cross_entropy(logits, y) + l2
    step = tf.Variable(0, trainable=False)
    v1.train.AdamOptimizer(v1.train.exponential_decay(0.01, step, 10, 0.9)).minimize(loss, global_step=step)
    return Program(feeds, logits, loss)
