"""Whether random logits are what dropout before the softmax makes of the right model.

A port with dropout left on answers differently each time, so no single answer can be predicted. Its
mean and its variance over many runs can: a logit is a sum over units of ``h * w``, each kept with
probability k and divided by k, so its mean is unchanged and its variance is (1 - k) / k times the
sum of ``(h * w)**2``.
"""

from typing import NamedTuple, Optional

import numpy as np

FEWEST_RUNS = 16
# In standard deviations of the mean over the runs: the worst logit, and all of them together.
WORST_Z, TYPICAL_Z = 5.0, 1.6
# Share of the predicted variance, per logit, in which a sample of 16 or more runs lies.
VARIANCE_RANGE = (0.2, 3.5)


class DropoutFit(NamedTuple):
    """Dropout that explains a set of random answers.

    Attributes:
      keep_prob: the share of outputs kept, from the spread of the answers.
      worst_z: largest distance of a mean logit from its prediction, in standard errors.
    """

    keep_prob: float
    worst_z: float


def is_random(repeats: Optional[np.ndarray]) -> bool:
    """Return whether runs ``[runs, batch, classes]`` on the same inputs differ by more than rounding."""
    if repeats is None or len(repeats) < 2:
        return False
    return bool(np.ptp(repeats, axis=0).max() > 1e-4 * max(1.0, float(np.abs(repeats).max())))


def fit_dropout(
    repeats: np.ndarray, features: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> Optional[DropoutFit]:
    """Return the dropout on ``features`` that explains the answers, or None.

    Args:
      repeats: ``[runs, batch, classes]`` logits on the same inputs.
      features: ``[batch, units]``, what the softmax should read.
      weights: ``[units, classes]``.
      bias: ``[classes]``.
    """
    runs = len(repeats)
    if runs < FEWEST_RUNS:
        return None
    predicted = features @ weights + bias
    unit_variance = (features**2) @ (weights**2)  # [batch, classes], for (1 - k) / k = 1
    observed = repeats.var(axis=0, ddof=1)
    ratio = float(observed.sum() / max(unit_variance.sum(), 1e-30))
    variance = ratio * unit_variance
    if not 0.005 < ratio < 20 or variance.min() <= 0:
        return None
    z = (repeats.mean(axis=0) - predicted) / np.sqrt(variance / runs)
    share = observed / variance
    worst, typical = float(np.abs(z).max()), float(np.sqrt((z**2).mean()))
    fits = worst < WORST_Z and typical < TYPICAL_Z
    if not fits or share.min() < VARIANCE_RANGE[0] or share.max() > VARIANCE_RANGE[1]:
        return None
    return DropoutFit(1 / (1 + ratio), worst)
