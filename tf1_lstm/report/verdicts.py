"""Whether a published figure stands: one published training against several of ours, by seed.

Every training with other random numbers gives another figure, so a published one is held against the
*prediction interval* of one more training. docs/statistics.md has the formulas and their sources.

Accuracies are shares between 0 and 1; a *point* is 0.01.
"""

import math
from dataclasses import dataclass, replace
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.report.statistics import Interval
from tf1_lstm.report.student import quantile, upper_tail

LEVEL = 0.05
FEWEST_SEEDS = 5
POINT = 0.01
# Half a unit of the fourth decimal, to which Keras prints an epoch's figures.
FOUR_DECIMALS = 0.00005

REPRODUCED, DIFFERS, CANNOT_TELL, NOT_JUDGED = "reproduced", "differs", "cannot tell", "not judged"


@dataclass(frozen=True)
class PublishedFigure:
    """One published number of one training.

    Attributes:
      value: a share between 0 and 1, or a loss.
      rounding: half a unit of the last digit printed; 0 where every digit was.
      sampled: examples drawn at random behind it; 0 where it counts a whole split, which ours do too.
      margin: what counts as no difference: one point of accuracy by default.
      is_loss: in nats, and no share.
    """

    value: float
    rounding: float = 0.0
    sampled: int = 0
    margin: float = POINT
    is_loss: bool = False


class Prediction(NamedTuple):
    """What one more training would give, by those that were made.

    Attributes:
      n: trainings.
      mean: over them.
      std: sample standard deviation (n - 1).
      mean_interval: 95 % t-interval of the mean.
      error: standard error of (one more figure - mean), without rounding.
      degrees: its degrees of freedom.
      interval: 95 % prediction interval, widened by the rounding.
    """

    n: int
    mean: float
    std: float
    mean_interval: Interval
    error: float
    degrees: float
    interval: Interval

    @property
    def half_width(self) -> float:
        """Half the width of the prediction interval."""
        return (self.interval.high - self.interval.low) / 2


def mean_interval(values: Sequence[float]) -> Interval:
    """The 95 % t-interval of the mean of at least two values."""
    array = _checked(values, 2)
    half = quantile(1 - LEVEL / 2, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array))
    return Interval(float(array.mean() - half), float(array.mean() + half))


def ratio_interval(sums: np.ndarray, counts: np.ndarray) -> Optional[Interval]:
    """95 % interval of ``sums.sum() / counts.sum()`` over examples that count for more or less; None of one.

    By linearisation: the spread is that of what each example's sum has beyond its count's share (Cochran,
    *Sampling Techniques*, section 2.11).
    """
    used = counts > 0
    if used.sum() < 2:
        return None
    ratio = sums.sum() / counts.sum()
    return mean_interval(ratio + (sums - ratio * counts)[used] / counts[used].mean())


def predict_one_more(values: Sequence[float], rounding: float = 0.0, sampled: int = 0) -> Prediction:
    """The prediction interval of one more training, measured as the published one was.

    Args:
      values: one figure for each seed, at least two; all finite.
      rounding: half a unit of the last digit that was published.
      sampled: how many examples drawn at random the published accuracy counts; 0 for the whole split.

    Raises:
      ValueError: fewer than two values, or one that is not finite.
    """
    array = _checked(values, 2)
    count, mean, std = len(array), float(array.mean()), float(array.std(ddof=1))
    trainings = std**2 * (1 + 1 / count)
    sampling = min(max(mean, 0.0), 1.0) * (1 - min(max(mean, 0.0), 1.0)) / sampled if sampled else 0.0
    variance = trainings + sampling
    degrees = float(count - 1)
    if sampling and sampled > 1:
        degrees = variance**2 / (trainings**2 / (count - 1) + sampling**2 / (sampled - 1))
    error = math.sqrt(variance)
    half = quantile(1 - LEVEL / 2, degrees) * error + rounding
    return Prediction(
        count, mean, std, mean_interval(values), error, degrees, Interval(mean - half, mean + half)
    )


@dataclass(frozen=True)
class SeedsVerdict:
    """A published figure against trainings with several seeds.

    Attributes:
      word: ``REPRODUCED``, ``DIFFERS``, ``CANNOT_TELL`` or ``NOT_JUDGED``.
      published: what was published.
      prediction: None below two seeds.
      difference: our mean minus what was published; None without a value of ours.
      p_value: two-sided, of the prediction interval alone; None where not judged.
      adjusted: the same after Holm's correction for the figures judged together.
      equivalent: whether two one-sided tests at 5 % place the difference within the margin.
    """

    word: str
    published: PublishedFigure
    prediction: Optional[Prediction] = None
    difference: Optional[float] = None
    p_value: Optional[float] = None
    adjusted: Optional[float] = None
    equivalent: bool = False

    @property
    def text(self) -> str:
        """The verdict in words, with its size in points (of a loss: in nats)."""
        loss = self.published.is_loss
        if self.word == DIFFERS:
            assert self.difference is not None and self.adjusted is not None
            size = f"{self.difference:+.4f} nats" if loss else f"{100 * self.difference:+.2f} points"
            return f"differs by {size} ({p_text(self.adjusted)})"
        if self.word == CANNOT_TELL:
            assert self.prediction is not None
            half = self.prediction.half_width
            return f"cannot tell (±{half:.4f})" if loss else f"cannot tell (±{100 * half:.2f})"
        return self.word


