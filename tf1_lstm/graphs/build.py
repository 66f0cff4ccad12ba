"""One placeholder graph from a recipe: inputs, embedding, recurrent layers, readout, loss, optimizer.

Source: seed 001, section 6 (word ids, last output) and seed 002, section 3 (rows of a picture,
last state), for the graphs; seeds 000, 003 and 004 for what Keras and PyTorch do otherwise. Every
random op has a seed of its own, derived from the run's seed and the op's name, so adding an op (a
summary, say) changes no number.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

from tf1_lstm.graphs.cells import Dropout, roles_of
from tf1_lstm.graphs.dropout import PlacedDropout
from tf1_lstm.graphs.initializers import (
    RECURRENT,
    embedding_initializer,
    layer_initializers,
    seeded_getter,
)
from tf1_lstm.graphs.layers import recurrence
from tf1_lstm.graphs.optimizers import Training, add_training
from tf1_lstm.graphs.quiet import tf
from tf1_lstm.graphs.seeds import op_seed
from tf1_lstm.recipes.settings import GraphSettings


class Graph(NamedTuple):
    """The placeholders and tensors of one built model.

    Attributes:
      graph: the ``tf.Graph`` that holds them all.
      inputs: placeholder, [batch, steps] int32 ids or [batch, steps, inputs] float32.
      labels: placeholder, [batch, classes] float32, one-hot.
      keep_prob: scalar float32 placeholder; the published value by default, so feed 1.0 to turn
        dropout off. Without dropout in the recipe nothing reads it.
      iteration: scalar int64 placeholder (default 0): with the seed it decides the dropout masks.
      logits: [batch, classes]; (0, z) for a sigmoid of one number z.
      probabilities: [batch, classes], softmax of the logits.
      loss: scalar, mean cross-entropy of the batch.
      accuracy: scalar, share of the batch whose largest logit is at its label.
      train_op: one step of the optimizer; None where the graph was built for inference.
      outputs: of the last layer, [batch, steps, units], after dropout; for two directions a (forward,
        backward) pair.
      states: final states, as in ``layers.Recurrence``.
      variables: role -> trainable variable, everything a checkpoint must hold for inference.
      slots: slot name (``Adam``, ``Adam_1``, ``RMSProp``) -> role -> variable.
      scalars: ``beta1_power``, ``beta2_power`` -> variable, where the optimizer has them.
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
    optimizer: str = "adam",
) -> Graph:
    """Build the graph of a recipe in a ``tf.Graph`` of its own.

    Args:
      settings: the recipe's graph settings.
      constants: name -> shape of the data set's arrays, ``{"word_vectors": (words, dimensions)}``
        where ids are looked up in them or an embedding begins at them.
      learning_rate: the optimizer's.
      seed: of every random op.
      training: add the optimizer.
      exact: dropout masks as a function of (seed, iteration); otherwise TensorFlow's own wrapper.
      batch_size: a fixed batch dimension, which lets TensorFlow leave out much work on shapes; None
        takes any.
      optimizer: one of ``recipes.settings.OPTIMIZERS``.
    """
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(op_seed(seed, "graph"))
        with tf.compat.v1.variable_scope(
            tf.compat.v1.get_variable_scope(), custom_getter=seeded_getter(settings, seed)
        ):
            parts = _forward(settings, dict(constants or {}), seed, exact, batch_size)
        # The fused cross-entropy does not repeat on a GPU; without one this changes nothing.
        with tf.device("/cpu:0" if exact else None):
            loss = _loss(settings, parts["logits"], parts["labels"])
            correct = tf.equal(tf.argmax(parts["logits"], 1), tf.argmax(parts["labels"], 1))
            accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
        added = Training(None, {}, {})
        if training:
            added = add_training(
                optimizer,
                learning_rate,
                loss,
                parts["variables"],
                double_bias=settings.double_bias,
                exact=exact,
            )
        initializer = tf.group(
            tf.compat.v1.global_variables_initializer(), tf.compat.v1.local_variables_initializer()
        )
        return Graph(
            graph=graph,
            probabilities=tf.nn.softmax(parts["logits"]),
            loss=loss,
            accuracy=accuracy,
            initializer=initializer,
            **added._asdict(),
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
        tf.constant(settings.training_keep_prob, tf.float32), [], name="keep_prob"
    )
    iteration = tf.compat.v1.placeholder_with_default(tf.constant(0, tf.int64), [], name="iteration")
    read = _inputs(settings, constants, seed, batch_size)
    in_loop = None
    if settings.output_keep_prob < 1:
        in_loop = Dropout(keep_prob, iteration, seed=seed, exact=exact, steps=settings.steps)
    placed = PlacedDropout(keep_prob, iteration, seed=seed, exact=exact, places=settings.places)
    found = recurrence(settings, placed(read.sequence, "embedding"), in_loop, placed)
    last = placed(found.last, "states")
    dense: Dict[str, Any] = {}
    if settings.dense_units:
        last, dense = _layer(settings, "dense", last, settings.dense_units, seed)
        last = tf.nn.relu(placed(last, "dense"))
    logits, softmax = _layer(settings, "softmax", last, settings.outputs, seed)  # [batch, outputs]
    if settings.output == "sigmoid":
        logits = tf.concat([tf.zeros_like(logits), logits], axis=1)  # [batch, 2]
    recurrent = roles_of(settings, tf.compat.v1.trainable_variables())
    return {
        "inputs": read.placeholder,
        "labels": labels,
        "keep_prob": keep_prob,
        "iteration": iteration,
        "logits": logits,
        "outputs": found.outputs,
        "states": found.states,
        "variables": {**read.trained, **recurrent, **dense, **softmax},
        "constants": read.frozen,
        "constant_feeds": read.feeds,
    }


