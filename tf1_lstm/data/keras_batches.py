"""Batches of reviews, epoch by epoch: shuffled, or of about one length as torchtext's BucketIterator."""

from typing import Dict, List

import numpy as np

from tf1_lstm.data.base import Batch, Sampler, philox
from tf1_lstm.data.epochs import CACHED_EPOCHS
from tf1_lstm.data.keras_reviews import Reading, Reviews
from tf1_lstm.errors import InputError

POOLED_BATCHES = 100  # torchtext's: batches whose reviews are sorted together
_ONE_HOT = np.eye(2, dtype=np.float32)


class ReviewSampler(Sampler):
    """Epochs of batches: in each epoch every review comes once, but for a remainder that is dropped.

    Attributes:
      steps_per_epoch: batches in an epoch.
    """

    def __init__(
        self,
        reviews: Reviews,
        rows: np.ndarray,
        reading: Reading,
        batch_size: int,
        seed: int,
        stream: str,
        drop_remainder: bool = False,
    ) -> None:
        """Draw ``rows`` (int64 ``[n]``) of ``reviews``; ``seed`` and ``stream`` as in ``philox``.

        Raises:
          InputError: a batch size below 1, or too few rows for one batch.
        """
        if batch_size < 1:
            raise InputError(f"setting batch_size: found {batch_size}, expected 1 or more")
        self.steps_per_epoch = len(rows) // batch_size if drop_remainder else -(-len(rows) // batch_size)
        if not self.steps_per_epoch:
            raise InputError(
                f"setting batch_size: found {batch_size:,} with drop_remainder=true, "
                f"expected at most {len(rows):,}, the reviews there are"
            )
        self._reviews, self._rows, self._reading = reviews, rows, reading
        self._batch_size, self._seed, self._stream = batch_size, seed, stream
        self._epochs: Dict[int, List[np.ndarray]] = {}

    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step``: inputs int32 ``[batch, steps]``; see ``Reading``."""
        rows = self.rows(step)
        reviews = [self._reviews.review(row) for row in rows.tolist()]
        steps = 0 if self._reading.any_steps else self._reading.steps
        return Batch(self._reading.rows(reviews, steps), _ONE_HOT[self._reviews.labels[rows]], rows)

    def rows(self, step: int) -> np.ndarray:
        """That batch's rows alone, int64 ``[batch]``."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch not in self._epochs:
            if len(self._epochs) >= CACHED_EPOCHS:
                self._epochs.clear()
            random = philox(self._seed, self._stream, epoch)
            order = random.permutation(self._rows)[: self.steps_per_epoch * self._batch_size]
            self._epochs[epoch] = self._batches(order, random)
        return self._epochs[epoch][place]

    def _batches(self, order: np.ndarray, random: np.random.Generator) -> List[np.ndarray]:
        """Cut one epoch's order into batches."""
        return _cut(order, self._batch_size)


class SimilarLengthSampler(ReviewSampler):
    """Batches whose reviews are of about one length.

    An epoch is shuffled and cut into pools of 100 batches; a pool is sorted by length (as cut to
    ``steps``), cut into batches, and these are shuffled. Source: torchtext's ``data.iterator.pool``.
    """

    def _batches(self, order: np.ndarray, random: np.random.Generator) -> List[np.ndarray]:
        lengths = np.minimum(self._reviews.lengths, self._reading.steps)
        batches: List[np.ndarray] = []
        for pool in _cut(order, self._batch_size * POOLED_BATCHES):
            alike = _cut(pool[np.argsort(lengths[pool], kind="stable")], self._batch_size)
            batches += [alike[place] for place in random.permutation(len(alike)).tolist()]
        return batches


def _cut(rows: np.ndarray, size: int) -> List[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
