"""What an experiment is: data, model, optimizer, schedule, and what was published, as composed parts.

It imports nothing of TensorFlow; ``graphs/`` builds it and ``runs/`` trains it. *Faithful* and
*corrected* are values of its settings, never two code paths.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Tuple

from tf1_lstm.core.cells import LAYER_ACTIVATIONS, Cell
from tf1_lstm.core.parts import Part, changed, from_document, leaves, setting, to_document
from tf1_lstm.errors import InputError
from tf1_lstm.recipes.data_parts import Data
from tf1_lstm.recipes.flat_names import translated
from tf1_lstm.recipes.published import Published

MERGES = ("join", "sum", "product", "average", "forward", "backward")
READS = ("state", "output", "steps", "mean", "maximum")
MASKS = ("none", "sequence_length", "mask_zero")
# Sizes that are taken from the data where they are 0.
FROM_DATA = ("inputs.words", "head.classes", "head.outputs")
PLACES = (
    "inputs",
    "inputs-each-step",
    "embedding",
    "layers",
    "states",
    "dense",
    "dense-outputs",
    "outputs",
)


# ---- what the recurrent layers read --------------------------------------------------------------


@dataclass(frozen=True)
class Inputs(Part):
    """What the first recurrent layer reads at each step."""

    abstract = True


@dataclass(frozen=True)
class Rows(Inputs):
    """Numbers as they are: float32 ``[batch, steps, width]``."""

    flat_kind = "rows"

    width: int = setting("numbers in a step", low=1, high=1_000_000, flat="input_size")


@dataclass(frozen=True)
class FrozenVectors(Inputs):
    """Ids looked up in the data set's word vectors, which are not trained and in no checkpoint."""

    flat_kind = "word-vectors"


@dataclass(frozen=True)
class TrainedVectors(Inputs):
    """Ids looked up in an embedding that begins at the data set's word vectors."""

    flat_kind = "word-vectors-trained"


@dataclass(frozen=True)
class Embedding(Inputs):
    """Ids looked up in a trained embedding that begins at draws; it has a row for each word of the data."""

    flat_kind = "trained"

    width: int = setting("numbers for each word", low=1, high=100_000, flat="input_size")
    words: int = setting("rows; 0 takes as many as the data have words", 0, low=0, high=100_000_000)


@dataclass(frozen=True)
class OneHot(Inputs):
    """Ids as vectors of zeros with a one."""

    flat_kind = "one-hot"

    words: int = setting("how wide; 0 takes as many as the data have words", 0, low=0, high=100_000)


@dataclass(frozen=True)
class Layer(Part):
    """A fully connected layer, at each step alike where it stands in front of the recurrent ones."""

    units: int = setting("numbers that it gives", low=1, high=100_000)
    activation: str = setting("after the product", "relu", choices=LAYER_ACTIVATIONS)


# ---- recurrent layers ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Bidirectional(Part):
    """A second direction, which reads the sequence from its end."""

    merge: str = setting("what becomes of the two directions where they are read", "join", choices=MERGES)
    joined_layers: bool = setting(
        "each stacked layer reads both directions of the one below (as in Keras and PyTorch), in place of "
        "a stack for each direction",
        False,
        flat="joined_layers",
    )


