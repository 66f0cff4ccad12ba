"""How far float32 is from float64 on a model that may be wrong, and so chaotic."""

from typing import Optional

import numpy as np

from tf1_lstm.parity.problem import Problem, largest_error
from tf1_lstm.parity.reference import ForwardPass

# States are judged up to the step at which float32 is this far off.
PREDICTABLE = 1e-5


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

    def of(self, name: str) -> np.ndarray:
        """Return the rounding error of ``logits``, or of a state by name up to each predictable step."""
        if name == "logits":
            return np.asarray(largest_error(self._exact.logits, self._forward().logits))
        by_step = self._by_step(name)
        return by_step[by_step <= PREDICTABLE][:, None]  # [steps, 1]

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
