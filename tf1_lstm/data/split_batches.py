"""How a whole split is cut into batches for measuring; knows no framework."""

from typing import Any, Iterator, Tuple

import numpy as np


def batches_of(inputs: np.ndarray, any_steps: bool, size: int) -> Iterator[Tuple[Any, int]]:
    """Cut examples into batches; yields the rows of each and how many steps of them to run.

    A graph that takes any number of steps reads padding as it reads words. So reviews of one length are
    put together, and none is read with padding behind it: the figures depend on no other review.

    Args:
      inputs: ``[examples, steps]`` or ``[examples, steps, inputs]``.
      any_steps: whether the graph takes any number of steps.
      size: most examples in a batch.
    """
    steps = inputs.shape[1]
    if not any_steps:
        yield from ((slice(start, start + size), steps) for start in range(0, len(inputs), size))
        return
    lengths = example_lengths(inputs)
    order = np.argsort(lengths, kind="stable")
    bounds = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, bounds):
        for start in range(0, len(rows), size):
            yield rows[start : start + size], int(lengths[rows[0]])


def example_lengths(inputs: np.ndarray) -> np.ndarray:
    """Ids before the padding at the end, int64 ``[examples]``, one at least; of ``[examples, steps]``."""
    used = inputs != 0
    last = inputs.shape[1] - np.argmax(used[:, ::-1], axis=1)
    return np.where(used.any(axis=1), last, 1)
