"""Examples that are made when they are asked for, behind the face of an array."""

from typing import Any, Callable, Tuple

import numpy as np


class LazyRows:
    """An array ``[examples, ...]`` whose rows are computed as they are read.

    A million padded texts of 250 ids would take a gigabyte; this takes the numbers of their rows.

    Args:
      make: from row numbers int64 ``[n]`` to an array ``[n, ...]``.
      rows: int64 ``[examples]``.
      shape: of one example.
      dtype: of the array.
    """

    def __init__(
        self, make: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, shape: Tuple[int, ...], dtype: Any
    ) -> None:
        self._make, self._rows = make, rows
        self.shape = (len(rows), *shape)
        self.dtype = np.dtype(dtype)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        first, rest = (key[0], tuple(key[1:])) if isinstance(key, tuple) else (key, ())
        chosen = self._rows[first]
        if np.ndim(chosen) == 0:
            return self._make(np.array([chosen], np.int64))[0][rest]
        return self._make(chosen)[(slice(None), *rest)]

    def __eq__(self, other: Any) -> Any:
        return np.asarray(self) == other

    def __ne__(self, other: Any) -> Any:
        return np.asarray(self) != other

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None) -> np.ndarray:
        made = self._make(self._rows)
        return made if dtype is None else made.astype(dtype)
