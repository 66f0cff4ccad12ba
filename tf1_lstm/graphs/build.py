"""One placeholder graph from an experiment: inputs, embedding, recurrent layers, head, loss, optimizer.

Sources: the IMDB tutorial (word ids, last output) and the notes on RNN and LSTM (rows of a picture, last
state) for the graphs; the documents of Keras and PyTorch for what those do otherwise. Every random op
has a seed of its own, derived from the run's seed and the op's name, so adding an op (a summary, say)
changes no number.
"""

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.core.cells import tensorflow_activation
from tf1_lstm.core.tensorflow import tf
from tf1_lstm.errors import InputError
from tf1_lstm.graphs.cells import GraphDropout, recurrent_variables
from tf1_lstm.graphs.dropout import PlacedDropout
from tf1_lstm.graphs.engine.library import EngineChoice
from tf1_lstm.graphs.engine.recurrence import FastLayers
from tf1_lstm.graphs.initializers import (
    RECURRENT,
    embedding_initializer,
    layer_initializers,
    seeded_getter,
)
from tf1_lstm.graphs.layers import Sequence, given_states, recurrence
from tf1_lstm.graphs.optimizers import TrainingOps, add_training
from tf1_lstm.graphs.seeds import op_seed
from tf1_lstm.recipes import experiment as parts
from tf1_lstm.recipes.experiment import Experiment

Shapes = Mapping[str, Tuple[int, ...]]
FRONT = ("front/kernel", "front/bias")
DENSE = ("dense/kernel", "dense/bias")
SOFTMAX = ("softmax/weights", "softmax/bias")


class Graph(NamedTuple):
    """The placeholders and tensors of one built model.

    Attributes:
      graph: the ``tf.Graph`` that holds them all.
      inputs: placeholder, [batch, steps] int32 ids or [batch, steps, inputs] float32.
      labels: placeholder: [batch, classes] float32, one-hot; of outputs at every step [batch, steps]
        int32, below 0 where a step does not count; of a regression [batch, outputs] float32.
      lengths: placeholder, [batch] int32, steps of each example that count; None where nothing reads it
        (of ids it is found in the graph: up to the last that is not 0).
      keep_prob: scalar float32 placeholder; the published value by default, so feed 1.0 to turn
        dropout off. Without dropout nothing reads it.
      iteration: scalar int64 placeholder (default 0): with the seed it decides the dropout masks.
      logits: [batch, classes], or [batch, steps, classes]; (0, z) for a sigmoid of one number z; the
        outputs of a regression.
      probabilities: softmax of the logits; the outputs of a regression.
      loss: scalar, mean cross-entropy of the batch (of every step that counts), or mean error.
      accuracy: scalar, share of the batch (of its steps that count) whose largest logit is at its label; of
        a regression the mean absolute error.
      train_op: one step of the optimizer; None where the graph was built for inference.
      outputs: of the last layer, [batch, steps, units], after dropout; for two directions a (forward,
        backward) pair.
      states: final states, as in ``layers.Recurrence``.
      initial_state: placeholders of what the layers begin with, arranged as ``states``; None unless it
        is given.
      carry: keeps the batch's last state for the next batch, without training; None unless state is
        carried.
      forget: makes the next batch begin with zeros; None unless state is carried.
      variables: canonical name -> trainable variable, everything a checkpoint must hold for inference.
      slots: slot name (``Adam``, ``Adam_1``, ``RMSProp``) -> canonical name -> variable.
      scalars: ``beta1_power``, ``beta2_power`` -> variable, where the optimizer has them.
      constants: name -> frozen variable, fed once through ``constant_feeds`` and in no checkpoint.
      constant_feeds: name -> placeholder of the value that initialises that variable.
      initializer: runs once, with ``constant_feeds`` fed.
    """

    graph: Any
    inputs: Any
    labels: Any
    lengths: Optional[Any]
    keep_prob: Any
    iteration: Any
    logits: Any
    probabilities: Any
    loss: Any
    accuracy: Any
    train_op: Optional[Any]
    outputs: Any
    states: Any
    initial_state: Optional[Any]
    carry: Optional[Any]
    forget: Optional[Any]
    variables: Dict[str, Any]
    slots: Dict[str, Dict[str, Any]]
    scalars: Dict[str, Any]
    constants: Dict[str, Any]
    constant_feeds: Dict[str, Any]
    initializer: Any


