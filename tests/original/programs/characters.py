"""An output at every step: characters and words that come next, tags."""

import numpy as np

from tests.original.programs import Program, floats, ids, outside, program, rnn, tf, v1

BATCH, STEPS, WORDS, UNITS = 3, 5, 9, 6


def _streams(batch=BATCH):
    x = v1.placeholder(tf.int32, [batch, STEPS], name="inputs")
    y = v1.placeholder(tf.int32, [batch, STEPS], name="targets")
    return x, y, {x: ids(WORDS, BATCH, STEPS), y: ids(WORDS, BATCH, STEPS)[:, ::-1]}


def _sparse(logits, labels):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels)


def _clipped(loss, rate, limit=5.0):
    variables = v1.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), limit)
    return v1.train.AdamOptimizer(rate).apply_gradients(zip(gradients, variables))


@program
def decoder_of_contrib():
    """legacy_seq2seq's decoder over a list of steps; loss by example; the rate is a variable."""
    x, y, feeds = _streams()
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(UNITS) for _ in range(2)], state_is_tuple=True)
    start = stack.zero_state(BATCH, tf.float32)
    with v1.variable_scope("rnnlm"):
        softmax_w = v1.get_variable("softmax_w", [UNITS, WORDS])
        softmax_b = v1.get_variable("softmax_b", [WORDS])
    table = v1.get_variable("embedding", [WORDS, UNITS])
    steps = tf.split(tf.nn.embedding_lookup(table, x), STEPS, 1)
    steps = [tf.squeeze(step, [1]) for step in steps]
    seq2seq = tf.contrib.legacy_seq2seq
    outputs, last = seq2seq.rnn_decoder(steps, start, stack, loop_function=None, scope="rnnlm")
    flat = tf.reshape(tf.concat(outputs, 1), [-1, UNITS])
    logits = tf.matmul(flat, softmax_w) + softmax_b
    tf.nn.softmax(logits)
    parts = seq2seq.sequence_loss_by_example(
        [logits], [tf.reshape(y, [-1])], [tf.ones([BATCH * STEPS])], WORDS
    )
    loss = tf.reduce_sum(parts) / BATCH / STEPS
    del last
    _clipped(loss, tf.Variable(0.0, trainable=False))
    return Program(feeds, logits, loss)


@program
def embedded_characters():
    """dynamic_rnn, outputs flattened, a variable scope for the softmax, sparse labels."""
    x, y, feeds = _streams()
    with tf.device("/cpu:0"):
        table = v1.get_variable("embedding", [WORDS, 4])
        inputs = tf.nn.embedding_lookup(table, x)
    keep = v1.placeholder(tf.float32, name="keep_prob")
    stack = rnn.MultiRNNCell(
        [rnn.DropoutWrapper(rnn.BasicLSTMCell(UNITS), output_keep_prob=keep) for _ in range(2)]
    )
    start = stack.zero_state(BATCH, tf.float32)
    outputs, _ = v1.nn.dynamic_rnn(stack, inputs, initial_state=start)
    flat = tf.reshape(tf.concat(outputs, 1), [-1, UNITS])
    with v1.variable_scope("softmax"):
        w = tf.Variable(v1.truncated_normal([UNITS, WORDS], stddev=0.1))
        b = tf.Variable(tf.zeros(WORDS))
    logits = tf.matmul(flat, w) + b
    tf.nn.softmax(logits, name="predictions")
    labels = tf.reshape(tf.one_hot(y, WORDS), logits.get_shape())
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels))
    _clipped(loss, 0.001)
    return Program({**feeds, keep: np.float32(1)}, logits, loss)


