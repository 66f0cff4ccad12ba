"""Whether two lists of trainings are from one distribution, and what difference they would have shown.

Welch's t-test and the two-sample Kolmogorov-Smirnov test ask whether they differ; two one-sided tests on
differences by seed ask whether they are equal within a margin. docs/statistics.md has the sources.
"""

import math
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.report.statistics import Interval
from tf1_lstm.report.student import quantile, upper_tail
from tf1_lstm.report.verdicts import LEVEL, POINT, PairedDifference, equivalence_p, paired_difference


class TwoSamples(NamedTuple):
    """Two lists of figures, the first minus the second.

    Attributes:
      counts: how many of each.
      difference: of the means.
      interval: 95 % interval of that, by Welch's t-test.
      welch_p: two-sided, of equal means.
      smirnov_p: of one distribution, exact.
      std: pooled standard deviation, within the lists.
      power_at_margin: chance that Welch's test at 5 % finds means that differ by ``margin``.
      power_at_std: the same of one standard deviation.
      paired: of the seeds in both; None without two of them.
      equivalent_p: the larger p of two one-sided tests on those pairs: below 5 %, the means are equal
        within ``margin``. None without two pairs.
      margin: what counts as no difference.
    """

    counts: Tuple[int, int]
    difference: float
    interval: Interval
    welch_p: float
    smirnov_p: float
    std: float
    power_at_margin: float
    power_at_std: float
    paired: Optional[PairedDifference]
    equivalent_p: Optional[float]
    margin: float


def compare_samples(first: Dict[int, float], second: Dict[int, float], margin: float = POINT) -> TwoSamples:
    """Compare two lists of figures by seed.

    Args:
      first, second: seed -> figure, finite, two of each at least.
      margin: what counts as no difference.

    Raises:
      ValueError: fewer than two figures in a list, or one that is not finite.
    """
    one, other = (np.array(list(values.values()), np.float64) for values in (first, second))
    if min(len(one), len(other)) < 2 or not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError(f"{first} and {second}: expected two finite values of each")
    n, m = len(one), len(other)
    parts = one.var(ddof=1) / n, other.var(ddof=1) / m
    error, difference = math.sqrt(sum(parts)), float(one.mean() - other.mean())
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1)) if error else n + m - 2.0
    half = quantile(1 - LEVEL / 2, degrees) * error
    std = math.sqrt(((n - 1) * one.var(ddof=1) + (m - 1) * other.var(ddof=1)) / (n + m - 2))
    shift = math.sqrt(n * m / (n + m))
    both = sorted(set(first) & set(second))
    paired = paired_difference([first[s] for s in both], [second[s] for s in both]) if len(both) > 1 else None
    return TwoSamples(
        (n, m),
        difference,
        Interval(difference - half, difference + half),
        2 * upper_tail(abs(difference) / error, degrees) if error else float(difference == 0),
        smirnov_p(one, other),
        std,
        power_of_t(margin / std * shift if std else math.inf, n + m - 2),
        power_of_t(shift, n + m - 2),
        paired,
        None if paired is None else equivalence_p(paired.mean, paired.error, paired.n - 1, margin),
        margin,
    )


def smirnov_p(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sample Kolmogorov-Smirnov test's p: exact, and too large rather than too small with ties.

    The number of orders in which the two samples' steps never part as far as these do (Hodges, 1958).
    """
    one, other = np.sort(first), np.sort(second)
    n, m = len(one), len(other)
    places = np.concatenate([one, other])
    apart = np.searchsorted(one, places, "right") * m - np.searchsorted(other, places, "right") * n
    largest = int(np.abs(apart).max())
    if largest == 0:
        return 1.0
    # Paths from (0, 0) to (n, m) that stay below the largest distance, as shares of all paths.
    ways = [1.0] + [0.0] * m
    for i in range(n + 1):
        for j in range(m + 1):
            if i or j:
                come = (ways[j] if i else 0.0) * i / (i + j) + (ways[j - 1] if j else 0.0) * j / (i + j)
                ways[j] = come if abs(i * m - j * n) < largest else 0.0
    return 1 - ways[m]


def power_of_t(shift: float, degrees: float) -> float:
    """The chance that a two-sided t-test at 5 % finds a difference.

    Args:
      shift: the true difference over its standard error.
      degrees: degrees of freedom.
    """
    if math.isinf(shift):
        return 1.0
    border = quantile(1 - LEVEL / 2, degrees)
    # Over the chi distribution of the estimated standard error: the integral of a smooth density.
    ratio = np.linspace(0, 1 + 12 / math.sqrt(degrees), 1001)[1:]  # estimate / truth
    log_density = (degrees - 1) * np.log(ratio) - degrees * ratio**2 / 2
    density = np.exp(log_density - log_density.max())
    beyond = [_normal_tail(border * r - shift) + _normal_tail(border * r + shift) for r in ratio]
    return float((density * beyond).sum() / density.sum())


def _normal_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
