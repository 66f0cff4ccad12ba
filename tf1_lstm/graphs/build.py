"""One placeholder graph from a recipe: inputs, cells, readout, softmax, loss, Adam.

Source: seed 001, section 6 (word ids, last output) and seed 002, section 3 (rows of a picture,
last state). Every random op has a seed of its own, derived from the run's seed and the op's name,
so adding an op (a summary, say) changes no number.
"""

import hashlib
import warnings
from typing import Any, Dict, NamedTuple, Optional, Tuple

from tf1_lstm.graphs.cells import Dropout, make_cell, roles_of
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.recipes.base import GraphSettings

# TensorFlow's own default for dynamic_rnn.
PARALLEL_ITERATIONS = 32


class Graph(NamedTuple):
    """The placeholders and tensors of one built model.

    Attributes:
      graph: the ``tf.Graph`` that holds them all.
      inputs: placeholder, [batch, steps] int32 ids or [batch, steps, inputs] float32.
      labels: placeholder, [batch, classes] float32, one-hot.
      keep_prob: scalar float32 placeholder; the published value by default, so feed 1.0 to turn
        dropout off. Without dropout in the recipe nothing reads it.
      iteration: scalar int64 placeholder (default 0): with the seed it decides the dropout masks.
      logits: [batch, classes].
      probabilities: [batch, classes], softmax of the logits.
      loss: scalar, mean softmax cross-entropy of the batch.
      accuracy: scalar, share of the batch whose largest logit is at its label.
      train_op: one Adam step; None where the graph was built for inference.
      outputs: [batch, steps, units], after dropout; for two directions a (forward, backward) pair.
      states: final state as ``dynamic_rnn`` returns it; a pair for two directions.
      variables: role -> trainable variable, everything a checkpoint must hold for inference.
      slots: slot name (``Adam``, ``Adam_1``) -> role -> variable.
      scalars: ``beta1_power``, ``beta2_power`` -> variable.
      constants: name -> frozen variable, fed once through ``constant_feeds`` and in no checkpoint.
      constant_feeds: name -> placeholder of the value that initialises that variable.
      initializer: runs once, with ``constant_feeds`` fed.
    """

    graph: Any
    inputs: Any
    labels: Any
    keep_prob: Any
    iteration: Any
    logits: Any
    probabilities: Any
    loss: Any
    accuracy: Any
    train_op: Optional[Any]
    outputs: Any
    states: Any
    variables: Dict[str, Any]
    slots: Dict[str, Dict[str, Any]]
    scalars: Dict[str, Any]
    constants: Dict[str, Any]
    constant_feeds: Dict[str, Any]
    initializer: Any


def build(
    settings: GraphSettings,
    constants: Optional[Dict[str, Tuple[int, ...]]] = None,
    learning_rate: float = 0.001,
    seed: int = 1,
    training: bool = True,
    exact: bool = True,
    batch_size: Optional[int] = None,
) -> Graph:
    """Build the graph of a recipe in a ``tf.Graph`` of its own.

    Args:
      settings: the recipe's graph settings.
      constants: name -> shape of the frozen arrays, ``{"word_vectors": (words, dimensions)}``
        where the inputs are ids.
      learning_rate: Adam's.
      seed: of every random op.
      training: add the optimizer.
      exact: dropout masks as a function of (seed, iteration); otherwise TensorFlow's own wrapper.
      batch_size: a fixed batch dimension, which lets TensorFlow leave out much work on shapes; None
        takes any.
    """
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(_op_seed(seed, "graph"))
        with tf.compat.v1.variable_scope(
            tf.compat.v1.get_variable_scope(), custom_getter=_seeded_getter(seed)
        ):
            parts = _forward(settings, dict(constants or {}), seed, exact, batch_size)
        # The fused cross-entropy does not repeat on a GPU; without one this changes nothing.
        with tf.device("/cpu:0" if exact else None):
            loss, accuracy = _loss(parts["logits"], parts["labels"])
        train_op, slots, scalars = None, {}, {}
        if training:
            optimizer = tf.compat.v1.train.AdamOptimizer(learning_rate)
            with warnings.catch_warnings():
                # The gradient of the last step's gather is sparse in the published graph as well.
                warnings.simplefilter("ignore")
                train_op = optimizer.minimize(loss)
            slots = {
                name: {role: optimizer.get_slot(v, internal) for role, v in parts["variables"].items()}
                for name, internal in (("Adam", "m"), ("Adam_1", "v"))
            }
            if any(slot is None for slot in slots["Adam"].values()):
                slots = {
                    name: {role: slot for role, slot in of_role.items() if slot is not None}
                    for name, of_role in slots.items()
                }
            powers = optimizer._get_beta_accumulators()
            scalars = dict(zip(("beta1_power", "beta2_power"), powers))
        initializer = tf.group(
            tf.compat.v1.global_variables_initializer(), tf.compat.v1.local_variables_initializer()
        )
        return Graph(
            graph=graph,
            probabilities=tf.nn.softmax(parts["logits"]),
            loss=loss,
            accuracy=accuracy,
            train_op=train_op,
            slots=slots,
            scalars=scalars,
            initializer=initializer,
            **parts,
        )


