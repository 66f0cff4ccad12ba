"""What a recipe is: one published experiment, as data.

A recipe says which data set, which graph, which training schedule and which figures were
published, and where. It imports nothing of TensorFlow; ``graphs/`` builds it and ``runs/`` trains
it. *Faithful* and *corrected* are values of its settings, never two code paths.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.recipes.settings import GraphSettings, Schedule, check_settings


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
    """One line of a published training log; validation figures and the epoch where they were printed."""

    iteration: int
    loss: Optional[float]
    accuracy: float
    val_loss: Optional[float] = None
    val_accuracy: Optional[float] = None
    epoch: Optional[int] = None


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
      word_vector_size: dimensions of the word vectors it was published with; 0 where any will do.
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
    word_vector_size: int = 0

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
        if "iterations" in schedule_changes and "epochs" not in schedule_changes:
            schedule_changes["epochs"] = 0  # a number of iterations was asked for
        changed = dataclasses.replace(
            self,
            graph=dataclasses.replace(self.graph, **graph_changes),
            schedule=dataclasses.replace(self.schedule, **schedule_changes),
        )
        check_settings(changed.graph, changed.schedule)
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