@dataclass(frozen=True)
class Recurrent(Part):
    """The recurrent layers: ``dynamic_rnn``, or ``bidirectional_dynamic_rnn``."""

    cell: Cell = setting("of every layer", flat="cell")
    layers: int = setting("stacked layers (``MultiRNNCell`` above 1)", 1, low=1, high=1000, flat="layers")
    bidirectional: Optional[Bidirectional] = setting(
        "a second direction, or none", None, flat="bidirectional"
    )
    read: str = setting(
        "what the next layer reads: the last state h, the output of the last step, every step's output, or "
        "their mean or maximum",
        "state",
        choices=READS,
    )
    mask: str = setting(
        "what becomes of padding: read like a word (none), left out behind the last word "
        "(sequence_length of dynamic_rnn), or every step with id 0 left out (Keras's mask_zero)",
        "none",
        choices=MASKS,
    )
    go_backwards: bool = setting("read the sequence from its end (one direction)", False)
    shared_cell: bool = setting(
        "all layers share one cell and its weights (``MultiRNNCell([cell] * layers)``)", False
    )
    carried_state: bool = setting("each batch begins with the state that the one before it ended with", False)
    widths: Tuple[int, ...] = setting(
        "units of each stacked layer, from the first, where they differ; empty: those of the cell in all",
        (),
        low=1,
        high=100_000,
        later=True,
    )

    def check(self) -> None:
        """Refuse what contradicts itself."""
        if self.widths:
            self._check_widths()
        if self.bidirectional is not None:
            if self.go_backwards:
                raise InputError(
                    "setting recurrent.go_backwards: found true with two directions, expected false"
                )
            if self.carried_state:
                raise InputError(
                    "setting recurrent.carried_state: found true with two directions, expected false"
                )
            if self.read != "state" and self.bidirectional.merge in ("forward", "backward"):
                raise InputError(
                    f"setting recurrent.bidirectional.merge: found {self.bidirectional.merge!r} with "
                    f"read={self.read}, expected join, sum, product or average"
                )
        if self.shared_cell and (self.layers < 2 or self.bidirectional is not None):
            raise InputError(
                "setting recurrent.shared_cell: found true, expected false without stacked layers of one "
                "direction"
            )

    def _check_widths(self) -> None:
        shown = ", ".join(map(str, self.widths))
        if len(self.widths) != self.layers:
            raise InputError(
                f"setting recurrent.widths: found {shown} with layers={self.layers}, expected a width for each "
                "layer"
            )
        if self.widths[0] != self.cell.units:
            raise InputError(
                f"setting recurrent.widths: found {shown}, expected {self.cell.units} first (recurrent.cell.units)"
            )
        if self.shared_cell and len(set(self.widths)) > 1:
            raise InputError(
                f"setting recurrent.shared_cell: found true with the widths {shown}, expected false"
            )

    def cell_of(self, layer: int) -> Cell:
        """The cell of a stacked layer, from 0."""
        return dataclasses.replace(self.cell, units=self.widths[layer]) if self.widths else self.cell

    @property
    def units(self) -> Tuple[int, ...]:
        """Units of each stacked layer, from the first."""
        return self.widths or (self.cell.units,) * self.layers

    @property
    def directions(self) -> int:
        """1 or 2."""
        return 1 if self.bidirectional is None else 2

    @property
    def joined_layers(self) -> bool:
        """Whether each layer reads both directions of the one below."""
        return self.bidirectional is not None and self.bidirectional.joined_layers

    @property
    def width(self) -> int:
        """How many numbers the next layer reads."""
        joined = self.bidirectional is not None and self.bidirectional.merge == "join"
        return self.units[-1] * (2 if joined else 1)


# ---- dropout -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AnyDropout(Part):
    """Where numbers are dropped during training."""

    abstract = True

    @property
    def share_kept(self) -> float:
        """What is kept during training."""
        raise NotImplementedError


@dataclass(frozen=True)
class WrapperDropout(AnyDropout):
    """``tf.nn.rnn_cell.DropoutWrapper`` around each cell: a new mask at each step."""

    output_keep_prob: float = setting(
        "share of each output that is kept during training", above=0, high=1, flat="output_keep_prob"
    )

    @property
    def share_kept(self) -> float:
        """What is kept during training."""
        return self.output_keep_prob


