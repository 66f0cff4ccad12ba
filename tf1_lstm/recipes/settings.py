"""The settings of a recipe: of its graph and of its schedule, and which of them go together."""

from dataclasses import dataclass
from typing import Tuple

from tf1_lstm.errors import InputError

CELLS = ("basic_rnn", "basic_lstm", "lstm_peephole", "lstm_coupled", "gru", "gru_reset_after")
READOUTS = ("last-output", "last-state", "backward-state", "both-states")
SAMPLERS = ("published", "corrected")
EMBEDDINGS = ("word-vectors", "trained", "word-vectors-trained")
INITIALIZERS = ("tensorflow1", "keras", "pytorch")
DROPOUT_PLACES = ("inputs", "embedding", "layers", "states", "dense")
OPTIMIZERS = ("adam", "pytorch-adam", "keras-rmsprop")


@dataclass(frozen=True)
class GraphSettings:
    """The placeholder graph, from inputs to loss.

    Attributes:
      inputs: ``"ids"`` (int32 word ids ``[batch, steps]``, looked up in an embedding) or ``"rows"``
        (float32 ``[batch, steps, input_size]``).
      steps: time steps of a sequence; the most of them where ``any_steps``.
      input_size: numbers per step; 0 where the data set's word vectors decide it.
      classes: how many there are to choose from.
      cell: one of ``CELLS``; ``"gru_reset_after"`` is Keras's and cuDNN's GRU, with two biases.
      units: width of each recurrent layer.
      layers: stacked recurrent layers (``MultiRNNCell`` above 1).
      bidirectional: ``bidirectional_dynamic_rnn`` in place of ``dynamic_rnn``.
      forget_bias: added to the forget gate when the cell runs; never saved.
      output_keep_prob: ``DropoutWrapper``'s, during training; 1.0 means there is no wrapper.
      readout: what the softmax reads: ``"last-output"`` (the output of the last step),
        ``"last-state"`` (h of the final state), ``"backward-state"`` (h of the backward
        direction alone) or ``"both-states"`` (h of both, joined).
      softmax_initializer: ``"truncated_normal"`` or ``"random_normal"``, standard deviation 1.
      softmax_bias: first value of the softmax bias.
      fixed_batch: the training graph takes batches of the schedule's size only; for evaluation a
        graph always takes any.
      any_steps: a batch is as long as its longest example, up to ``steps``.
      padding: the end of a sequence that is padded, and cut where it is too long: ``"front"`` as
        Keras does by default, or ``"back"``.
      embedding: of ids: ``"word-vectors"`` (the data set's, frozen), ``"trained"``
        (``vocabulary`` rows of ``input_size``) or ``"word-vectors-trained"`` (begins at the data
        set's).
      vocabulary: rows of a trained embedding; 0 where the data set's word vectors decide it.
      initializers: whose first values the weights have: ``"tensorflow1"``; ``"keras"`` (Glorot's
        uniform kernels, orthogonal recurrent ones, uniform embedding) or ``"pytorch"`` (uniform
        within one over the root of the width, biases as well).
      joined_layers: of stacked bidirectional layers each reads both directions of the one below
        (as in Keras and PyTorch), in place of a stack for each direction.
      double_bias: the recurrent bias is the sum of two that are trained alike (PyTorch's), so that it
        moves twice as far.
      keep_prob: share that every dropout named in ``dropout_at`` keeps during training.
      dropout_at: places, with commas between: ``inputs`` (of each recurrent layer, one mask for all
        steps of an example), ``embedding`` (each number looked up), ``layers`` (each output of each
        layer but the last), ``states`` (what is read of the last layer), ``dense`` (before ReLU).
      dense_units: width of a layer between states and logits, with a ReLU; 0 means there is none.
      output: ``"softmax"`` over ``classes`` logits; or ``"sigmoid"`` of one logit z, two classes. Then
        the logits are (0, z), whose softmax it is.
    """

    inputs: str
    steps: int
    input_size: int
    classes: int
    cell: str
    units: int
    readout: str
    softmax_initializer: str
    layers: int = 1
    bidirectional: bool = False
    forget_bias: float = 1.0
    output_keep_prob: float = 1.0
    softmax_bias: float = 0.1
    fixed_batch: bool = False
    any_steps: bool = False
    padding: str = "back"
    embedding: str = "word-vectors"
    vocabulary: int = 0
    initializers: str = "tensorflow1"
    joined_layers: bool = False
    double_bias: bool = False
    keep_prob: float = 1.0
    dropout_at: str = ""
    dense_units: int = 0
    output: str = "softmax"

    @property
    def places(self) -> Tuple[str, ...]:
        """Where dropout is, other than on the cells' outputs: some of ``DROPOUT_PLACES``."""
        return tuple(place.strip() for place in self.dropout_at.split(",") if place.strip())

    @property
    def training_keep_prob(self) -> float:
        """What every dropout of the graph keeps during training; 1.0 means there is none."""
        return self.keep_prob if self.places else self.output_keep_prob

    @property
    def outputs(self) -> int:
        """How many numbers the last layer gives: one for each class, or one for a sigmoid."""
        return 1 if self.output == "sigmoid" else self.classes