def build(
    experiment: Experiment,
    constants: Optional[Shapes] = None,
    *,
    seed: int = 1,
    training: bool = True,
    exact: bool = True,
    batch_size: Optional[int] = None,
    engine: Optional[EngineChoice] = None,
    given_state: bool = False,
) -> Graph:
    """Build the graph of an experiment in a ``tf.Graph`` of its own.

    Args:
      experiment: its model, and the optimizer where there is training.
      constants: name -> shape of the data set's arrays, ``{"word_vectors": (words, dimensions)}``
        where ids are looked up in them or an embedding begins at them.
      seed: of every random op.
      training: add the optimizer.
      exact: dropout masks as a function of (seed, iteration); otherwise TensorFlow's own wrapper.
      batch_size: a fixed batch dimension, which lets TensorFlow leave out much work on shapes; None
        takes any.
      engine: calculates the recurrent layers; None for ``dynamic_rnn``.
      given_state: the layers begin with states that are fed, not with zeros or carried ones; for
        ``dynamic_rnn``.

    Raises:
      InputError: the fast engine lacks something that the experiment has; or layers that share a cell
        read another number of inputs than they have units.
    """
    if given_state and engine is not None:
        raise InputError(
            "--engine fast: found a state that is given, expected zeros (the exact engine takes it)"
        )
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(op_seed(seed, "graph"))
        with tf.compat.v1.variable_scope(
            tf.compat.v1.get_variable_scope(), custom_getter=seeded_getter(experiment, seed)
        ):
            found = _forward(
                experiment, dict(constants or {}), seed, exact, batch_size, training, engine, given_state
            )
        # The fused cross-entropy does not repeat on a GPU; without one this changes nothing.
        with tf.device("/cpu:0" if exact else None):
            loss, accuracy = _loss(experiment, found["logits"], found["labels"])
        added = TrainingOps(None, {}, {})
        if training:
            added = add_training(experiment.optimizer, loss, found["variables"], exact=exact)
            added = _with_carry(added, found["carry"])
        initializer = tf.group(
            tf.compat.v1.global_variables_initializer(), tf.compat.v1.local_variables_initializer()
        )
        regression = experiment.head.task == "numbers"
        return Graph(
            graph=graph,
            probabilities=found["logits"] if regression else tf.nn.softmax(found["logits"]),
            loss=loss,
            accuracy=accuracy,
            initializer=initializer,
            **added._asdict(),
            **found,
        )