class _Inputs(NamedTuple):
    """What the recurrent layers read, and what it is looked up in.

    Attributes:
      placeholder: of the inputs.
      sequence: [batch, steps, inputs].
      trained: the role of a trained embedding -> its variable.
      frozen: name -> variable that is not trained.
      feeds: name -> placeholder of the value that initialises a variable.
    """

    placeholder: Any
    sequence: Any
    trained: Dict[str, Any]
    frozen: Dict[str, Any]
    feeds: Dict[str, Any]


def _inputs(
    settings: GraphSettings, constants: Dict[str, Tuple[int, ...]], seed: int, batch_size: Optional[int]
) -> _Inputs:
    steps = None if settings.any_steps else settings.steps
    if settings.inputs == "rows":
        rows = tf.compat.v1.placeholder(tf.float32, [batch_size, steps, settings.input_size], name="inputs")
        return _Inputs(rows, rows, {}, {}, {})
    ids = tf.compat.v1.placeholder(tf.int32, [batch_size, steps], name="inputs")
    if settings.embedding == "trained":
        shape = [settings.vocabulary, settings.input_size]
        embedding = _variable("embedding", shape, embedding_initializer(seed))
        return _Inputs(ids, tf.nn.embedding_lookup(embedding, ids), {"embedding": embedding}, {}, {})
    feed = tf.compat.v1.placeholder(tf.float32, constants["word_vectors"], name="word_vectors_value")
    feeds = {"word_vectors": feed}
    if settings.embedding == "word-vectors-trained":
        embedding = tf.compat.v1.Variable(feed, name="embedding")
        return _Inputs(ids, tf.nn.embedding_lookup(embedding, ids), {"embedding": embedding}, {}, feeds)
    vectors = tf.compat.v1.Variable(
        feed,
        name="word_vectors",
        trainable=False,
        collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES],
    )
    return _Inputs(ids, tf.nn.embedding_lookup(vectors, ids), {}, {"word_vectors": vectors}, feeds)


def _layer(
    settings: GraphSettings, scope: str, inputs: Any, width: int, seed: int
) -> Tuple[Any, Dict[str, Any]]:
    """A layer ``[batch, n]`` to ``[batch, width]`` without activation; returns it and its roles."""
    names = ("softmax/weights" if scope == "softmax" else "dense/kernel", f"{scope}/bias")
    size = inputs.shape[1].value
    first = layer_initializers(settings, names, size, seed)
    kernel = _variable(names[0], [size, width], first[0])
    bias = _variable(names[1], [width], first[1])
    return tf.matmul(inputs, kernel) + bias, dict(zip(names, (kernel, bias)))


def _loss(settings: GraphSettings, logits: Any, labels: Any) -> Any:
    """Mean cross-entropy of softmax or sigmoid, a scalar."""
    labels = tf.stop_gradient(labels)
    if settings.output == "sigmoid":
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(logits=logits[:, 1], labels=labels[:, 1])
        )
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=labels))


def _variable(name: str, shape: Any, initializer: Any) -> Any:
    return tf.compat.v1.get_variable(name, shape, tf.float32, initializer)


def op_seeds(settings: GraphSettings, graph: Graph, seed: int) -> Dict[str, int]:
    """Every seed that ``build`` gave to an op, by name, for the run's record."""
    names = ["graph", *(variable.op.name for variable in graph.variables.values())]
    drawn = [name for name in names if settings.initializers == "pytorch" or not name.endswith("bias")]
    if settings.initializers == "keras":
        drawn += [name + RECURRENT for name in names if name.endswith("cell/kernel")]
    return {name: op_seed(seed, name) for name in drawn}