@dataclass(frozen=True)
class Schedule:
    """How the graph is trained.

    Attributes:
      batch_size: examples per iteration.
      iterations: training steps.
      sampler: ``"published"`` (the document's own batches and split, mistakes included) or
        ``"corrected"``.
      learning_rate: the optimizer's.
      log_every: iterations between two logged figures; epochs where ``log_batch`` is ``"epoch"``.
      log_batch: whose loss and accuracy are logged: the ``"train"`` batch just trained on, a
        ``"test"`` batch, or ``"epoch"``: the means over the batches of an epoch, as each was before
        its update and with dropout on. Those are the figures that Keras prints.
      log_first: also log the very first iteration.
      save_every: iterations between two checkpoints; 0 takes one after each epoch.
      optimizer: ``"adam"`` (TensorFlow 1's), ``"pytorch-adam"`` (epsilon 1e-8 added to the root of the
        corrected second moment) or ``"keras-rmsprop"`` (decay 0.9, epsilon 1e-7 added to the root,
        first value 0), as Keras had it from 2.0 to 2.10.
      epochs: passes through the training examples; above 0 it decides ``iterations``.
      validation: the split that is measured after each epoch, dropout off; empty for none.
      early_stopping: epochs in a row without a lower validation loss after which training stops;
        0 never stops.
      held_out: share of the training examples, the last ones, that becomes the split ``validation``.
      drop_remainder: leave out the last batch of an epoch where it is not full.
      batch_order: ``"shuffled"``, or ``"similar-length"``: each batch holds reviews of about one length.
    """

    batch_size: int
    iterations: int
    sampler: str = "published"
    learning_rate: float = 0.001
    log_every: int = 1000
    log_batch: str = "train"
    log_first: bool = False
    save_every: int = 10000
    optimizer: str = "adam"
    epochs: int = 0
    validation: str = ""
    early_stopping: int = 0
    held_out: float = 0.0
    drop_remainder: bool = False
    batch_order: str = "shuffled"


def check_settings(graph: GraphSettings, schedule: Schedule) -> None:
    """Refuse settings that no graph or schedule can have.

    Raises:
      InputError: a value that is not allowed, or two that contradict each other.
    """
    _check_choices(graph, schedule)
    _check_numbers(graph, schedule)
    _check_readout(graph)
    _check_combinations(graph, schedule)


