"""Trainings paired by seed: the verdict, against scipy and against what is known of simulated figures."""

import numpy as np
import pytest

from tf1_lstm.report.pairs import SAME, judge_pairs, spread_p_value
from tf1_lstm.report.verdicts import CANNOT_TELL, DIFFERS, NOT_JUDGED

SEEDS = 10


def simulated(random: np.random.RandomState, shift: float = 0.0, spread: float = 1.0, common: float = 0.004):
    """Accuracies of two trainings of each seed, which have something in common."""
    shared = random.normal(0.85, common, SEEDS)
    first = shared + random.normal(0, 0.003, SEEDS)
    second = 0.85 + spread * (shared - 0.85) + random.normal(0, 0.003 * spread, SEEDS) + shift
    return first, second


def rate_of(word: str, trials: int = 1500, **how: float) -> float:
    random = np.random.RandomState(1)
    return float(np.mean([judge_pairs(*simulated(random, **how)).word == word for _ in range(trials)]))


def test_two_of_one_distribution_are_called_different_once_in_twenty_times_at_most():
    assert rate_of(DIFFERS) == pytest.approx(0.05, abs=0.02)
    assert rate_of(SAME) > 0.9


def test_a_shift_of_the_mean_and_a_wider_spread_are_found():
    assert rate_of(DIFFERS, trials=200, shift=-0.01) > 0.98
    assert rate_of(DIFFERS, trials=200, spread=5.0) > 0.9


def test_the_spread_test_is_that_of_the_correlation_of_sum_and_difference():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.RandomState(3)
    for _ in range(20):
        first, second = simulated(random, spread=2.0)
        expected = stats.pearsonr(first + second, second - first)[1]
        assert spread_p_value(first, second) == pytest.approx(expected, rel=1e-6)


def test_equal_figures_are_the_same_and_a_constant_difference_is_not():
    figures = [0.8125, 0.85, 0.84, 0.86]
    assert judge_pairs(figures, figures).word == SAME
    moved = judge_pairs(figures, [value - 0.05 for value in figures])
    assert moved.word == DIFFERS
    assert "-5.00 points" in moved.text
    assert moved.document()["p_mean"] < 0.001


def test_few_pairs_are_not_judged_and_noisy_ones_cannot_tell():
    assert judge_pairs([0.8, 0.9], [0.8, 0.7]).word == NOT_JUDGED
    assert judge_pairs([0.8], [0.9]).word == NOT_JUDGED
    noisy = judge_pairs([0.8, 0.9, 0.85], [0.85, 0.84, 0.88])
    assert noisy.word == CANNOT_TELL
    assert "more seeds" in noisy.text


def test_figures_that_are_no_shares_are_told_as_they_are():
    found = judge_pairs([2.0, 2.1, 1.9, 2.05], [3.0, 3.2, 2.9, 3.1], margin=0.1, in_points=False)
    assert found.word == DIFFERS
    assert "points" not in found.text


def test_unequal_lists_are_no_pairs():
    with pytest.raises(ValueError, match="no pairs"):
        judge_pairs([0.8, 0.9, 0.7], [0.8, 0.9])
