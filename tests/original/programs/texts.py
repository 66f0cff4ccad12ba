"""Texts as ids to classes."""

import numpy as np

from tests.original.programs import Program, floats, ids, one_hot, outside, program, rnn, tf, v1

STEPS, WORDS, CLASSES = 7, 13, 2


def _texts(batch=None):
    x = v1.placeholder(tf.int32, [batch, STEPS], name="input_x")
    y = v1.placeholder(tf.float32, [batch, CLASSES], name="input_y")
    return x, y, {x: ids(WORDS, 4, STEPS), y: one_hot(4, CLASSES)}


def _embedded(x, width=5):
    table = v1.get_variable("embedding", [WORDS, width])
    return tf.nn.embedding_lookup(table, x)


def _cross_entropy(logits, y):
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))


@program
def frozen_vectors():
    """Word vectors as a constant of the graph, a variable that nobody reads."""
    return _with_frozen_vectors(1.0)


@program
def frozen_vectors_dropped():
    """The same with dropout that is on whatever is fed, as in the tutorial."""
    return _with_frozen_vectors(0.75)


def _with_frozen_vectors(keep):
    x, y, feeds = _texts(4)
    tf.Variable(tf.zeros([4, STEPS, 5]), dtype=tf.float32)
    data = tf.nn.embedding_lookup(floats(WORDS, 5), x)
    cell = tf.contrib.rnn.DropoutWrapper(cell=tf.contrib.rnn.BasicLSTMCell(6), output_keep_prob=keep)
    value, _ = v1.nn.dynamic_rnn(cell, data, dtype=tf.float32)
    weight = tf.Variable(v1.truncated_normal([6, CLASSES]))
    bias = tf.Variable(tf.constant(0.1, shape=[CLASSES]))
    value = tf.transpose(value, [1, 0, 2])
    last = tf.gather(value, int(value.get_shape()[0]) - 1)
    logits = tf.matmul(last, weight) + bias
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def lengths_fed():
    """Lengths are fed; the output of each text's last word is picked."""
    x, y, feeds = _texts()
    lengths = v1.placeholder(tf.int32, [None], name="lengths")
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), _embedded(x), sequence_length=lengths, dtype=tf.float32)
    places = tf.stack([tf.range(tf.shape(x)[0]), lengths - 1], axis=1)
    logits = v1.layers.dense(tf.gather_nd(outputs, places), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program({**feeds, lengths: np.array([7, 2, 5, 1], np.int32)}, logits, loss)


@program
def last_of_the_flat_outputs():
    """Unrolled with lengths; stacked, transposed, flattened, and the last step gathered by its index."""
    x = v1.placeholder(tf.float32, [None, STEPS, 1])
    y = v1.placeholder(tf.float32, [None, CLASSES])
    lengths = v1.placeholder(tf.int32, [None])
    outputs, _ = v1.nn.static_rnn(
        rnn.BasicLSTMCell(6), tf.unstack(x, STEPS, 1), dtype=tf.float32, sequence_length=lengths
    )
    outputs = tf.transpose(tf.stack(outputs), [1, 0, 2])
    index = tf.range(0, tf.shape(outputs)[0]) * STEPS + (lengths - 1)
    outputs = tf.gather(tf.reshape(outputs, [-1, 6]), index)
    w, b = tf.Variable(v1.random_normal([6, CLASSES])), tf.Variable(v1.random_normal([CLASSES]))
    logits = tf.matmul(outputs, w) + b
    loss = _cross_entropy(logits, y)
    v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    fed = {x: floats(4, STEPS, 1), y: one_hot(4, CLASSES), lengths: np.array([7, 2, 5, 1], np.int32)}
    return Program(fed, logits, loss)


@program
def lengths_of_the_ids():
    """Lengths are counted in the graph from ids above zero; the final state is read."""
    x, y, feeds = _texts()
    feeds[x][1, 4:] = 0
    lengths = tf.reduce_sum(tf.sign(x), 1)
    _, state = v1.nn.dynamic_rnn(rnn.GRUCell(6), _embedded(x), sequence_length=lengths, dtype=tf.float32)
    logits = v1.layers.dense(state, CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def both_ways_last_output():
    """Two directions, outputs joined, the last step read."""
    x, y, feeds = _texts()
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.BasicLSTMCell(5), rnn.BasicLSTMCell(5), _embedded(x), dtype=tf.float32
    )
    joined = tf.concat(outputs, 2)
    w = v1.get_variable("W", [10, CLASSES], initializer=tf.contrib.layers.xavier_initializer())
    b = tf.Variable(tf.constant(0.1, shape=[CLASSES]), name="b")
    logits = v1.nn.xw_plus_b(joined[:, -1, :], w, b, name="scores")
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def both_ways_mean():
    """Two directions, the mean over the steps of joined outputs."""
    x, y, feeds = _texts()
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.GRUCell(5), rnn.GRUCell(5), _embedded(x), dtype=tf.float32
    )
    logits = v1.layers.dense(tf.reduce_mean(tf.concat(outputs, axis=2), axis=1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def both_ways_largest():
    """Two directions, the largest of the steps, a ReLU layer."""
    x, y, feeds = _texts()
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.LSTMCell(5), rnn.LSTMCell(5), _embedded(x), dtype=tf.float32
    )
    hidden = v1.layers.dense(tf.reduce_max(tf.concat(outputs, -1), axis=1), 6, activation=tf.nn.relu)
    logits = v1.layers.dense(hidden, CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def both_ways_states():
    """Two directions with lengths, hidden states joined, dropout behind them."""
    x, y, feeds = _texts()
    lengths = v1.placeholder(tf.int32, [None], name="sequence_lengths")
    keep = v1.placeholder(tf.float32, [], name="dropout_keep_prob")
    _, (fw, bw) = v1.nn.bidirectional_dynamic_rnn(
        rnn.LSTMCell(5), rnn.LSTMCell(5), _embedded(x), sequence_length=lengths, dtype=tf.float32
    )
    read = tf.nn.dropout(tf.concat([fw.h, bw.h], axis=-1), rate=1 - keep)
    logits = v1.layers.dense(read, CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    more = {lengths: np.array([7, 2, 5, 1], np.int32), keep: np.float32(1)}
    return Program({**feeds, **more}, logits, loss)


@program
def joined_layers():
    """Two layers of two directions, the second over both directions of the first."""
    x, y, feeds = _texts()
    stacks = [[rnn.LSTMCell(4) for _ in range(2)] for _ in range(2)]
    outputs, _, _ = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(*stacks, _embedded(x), dtype=tf.float32)
    logits = v1.layers.dense(outputs[:, -1], CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def one_number():
    """One sigmoid and squared errors of it; a state of zeros, shares fed, gradients unclipped."""
    x = v1.placeholder(tf.int32, [None, None], name="inputs")
    y = v1.placeholder(tf.int32, [None, None], name="labels")
    keep = v1.placeholder(tf.float32, name="keep_prob")

    def layer():
        return tf.contrib.rnn.DropoutWrapper(tf.contrib.rnn.BasicLSTMCell(6), output_keep_prob=keep)

    stack = rnn.MultiRNNCell([layer() for _ in range(2)])
    start = stack.zero_state(4, tf.float32)
    table = tf.Variable(v1.random_uniform((WORDS, 5), -1, 1))
    outputs, _ = v1.nn.dynamic_rnn(stack, tf.nn.embedding_lookup(table, x), initial_state=start)
    predictions = tf.contrib.layers.fully_connected(outputs[:, -1], 1, activation_fn=tf.sigmoid)
    loss = v1.losses.mean_squared_error(y, predictions)
    v1.train.AdamOptimizer(0.001).minimize(loss)
    fed = {x: ids(WORDS, 4, STEPS), y: np.array([[0], [1], [1], [0]], np.int32), keep: np.float32(1)}
    return Program(fed, predictions, loss)


@program
def two_dense_layers():
    """Two layers of GRU with dropout, a dense layer, dropout, ReLU, the last layer; name scopes."""
    x, y, feeds = _texts()
    keep = v1.placeholder(tf.float32, name="keep_prob")
    with tf.device("/cpu:0"):
        embedded = _embedded(x)
    with tf.name_scope("rnn"):
        cells = [rnn.DropoutWrapper(rnn.GRUCell(6), output_keep_prob=keep) for _ in range(2)]
        outputs, _ = v1.nn.dynamic_rnn(rnn.MultiRNNCell(cells), inputs=embedded, dtype=tf.float32)
    with tf.name_scope("score"):
        hidden = v1.layers.dense(outputs[:, -1, :], 6, name="fc1")
        hidden = tf.nn.relu(tf.contrib.layers.dropout(hidden, keep))
        logits = v1.layers.dense(hidden, CLASSES, name="fc2")
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer(1e-3).minimize(loss)
    return Program({**feeds, keep: np.float32(1)}, logits, loss)


@program
def vectors_that_were_fed():
    """An embedding that is not trained and was once assigned from a placeholder."""
    x, y, feeds = _texts()
    table = tf.Variable(tf.constant(0.0, shape=[WORDS, 5]), trainable=False, name="W")
    given = v1.placeholder(tf.float32, [WORDS, 5])
    table.assign(given)
    _, state = v1.nn.dynamic_rnn(rnn.LSTMCell(6), tf.nn.embedding_lookup(table, x), dtype=tf.float32)
    w, b = tf.Variable(v1.random_normal([6, CLASSES])), tf.Variable(v1.random_normal([CLASSES]))
    logits = tf.matmul(state.h, w) + b
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def regularised_by_contrib():
    """tf.contrib's regularizer on the last layer, added to the loss from its collection."""
    x, y, feeds = _texts()
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), _embedded(x), dtype=tf.float32)
    regularizer = tf.contrib.layers.l2_regularizer(0.1)
    logits = v1.layers.dense(outputs[:, -1], CLASSES, kernel_regularizer=regularizer)
    kept = v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
    loss = tf.add_n([_cross_entropy(logits, y), *kept])
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@program
def mean_of_steps():
    """The mean of the steps of one direction, as in early sentiment models."""
    x = v1.placeholder(tf.int32, [None, STEPS])
    y = v1.placeholder(tf.int64, [None])
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), _embedded(x), dtype=tf.float32)
    logits = v1.layers.dense(tf.reduce_mean(outputs, 1), 3)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=y))
    v1.train.AdamOptimizer().minimize(loss)
    return Program({x: ids(WORDS, 4, STEPS), y: np.array([0, 1, 2, 1])}, logits, loss)