def _check_choices(graph: GraphSettings, schedule: Schedule) -> None:
    choices = (
        ("cell", graph.cell, CELLS),
        ("readout", graph.readout, READOUTS),
        ("sampler", schedule.sampler, SAMPLERS),
        ("log_batch", schedule.log_batch, ("train", "test", "epoch")),
        ("optimizer", schedule.optimizer, OPTIMIZERS),
        ("batch_order", schedule.batch_order, ("shuffled", "similar-length")),
        ("embedding", graph.embedding, EMBEDDINGS),
        ("initializers", graph.initializers, INITIALIZERS),
        ("padding", graph.padding, ("front", "back")),
        ("output", graph.output, ("softmax", "sigmoid")),
        ("inputs", graph.inputs, ("ids", "rows")),
        ("softmax_initializer", graph.softmax_initializer, ("truncated_normal", "random_normal")),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            raise InputError(f"setting {name}: found {value!r}, expected one of {', '.join(allowed)}")


def _check_numbers(graph: GraphSettings, schedule: Schedule) -> None:
    positive = {
        "steps": graph.steps,
        "classes": graph.classes,
        "units": graph.units,
        "layers": graph.layers,
        "batch_size": schedule.batch_size,
        "iterations": schedule.iterations,
        "log_every": schedule.log_every,
        "learning_rate": schedule.learning_rate,
    }
    for name, number in positive.items():
        if not 0 < number < float("inf"):
            raise InputError(f"setting {name}: found {number}, expected a positive number")
    shares = (("output_keep_prob", graph.output_keep_prob), ("keep_prob", graph.keep_prob))
    for name, share in shares:
        if not 0 < share <= 1:
            raise InputError(f"setting {name}: found {share}, expected above 0, up to 1")
    counts = {
        "save_every": schedule.save_every,
        "epochs": schedule.epochs,
        "early_stopping": schedule.early_stopping,
        "vocabulary": graph.vocabulary,
        "dense_units": graph.dense_units,
    }
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"setting {name}: found {count}, expected 0 or more")
    if not 0 <= schedule.held_out < 1:
        raise InputError(f"setting held_out: found {schedule.held_out}, expected 0 up to 1")
    for name, number in (("forget_bias", graph.forget_bias), ("softmax_bias", graph.softmax_bias)):
        if not abs(number) < float("inf"):
            raise InputError(f"setting {name}: found {number}, expected a finite number")


def _check_readout(graph: GraphSettings) -> None:
    needs_both = graph.readout in ("backward-state", "both-states")
    if needs_both and not graph.bidirectional:
        raise InputError(f"setting readout: {graph.readout!r} needs bidirectional=true, found false")
    if graph.bidirectional and not needs_both:
        raise InputError(
            f"setting readout: found {graph.readout!r} with bidirectional=true, "
            "expected 'backward-state' or 'both-states'"
        )


def _check_combinations(graph: GraphSettings, schedule: Schedule) -> None:
    """Refuse settings that contradict each other."""
    strange = [place for place in graph.places if place not in DROPOUT_PLACES]
    if strange:
        raise InputError(
            f"setting dropout_at: found {strange[0]!r}, expected some of {', '.join(DROPOUT_PLACES)}"
        )
    if graph.places and graph.output_keep_prob < 1:
        raise InputError("setting output_keep_prob: expected 1 where dropout_at names other places")
    if graph.output == "sigmoid" and graph.classes != 2:
        raise InputError(f"setting classes: found {graph.classes} with output=sigmoid, expected 2")
    if graph.embedding == "trained" and not (graph.input_size and graph.vocabulary):
        raise InputError("setting embedding: 'trained' needs input_size and vocabulary, found 0")
    if graph.joined_layers and not graph.bidirectional:
        raise InputError("setting joined_layers: needs bidirectional=true, found false")
    if schedule.early_stopping and not schedule.validation:
        raise InputError("setting early_stopping: needs a validation split, found none")
    if graph.double_bias and schedule.optimizer == "adam":
        raise InputError("setting double_bias: expected false with optimizer=adam, found true")
    if graph.fixed_batch and graph.any_steps:
        raise InputError("setting fixed_batch: found true with any_steps=true, expected false")
