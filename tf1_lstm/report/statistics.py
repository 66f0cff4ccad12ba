"""What a measured accuracy may and may not say: intervals, comparisons, confusion matrices.

Every interval is a 95 % one. An accuracy of k right among n examples has Wilson's score interval
(Wilson, 1927), which stays inside [0, 1] and is honest near both ends. Two accuracies are compared
by Newcombe's interval for their difference (method 10 in Newcombe, "Interval estimation for the
difference between independent proportions", 1998), which is built from the two Wilson intervals.
"""

import math
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.recipes.published import Figure

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point


class Interval(NamedTuple):
    """A 95 % interval, both ends included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the interval."""
        return self.low <= value <= self.high


def wilson_interval(successes: float, examples: int) -> Interval:
    """Wilson's 95 % score interval for ``successes`` of ``examples``.

    Args:
      successes: how many were right; a fraction where it is a mean over dropout draws.
      examples: how many there were, at least 1.

    Raises:
      ValueError: no examples, or successes outside [0, examples].
    """
    if examples < 1 or not -1e-6 <= successes <= examples * (1 + 1e-6):
        raise ValueError(f"{successes} of {examples} is not a count of successes")
    share = min(max(successes / examples, 0.0), 1.0)
    spread = Z95 * math.sqrt(share * (1 - share) / examples + Z95**2 / (4 * examples**2))
    centre, scale = share + Z95**2 / (2 * examples), 1 + Z95**2 / examples
    # At 0 and n one end is exact; rounding must not move the share out of its own interval.
    low = 0.0 if share == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if share == 1 else min(1.0, (centre + spread) / scale)
    return Interval(low, high)


def accuracy_interval(accuracy: float, examples: int) -> Interval:
    """Wilson's 95 % interval of an accuracy (between 0 and 1) over ``examples``.

    float32 means of batches may miss k/n by 1e-7, which changes nothing visible.
    """
    return wilson_interval(accuracy * examples, examples)


def difference_interval(first: float, first_examples: int, second: float, second_examples: int) -> Interval:
    """Newcombe's 95 % interval for ``first - second``, two accuracies of independent examples."""
    one = accuracy_interval(first, first_examples)
    two = accuracy_interval(second, second_examples)
    difference = first - second
    return Interval(
        difference - math.hypot(first - one.low, two.high - second),
        difference + math.hypot(one.high - first, second - two.low),
    )


def mean_and_std(values: Sequence[float]) -> Tuple[float, Optional[float]]:
    """Mean and sample standard deviation (n - 1) over runs; None for the latter of a single run.

    Raises:
      ValueError: no values.
    """
    if not len(values):
        raise ValueError("the mean of no values")
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None


@dataclass(frozen=True)
class OneRun:
    """A published accuracy beside that of one run, which is not judged: see ``report.verdicts``.

    Attributes:
      published_interval: Wilson's, of the published accuracy.
      measured_interval: likewise of the run's.
      difference: measured minus published.
      difference_interval: Newcombe's 95 % interval for it, which knows the sampling of examples only.
      note: what must be known to read it, or "".
    """

    published_interval: Interval
    measured_interval: Interval
    difference: float
    difference_interval: Interval
    note: str = ""


BOTH_SAMPLED = (
    "both come from sampled batches, where an example may count more than once: "
    "the intervals speak of further draws from the same pool, not of new examples"
)
PUBLISHED_SAMPLED = (
    "the published figure comes from sampled batches, where an example may count more than once; "
    "the measured one counts every example once"
)


def compare_one_run(published: Figure, measured: float, examples: int, sampled: bool = False) -> OneRun:
    """How far one run is from what was published, and what the two sample sizes alone allow.

    Two trainings with other random numbers differ as well, so nothing is judged here.

    Args:
      published: the published figure.
      measured: accuracy between 0 and 1.
      examples: examples behind it; dropout draws of the same example count once.
      sampled: the measured accuracy also comes from sampled batches.
    """
    note = ""
    if published.sampler == "test-batches":
        note = BOTH_SAMPLED if sampled else PUBLISHED_SAMPLED
    return OneRun(
        published_interval=accuracy_interval(published.value, published.examples),
        measured_interval=accuracy_interval(measured, examples),
        difference=measured - published.value,
        difference_interval=difference_interval(measured, examples, published.value, published.examples),
        note=note,
    )


def test_batches_record(accuracies: Sequence[float], batch_size: int, dropout: str) -> Dict[str, Any]:
    """The ``test_batches`` part of ``results.json``.

    Args:
      accuracies: one accuracy (between 0 and 1) a batch; at least one.
      batch_size: examples in each.
      dropout: ``"on"`` or ``"off"``.
    """
    mean, _ = mean_and_std(accuracies)
    return {
        "accuracies": [float(accuracy) for accuracy in accuracies],
        "batch_size": batch_size,
        "mean": mean,
        "interval": list(accuracy_interval(mean, batch_size * len(accuracies))),
        "dropout": dropout,
    }


test_batches_record.__test__ = False  # type: ignore[attr-defined]  # pytest must not collect it


def confusion_matrix(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts ``[classes, classes]`` int64: rows are true labels, columns are predicted ones.

    Args:
      true: ``[examples]`` class numbers.
      predicted: ``[examples]`` class numbers.
      classes: how many there are.

    Raises:
      ValueError: unequal lengths or a label outside [0, classes).
    """
    true, predicted = np.asarray(true, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != predicted.shape or true.ndim != 1:
        raise ValueError(f"labels of shapes {true.shape} and {predicted.shape}")
    for labels in (true, predicted):
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"labels from {labels.min()} to {labels.max()} with {classes} classes")
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def accuracy_by_class(matrix: np.ndarray) -> List[Optional[float]]:
    """The share of each class's examples that were right; None for a class without examples."""
    matrix = np.asarray(matrix)
    return [float(row[k] / row.sum()) if row.sum() else None for k, row in enumerate(matrix)]