@program
def steps_in_a_python_loop():
    """The cell is called for each step in a loop of Python, with its variables used again."""
    x, y, feeds = _streams()
    table = v1.get_variable("embedding", [WORDS, UNITS])
    inputs = tf.nn.embedding_lookup(table, x)
    stack = rnn.MultiRNNCell(
        [rnn.BasicLSTMCell(UNITS, forget_bias=0.0, reuse=v1.AUTO_REUSE) for _ in range(2)]
    )
    state = stack.zero_state(BATCH, tf.float32)
    outputs = []
    with v1.variable_scope("RNN"):
        for step in range(STEPS):
            if step > 0:
                v1.get_variable_scope().reuse_variables()
            output, state = stack(inputs[:, step, :], state)
            outputs.append(output)
    flat = tf.reshape(tf.concat(outputs, 1), [-1, UNITS])
    logits = v1.nn.xw_plus_b(
        flat, v1.get_variable("softmax_w", [UNITS, WORDS]), v1.get_variable("softmax_b", [WORDS])
    )
    loss = tf.reduce_sum(_sparse(logits, tf.reshape(y, [-1]))) / BATCH
    variables = v1.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5)
    v1.train.GradientDescentOptimizer(1.0).apply_gradients(zip(gradients, variables))
    return Program(feeds, logits, loss)


@program
def sequence_loss_of_contrib():
    """One-hot letters, a plain cell, logits of three dimensions, seq2seq.sequence_loss."""
    x, y, feeds = _streams(None)
    outputs, _ = v1.nn.dynamic_rnn(rnn.BasicRNNCell(num_units=UNITS), tf.one_hot(x, WORDS), dtype=tf.float32)
    flat = tf.contrib.layers.fully_connected(tf.reshape(outputs, [-1, UNITS]), WORDS, activation_fn=None)
    logits = tf.reshape(flat, [-1, STEPS, WORDS])
    loss = tf.reduce_mean(
        tf.contrib.seq2seq.sequence_loss(logits=logits, targets=y, weights=tf.ones(tf.shape(y)))
    )
    v1.train.AdamOptimizer(0.1).minimize(loss)
    return Program(feeds, logits, loss)


@program
def one_hot_rows():
    """One-hot letters made outside of the graph; a GRU; dense at every step."""
    x = v1.placeholder(tf.float32, [None, None, WORDS])
    y = v1.placeholder(tf.int32, [None, None])
    outputs, _ = v1.nn.dynamic_rnn(rnn.GRUCell(UNITS), x, dtype=tf.float32)
    logits = v1.layers.dense(outputs, WORDS)
    loss = tf.reduce_mean(_sparse(logits, y))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    rows = np.eye(WORDS, dtype=np.float32)[ids(WORDS, BATCH, STEPS)]
    return Program({x: rows, y: ids(WORDS, BATCH, STEPS)}, logits, loss)


@program
def shared_by_the_layers():
    """One cell stands for both layers: MultiRNNCell([cell] * 2)."""
    x, y, feeds = _streams(None)
    table = v1.get_variable("embedding", [WORDS, UNITS], initializer=v1.random_uniform_initializer(-1, 1))
    stack = rnn.MultiRNNCell([rnn.BasicLSTMCell(UNITS, state_is_tuple=True)] * 2, state_is_tuple=True)
    outputs, _ = v1.nn.dynamic_rnn(stack, tf.nn.embedding_lookup(table, x), dtype=tf.float32, scope="rnn")
    output = tf.reshape(outputs, [-1, UNITS])
    weights = tf.Variable(v1.truncated_normal([UNITS, WORDS + 1]))
    bias = tf.Variable(tf.zeros(shape=[WORDS + 1]))
    logits = tf.nn.bias_add(tf.matmul(output, weights), bias=bias)
    labels = tf.one_hot(tf.reshape(y, [-1]), depth=WORDS + 1)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, logits, loss)


@program
def letters_steps_first():
    """Ids are transposed; time_major inside."""
    x, y, feeds = _streams(None)
    inputs = tf.one_hot(tf.transpose(x), WORDS)
    outputs, _ = v1.nn.dynamic_rnn(rnn.LSTMCell(UNITS), inputs, dtype=tf.float32, time_major=True)
    logits = v1.layers.dense(tf.transpose(outputs, [1, 0, 2]), WORDS)
    loss = tf.reduce_mean(_sparse(logits, y))
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, logits, loss)


