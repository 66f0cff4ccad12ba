"""What a recipe is: one published experiment, as data.

A recipe says which data set, which graph, which training schedule and which figures were
published, and where. It imports nothing of TensorFlow; ``graphs/`` builds it and ``runs/`` trains
it. *Faithful* and *corrected* are values of its settings, never two code paths.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from tf1_lstm.errors import InputError

CELLS = ("basic_rnn", "basic_lstm", "lstm_peephole", "lstm_coupled", "gru")
READOUTS = ("last-output", "last-state", "backward-state", "both-states")
SAMPLERS = ("published", "corrected")


@dataclass(frozen=True)
class GraphSettings:
    """The placeholder graph, from inputs to loss.

    Attributes:
      inputs: ``"ids"`` (int32 word ids ``[batch, steps]``, looked up in frozen word vectors) or
        ``"rows"`` (float32 ``[batch, steps, input_size]``).
      steps: time steps of a sequence.
      input_size: numbers per step; 0 where the data set's word vectors decide it.
      classes: width of the softmax.
      cell: one of ``CELLS``.
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


@dataclass(frozen=True)
class Schedule:
    """How the graph is trained.

    Attributes:
      batch_size: examples per iteration.
      iterations: training steps.
      sampler: ``"published"`` (the document's own batches and split, mistakes included) or
        ``"corrected"``.
      learning_rate: Adam's; its other settings are TensorFlow's defaults.
      log_every: iterations between two logged figures.
      log_batch: whose loss and accuracy are logged: the ``"train"`` batch just trained on, or a
        ``"test"`` batch.
      log_first: also log the very first iteration.
      save_every: iterations between two checkpoints.
    """

    batch_size: int
    iterations: int
    sampler: str = "published"
    learning_rate: float = 0.001
    log_every: int = 1000
    log_batch: str = "train"
    log_first: bool = False
    save_every: int = 10000


@dataclass(frozen=True)
class Figure:
    """One published number, and how many examples stand behind it.

    Attributes:
      name: what was measured, in words.
      value: an accuracy between 0 and 1.
      examples: reviews or images behind it (batches drawn with replacement count each draw).
      split: the split of the recipe's data set that it is compared with.
      dropout: whether dropout was on when it was measured.
      source: document and section.
      parts: the single values behind a mean (accuracies between 0 and 1), if printed.
      sampler: ``"test-batches"`` where it came from sampled batches, ``"whole"`` from a whole split.
      iteration: the checkpoint it was measured with; None is the end of training.
    """

    name: str
    value: float
    examples: int
    split: str
    dropout: bool
    source: str
    parts: Tuple[float, ...] = ()
    sampler: str = "test-batches"
    iteration: Optional[int] = None


@dataclass(frozen=True)
class LogLine:
    """One line of a published training log."""

    iteration: int
    loss: Optional[float]
    accuracy: float


@dataclass(frozen=True)
class Recipe:
    """One published experiment.

    Attributes:
      name: as typed on the command line.
      title: one line for lists.
      source: document, section and date.
      dataset: a name known to ``data.registry``.
      graph, schedule: settings as published.
      figures: published figures; the first is the headline.
      log: the published training log.
      oddities: what is odd in the published version, a sentence each, where it cannot be computed.
      corrected: the settings that mend those oddities, applied by ``--corrected``.
      headline: among the recipes that ``reproduce --sample`` runs when none is named.
      sample_settings: settings that suit the embedded sample (fewer iterations, smaller intervals).
    """

    name: str
    title: str
    source: str
    dataset: str
    graph: GraphSettings
    schedule: Schedule
    figures: Tuple[Figure, ...] = ()
    log: Tuple[LogLine, ...] = ()
    oddities: Tuple[str, ...] = ()
    corrected: Mapping[str, Any] = field(default_factory=dict)
    headline: bool = False
    sample_settings: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> Dict[str, Any]:
        """Every setting of graph and schedule under its plain name."""
        return {**dataclasses.asdict(self.graph), **dataclasses.asdict(self.schedule)}

    def with_settings(self, changes: Mapping[str, Any]) -> "Recipe":
        """A copy with some settings replaced.

        Args:
          changes: setting name -> value, or the text of a value as typed in ``--set NAME=VALUE``.

        Raises:
          InputError: unknown setting, a value of the wrong type or outside what is allowed.
        """
        graph = {f.name: f for f in dataclasses.fields(GraphSettings)}
        schedule = {f.name: f for f in dataclasses.fields(Schedule)}
        graph_changes: Dict[str, Any] = {}
        schedule_changes: Dict[str, Any] = {}
        for name, value in changes.items():
            if name in graph:
                graph_changes[name] = _typed(name, value, graph[name].type)
            elif name in schedule:
                schedule_changes[name] = _typed(name, value, schedule[name].type)
            else:
                known = ", ".join(sorted({**graph, **schedule}))
                raise InputError(f"setting {name!r}: unknown; expected one of {known}")
        changed = dataclasses.replace(
            self,
            graph=dataclasses.replace(self.graph, **graph_changes),
            schedule=dataclasses.replace(self.schedule, **schedule_changes),
        )
        _check(changed)
        return changed


def _typed(name: str, value: Any, kind: Any) -> Any:
    if not isinstance(value, str) or kind is str:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(f"setting {name}: found {value!r}, expected {kind.__name__}")
        return value
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if value.lower() not in words:
            raise InputError(f"setting {name}: found {value!r}, expected true or false")
        return words[value.lower()]
    try:
        return kind(value)
    except ValueError as error:
        raise InputError(f"setting {name}: found {value!r}, expected {kind.__name__}") from error


def _check(recipe: Recipe) -> None:
    graph, schedule = recipe.graph, recipe.schedule
    choices = (
        ("cell", graph.cell, CELLS),
        ("readout", graph.readout, READOUTS),
        ("sampler", schedule.sampler, SAMPLERS),
        ("log_batch", schedule.log_batch, ("train", "test")),
        ("inputs", graph.inputs, ("ids", "rows")),
        ("softmax_initializer", graph.softmax_initializer, ("truncated_normal", "random_normal")),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            raise InputError(f"setting {name}: found {value!r}, expected one of {', '.join(allowed)}")
    positive = {
        "steps": graph.steps,
        "classes": graph.classes,
        "units": graph.units,
        "layers": graph.layers,
        "batch_size": schedule.batch_size,
        "iterations": schedule.iterations,
        "log_every": schedule.log_every,
        "save_every": schedule.save_every,
        "learning_rate": schedule.learning_rate,
    }
    for name, number in positive.items():
        if not 0 < number < float("inf"):
            raise InputError(f"setting {name}: found {number}, expected a positive number")
    if not 0 < graph.output_keep_prob <= 1:
        raise InputError(
            f"setting output_keep_prob: found {graph.output_keep_prob}, expected above 0, up to 1"
        )
    for name, number in (("forget_bias", graph.forget_bias), ("softmax_bias", graph.softmax_bias)):
        if not abs(number) < float("inf"):
            raise InputError(f"setting {name}: found {number}, expected a finite number")
    needs_both = graph.readout in ("backward-state", "both-states")
    if needs_both and not graph.bidirectional:
        raise InputError(f"setting readout: {graph.readout!r} needs bidirectional=true, found false")
    if graph.bidirectional and not needs_both:
        raise InputError(
            f"setting readout: found {graph.readout!r} with bidirectional=true, "
            "expected 'backward-state' or 'both-states'"
        )
