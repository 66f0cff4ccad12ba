"""How far float32 is from float64 on a model that may be wrong, and so chaotic.

Chaos does not take hold of every example: in a short text, or where the gates are closed, rounding errors die
out. So the logits of those examples that float32 does decide are judged, and the others are not.
"""

import dataclasses
from typing import Optional

import numpy as np

from tf1_lstm.parity.problem import Problem
from tf1_lstm.parity.reference import ForwardPass

# States are judged up to the step at which float32 is this far off.
PREDICTABLE = 1e-5
# Logits are judged in the examples in which float32 is at most this far off.
MOST_ROUNDING = 1e-3
# By how much weights are moved for a second estimate of it: half a unit in the last place.
HALF_A_BIT = 2.0**-24

# Bits of the fraction, and how many numbers must fit.
SHORT_TYPES, FEWEST = {"bfloat16": 7, "float16": 10}, 6


def short_type(numbers: np.ndarray) -> Optional[str]:
    """Return ``"float16"`` or ``"bfloat16"`` where all numbers of a float32 array fit in it, else None."""
    numbers = numbers[np.isfinite(numbers) & (np.abs(numbers) > 2.0**-14)]
    if len(numbers) < FEWEST:
        return None
    bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
    for kind, kept in SHORT_TYPES.items():
        if not (bits & np.uint32((1 << (23 - kept)) - 1)).any():
            return kind
    return None


class Rounding:
    """How far float32 is from float64 on one problem: no port can be asked to be closer.

    Args:
      problem: what is run.
      exact: its result in float64.
    """

    def __init__(self, problem: Problem, exact: ForwardPass) -> None:
        self._problem, self._exact = problem, exact
        self._single: Optional[ForwardPass] = None
        self._of_logits: Optional[np.ndarray] = None

    def of(self, name: str) -> np.ndarray:
        """Return the rounding error of each example's logits, or of a state by name up to each predictable step."""
        if name == "logits":
            return self.of_logits()
        by_step = self._by_step(name)
        return by_step[by_step <= PREDICTABLE][:, None]  # [steps, 1]

    def of_logits(self) -> np.ndarray:
        """Return the rounding error of each example's logits, ``[batch, 1]`` (and a 1 for steps).

        The larger of two, since one may be small by chance: float32 with these weights, and with weights that
        are moved by half a bit.
        """
        if self._of_logits is None:
            draw = np.random.RandomState(0)
            moved = {
                role: array * (1 + HALF_A_BIT * draw.standard_normal(array.shape))
                for role, array in self._problem.weights.items()
            }
            other = dataclasses.replace(self._problem, weights=moved).in_type(np.float32).forward()
            assert other is not None
            exact = self._exact.logits
            singles = np.stack([self._forward().logits, other.logits]).astype(np.float64)
            errors = np.abs(singles - exact).max(axis=0) / np.maximum(1.0, np.abs(exact))
            axes = tuple(range(1, exact.ndim))
            self._of_logits = np.nan_to_num(errors.max(axis=axes, keepdims=True), nan=np.inf)
        return self._of_logits

    def known_examples(self) -> np.ndarray:
        """Return the examples whose logits float32 decides, a mask ``[batch]``."""
        own = self.of_logits()
        return own.reshape(len(own)) <= MOST_ROUNDING

    def predictable(self, name: str) -> np.ndarray:
        """Return the steps at which a state is not yet chaos, a mask ``[steps]``."""
        return self._by_step(name) <= PREDICTABLE

    def _by_step(self, name: str) -> np.ndarray:
        exact, single = self._exact.steps()[name], self._forward().steps()[name]
        errors = (np.abs(single - exact) / np.maximum(1.0, np.abs(exact))).max(axis=(0, 2))
        order = -1 if name.startswith("bw") else 1
        return np.maximum.accumulate(np.nan_to_num(errors[::order], nan=np.inf))[::order]

    def _forward(self) -> ForwardPass:
        if self._single is None:
            self._single = self._problem.in_type(np.float32).forward()
        assert self._single is not None
        return self._single