@dataclass(frozen=True)
class Dropout(AnyDropout):
    """Dropout at named places of the graph."""

    keep_prob: float = setting("share that is kept during training", above=0, high=1, flat="keep_prob")
    at: Tuple[str, ...] = setting(
        "inputs (of each recurrent layer, one mask for all steps of an example), inputs-each-step (of each "
        "recurrent layer, a new mask at each step), embedding (each number looked up), layers (each output "
        "of each layer but the last), states (what is read of the last layer), dense (what the dense layer "
        "gives, before its activation), dense-outputs (what it gives, after it), outputs (of a regression, after "
        "their activation)",
        choices=PLACES,
        flat="dropout_at",
    )

    def check(self) -> None:
        """Refuse no place, or two kinds of masks at one."""
        if not self.at:
            raise InputError(f"setting dropout.at: found no place, expected some of {', '.join(PLACES)}")
        if len(set(self.at)) < len(self.at):
            raise InputError(f"setting dropout.at: found {','.join(self.at)}, expected each place once")
        if {"inputs", "inputs-each-step"} <= set(self.at):
            raise InputError("setting dropout.at: found inputs and inputs-each-step, expected one of them")

    @property
    def share_kept(self) -> float:
        """What is kept during training."""
        return self.keep_prob


# ---- what is behind the recurrent layers ----------------------------------------------------------


class Head(Part):
    """From what is read of the recurrent layers to outputs and loss.

    Attributes:
      task: ``"classes"``, or ``"numbers"`` of a regression.
      columns: of the logits (of a regression, of the outputs).
      width: numbers that the last layer gives.
      dense: width of the layer in front of the last; 0 for none.
      dense_activation: of that layer.
      activation: of the last layer.
    """

    abstract = True
    task: ClassVar[str] = "classes"
    dense: int = 0
    dense_activation: str = "relu"
    activation: str = "linear"

    @property
    def columns(self) -> int:
        """Columns of the logits."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Numbers that the last layer gives."""
        return self.columns

    def check(self) -> None:
        """Refuse the activation of a layer that is not there."""
        if self.dense_activation != "relu" and not self.dense:
            raise InputError(
                f"setting head.dense_activation: found {self.dense_activation!r}, expected it only with a "
                "dense layer (head.dense)"
            )


def _dense() -> Any:
    meaning = "width of a layer in front of the last one; 0 for none"
    return setting(meaning, 0, low=0, high=100_000, flat="dense_units")


def _dense_activation() -> Any:
    return setting("of that layer", "relu", choices=LAYER_ACTIVATIONS)


@dataclass(frozen=True)
class Softmax(Head):
    """One logit for each class; mean cross-entropy."""

    flat_kind = "softmax"

    classes: int = setting(
        "how many there are to choose from; 0 takes as many as the data have",
        0,
        low=0,
        high=10_000_000,
        flat="classes",
    )
    dense: int = _dense()
    dense_activation: str = _dense_activation()

    @property
    def columns(self) -> int:
        """Columns of the logits."""
        return self.classes

    def check(self) -> None:
        """Refuse a single class, or the activation of no layer."""
        super().check()
        if self.classes == 1:
            raise InputError("setting classes: found 1, expected 2 or more")


@dataclass(frozen=True)
class Sigmoid(Head):
    """One logit z for two classes; the logits are then (0, z), whose softmax it is."""

    flat_kind = "sigmoid"

    dense: int = _dense()
    dense_activation: str = _dense_activation()

    @property
    def columns(self) -> int:
        """Columns of the logits."""
        return 2

    @property
    def width(self) -> int:
        """Numbers that the last layer gives."""
        return 1


@dataclass(frozen=True)
class Regression(Head):
    """Numbers; the loss is the mean of squared or absolute errors."""

    flat_kind = "regression"
    task = "numbers"

    outputs: int = setting("numbers to predict; 0 takes as many as the data have", 0, low=0, high=100_000)
    loss: str = setting("the mean of which errors is made small", "squared", choices=("squared", "absolute"))
    dense: int = _dense()
    dense_activation: str = _dense_activation()
    activation: str = setting("of the outputs", "linear", choices=LAYER_ACTIVATIONS, later=True)

    @property
    def columns(self) -> int:
        """Columns of the outputs."""
        return self.outputs


