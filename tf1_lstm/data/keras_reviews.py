"""Reviews of any length as ids end to end, and how they are cut and padded to a batch."""

from typing import Iterable, NamedTuple, Sequence

import numpy as np

from tf1_lstm.data.keras_rule import PADDING, UNKNOWN


class Reviews(NamedTuple):
    """One store of reviews.

    Attributes:
      ids: int32 ``[all ids]``, review after review, each with the start marker.
      offsets: int64 ``[reviews + 1]``: review i is ``ids[offsets[i]:offsets[i + 1]]``.
      labels: int64 ``[reviews]``: 0 negative, 1 positive.
    """

    ids: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, reviews: Sequence[Sequence[int]], labels: Iterable[int]) -> "Reviews":
        """Put reviews (a list of ids each) end to end."""
        lengths = np.array([len(review) for review in reviews], np.int64)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        ids = np.fromiter((i for review in reviews for i in review), np.int32, int(offsets[-1]))
        return cls(ids, offsets, np.fromiter(labels, np.int64, len(reviews)))

    @property
    def lengths(self) -> np.ndarray:
        """int64 ``[reviews]``, start marker included."""
        return np.diff(self.offsets)

    def review(self, row: int) -> np.ndarray:
        """The ids of one review."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]


class Reading(NamedTuple):
    """How reviews become rows of a batch.

    Attributes:
      steps: the most ids that are read of a review.
      padding: ``"front"`` or ``"back"``: where short reviews are padded.
      cutting: where long ones are cut; where they are padded if empty.
      vocabulary: ids from here on become "unknown".
      any_steps: rows are as long as the longest review of the batch, not ``steps``.
    """

    steps: int = 500
    padding: str = "front"
    vocabulary: int = 10_000
    any_steps: bool = False
    cutting: str = ""

    def cut(self, review: np.ndarray) -> np.ndarray:
        """The ids that are read of one review, at most ``steps``."""
        return review[-self.steps :] if (self.cutting or self.padding) == "front" else review[: self.steps]

    def rows(self, reviews: Sequence[np.ndarray], steps: int = 0) -> np.ndarray:
        """Cut and pad reviews: int32 ``[reviews, steps]``, or as long as the longest if ``steps`` is 0."""
        read = [self.cut(review) for review in reviews]
        table = np.full((len(read), steps or max(map(len, read), default=1)), PADDING, np.int32)
        for row, ids in zip(table, read):
            if self.padding == "front":
                row[len(row) - len(ids) :] = ids
            else:
                row[: len(ids)] = ids
        table[table >= self.vocabulary] = UNKNOWN
        return table
