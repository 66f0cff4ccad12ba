"""The tutorial's split of the id matrix, its samplers and mended ones, and what is wrong with them.

Source: LSTM in TensorFlow (Easter79), section 2 (``getTrainBatch``, ``getTestBatch``). Its numbers count rows from 1.
"""

import abc
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Batch, Sampler, philox

POSITIVE, NEGATIVE = 0, 1


class Support(NamedTuple):
    """All that a sampler can draw: ``rows`` [n] int64, sorted, and the ``labels`` [n] it gives them."""

    rows: np.ndarray
    labels: np.ndarray


class Layout(NamedTuple):
    """Where the splits of a matrix begin and end.

    Attributes:
      rows: of the whole matrix.
      half: rows of each class; the first half is positive.
      held: rows on either side of the middle that the tutorial set aside, 1,000 of 25,000.
    """

    rows: int
    half: int
    held: int

    @classmethod
    def of(cls, rows: int) -> "Layout":
        """The tutorial's layout, scaled to ``rows``."""
        return cls(rows, rows // 2, max(rows * 1000 // 25_000, 1))

    @property
    def last_positive_number(self) -> int:
        """The largest number that the tutorial labels positive: 12,499, so one too small."""
        return self.half - 1

    def train_numbers(self) -> Tuple[Tuple[int, int], Tuple[int, int]]:
        """First and last number of positive and of negative training rows: 1-11499 and 13499-24999."""
        return (1, self.half - self.held - 1), (self.half + self.held - 1, self.rows - 1)

    def test_numbers(self) -> Tuple[int, int]:
        """First and last number of the test rows: 11499 and 13499."""
        return self.half - self.held - 1, self.half + self.held - 1

    def train_rows(self) -> np.ndarray:
        """The rows, from 0, that published training batches are drawn from."""
        return np.concatenate([np.arange(first - 1, last) for first, last in self.train_numbers()])

    def test_rows(self) -> np.ndarray:
        """The rows, from 0, that published test batches are drawn from."""
        first, last = self.test_numbers()
        return np.arange(first - 1, last)

    def corrected_train_rows(self) -> Tuple[np.ndarray, np.ndarray]:
        """All positive and all negative rows that are not in ``test_rows``."""
        test = self.test_rows()
        return np.arange(0, test[0]), np.arange(test[-1] + 1, self.rows)

    def true_labels(self, rows: np.ndarray) -> np.ndarray:
        """int64 ``[n]``: 0 for a positive row, 1 for a negative one."""
        return (np.asarray(rows) >= self.half).astype(np.int64)


class IdSampler(Sampler):
    """A sampler that can also list what it draws from."""

    def __init__(self, ids: np.ndarray) -> None:
        """Draw rows of ``ids``, int32 ``[rows, steps]``."""
        self._ids = ids
        self._one_hot = np.eye(2, dtype=np.float32)

    @abc.abstractmethod
    def draw(self, step: int) -> np.ndarray:
        """int64 ``[batch]``: the rows of iteration ``step``."""

    @abc.abstractmethod
    def labels(self, rows: np.ndarray) -> np.ndarray:
        """int64 ``[n]``: the label that this sampler gives to each row."""

    @abc.abstractmethod
    def reach(self) -> np.ndarray:
        """int64, sorted: every row that some iteration can draw."""

    def batch(self, step: int) -> Batch:
        """The batch of iteration ``step``; labels are one-hot, ``[1, 0]`` for positive."""
        rows = self.draw(step)
        return Batch(self._ids.take(rows, axis=0), self._one_hot.take(self.labels(rows), axis=0), rows)

    def support(self) -> Support:
        """All rows within reach with the labels they are given."""
        rows = self.reach()
        return Support(rows, self.labels(rows))


class TutorialSampler(IdSampler):
    """Draws as the tutorial does: a number between two bounds, both included, with replacement."""

    def __init__(
        self,
        ids: np.ndarray,
        layout: Layout,
        ranges: Sequence[Tuple[int, int]],
        batch_size: int,
        seed: int,
        stream: str,
    ) -> None:
        """Draw position i of a batch from ``ranges[i % len(ranges)]``, numbers that count from 1."""
        super().__init__(ids)
        self._layout, self._seed, self._stream = layout, seed, stream
        chosen = [ranges[position % len(ranges)] for position in range(batch_size)]
        self._first = np.array([first for first, _ in chosen], np.int64)
        self._last = np.array([last for _, last in chosen], np.int64)
        self._spread = (self._last - self._first + 1).astype(np.float64)

    def draw(self, step: int) -> np.ndarray:
        """Rows, which are the numbers less 1."""
        uniform = philox(self._seed, self._stream, step).random(len(self._first))
        return self._first + (uniform * self._spread).astype(np.int64) - 1

    def labels(self, rows: np.ndarray) -> np.ndarray:
        """Positive up to number ``last_positive_number``: the tutorial's rule, off by one."""
        return (rows + 1 > self._layout.last_positive_number).astype(np.int64)

    def reach(self) -> np.ndarray:
        """The rows of all positions' ranges."""
        bounds = set(zip(self._first.tolist(), self._last.tolist()))
        return np.unique(np.concatenate([np.arange(first - 1, last) for first, last in bounds]))


class CorrectedSampler(IdSampler):
    """Goes through groups of rows, group by group in turn, each in a new random order every epoch.

    With a positive and a negative group every batch of even size is half and half, as in the
    tutorial. A group's epochs follow one another without a gap, so the larger group merely takes
    longer; no row comes twice in one epoch of its group.
    """

    def __init__(
        self,
        ids: np.ndarray,
        layout: Layout,
        groups: Sequence[np.ndarray],
        batch_size: int,
        seed: int,
        stream: str,
    ) -> None:
        """Draw the k-th example of the whole training from ``groups[k % len(groups)]``."""
        super().__init__(ids)
        self._layout, self._groups, self._batch_size = layout, tuple(groups), batch_size
        self._seed, self._stream = seed, stream
        self._orders: Dict[Tuple[int, int], np.ndarray] = {}

    def draw(self, step: int) -> np.ndarray:
        """Rows in the order of the batch."""
        count, start = len(self._groups), step * self._batch_size
        rows = np.empty(self._batch_size, np.int64)
        for group in range(count):
            offset = (group - start) % count
            wanted = len(range(offset, self._batch_size, count))
            rows[offset::count] = self._from_group(group, (start + offset) // count, wanted)
        return rows

    def labels(self, rows: np.ndarray) -> np.ndarray:
        """The true labels."""
        return self._layout.true_labels(rows)

    def reach(self) -> np.ndarray:
        """The rows of all groups."""
        return np.sort(np.concatenate(self._groups))

    def _from_group(self, group: int, start: int, count: int) -> np.ndarray:
        """Draws ``start`` to ``start + count`` of a group's endless row of epochs."""
        size = len(self._groups[group])
        epoch, position = divmod(start, size)
        part = self._order(group, epoch)[position : position + count]
        while len(part) < count:
            epoch += 1
            part = np.concatenate([part, self._order(group, epoch)[: count - len(part)]])
        return part

    def _order(self, group: int, epoch: int) -> np.ndarray:
        """The rows of a group in the order of one epoch; the last few orders are kept."""
        key = (group, epoch)
        if key not in self._orders:
            if len(self._orders) >= 2 * len(self._groups):
                self._orders.clear()
            generator = philox(self._seed, f"{self._stream}-{group}", epoch)
            self._orders[key] = generator.permutation(self._groups[group])
        return self._orders[key]


def audit_split(train: Support, test: Support, layout: Layout) -> List[AuditFinding]:
    """Compare what training and test batches can hold, and the labels they give.

    Returns:
      Always the same four findings, with count 0 where all is well.
    """
    everything = np.arange(layout.rows)
    return [
        AuditFinding.of(
            "rows in both train and test",
            np.intersect1d(train.rows, test.rows),
            "the test measures reviews that training has seen",
        ),
        AuditFinding.of(
            "rows labelled wrongly in train",
            train.rows[train.labels != layout.true_labels(train.rows)],
            "training teaches the opposite of what the review says",
        ),
        AuditFinding.of(
            "rows labelled wrongly in test",
            test.rows[test.labels != layout.true_labels(test.rows)],
            "a right answer counts as a mistake",
        ),
        AuditFinding.of(
            "rows in neither train nor test",
            np.setdiff1d(everything, np.union1d(train.rows, test.rows)),
            "reviews that nothing ever reads",
        ),
    ]
