"""What was published of an experiment: figures, logs, and what is odd in it."""

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple


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
      own_run: it was printed nowhere: it is of an own run of the published code.
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
    own_run: bool = False


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
class Oddity:
    """Something odd in the published version that cannot be computed from its files.

    Attributes:
      text: a sentence.
      fix: the settings, by path, with which ``--corrected`` fixes it; None where no setting does.
    """

    text: str
    fix: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class Published:
    """What was published, and how the embedded sample stands in for its data.

    Attributes:
      source: document, section and date.
      figures: the published figures; the first is the headline.
      log: the published training log.
      oddities: what is odd in it.
      headline: among the recipes that ``reproduce --sample`` runs when none is named.
      sample: settings, by path, that suit the embedded sample (fewer iterations, smaller intervals).
      word_vector_size: dimensions of the word vectors it was published with; 0 where any will do.
    """

    source: str = ""
    figures: Tuple[Figure, ...] = ()
    log: Tuple[LogLine, ...] = ()
    oddities: Tuple[Oddity, ...] = ()
    headline: bool = False
    sample: Mapping[str, Any] = field(default_factory=dict)
    word_vector_size: int = 0