def _forward(
    experiment: Experiment,
    constants: Dict[str, Tuple[int, ...]],
    seed: int,
    exact: bool,
    batch_size: Optional[int],
    training: bool,
    engine: Optional[EngineChoice],
    given_state: bool,
) -> Dict[str, Any]:
    recurrent, dropout = experiment.recurrent, experiment.dropout
    labels = _labels(experiment, batch_size)
    keep_prob = tf.compat.v1.placeholder_with_default(
        tf.constant(experiment.keep_prob, tf.float32), [], name="keep_prob"
    )
    iteration = tf.compat.v1.placeholder_with_default(tf.constant(0, tf.int64), [], name="iteration")
    read = _inputs(experiment, constants, seed, batch_size)
    steps = read.placeholder.shape[1].value
    counted = _counted(experiment, read.placeholder, batch_size)
    in_loop = None
    if isinstance(dropout, parts.WrapperDropout):
        length = steps or tf.shape(read.placeholder)[1]
        in_loop = GraphDropout(keep_prob, iteration, seed=seed, exact=exact, steps=length)
    places = dropout.at if isinstance(dropout, parts.Dropout) else ()
    placed = PlacedDropout(keep_prob, iteration, seed=seed, exact=exact, places=places)
    values = placed(read.values, "embedding")
    front: Dict[str, Any] = {}
    if experiment.front is not None:
        values, front = _layer(experiment, FRONT, values, experiment.front.units, seed)
        values = tensorflow_activation(experiment.front.activation)(values)
    _check_shared(experiment, values.shape[2].value)
    given = given_states(recurrent, placed.is_used) if given_state else None
    carried = _carried_state(experiment, training) if recurrent.carried_state and not given_state else None
    looked_up = read.looked_up if values is read.values else None
    sequence = Sequence(values, steps, counted.lengths, counted.mask, looked_up)
    fast = None if engine is None else FastLayers(engine, experiment, training).recurrence
    begun = given if carried is None else tf.nest.map_structure(tf.identity, carried)
    found = recurrence(recurrent, sequence, in_loop, placed, begun, fast)
    last = placed(found.last, "states")
    dense: Dict[str, Any] = {}
    if experiment.head.dense:
        last, dense = _layer(experiment, DENSE, last, experiment.head.dense, seed)
        last = tensorflow_activation(experiment.head.dense_activation)(placed(last, "dense"))
        last = placed(last, "dense-outputs")
    logits, softmax = _layer(experiment, SOFTMAX, last, experiment.head.width, seed)
    if isinstance(experiment.head, parts.Sigmoid):
        logits = tf.concat([tf.zeros_like(logits), logits], axis=-1)  # [batch, 2]
    if experiment.head.activation != "linear":
        logits = tensorflow_activation(experiment.head.activation)(logits)
    logits = placed(logits, "outputs")
    trained = recurrent_variables(recurrent, tf.compat.v1.trainable_variables())
    return {
        "inputs": read.placeholder,
        "labels": labels,
        "lengths": counted.placeholder,
        "keep_prob": keep_prob,
        "iteration": iteration,
        "logits": logits,
        "outputs": found.outputs,
        "states": found.states,
        "initial_state": given,
        **_carry_ops(carried, found.states),
        "variables": {**read.trained, **front, **trained, **dense, **softmax},
        "constants": read.frozen,
        "constant_feeds": read.feeds,
    }


def _labels(experiment: Experiment, batch_size: Optional[int]) -> Any:
    head = experiment.head
    if head.task == "numbers":
        shape = [batch_size, None, head.columns] if experiment.per_step else [batch_size, head.columns]
        return tf.compat.v1.placeholder(tf.float32, shape, name="labels")
    if experiment.per_step:
        return tf.compat.v1.placeholder(tf.int32, [batch_size, None], name="labels")
    return tf.compat.v1.placeholder(tf.float32, [batch_size, head.columns], name="labels")


class _Inputs(NamedTuple):
    """What the recurrent layers read, and what it is looked up in.

    Attributes:
      placeholder: of the inputs.
      values: [batch, steps, inputs].
      trained: ``embedding`` -> its variable, where it is trained.
      frozen: name -> variable that is not trained.
      feeds: name -> placeholder of the value that initialises a variable.
      looked_up: the table and the ids that ``values`` are rows of, or None.
    """

    placeholder: Any
    values: Any
    trained: Dict[str, Any]
    frozen: Dict[str, Any]
    feeds: Dict[str, Any]
    looked_up: Optional[Tuple[Any, Any]] = None