@outside("perhaps of attention")
def attention_over_steps():
    """Attention: a weighted sum of the steps."""
    x, y, feeds = _texts()
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(6), _embedded(x), dtype=tf.float32)
    scores = tf.tensordot(tf.tanh(v1.layers.dense(outputs, 4)), v1.get_variable("u", [4]), 1)
    read = tf.reduce_sum(outputs * tf.expand_dims(tf.nn.softmax(scores), -1), 1)
    logits = v1.layers.dense(read, CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program(feeds, logits, loss)


@outside("2 recurrent models")
def two_texts():
    """One model reads two texts, whose states are joined."""
    x, y, feeds = _texts()
    other = v1.placeholder(tf.int32, [None, STEPS], name="other")
    table = v1.get_variable("embedding", [WORDS, 5])
    states = []
    for scope, given in (("one", x), ("two", other)):
        with v1.variable_scope(scope):
            embedded = tf.nn.embedding_lookup(table, given)
            states.append(v1.nn.dynamic_rnn(rnn.LSTMCell(6), embedded, dtype=tf.float32)[1].h)
    logits = v1.layers.dense(tf.concat(states, 1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program({**feeds, other: ids(WORDS, 4, STEPS)}, logits, loss)


@outside("ConcatV2")
def features_beside():
    """Further numbers join the last state."""
    x, y, feeds = _texts()
    more = v1.placeholder(tf.float32, [None, 3])
    _, state = v1.nn.dynamic_rnn(rnn.LSTMCell(6), _embedded(x), dtype=tf.float32)
    logits = v1.layers.dense(tf.concat([state.h, more], 1), CLASSES)
    loss = _cross_entropy(logits, y)
    v1.train.AdamOptimizer().minimize(loss)
    return Program({**feeds, more: floats(4, 3)}, logits, loss)
