"""A text's ids as examples, and batches of streams that go on where the one before ended."""

from typing import Tuple

import numpy as np

from tf1_lstm.data.base import Batch, Sampler
from tf1_lstm.data.own.examples import Examples
from tf1_lstm.errors import InputError


class TextWindows(Examples):
    """Runs of a text's ids; the row of an example is the place of its first id.

    Args:
      ids: int32 ``[tokens]``.
      steps: ids of an example.
    """

    dtype = np.dtype(np.int32)

    def __init__(self, ids: np.ndarray, steps: int) -> None:
        self.count, self.shape = len(ids), (steps,)
        self.ids = ids
        self._places = np.arange(steps)

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """int32 ``[n, steps]``."""
        return self.ids[np.asarray(rows)[:, None] + self._places]

    def targets(self, rows: np.ndarray) -> np.ndarray:
        """The ids that come next, int32 ``[n, steps]``."""
        return self.inputs(np.asarray(rows) + 1)

    def keys(self) -> np.ndarray:
        """None: of windows nobody can say which are the same text (see ``CorpusDataset.audit``)."""
        return np.zeros(0, np.uint64)


class StreamSampler(Sampler):
    """A text cut into as many streams as a batch has rows; each batch goes on where the last one ended.

    The streams are of equal length, one after another in the text; what is left over at the end is
    left out, as in the Penn Treebank reader of TensorFlow's tutorials. There is nothing random in it.

    Args:
      windows: the text.
      place: of the split's first id in it, and the number of its ids.
      batch_size: streams.

    Raises:
      InputError: too few ids for one batch.
    """

    contiguous = True

    def __init__(self, windows: TextWindows, place: Tuple[int, int], batch_size: int) -> None:
        steps, (first, count) = windows.shape[0], place
        length = count // batch_size if batch_size > 0 else 0
        self.steps_per_epoch = (length - 1) // steps if length else 0
        if self.steps_per_epoch < 1:
            most = max(count // (steps + 1), 1)
            raise InputError(
                f"batch_size: found {batch_size:,} streams of {count:,} ids, "
                f"expected 1 to {most:,} for {steps:,} steps"
            )
        self._windows, self._steps = windows, steps
        self._starts = first + length * np.arange(batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step``; the first of an epoch begins the streams anew."""
        rows = self._starts + (step % self.steps_per_epoch) * self._steps
        return Batch(self._windows.inputs(rows), self._windows.targets(rows), rows)