# ---- initial values, optimizers ------------------------------------------------------------------


@dataclass(frozen=True)
class InitialValues(Part):
    """What the weights begin at."""

    abstract = True


@dataclass(frozen=True)
class TensorFlow1(InitialValues):
    """As the documents' own code has them: Glorot's uniform cells, a normal last layer."""

    flat_kind = "tensorflow1"

    softmax: str = setting(
        "draws of the last layer's weights, standard deviation 1",
        "random_normal",
        choices=("random_normal", "truncated_normal"),
        flat="softmax_initializer",
    )
    softmax_bias: float = setting("first value of its bias", 0.1, flat="softmax_bias")


@dataclass(frozen=True)
class Keras(InitialValues):
    """Keras's: Glorot's uniform kernels, orthogonal recurrent ones, an embedding uniform within 0.05."""

    flat_kind = "keras"


@dataclass(frozen=True)
class PyTorch(InitialValues):
    """PyTorch's: uniform within one over the root of the width, biases as well."""

    flat_kind = "pytorch"


@dataclass(frozen=True)
class Optimizer(Part):
    """What moves the weights."""

    abstract = True

    learning_rate: float = setting("step size", 0.001, above=0, flat="learning_rate")


@dataclass(frozen=True)
class Adam(Optimizer):
    """``tf.train.AdamOptimizer``: epsilon 1e-8 beside the root of the uncorrected second moment."""

    flat_kind = "adam"


@dataclass(frozen=True)
class KerasRMSprop(Optimizer):
    """``tf.keras.optimizers.RMSprop`` of TensorFlow 2.0 to 2.10: decay 0.9, epsilon 1e-7, begins at 0."""

    flat_kind = "keras-rmsprop"


@dataclass(frozen=True)
class TorchAdam(Optimizer):
    """``torch.optim.Adam``: epsilon 1e-8 beside the root of the corrected second moment."""

    flat_kind = "pytorch-adam"

    two_biases: bool = setting(
        "a recurrent bias is the sum of two that are trained alike, so that it moves twice as far",
        False,
        flat="double_bias",
    )


@dataclass(frozen=True)
class SGD(Optimizer):
    """``tf.train.GradientDescentOptimizer``."""

    flat_kind = "sgd"


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """``tf.train.AdadeltaOptimizer`` (Zeiler, 2012)."""

    flat_kind = "adadelta"

    rho: float = setting("share of the old averages that is kept", 0.95, above=0, below=1)
    epsilon: float = setting("added under the roots", 1e-8, above=0)


# ---- schedules ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EarlyStopping(Part):
    """Stop when the loss of a split no longer falls."""

    split: str = setting("whose loss is measured, dropout off")
    every: int = setting("iterations between two measurements", 1000, low=1)
    patience: int = setting("measurements in a row without a lower loss", 3, low=1)


class Schedule(Part):
    """How long, on what batches, and when something is written down."""

    abstract = True
    batch_size: int = 1
    log_every: int = 1
    save_every: int = 0
    iterations: int = 0


def _batch_size() -> Any:
    return setting("examples in an iteration", low=1, high=10_000_000, flat="batch_size")


@dataclass(frozen=True)
class Steps(Schedule):
    """So many iterations."""

    iterations: int = setting("training steps", low=1, high=10**12, flat="iterations")
    batch_size: int = _batch_size()
    log_every: int = setting("iterations between two logged figures", 1000, low=1, flat="log_every")
    log_batch: str = setting(
        "whose loss and accuracy are logged: the batch just trained on, or a test batch",
        "train",
        choices=("train", "test"),
        flat="log_batch",
    )
    log_first: bool = setting("also log the very first iteration", False, flat="log_first")
    save_every: int = setting("iterations between two checkpoints", 10000, low=1, flat="save_every")
    fixed_batch: bool = setting(
        "the training graph takes batches of this size only; for evaluation a graph always takes any",
        False,
        flat="fixed_batch",
    )
    early_stopping: Optional[EarlyStopping] = setting(
        "stop when the loss of a split no longer falls, or none", None
    )