def _inputs(
    experiment: Experiment, constants: Dict[str, Tuple[int, ...]], seed: int, batch_size: Optional[int]
) -> _Inputs:
    inputs = experiment.inputs
    steps = None if experiment.data.any_steps else getattr(experiment.data, "steps", None) or None
    if isinstance(inputs, parts.Rows):
        rows = tf.compat.v1.placeholder(tf.float32, [batch_size, steps, inputs.width], name="inputs")
        return _Inputs(rows, rows, {}, {}, {})
    ids = tf.compat.v1.placeholder(tf.int32, [batch_size, steps], name="inputs")
    if isinstance(inputs, parts.OneHot):
        return _Inputs(ids, tf.one_hot(ids, _words(experiment)), {}, {}, {})
    if isinstance(inputs, parts.Embedding):
        embedding = _variable("embedding", [_words(experiment), inputs.width], embedding_initializer(seed))
        return _Inputs(
            ids, tf.nn.embedding_lookup(embedding, ids), {"embedding": embedding}, {}, {}, (embedding, ids)
        )
    if "word_vectors" not in constants:
        raise InputError(
            f"setting inputs: found {type(inputs).__name__}, expected Embedding: the data have no word vectors"
        )
    feed = tf.compat.v1.placeholder(tf.float32, constants["word_vectors"], name="word_vectors_value")
    feeds = {"word_vectors": feed}
    if isinstance(inputs, parts.TrainedVectors):
        embedding = tf.compat.v1.Variable(feed, name="embedding")
        return _Inputs(
            ids, tf.nn.embedding_lookup(embedding, ids), {"embedding": embedding}, {}, feeds, (embedding, ids)
        )
    vectors = tf.compat.v1.Variable(
        feed,
        name="word_vectors",
        trainable=False,
        collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES],
    )
    return _Inputs(
        ids, tf.nn.embedding_lookup(vectors, ids), {}, {"word_vectors": vectors}, feeds, (vectors, ids)
    )


def _words(experiment: Experiment) -> int:
    if not experiment.words:
        raise InputError("setting inputs.words: found 0, expected the number of words: the data do not tell")
    return experiment.words


class _Counted(NamedTuple):
    """Which steps count: see ``layers.Sequence``; and the placeholder of lengths, if they are fed."""

    lengths: Optional[Any] = None
    mask: Optional[Any] = None
    placeholder: Optional[Any] = None


def _counted(experiment: Experiment, inputs: Any, batch_size: Optional[int]) -> _Counted:
    kind = experiment.recurrent.mask
    if kind == "mask_zero":
        return _Counted(mask=tf.cast(tf.not_equal(inputs, 0), tf.float32))
    if kind == "none":
        return _Counted()
    if isinstance(experiment.inputs, parts.Rows):
        lengths = tf.compat.v1.placeholder(tf.int32, [batch_size], name="lengths")
        return _Counted(lengths=lengths, placeholder=lengths)
    places = tf.range(1, tf.shape(inputs)[1] + 1) * tf.cast(tf.not_equal(inputs, 0), tf.int32)
    # An example without a word counts as one step, so that there is an output to read.
    return _Counted(lengths=tf.maximum(tf.reduce_max(places, axis=1), 1))


def _check_shared(experiment: Experiment, inputs: int) -> None:
    recurrent = experiment.recurrent
    if recurrent.shared_cell and inputs != recurrent.cell.units:
        raise InputError(
            f"setting recurrent.shared_cell: the first layer reads {inputs} numbers and the others "
            f"{recurrent.cell.units}, expected the same, as they share one kernel (front adds a layer)"
        )


def _carried_state(experiment: Experiment, training: bool) -> Any:
    """The state that a batch begins with: zeros at first, in variables; for evaluation of one example."""
    recurrent = experiment.recurrent
    size = experiment.schedule.batch_size if training else 1
    cells = [recurrent.cell_of(layer).tensorflow() for layer in range(recurrent.layers)]
    sizes = tuple(cell.state_size for cell in cells) if len(cells) > 1 else cells[0].state_size
    count = iter(range(1000))

    def variable(width: int) -> Any:
        zeros = tf.compat.v1.zeros_initializer()
        name = f"carried_state/{next(count)}"
        return tf.compat.v1.get_variable(name, [size, width], tf.float32, zeros, trainable=False)

    return tf.nest.map_structure(variable, sizes)


