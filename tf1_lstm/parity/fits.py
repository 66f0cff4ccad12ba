"""Settings of a port that its numbers give away: a learning rate, a temperature, a decay, smoothed labels.

Each is found from the port's own numbers and rounded to two digits, since people choose round settings; the
diagnosis then asks whether it explains everything.
"""

from typing import Optional

import numpy as np

from tf1_lstm.parity.losses import log_softmax
from tf1_lstm.parity.optimizers import UpdateRule
from tf1_lstm.parity.problem import Numbers, Problem

FEWEST = 6
DIGITS = 2


def rounded(value: float) -> float:
    """Return a number with two digits."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else 0.0


def temperature_of(right: np.ndarray, seen: np.ndarray) -> float:
    """Return the factor between the right logits and a port's; 1 where it is none or not round."""
    if right.shape != seen.shape or right.size < FEWEST or not right.any():
        return 1.0
    factor = float((right * seen).sum() / (right**2).sum())
    candidates = [rounded(factor), 1 / rounded(1 / factor) if factor and rounded(1 / factor) else 0.0]
    close = [value for value in candidates if value > 0 and abs(value - factor) <= 1e-4 * abs(factor)]
    return close[0] if close else 1.0


def learning_rate_of(optimizer: UpdateRule, problem: Problem, seen: Numbers) -> Optional[float]:
    """Return the learning rate of a port's first step, from its own gradients; None where not known."""
    ratios = []
    for role, gradient in (seen.gradients or {}).items():
        after = (seen.updates or ({},))[0].get(role)
        if after is None or role not in problem.weights or gradient.shape != after.shape:
            continue
        move, _ = optimizer.move(optimizer.slots(gradient.astype(np.float64)), gradient.astype(np.float64), 1)
        # Where the gradient is large, its rounding does not matter, nor does that of the weight.
        telling = np.abs(gradient) >= 0.1 * max(float(np.abs(gradient).max()), 1e-30)
        telling &= np.abs(move) > 1e-12
        ratios.append(((problem.weights[role] - after)[telling] / move[telling]).reshape(-1))
    every = np.concatenate(ratios) if ratios else np.zeros(0)
    if len(every) < FEWEST:
        return None
    return rounded(optimizer.learning_rate * float(np.median(every)))


def decay_of(optimizer: UpdateRule, problem: Problem, seen: Numbers) -> Optional[float]:
    """Return the decoupled decay of a port's first step; None where there is none."""
    above, below = 0.0, 0.0
    for role, gradient in (seen.gradients or {}).items():
        after = (seen.updates or ({},))[0].get(role)
        if after is None or role not in problem.weights or gradient.shape != after.shape:
            continue
        if problem.spec.is_recurrent_bias(role):  # in which a port may keep the forget bias
            continue
        weight = problem.weights[role]
        move, _ = optimizer.move(optimizer.slots(gradient.astype(np.float64)), gradient.astype(np.float64), 1)
        telling = np.abs(gradient) >= 0.01 * max(float(np.abs(gradient).max()), 1e-30)
        above += float(((weight - move - after) * weight)[telling].sum())
        below += float((weight**2)[telling].sum())
    share = above / below / optimizer.learning_rate if below else 0.0
    return rounded(share) if share > 1e-6 else None


def smoothing_of(labels: np.ndarray, seen: Numbers) -> Optional[float]:
    """Return the share by which a port's labels are smoothed, from its loss; None where they are not."""
    if seen.loss is None or seen.logits.shape != labels.shape:
        return None
    log_p = log_softmax(seen.logits.astype(np.float64))
    plain, even = -(labels * log_p).sum(axis=1).mean(), -log_p.mean(axis=1).mean()
    share = (seen.loss - plain) / (even - plain) if even != plain else 0.0
    return rounded(float(share)) if 1e-3 < share < 1 else None
