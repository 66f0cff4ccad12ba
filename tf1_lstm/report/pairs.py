"""Whether two ways of training give figures of one distribution: trainings paired by seed.

Both trainings of a seed saw the same batches, so their figures rise and fall together, and the difference of
each pair says more than the two lists apart. The means are compared by Student's paired t-test, the spreads by
the test of Morgan (1939) and Pitman (1939): of two paired variables with equal variances, sum and difference
are uncorrelated. Both p-values are corrected together by Holm's method.
"""

import math
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from tf1_lstm.report.statistics import mean_and_std
from tf1_lstm.report.student import upper_tail
from tf1_lstm.report.verdicts import (
    CANNOT_TELL,
    DIFFERS,
    LEVEL,
    NOT_JUDGED,
    POINT,
    PairedDifference,
    equivalence_p,
    holm,
    p_text,
    paired_difference,
)

SAME = "same"
FEWEST_PAIRS = 3


@dataclass(frozen=True)
class PairsVerdict:
    """Two lists of figures, paired by seed.

    Attributes:
      word: ``SAME``, ``DIFFERS``, ``CANNOT_TELL`` or ``NOT_JUDGED`` (below three pairs).
      difference: of the means, second - first.
      p_mean, p_spread: after Holm's correction; None where not judged.
      deviations: sample standard deviations of the first and the second list; None for one pair.
      margin: what counts as no difference.
      in_points: the figures are shares, and are told in points (0.01).
    """

    word: str
    difference: PairedDifference
    p_mean: Optional[float]
    p_spread: Optional[float]
    deviations: Sequence[Optional[float]]
    margin: float
    in_points: bool = True

    @property
    def text(self) -> str:
        """The verdict in words."""
        n, size = self.difference.n, self._size(self.difference.mean, sign=True)
        if self.word == NOT_JUDGED:
            return f"not judged: {n} pairs, expected {FEWEST_PAIRS} at least (the port's differ by {size})"
        if self.word == DIFFERS:
            found: List[str] = []
            if self.p_mean is not None and self.p_mean < LEVEL:
                found.append(f"the port's differ by {size} ({p_text(self.p_mean)})")
            if self.p_spread is not None and self.p_spread < LEVEL:
                first, second = (self._size(value or 0.0) for value in self.deviations)
                found.append(
                    f"the port's spread is {second}, the original's {first} ({p_text(self.p_spread)})"
                )
            return f"not the same distribution: {'; '.join(found)}"
        interval = self.difference.interval
        assert interval is not None
        ends = f"{self._size(interval.low, sign=True)} to {self._size(interval.high, sign=True)}"
        if self.word == SAME:
            return (
                f"the same distribution, as far as {n} pairs show: the means differ by {size} (95 %: {ends}), "
                f"less than {self._size(self.margin)}"
            )
        return (
            f"cannot tell: no difference shows in {n} pairs, but one above {self._size(self.margin)} is not "
            f"ruled out (95 %: {ends}); more seeds narrow it down"
        )

    def document(self) -> Dict[str, Any]:
        """JSON-ready."""
        interval = self.difference.interval
        return {
            "word": self.word,
            "text": self.text,
            "pairs": self.difference.n,
            "mean_difference": self.difference.mean,
            "interval": None if interval is None else list(interval),
            "p_mean": self.p_mean,
            "p_spread": self.p_spread,
            "standard_deviations": list(self.deviations),
            "margin": self.margin,
        }

    def _size(self, value: float, sign: bool = False) -> str:
        form = "+" if sign else ""
        return f"{100 * value:{form}.2f} points" if self.in_points else f"{value:{form}.4g}"


def judge_pairs(
    first: Sequence[float], second: Sequence[float], margin: float = POINT, in_points: bool = True
) -> PairsVerdict:
    """Judge two lists that are paired by seed.

    They *differ* where one of the two tests says so at 5 %. They are the *same* where none does, and two
    one-sided tests at 5 % (Schuirmann, 1987) hold the difference of the means within the margin. Between
    the two one *cannot tell*.

    Args:
      first: the original's figures.
      second: the port's, of the same seeds in the same order.
      margin: what counts as no difference.
      in_points: see ``PairsVerdict``.

    Raises:
      ValueError: lists of unequal lengths, empty, or with a value that is not finite.
    """
    difference = paired_difference(second, first)
    deviations = [mean_and_std(first)[1], mean_and_std(second)[1]]
    if difference.n < FEWEST_PAIRS or difference.p_value is None:
        return PairsVerdict(NOT_JUDGED, difference, None, None, deviations, margin, in_points)
    p_mean, p_spread = holm([difference.p_value, spread_p_value(first, second)])
    word = CANNOT_TELL
    if min(p_mean, p_spread) < LEVEL:
        word = DIFFERS
    elif equivalence_p(difference.mean, difference.error, difference.n - 1, margin) < LEVEL:
        word = SAME
    return PairsVerdict(word, difference, p_mean, p_spread, deviations, margin, in_points)


def spread_p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value of equal variances of paired values, by Morgan's and Pitman's test."""
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total, difference = one + two, two - one
    total, difference = total - total.mean(), difference - difference.mean()
    size = math.sqrt(float((total**2).sum() * (difference**2).sum()))
    # Figures are k of n: what is left of equal differences is rounding of the division.
    if np.abs(difference).max() < 1e-12 or size == 0:
        return 1.0
    correlation = float((total * difference).sum()) / size
    degrees = len(one) - 2
    if 1 - correlation**2 < 1e-15:
        return 0.0
    return 2 * upper_tail(abs(correlation) * math.sqrt(degrees / (1 - correlation**2)), degrees)
