"""A stream of epochs is one, from whatever place it is read."""

import hypothesis
import numpy as np
from hypothesis import strategies

from tf1_lstm.data.epochs import ShuffledEpochs

ROWS = np.array([4, 7, 1, 30, 12])


@hypothesis.settings(max_examples=100, deadline=None, derandomize=True)
@hypothesis.given(start=strategies.integers(0, 200), count=strategies.integers(1, 40))
def test_a_part_is_the_same_read_alone_or_in_order(start, count):
    in_order = ShuffledEpochs(ROWS, 1, "test")
    stream = [int(in_order.take(place, 1)[0]) for place in range(start + count)]
    assert ShuffledEpochs(ROWS, 1, "test").take(start, count).tolist() == stream[start:]


def test_each_epoch_is_a_permutation_and_few_are_alike():
    epochs = [tuple(ShuffledEpochs(ROWS, 1, "test").take(5 * epoch, 5)) for epoch in range(40)]
    assert {tuple(sorted(epoch)) for epoch in epochs} == {tuple(sorted(ROWS))}
    assert len(set(epochs)) > 25  # of 120 orders


def test_seed_and_stream_tell_streams_apart():
    rows = np.arange(1000)
    streams = {
        (s, n): tuple(ShuffledEpochs(rows, s, n).take(0, 1000)) for s in (1, 2) for n in ("train", "test")
    }
    assert len(set(streams.values())) == 4


def test_the_rows_given_are_left_as_they_are():
    rows = np.arange(50)
    ShuffledEpochs(rows, 1, "test").take(0, 500)
    assert np.array_equal(rows, np.arange(50))