def p_text(p_value: float) -> str:
    """``p = 0.012``, or ``p < 0.001``."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def judge(figures: Sequence[Tuple[Sequence[float], PublishedFigure]]) -> List[SeedsVerdict]:
    """Judge the figures of one document together.

    A figure *differs* where Holm's correction leaves its p below 5 %. It is *reproduced* where it lies
    in its own prediction interval, and that is at most one margin wide on either side or two one-sided
    tests hold the difference within the margin. Between the two one *cannot tell*.

    Args:
      figures: for each our values by seed, and what was published. Below five seeds a figure is not
        judged, and counts for nothing in the correction.

    Raises:
      ValueError: a value that is not finite.
    """
    found = [_alone(values, published) for values, published in figures]
    tested = [verdict for verdict in found if verdict.p_value is not None]
    adjusted = iter(holm([verdict.p_value for verdict in tested if verdict.p_value is not None]))
    return [
        verdict if verdict.p_value is None else _with_word(replace(verdict, adjusted=next(adjusted)))
        for verdict in found
    ]


def _alone(values: Sequence[float], published: PublishedFigure) -> SeedsVerdict:
    """Everything of a verdict but what depends on the other figures."""
    if len(values) < 2:
        difference = float(_checked(values, 1)[0]) - published.value if len(values) else None
        return SeedsVerdict(NOT_JUDGED, published, difference=difference)
    prediction = predict_one_more(values, published.rounding, published.sampled)
    difference = prediction.mean - published.value
    if len(values) < FEWEST_SEEDS:
        return SeedsVerdict(NOT_JUDGED, published, prediction, difference)
    return SeedsVerdict(
        CANNOT_TELL,
        published,
        prediction,
        difference,
        p_value=_two_sided(abs(difference) - published.rounding, prediction),
        equivalent=_is_equivalent(difference, published, prediction),
    )


def _with_word(verdict: SeedsVerdict) -> SeedsVerdict:
    assert verdict.prediction is not None and verdict.adjusted is not None
    margin = verdict.published.margin
    if verdict.adjusted < LEVEL:
        return replace(verdict, word=DIFFERS)
    inside = verdict.prediction.interval.holds(verdict.published.value)
    narrow = verdict.prediction.half_width <= margin or verdict.equivalent
    return replace(verdict, word=REPRODUCED) if inside and narrow else verdict


def _two_sided(distance: float, prediction: Prediction) -> float:
    if distance <= 0:
        return 1.0
    if prediction.error == 0:
        return 0.0
    return 2 * upper_tail(distance / prediction.error, prediction.degrees)


def _is_equivalent(difference: float, published: PublishedFigure, prediction: Prediction) -> bool:
    """Two one-sided tests at 5 %; the rounding counts against equivalence."""
    margin = published.margin - published.rounding
    return equivalence_p(difference, prediction.error, prediction.degrees, margin) < LEVEL


def equivalence_p(difference: float, error: float, degrees: float, margin: float) -> float:
    """The larger p of two one-sided t-tests that a difference is within the margin (Schuirmann, 1987).

    Args:
      difference: as measured.
      error: its standard error.
      degrees: degrees of freedom of that.
      margin: what counts as no difference.
    """
    slack = margin - abs(difference)
    return upper_tail(slack / error, degrees) if error else float(slack <= 0)


def holm(p_values: Sequence[float]) -> List[float]:
    """Holm's adjusted p-values (Holm, 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


class PairedDifference(NamedTuple):
    """Two trainings of each seed, e.g. TensorFlow 1's and a port's.

    Attributes:
      n: pairs.
      mean: of first - second.
      interval: 95 % t-interval of that mean; None for one pair.
      error: standard error of that mean; 0 for one pair.
      p_value: two-sided, of a mean of 0; None for one pair.
    """

    n: int
    mean: float
    interval: Optional[Interval]
    p_value: Optional[float]
    error: float = 0.0


def paired_difference(first: Sequence[float], second: Sequence[float]) -> PairedDifference:
    """Compare two lists that are paired by seed, by Student's paired t-test.

    Raises:
      ValueError: lists of unequal lengths, empty, or with a value that is not finite.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values are no pairs")
    differences = _checked(first, 1) - _checked(second, 1)
    mean = float(differences.mean())
    if len(differences) == 1:
        return PairedDifference(1, mean, None, None)
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    degrees = len(differences) - 1
    p_value = 2 * upper_tail(abs(mean) / error, degrees) if error else float(mean == 0)
    return PairedDifference(len(differences), mean, mean_interval(differences), p_value, error)


class Place(NamedTuple):
    """Where one run stands among those of a study.

    Attributes:
      below, equal, above: how many seeds of the study gave less, the same, more.
    """

    below: int
    equal: int
    above: int

    @property
    def text(self) -> str:
        """E.g. ``"above 3 of 10 seeds, equal to 1"``."""
        total = self.below + self.equal + self.above
        equal = f", equal to {self.equal}" if self.equal else ""
        return f"above {self.below} of {total} seeds{equal}"


def place_among(value: float, seeds: Sequence[float]) -> Place:
    """Where ``value`` stands among the figures of a study's seeds."""
    array = np.asarray(seeds, np.float64)
    return Place(int((array < value).sum()), int((array == value).sum()), int((array > value).sum()))


def _checked(values: Sequence[float], fewest: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) < fewest or not np.isfinite(array).all():
        raise ValueError(f"{array.tolist()}: expected at least {fewest} finite values")
    return array