@dataclass(frozen=True)
class Epochs(Schedule):
    """So many passes through the training examples; after each the means over its batches are logged."""

    epochs: int = setting("passes", low=1, high=10**9, flat="epochs")
    batch_size: int = _batch_size()
    validation: str = setting(
        "the split that is measured after each epoch, dropout off; empty for none", "", flat="validation"
    )
    early_stopping: int = setting(
        "epochs in a row without a lower validation loss after which training stops; 0 never stops",
        0,
        low=0,
        flat="early_stopping",
    )
    drop_remainder: bool = setting(
        "leave out the last batch of an epoch where it is not full", False, flat="drop_remainder"
    )
    log_every: int = setting("epochs between two logged figures", 1, low=1, flat="log_every")
    save_every: int = setting(
        "iterations between two checkpoints; 0 takes one after each epoch", 0, low=0, flat="save_every"
    )
    iterations: int = setting(
        "end after so many iterations in place of whole epochs; 0 trains all epochs",
        0,
        low=0,
        flat="iterations",
    )

    def check(self) -> None:
        """Refuse stopping by a loss that nobody measures."""
        if self.early_stopping and not self.validation:
            raise InputError(
                f"setting schedule.early_stopping: found {self.early_stopping}, expected 0 without a "
                "validation split (schedule.validation)"
            )