@program
def tags_of_both_ways():
    """Tags of words: two directions, lengths, padding masked out of the loss."""
    x, y, feeds = _streams(None)
    lengths = v1.placeholder(tf.int32, [None], name="sequence_lengths")
    table = v1.get_variable("words", [WORDS, 4])
    (fw, bw), _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.LSTMCell(UNITS),
        rnn.LSTMCell(UNITS),
        tf.nn.embedding_lookup(table, x),
        sequence_length=lengths,
        dtype=tf.float32,
    )
    joined = tf.reshape(tf.concat([fw, bw], axis=-1), [-1, 2 * UNITS])
    w = v1.get_variable("proj/W", [2 * UNITS, WORDS])
    b = v1.get_variable("proj/b", [WORDS], initializer=v1.zeros_initializer())
    logits = tf.reshape(tf.matmul(joined, w) + b, [-1, tf.shape(fw)[1], WORDS])
    losses = tf.boolean_mask(_sparse(logits, y), tf.sequence_mask(lengths))
    loss = tf.reduce_mean(losses)
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program({**feeds, lengths: np.array([5, 2, 4], np.int32)}, logits, loss)


@program
def tags_by_dense():
    """Tags: two directions, tf.layers.dense on joined outputs, the mean of all steps."""
    x, y, feeds = _streams(None)
    table = v1.get_variable("words", [WORDS, 4])
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.GRUCell(UNITS), rnn.GRUCell(UNITS), tf.nn.embedding_lookup(table, x), dtype=tf.float32
    )
    logits = v1.layers.dense(tf.concat(outputs, 2), WORDS)
    loss = v1.losses.sparse_softmax_cross_entropy(labels=y, logits=logits)
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program(feeds, logits, loss)


@outside("attention, convolution or CRF")
def tags_by_crf():
    """A CRF over the tags."""
    x, y, feeds = _streams(None)
    lengths = v1.placeholder(tf.int32, [None])
    table = v1.get_variable("words", [WORDS, 4])
    outputs, _ = v1.nn.bidirectional_dynamic_rnn(
        rnn.LSTMCell(UNITS), rnn.LSTMCell(UNITS), tf.nn.embedding_lookup(table, x), lengths, dtype=tf.float32
    )
    logits = v1.layers.dense(tf.concat(outputs, 2), WORDS)
    likelihood, _ = tf.contrib.crf.crf_log_likelihood(logits, y, lengths)
    loss = tf.reduce_mean(-likelihood)
    v1.train.AdamOptimizer(0.01).minimize(loss)
    return Program({**feeds, lengths: np.array([5, 2, 4], np.int32)}, logits, loss)


@outside("recurrent models")
def encoder_and_decoder():
    """A decoder that begins at the state of an encoder."""
    x, y, feeds = _streams(None)
    given = v1.placeholder(tf.int32, [None, STEPS], name="decoder_inputs")
    table = v1.get_variable("embedding", [WORDS, 4])
    with v1.variable_scope("encoder"):
        _, state = v1.nn.dynamic_rnn(rnn.LSTMCell(UNITS), tf.nn.embedding_lookup(table, x), dtype=tf.float32)
    with v1.variable_scope("decoder"):
        outputs, _ = v1.nn.dynamic_rnn(
            rnn.LSTMCell(UNITS), tf.nn.embedding_lookup(table, given), initial_state=state
        )
    logits = tf.contrib.layers.linear(outputs, WORDS)
    loss = tf.reduce_mean(_sparse(logits, y))
    v1.train.AdamOptimizer().minimize(loss)
    return Program({**feeds, given: ids(WORDS, BATCH, STEPS)}, logits, loss)


@outside("no recurrent cell")
def a_cell_by_hand():
    """A plain recurrence written out, with scan."""
    x = v1.placeholder(tf.float32, [None, STEPS, 2])
    y = v1.placeholder(tf.int32, [None])
    w, u = tf.Variable(v1.random_normal([2, UNITS])), tf.Variable(v1.random_normal([UNITS, UNITS]))

    def step(state, rows):
        return tf.tanh(tf.matmul(rows, w) + tf.matmul(state, u))

    states = tf.scan(step, tf.transpose(x, [1, 0, 2]), tf.zeros([BATCH, UNITS]))
    logits = tf.matmul(states[-1], tf.Variable(v1.random_normal([UNITS, 3])))
    loss = tf.reduce_mean(_sparse(logits, y))
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Program({x: floats(BATCH, STEPS, 2), y: np.array([0, 1, 2], np.int32)}, logits, loss)
