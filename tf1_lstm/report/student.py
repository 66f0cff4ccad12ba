"""Student's t distribution with any positive number of degrees of freedom, whole or not.

The distribution function is a regularised incomplete beta function, by its continued fraction
(Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.5.8 and 26.7.1) with Lentz's method
of evaluation; the quantile is found by bisection and Newton's method. Both are held against scipy in
the tests; scipy itself is not among the packages that a training needs.
"""

import math
from functools import lru_cache

_TINY = 1e-300


def upper_tail(t: float, degrees: float) -> float:
    """The probability that a t variable is above ``t``.

    Args:
      t: any number, infinity included.
      degrees: degrees of freedom, above 0; infinity is the normal distribution.

    Raises:
      ValueError: degrees that are not positive, or ``t`` is NaN.
    """
    if math.isnan(t) or not degrees > 0:
        raise ValueError(f"t = {t} with {degrees} degrees of freedom")
    if t < 0:
        return 1 - upper_tail(-t, degrees)
    if math.isinf(t):
        return 0.0
    if math.isinf(degrees):
        return 0.5 * math.erfc(t / math.sqrt(2))
    return 0.5 * _incomplete_beta(degrees / 2, 0.5, degrees, t * t)


@lru_cache(maxsize=1024)
def quantile(probability: float, degrees: float) -> float:
    """The value that a t variable stays below with this probability.

    Args:
      probability: between 0 and 1, both excluded.
      degrees: as in ``upper_tail``.

    Raises:
      ValueError: a probability or degrees outside of their range.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability {probability}")
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -quantile(1 - probability, degrees)
    tail, low, high = 1 - probability, 0.0, 1.0
    while upper_tail(high, degrees) > tail:
        low, high = high, 2 * high
    while high - low > 0.01 * high and high > 1e-9:
        middle = (low + high) / 2
        if upper_tail(middle, degrees) > tail:
            low = middle
        else:
            high = middle
    t = (low + high) / 2
    for _ in range(4):  # Newton's method doubles the two digits that bisection found.
        t += (upper_tail(t, degrees) - tail) / _density(t, degrees)
    return t


def _density(t: float, degrees: float) -> float:
    if math.isinf(degrees):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    power = -(degrees + 1) / 2 * math.log1p(t * t / degrees)
    return math.exp(log_scale + power) / math.sqrt(degrees * math.pi)


def _incomplete_beta(a: float, b: float, first: float, second: float) -> float:
    """I_x(a, b) at x = first / (first + second), which keeps its digits however small 1 - x is."""
    x, rest = first / (first + second), second / (first + second)
    if x == 0 or rest == 0:
        return float(rest == 0)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    factor = math.exp(a * math.log(x) + b * math.log(rest) - log_beta)
    # The fraction converges quickly below the mean only; above it the other end's is taken.
    if x < (a + 1) / (a + b + 2):
        return factor * _fraction(a, b, x) / a
    return 1 - factor * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 26.5.8, evaluated by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1 / _not_zero(1 + part * d)
            c = _not_zero(1 + part / c)
            step = c * d
            value *= step
        if abs(step - 1) < 1e-15:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