def _forward(
    settings: GraphSettings,
    constants: Dict[str, Tuple[int, ...]],
    seed: int,
    exact: bool,
    batch_size: Optional[int],
) -> Dict[str, Any]:
    labels = tf.compat.v1.placeholder(tf.float32, [batch_size, settings.classes], name="labels")
    keep_prob = tf.compat.v1.placeholder_with_default(
        tf.constant(settings.output_keep_prob, tf.float32), [], name="keep_prob"
    )
    iteration = tf.compat.v1.placeholder_with_default(tf.constant(0, tf.int64), [], name="iteration")
    inputs, sequence, frozen, feeds = _inputs(settings, constants, batch_size)
    dropout = None
    if settings.output_keep_prob < 1:
        dropout = Dropout(keep_prob, iteration, seed=seed, exact=exact, steps=settings.steps)
    outputs, states, last = _recurrence(settings, sequence, dropout)
    weights = _variable(
        "softmax/weights", [last.shape[1].value, settings.classes], _softmax_initializer(settings, seed)
    )
    bias = _variable("softmax/bias", [settings.classes], tf.constant_initializer(settings.softmax_bias))
    logits = tf.matmul(last, weights) + bias  # [batch, classes]
    variables = roles_of(settings, tf.compat.v1.trainable_variables())
    variables["softmax/weights"] = weights
    variables["softmax/bias"] = bias
    return {
        "inputs": inputs,
        "labels": labels,
        "keep_prob": keep_prob,
        "iteration": iteration,
        "logits": logits,
        "outputs": outputs,
        "states": states,
        "variables": variables,
        "constants": frozen,
        "constant_feeds": feeds,
    }


def _inputs(
    settings: GraphSettings, constants: Dict[str, Tuple[int, ...]], batch_size: Optional[int]
) -> Tuple[Any, Any, Any, Any]:
    """Return the input placeholder, the sequence [batch, steps, inputs], frozen variables and their feeds."""
    if settings.inputs == "rows":
        inputs = tf.compat.v1.placeholder(
            tf.float32, [batch_size, settings.steps, settings.input_size], name="inputs"
        )
        return inputs, inputs, {}, {}
    shape = constants["word_vectors"]
    inputs = tf.compat.v1.placeholder(tf.int32, [batch_size, settings.steps], name="inputs")
    feed = tf.compat.v1.placeholder(tf.float32, shape, name="word_vectors_value")
    vectors = tf.compat.v1.Variable(
        feed,
        name="word_vectors",
        trainable=False,
        collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES],
    )
    sequence = tf.nn.embedding_lookup(vectors, inputs)
    return inputs, sequence, {"word_vectors": vectors}, {"word_vectors": feed}


def _recurrence(settings: GraphSettings, sequence: Any, dropout: Optional[Dropout]) -> Tuple[Any, Any, Any]:
    """Return outputs, final states and what the softmax reads, [batch, units] or [batch, 2 * units]."""
    forward = make_cell(settings, "fw", dropout)
    if settings.bidirectional:
        outputs, states = tf.compat.v1.nn.bidirectional_dynamic_rnn(
            forward,
            make_cell(settings, "bw", dropout),
            sequence,
            dtype=tf.float32,
            parallel_iterations=PARALLEL_ITERATIONS,
        )
        hidden = [_hidden(settings, state) for state in states]
        last = hidden[1] if settings.readout == "backward-state" else tf.concat(hidden, 1)
        return outputs, states, last
    outputs, states = tf.compat.v1.nn.dynamic_rnn(
        forward, sequence, dtype=tf.float32, parallel_iterations=PARALLEL_ITERATIONS
    )
    if settings.readout == "last-state":
        return outputs, states, _hidden(settings, states)
    by_step = tf.transpose(outputs, [1, 0, 2])  # [steps, batch, units]
    return outputs, states, tf.gather(by_step, settings.steps - 1)


def _hidden(settings: GraphSettings, state: Any) -> Any:
    """h of the last layer's final state, [batch, units]."""
    if settings.layers > 1:
        state = state[-1]
    return state.h if isinstance(state, tf.nn.rnn_cell.LSTMStateTuple) else state


def _loss(logits: Any, labels: Any) -> Tuple[Any, Any]:
    cross_entropy = tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=tf.stop_gradient(labels))
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1))
    return tf.reduce_mean(cross_entropy), tf.reduce_mean(tf.cast(correct, tf.float32))


def _softmax_initializer(settings: GraphSettings, seed: int) -> Any:
    kind = {
        "truncated_normal": tf.compat.v1.truncated_normal_initializer,
        "random_normal": tf.compat.v1.random_normal_initializer,
    }[settings.softmax_initializer]
    return kind(stddev=1.0, seed=_op_seed(seed, "softmax/weights"))


def _variable(name: str, shape: Any, initializer: Any) -> Any:
    return tf.compat.v1.get_variable(name, shape, tf.float32, initializer)


def _seeded_getter(seed: int) -> Any:
    """Give every initializer that draws without a seed one of its own, from the variable's name.

    The cells name no initializer: TensorFlow's layers give them Glorot's uniform one, unseeded,
    which would take its seed from the number of ops built before.
    """

    def seeded(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        initializer = kwargs.get("initializer")
        if initializer is None:
            kwargs["initializer"] = tf.compat.v1.glorot_uniform_initializer(seed=_op_seed(seed, name))
        elif getattr(initializer, "seed", 0) is None:
            config = {**initializer.get_config(), "seed": _op_seed(seed, name)}
            kwargs["initializer"] = type(initializer).from_config(config)
        return getter(name, *args, **kwargs)

    return seeded


def _op_seed(seed: int, name: str) -> int:
    """31 bits of SHA-256 over the run's seed and the op's name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "little") >> 1


def op_seeds(settings: GraphSettings, graph: Graph, seed: int) -> Dict[str, int]:
    """Every seed that ``build`` gave to an op, by name, for the run's record."""
    names = ["graph", *(variable.op.name for variable in graph.variables.values())]
    return {name: _op_seed(seed, name) for name in names if not name.endswith("bias")}
