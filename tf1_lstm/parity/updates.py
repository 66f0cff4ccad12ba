"""Whether a port's weights after each step follow from its own gradients and its own weights before.

Adam and RMSprop divide a gradient by its own size. Where a gradient is hardly more than its rounding error,
the error becomes a whole step, and such steps move the next gradients. So no port arrives where
TensorFlow arrives, and each step is judged from where the port itself stood.
"""

import math
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_lstm.parity.optimizers import Arrays, UpdateRule

# A port's rounding may be this many times TensorFlow's own.
ROUNDING_MARGIN = 30.0
FLOAT32 = 1e-7
# Of a later gradient, of which only the reference's rounding is known.
SPREAD = 4.0


class Seen(NamedTuple):
    """What a port showed of its training, by role; roles may be missing.

    Attributes:
      gradients: of the first step.
      updates: the weights after each step.
    """

    gradients: Mapping[str, np.ndarray]
    updates: Sequence[Mapping[str, np.ndarray]]


class UpdateStep(NamedTuple):
    """One step of a port, as it should have been made.

    Attributes:
      expected: role -> the weights after it, float64.
      margin: role -> how far rounding of the step's gradient may have moved them.
    """

    expected: Arrays
    margin: Arrays


def own_steps(
    optimizer: UpdateRule,
    start: Mapping[str, np.ndarray],
    right: Mapping[str, np.ndarray],
    rounding: Mapping[str, float],
    seen: Seen,
    gradient_of: Callable[[int, Arrays], Tuple[Arrays, Arrays]],
    factor: Callable[[str], float],
    allowance: float = 1.0,
) -> Iterator[UpdateStep]:
    """Yield every step of a port as it follows from the port's own state before it.

    Args:
      optimizer: what moves the weights.
      start: the weights before the first step.
      right: the first gradients as they should be.
      rounding: role -> how far float32 is off in them. The port's own are taken in their place as far as
        rounding explains the difference.
      seen: the port's training.
      gradient_of: (step from 2, weights before it) -> the gradients there, exact and in float32.
      factor: role -> how many times the optimizer's step is applied.
      allowance: factor on ``ROUNDING_MARGIN`` and ``SPREAD``.
    """
    gradients = {
        role: _first(array, seen.gradients.get(role), allowance * rounding[role], allowance)
        for role, array in right.items()
    }
    errors = {role: np.zeros_like(gradient) for role, gradient in gradients.items()}
    now: Arrays = {role: np.asarray(array, np.float64) for role, array in start.items()}
    slots = {role: optimizer.slots(array) for role, array in now.items()}
    for step, update in enumerate(seen.updates, start=1):
        if step > 1:
            gradients, rounded = gradient_of(step, now)
            errors = {
                role: error + allowance * _error(gradients[role], rounded[role])
                for role, error in errors.items()
            }
        expected: Arrays = {}
        margin: Arrays = {}
        taken = optimizer.taken(gradients, now)
        for role, weight in now.items():
            move, slots[role] = optimizer.move(slots[role], taken[role], step)
            expected[role] = optimizer.decayed(role, weight) - move * factor(role)
            off = optimizer.sensitivity(slots[role], step) * errors[role]
            margin[role] = np.minimum(2 * optimizer.longest_step, off) * factor(role)
        yield UpdateStep(expected, margin)
        now = {role: _own(update.get(role), array) for role, array in expected.items()}


def _first(right: np.ndarray, seen: Optional[np.ndarray], rounding: float, allowance: float) -> np.ndarray:
    """Return the port's first gradient, as far as rounding explains its difference from the right one."""
    exact = np.asarray(right, np.float64)
    if seen is None or seen.shape != exact.shape or not exact.size:
        return exact
    most = ROUNDING_MARGIN * max(rounding, allowance * FLOAT32 * float(np.abs(exact).max()))
    return exact + np.clip(seen - exact, -most, most)


def _error(exact: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """Return by how much a port's gradient may be off; not at all where nothing is added up.

    Rounding is alike in the rows of a matrix, and in its columns.
    """
    difference = np.abs(exact - rounded)
    size = math.sqrt(float((difference**2).mean())) if difference.size else 0.0
    if not size:
        return difference
    typical = np.full(difference.shape, size)
    if difference.ndim == 2:
        rows, columns = (np.sqrt((difference**2).mean(axis=axis)) for axis in (1, 0))
        typical = np.outer(rows, columns) / size
    return SPREAD * np.maximum(difference, typical)


def _own(seen: Optional[np.ndarray], expected: np.ndarray) -> np.ndarray:
    """Return the port's weights where they can be seen."""
    if seen is None or seen.shape != expected.shape:
        return expected
    return seen.astype(np.float64)
