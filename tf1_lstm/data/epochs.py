"""An endless stream of shuffled epochs, any part of which can be had without what came before."""

from typing import Dict, List

import numpy as np

from tf1_lstm.data.base import philox

CACHED_EPOCHS = 4


class ShuffledEpochs:
    """The same rows over and over, in a new random order each epoch, end to end.

    An epoch's order comes from (seed, stream, epoch) alone; the last few orders are kept.
    """

    def __init__(self, rows: np.ndarray, seed: int, stream: str) -> None:
        """Stream ``rows`` (``[n]``, at least one); ``seed`` and ``stream`` as in ``philox``."""
        self._rows, self._seed, self._stream = rows, seed, stream
        self._orders: Dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        """Rows in one epoch."""
        return len(self._rows)

    def take(self, start: int, count: int) -> np.ndarray:
        """Places ``start`` to ``start + count`` of the stream; they may span epochs."""
        parts: List[np.ndarray] = []
        while count > 0:
            epoch, place = divmod(start, len(self._rows))
            parts.append(self._order(epoch)[place : place + count])
            start += len(parts[-1])
            count -= len(parts[-1])
        return np.concatenate(parts)

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            if len(self._orders) >= CACHED_EPOCHS:
                self._orders.clear()
            self._orders[epoch] = philox(self._seed, self._stream, epoch).permutation(self._rows)
        return self._orders[epoch]
