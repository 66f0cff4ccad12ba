"""Where examples are kept, and how some of them become the arrays of a batch."""

import abc
import hashlib
from typing import Any, Optional, Sequence, Tuple

import numpy as np

PADDING, UNKNOWN, FIRST_WORD = range(3)
FRONT, BACK = SIDES = ("front", "back")
_NUMBERS_AT_ONCE = 1 << 20


def digest(content: Any) -> int:
    """64 bits that stand for some bytes; two of a million examples share them by chance once in 10^7."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def rows_at_once(shape: Tuple[int, ...]) -> int:
    """How many examples of a shape to go through at a time, so that they take a few megabytes."""
    return max(_NUMBERS_AT_ONCE // max(int(np.prod(shape)), 1), 1)


class Examples(abc.ABC):
    """Examples of one shape.

    Attributes:
      count: how many.
      shape: of one example's inputs, ``(steps,)`` or ``(steps, inputs)``.
      dtype: int32 (ids) or float32.
    """

    count: int
    shape: Tuple[int, ...]
    dtype: np.dtype

    @abc.abstractmethod
    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """The inputs ``[n, steps]`` int32 or ``[n, steps, inputs]`` float32 of ``rows``, int64 ``[n]``."""

    def lengths(self, rows: np.ndarray) -> Optional[np.ndarray]:
        """Steps that are no padding, int32 ``[n]``; None where all are."""
        return None

    @abc.abstractmethod
    def keys(self) -> np.ndarray:
        """uint64 ``[count]``, equal for examples that are identical as they are read."""


class RaggedIds(Examples):
    """Texts of any length as ids end to end, padded and cut as they are read.

    Args:
      ids: int32 ``[all ids]``.
      offsets: int64 ``[texts + 1]``.
      keys: uint64 ``[texts]``.
      steps: ids that are read of each.
      padding, cutting: ``"front"`` or ``"back"``: where short texts are filled up with 0, and where
        long ones lose their ids.
    """

    dtype = np.dtype(np.int32)

    def __init__(
        self, ids: np.ndarray, offsets: np.ndarray, keys: np.ndarray, steps: int, padding: str, cutting: str
    ) -> None:
        self.count, self.shape = len(offsets) - 1, (steps,)
        self._ids, self._offsets, self._keys = ids, offsets, keys
        self._steps, self._padding, self._cutting = steps, padding, cutting

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """int32 ``[n, steps]``."""
        found = np.full((len(rows), self._steps), PADDING, np.int32)
        for target, row in zip(found, rows.tolist()):
            fill(target, self._ids[self._offsets[row] : self._offsets[row + 1]], self._padding, self._cutting)
        return found

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """int32 ``[n]``, 1 to ``steps``."""
        return np.minimum(self._offsets[rows + 1] - self._offsets[rows], self._steps).astype(np.int32)

    def keys(self) -> np.ndarray:
        """As given: of the words themselves, also of those that have no id of their own."""
        return self._keys


def fill(target: np.ndarray, ids: np.ndarray, padding: str, cutting: str) -> None:
    """Write the ids that are read of one text to its row, int32 ``[steps]`` of padding."""
    read = cut(ids, len(target), cutting)
    if padding == FRONT:
        target[len(target) - len(read) :] = read
    else:
        target[: len(read)] = read


def cut(words: Sequence[Any], steps: int, cutting: str) -> Any:
    """The words that are read: the last ones where the front is cut, else the first."""
    return words[max(len(words) - steps, 0) :] if cutting == FRONT else words[:steps]


class Dense(Examples):
    """Examples of equal shape in one array, which may be mapped from a file.

    Args:
      array: ``[examples, steps]`` ids of any integer type, or ``[examples, steps, inputs]`` numbers of
        any type.
      lengths: ``[examples]`` whole numbers, or None.
    """

    def __init__(self, array: np.ndarray, lengths: Optional[np.ndarray] = None) -> None:
        self.count, self.shape = len(array), tuple(array.shape[1:])
        self.dtype = np.dtype(np.int32 if array.ndim == 2 else np.float32)
        self._array, self._lengths = array, lengths
        self._keys: Optional[np.ndarray] = None

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """int32 or float32 ``[n, ...]``."""
        return np.asarray(self._array[rows]).astype(self.dtype)

    def lengths(self, rows: np.ndarray) -> Optional[np.ndarray]:
        """int32 ``[n]``, or None."""
        return None if self._lengths is None else np.asarray(self._lengths[rows]).astype(np.int32)

    def keys(self) -> np.ndarray:
        """Of inputs and lengths; computed when first asked for."""
        if self._keys is None:
            self._keys = np.empty(self.count, np.uint64)
            step = rows_at_once(self.shape)
            for start in range(0, self.count, step):
                rows = np.arange(start, min(start + step, self.count))
                lengths = self.lengths(rows)
                for row, example in zip(rows.tolist(), self.inputs(rows)):
                    read = example if lengths is None else example[: lengths[row - start]]
                    self._keys[row] = digest(np.ascontiguousarray(read))
        return self._keys


class Windows(Examples):
    """Runs of rows of a table of numbers.

    Args:
      values: float32 ``[rows, columns]``.
      starts: int64 ``[windows]``, the first row of each.
      steps: rows of a window.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, values: np.ndarray, starts: np.ndarray, steps: int) -> None:
        self.count, self.shape = len(starts), (steps, values.shape[1])
        self._values, self._starts = values, starts
        self._places = np.arange(steps)

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """float32 ``[n, steps, columns]``."""
        return self._values[self._starts[rows][:, None] + self._places]

    def keys(self) -> np.ndarray:
        """Of the windows' numbers."""
        steps, found = self.shape[0], np.empty(self.count, np.uint64)
        for row, start in enumerate(self._starts.tolist()):
            found[row] = digest(np.ascontiguousarray(self._values[start : start + steps]))
        return found