# ---- the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Experiment(Part):
    """One experiment.

    Attributes:
      name: as typed on the command line; names checkpoints and run folders.
      data, inputs, front, recurrent, dropout, head, initial_values, optimizer, schedule: its settings.
      title: one line for lists.
      published: what was published, and where; empty for an experiment of one's own.
      variables: (canonical name, variable) of a checkpoint that it was adopted from, where names and
        shapes do not say which variable is what; an empty variable stands for zeros.
    """

    data: Data = setting("what is trained on, and how it is read")
    inputs: Inputs = setting("what the first recurrent layer reads", flat="embedding")
    recurrent: Recurrent = setting("the recurrent layers")
    head: Head = setting("what is behind them, and the loss", flat="output")
    optimizer: Optimizer = setting("what moves the weights", flat="optimizer")
    schedule: Schedule = setting("how long, and on what batches")
    initial_values: InitialValues = setting("what the weights begin at", TensorFlow1(), flat="initializers")
    dropout: Optional[AnyDropout] = setting("where numbers are dropped during training, or none", None)
    front: Optional[Layer] = setting("a layer between the inputs and the first recurrent one, or none", None)
    name: str = ""
    title: str = ""
    published: Published = field(default_factory=Published)
    variables: Tuple[Tuple[str, str], ...] = ()

    def check(self) -> None:
        """Refuse parts that do not go together."""
        ids = self.data.ids
        if ids is not None and ids != (not isinstance(self.inputs, Rows)):
            raise InputError(
                f"setting inputs: found {type(self.inputs).__name__} with data={type(self.data).__name__}, "
                f"expected {'Embedding, FrozenVectors or another reader of ids' if ids else 'Rows'}"
            )
        if isinstance(self.inputs, Rows) and self.recurrent.mask == "mask_zero":
            raise InputError(
                "setting recurrent.mask: found mask_zero, which is of ids, expected none or sequence_length"
            )
        self.data.check_use(self.schedule, self.inputs, self.head)
        known, rows = getattr(self.data, "words", 0), getattr(self.inputs, "words", 0)
        if 0 < rows < known:
            raise InputError(
                f"setting inputs.words: found {rows:,}, expected {known:,} or more, or 0 (data.words)"
            )
        if isinstance(self.dropout, Dropout):
            self._check_places(self.dropout)
        if self.recurrent.carried_state and not self.data.streams:
            raise InputError(
                f"setting recurrent.carried_state: found true with data={type(self.data).__name__}, whose "
                "batches do not follow one another"
            )

    def _check_places(self, dropout: Dropout) -> None:
        recurrent = self.recurrent
        if recurrent.bidirectional and recurrent.layers > 1 and not recurrent.joined_layers:
            raise InputError(
                "setting recurrent.bidirectional.joined_layers: found false, expected true for stacked layers "
                "with Dropout at named places, which run one after the other"
            )
        if recurrent.carried_state or recurrent.shared_cell:
            name = "carried_state" if recurrent.carried_state else "shared_cell"
            raise InputError(
                f"setting recurrent.{name}: found true with Dropout, expected WrapperDropout or none"
            )
        missing = {
            "dense": (not self.head.dense, "a dense layer (head.dense)"),
            "dense-outputs": (not self.head.dense, "a dense layer (head.dense)"),
            "outputs": (self.head.task != "numbers", "a regression"),
            "layers": (self.recurrent.layers < 2, "stacked layers (recurrent.layers)"),
            "embedding": (isinstance(self.inputs, Rows), "ids"),
        }
        for place in dropout.at:
            absent, needs = missing.get(place, (False, ""))
            if absent:
                raise InputError(f"setting dropout.at: found {place!r}, expected it only with {needs}")

    # What was published, by shorter names.

    @property
    def source(self) -> str:
        """Document, section and date of what was published."""
        return self.published.source

    @property
    def words(self) -> int:
        """Rows of a trained embedding or width of one-hot inputs; 0 where the data decide."""
        return getattr(self.inputs, "words", 0) or getattr(self.data, "words", 0)

    @property
    def keep_prob(self) -> float:
        """What every dropout of the graph keeps during training; 1.0 means there is none."""
        return 1.0 if self.dropout is None else self.dropout.share_kept

    @property
    def per_step(self) -> bool:
        """Whether there is an output at every step."""
        return self.recurrent.read == "steps"

    def __repr__(self) -> str:
        title = f": {self.title:.80}" if self.title else ""
        return f"<Experiment {self.name or 'without a name'}{title}>"

    def settings(self) -> Dict[str, Any]:
        """Every setting by its path, in their order, JSON-ready."""
        return {leaf.path: leaf.value for leaf in leaves(self)}

    def document(self) -> Dict[str, Any]:
        """All settings as JSON: ``from_settings_document`` reads it."""
        return to_document(self)

    def with_settings(self, changes: Mapping[str, Any]) -> "Experiment":
        """A copy with some settings replaced; see ``core.parts.changed``.

        Raises:
          InputError: an unknown name, a value that it does not take, or parts that do not go together.
        """
        if not changes:
            return self
        found = changed(self, translated(self.recurrent.bidirectional, Bidirectional(), changes))
        return self._renamed(found)

    def from_document(self, document: Any) -> "Experiment":
        """The experiment of a document, with this one's name and publication."""
        found = from_document(document, Experiment)
        return self._renamed(found)

    def _renamed(self, found: "Experiment") -> "Experiment":
        """Other settings with what is no setting of this one."""
        return dataclasses.replace(
            found, name=self.name, title=self.title, published=self.published, variables=self.variables
        )

    def corrected(self) -> Dict[str, Any]:
        """The settings that fix what is odd in the published version, by path."""
        found: Dict[str, Any] = {}
        for oddity in self.published.oddities:
            found.update(oddity.fix or {})
        return found

    def differences(self, other: "Experiment") -> Dict[str, List[Any]]:
        """Path -> [value here, value there] of every setting that differs; None where one has no such."""
        mine, theirs = self.settings(), other.settings()
        return {
            path: [mine.get(path), theirs.get(path)]
            for path in dict.fromkeys([*mine, *theirs])
            if mine.get(path) != theirs.get(path) or (path in mine) != (path in theirs)
        }
