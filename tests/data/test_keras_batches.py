"""Epochs of batches: every review once, the same for the same seed and step, and of like length if asked."""

from typing import Any, List

import numpy as np
import pytest

from tf1_lstm.data.keras_batches import POOLED_BATCHES, ReviewSampler, SimilarLengthSampler
from tf1_lstm.data.keras_reviews import Reading, Reviews
from tf1_lstm.errors import InputError

SAMPLERS = [ReviewSampler, SimilarLengthSampler]
READING = Reading(steps=30, vocabulary=100)


def reviews(count: int) -> Reviews:
    """Reviews of 1 to 40 ids, each beginning with an id of its own."""
    lengths = np.random.RandomState(5).randint(1, 41, count)
    return Reviews.of(
        [[4 + row, *[9] * (length - 1)] for row, length in enumerate(lengths)], [0, 1] * (count // 2)
    )


def epoch(sampler: ReviewSampler, number: int) -> List[np.ndarray]:
    first = number * sampler.steps_per_epoch
    return [sampler.rows(step) for step in range(first, first + sampler.steps_per_epoch)]


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize(
    ("rows", "batch_size", "drop", "steps"),
    [
        (25_000, 128, True, 195),
        (20_000, 128, False, 157),
        (25_000, 30, False, 834),
        (7, 7, True, 1),
        (3, 5, False, 1),
    ],
)
def test_an_epoch_gives_every_row_once(kind: Any, rows: int, batch_size: int, drop: bool, steps: int) -> None:
    store = Reviews(np.ones(rows, np.int32), np.arange(rows + 1), np.zeros(rows, np.int64))
    sampler = kind(store, np.arange(rows), READING, batch_size, 3, "t", drop)
    assert sampler.steps_per_epoch == steps
    for number in (0, 1):
        drawn = np.concatenate(epoch(sampler, number))
        assert len(drawn) == (steps * batch_size if drop else rows)
        assert len(np.unique(drawn)) == len(drawn)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_batch_depends_on_seed_stream_and_step_alone(kind: Any) -> None:
    store = reviews(100)

    def sampler(seed: int = 3, stream: str = "t") -> ReviewSampler:
        return kind(store, np.arange(100), READING, 8, seed, stream)

    long_used = sampler()
    walked = [long_used.rows(step) for step in range(13 * 8)]
    for step in (90, 0, 13, 12):
        np.testing.assert_array_equal(sampler().rows(step), walked[step])
        np.testing.assert_array_equal(long_used.rows(step), walked[step])
    orders = [np.concatenate(epoch(one, 0)).tolist() for one in (sampler(), sampler(4), sampler(3, "u"))]
    orders.append(np.concatenate(epoch(sampler(), 1)).tolist())
    assert len({tuple(order) for order in orders}) == 4


def test_a_batch_holds_its_rows_reviews_and_labels() -> None:
    store = reviews(100)
    batch = ReviewSampler(store, np.arange(20, 60), READING, 8, 0, "t").batch(2)
    assert batch.inputs.shape == (8, 30)
    assert (batch.inputs.dtype, batch.labels.dtype, batch.rows.dtype) == (np.int32, np.float32, np.int64)
    assert ((batch.rows >= 20) & (batch.rows < 60)).all()
    np.testing.assert_array_equal(batch.labels, np.eye(2)[batch.rows % 2])
    for inputs, row in zip(batch.inputs, batch.rows):
        review = [id_ if id_ < 100 else 2 for id_ in store.review(row)][-30:]
        assert inputs.tolist() == [0] * (30 - len(review)) + review


def test_reviews_of_like_length_share_a_batch_and_batches_come_in_any_order() -> None:
    store = reviews(1000)
    sampler = SimilarLengthSampler(store, np.arange(1000), READING._replace(any_steps=True), 10, 0, "t")
    assert sampler.steps_per_epoch <= POOLED_BATCHES  # so the whole epoch is one pool
    lengths = np.minimum(store.lengths, 30)
    batches = epoch(sampler, 0)
    spread = [np.ptp(lengths[rows]) for rows in batches]
    assert max(spread) <= 1  # sorted: 1,000 reviews of 30 lengths
    longest = [int(lengths[rows].max()) for rows in batches]
    assert sorted(longest) != longest
    assert [sampler.batch(step).inputs.shape[1] for step in range(100)] == longest
    shuffled = ReviewSampler(store, np.arange(1000), READING, 10, 0, "t")
    assert np.mean([np.ptp(lengths[rows]) for rows in epoch(shuffled, 0)]) > 15


def test_a_pool_is_of_a_hundred_batches() -> None:
    store = reviews(4000)
    sampler = SimilarLengthSampler(store, np.arange(4000), READING, 10, 0, "t")
    first, second = (np.concatenate(epoch(sampler, 0)[start : start + 100]) for start in (0, 100))
    assert not np.intersect1d(first, second).size
    again = np.concatenate(epoch(sampler, 1)[:100])
    assert 100 < np.intersect1d(first, again).size < 600  # a quarter by chance: pools are drawn anew


def test_refuses_a_batch_that_cannot_be_filled() -> None:
    store = reviews(10)
    with pytest.raises(
        InputError, match=r"batch_size: found 11 with drop_remainder=true, expected at most 10"
    ):
        ReviewSampler(store, np.arange(10), READING, 11, 0, "t", True)
    with pytest.raises(InputError, match="setting batch_size: found 0, expected 1 or more"):
        ReviewSampler(store, np.arange(10), READING, 0, 0, "t")