def _carry_ops(carried: Any, states: Any) -> Dict[str, Any]:
    """The ops ``carry`` and ``forget`` of a graph; see ``Graph``."""
    if carried is None:
        return {"carry": None, "forget": None}
    pairs = list(zip(tf.nest.flatten(carried), tf.nest.flatten(states)))
    return {
        "carry": [tf.compat.v1.assign(variable, final) for variable, final in pairs],
        "forget": [tf.compat.v1.assign(variable, tf.zeros_like(variable)) for variable, _ in pairs],
    }


def _with_carry(added: TrainingOps, carry: Any) -> TrainingOps:
    """Training that also keeps each batch's last state, which a checkpoint then holds."""
    if carry is None:
        return added
    # The new state is taken before the weights move, and kept after.
    finals = [tf.identity(op.op.inputs[1]) for op in carry]
    with tf.control_dependencies([added.train_op, *finals]):
        moved = [tf.compat.v1.assign(op.op.inputs[0], final) for op, final in zip(carry, finals)]
    variables = {
        v.op.name: v for v in tf.compat.v1.global_variables() if v.op.name.startswith("carried_state/")
    }
    return TrainingOps(tf.group(added.train_op, *moved), added.slots, {**added.scalars, **variables})


def _layer(
    experiment: Experiment, names: Tuple[str, str], inputs: Any, width: int, seed: int
) -> Tuple[Any, Dict[str, Any]]:
    """A layer ``[..., n]`` to ``[..., width]`` without activation; returns it and its variables."""
    size = inputs.shape[-1].value
    initial = layer_initializers(experiment, names, size, seed)
    kernel = _variable(names[0], [size, width], initial[0])
    bias = _variable(names[1], [width], initial[1])
    found = dict(zip(names, (kernel, bias)))
    if len(inputs.shape) == 2:
        return tf.matmul(inputs, kernel) + bias, found
    flat = tf.matmul(tf.reshape(inputs, [-1, size]), kernel) + bias
    return tf.reshape(flat, tf.concat([tf.shape(inputs)[:-1], [width]], axis=0)), found


def _loss(experiment: Experiment, logits: Any, labels: Any) -> Tuple[Any, Any]:
    """Mean loss and accuracy, scalars."""
    head = experiment.head
    if isinstance(head, parts.Regression):
        errors = logits - labels
        absolute = tf.reduce_mean(tf.abs(errors))
        return (tf.reduce_mean(tf.square(errors)) if head.loss == "squared" else absolute), absolute
    if experiment.per_step:
        return _per_step_loss(logits, labels)
    labels = tf.stop_gradient(labels)
    if isinstance(head, parts.Sigmoid):
        loss = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits[:, 1], labels=labels[:, 1])
    else:
        loss = tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=labels)
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1))
    return tf.reduce_mean(loss), tf.reduce_mean(tf.cast(correct, tf.float32))


def _per_step_loss(logits: Any, labels: Any) -> Tuple[Any, Any]:
    """Cross-entropy and accuracy over all steps of the batch that count."""
    counts = tf.cast(labels >= 0, tf.float32)
    total = tf.maximum(tf.reduce_sum(counts), 1.0)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=tf.maximum(labels, 0))
    correct = tf.cast(tf.equal(tf.argmax(logits, -1, output_type=tf.int32), labels), tf.float32)
    return tf.reduce_sum(loss * counts) / total, tf.reduce_sum(correct * counts) / total


def _variable(name: str, shape: Any, initializer: Any) -> Any:
    return tf.compat.v1.get_variable(name, shape, tf.float32, initializer)


def op_seeds(experiment: Experiment, graph: Graph, seed: int) -> Dict[str, int]:
    """Every seed that ``build`` gave to an op, by name, for the run's record."""
    names = ["graph", *(variable.op.name for variable in graph.variables.values())]
    initial = experiment.initial_values
    drawn = [name for name in names if isinstance(initial, parts.PyTorch) or not name.endswith("bias")]
    if isinstance(initial, parts.Keras):
        drawn += [name + RECURRENT for name in names if name.endswith("cell/kernel")]
    return {name: op_seed(seed, name) for name in drawn}
