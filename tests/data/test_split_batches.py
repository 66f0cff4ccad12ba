"""A whole split in batches: each example once, and none read with padding behind it."""

import numpy as np
import pytest

from tf1_lstm.data.split_batches import batches_of, example_lengths

IDS = np.array([[5, 0, 7, 0], [1, 2, 3, 4], [0, 0, 0, 0], [9, 0, 0, 0], [3, 3, 0, 0], [1, 1, 1, 0]], np.int32)
LENGTHS = [3, 4, 1, 1, 2, 3]


def test_an_examples_length_ends_before_its_last_padding_and_is_never_0():
    assert example_lengths(IDS).tolist() == LENGTHS


@pytest.mark.parametrize("size", [1, 2, 4, 100])
def test_with_any_steps_a_batch_has_examples_of_one_length(size):
    found = [(rows.tolist(), steps) for rows, steps in batches_of(IDS, True, size)]
    assert sorted(row for rows, _ in found for row in rows) == list(range(len(IDS)))
    for rows, steps in found:
        assert 1 <= len(rows) <= size
        assert {LENGTHS[row] for row in rows} == {steps}


def test_otherwise_they_stay_in_order_at_full_length():
    pictures = np.zeros((5, 28, 28), np.float32)
    found = list(batches_of(pictures, False, 2))
    assert [len(pictures[rows]) for rows, _ in found] == [2, 2, 1]
    assert np.concatenate([np.arange(5)[rows] for rows, _ in found]).tolist() == list(range(5))
    assert {steps for _, steps in found} == {28}
