"""Intervals of what is measured over examples: of a mean, and of a ratio of two sums."""

import numpy as np
import pytest

from tf1_lstm.report.verdicts import ratio_interval


def test_an_interval_of_a_loss_a_step_is_around_that_loss():
    sums, counts = np.array([3.0, 20.0, 90.0, 0.0]), np.array([1.0, 10.0, 100.0, 0.0])
    found = ratio_interval(sums, counts)
    assert found is not None
    low, high = found
    assert low < sums.sum() / counts.sum() < high
    assert (low + high) / 2 == pytest.approx(sums.sum() / counts.sum())


def test_of_examples_of_one_length_it_is_that_of_a_mean():
    from scipy import stats

    means = np.random.RandomState(3).rand(12)
    found = ratio_interval(5 * means, np.full(12, 5.0))
    assert found == pytest.approx(stats.t.interval(0.95, 11, means.mean(), stats.sem(means)))


def test_of_one_example_there_is_none():
    assert ratio_interval(np.array([3.0, 0.0]), np.array([2.0, 0.0])) is None


def test_it_holds_the_truth_nineteen_times_in_twenty():
    generator, inside = np.random.RandomState(5), 0
    for _ in range(400):
        counts = generator.randint(1, 60, 40).astype(float)
        sums = counts * (2.0 + 0.3 * generator.randn(40))
        found = ratio_interval(sums, counts)
        assert found is not None
        inside += found[0] < 2.0 < found[1]
    assert 0.9 < inside / 400 < 0.98
