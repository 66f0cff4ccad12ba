"""Intervals and verdicts against published tables, defining equations and simulation."""

import math

import numpy as np
import pytest

from tf1_lstm.recipes.published import Figure
from tf1_lstm.report import statistics
from tf1_lstm.report.statistics import (
    accuracy_by_class,
    accuracy_interval,
    compare_one_run,
    confusion_matrix,
    difference_interval,
    mean_and_std,
    wilson_interval,
)


def figure(value, examples, sampler="whole"):
    return Figure("accuracy", value, examples, "test", False, "section 1", sampler=sampler)


@pytest.mark.parametrize(
    ("successes", "examples", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_equals_the_published_table(successes, examples, low, high):
    assert wilson_interval(successes, examples) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "first_n", "second", "second_n", "low", "high"),
    # Newcombe, "Interval estimation for the difference" (1998), table II, method 10.
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_difference_interval_equals_the_published_table(first, first_n, second, second_n, low, high):
    found = difference_interval(first / first_n, first_n, second / second_n, second_n)
    assert found == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "examples"), [(1, 3), (205, 240), (20649, 25000), (127.5, 128)])
def test_wilson_ends_are_where_the_score_test_turns(successes, examples):
    share = successes / examples
    for end in wilson_interval(successes, examples):
        score = abs(share - end) / math.sqrt(end * (1 - end) / examples)
        assert score == pytest.approx(1.959964, abs=1e-5)


def test_wilson_interval_covers_the_truth_nineteen_times_in_twenty():
    # The exact coverage from the binomial probabilities, which the interval itself does not use.
    examples, truth = 240, 0.854
    covered = 0.0
    for k in range(examples + 1):
        choose = math.lgamma(examples + 1) - math.lgamma(k + 1) - math.lgamma(examples - k + 1)
        chance = math.exp(choose + k * math.log(truth) + (examples - k) * math.log(1 - truth))
        covered += chance * wilson_interval(k, examples).holds(truth)
    assert covered == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("examples", [1, 2, 24, 25000])
def test_nothing_right_and_all_right_have_one_exact_end(examples):
    none, every = wilson_interval(0, examples), wilson_interval(examples, examples)
    assert none.low == 0 and 0 < none.high < 1
    assert every.high == 1 and every.low == pytest.approx(1 - none.high)


def test_the_mean_of_float32_batches_is_not_refused():
    assert accuracy_interval(float(np.float32(1.0000001)), 24).high == 1.0


@pytest.mark.parametrize(("successes", "examples"), [(0, 0), (-1, 10), (11, 10), (float("nan"), 10)])
def test_impossible_counts_are_refused(successes, examples):
    with pytest.raises(ValueError, match="not a count"):
        wilson_interval(successes, examples)


def test_mean_and_std_are_those_of_the_textbook():
    assert mean_and_std([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx((5.0, math.sqrt(32 / 7)))


def test_a_single_run_has_no_standard_deviation():
    assert mean_and_std([0.8]) == (0.8, None)
    with pytest.raises(ValueError, match="no values"):
        mean_and_std([])


def test_one_run_beside_a_published_figure_has_its_difference_and_is_not_judged():
    # Ten published batches 85.4 % of 240; the script run again 83.4 % of 2,001 rows.
    found = compare_one_run(figure(0.854, 240, "test-batches"), 0.834, 2001)
    assert found.difference == pytest.approx(-0.02)
    assert found.difference_interval == difference_interval(0.834, 2001, 0.854, 240)
    assert found.published_interval == accuracy_interval(0.854, 240)
    assert "published figure comes from sampled batches" in found.note
    assert not hasattr(found, "inside")


def test_a_note_tells_when_both_were_sampled_and_is_silent_for_whole_splits():
    both = compare_one_run(figure(0.9, 240, "test-batches"), 0.9, 240, sampled=True)
    assert both.note == statistics.BOTH_SAMPLED
    assert compare_one_run(figure(0.9, 240), 0.9, 240).note == ""


def test_the_difference_of_two_samples_of_one_truth_allows_none_nineteen_times_in_twenty():
    random = np.random.RandomState(0)
    published, measured = random.binomial(240, 0.83, 2000), random.binomial(2001, 0.83, 2000)
    found = [
        compare_one_run(figure(one / 240, 240), two / 2001, 2001).difference_interval.holds(0.0)
        for one, two in zip(published, measured)
    ]
    assert np.mean(found) == pytest.approx(0.95, abs=0.015)


def test_test_batches_record_counts_every_draw():
    # The published ten batches of the IMDB tutorial: 205 of 240 right.
    right = [22, 19, 21, 21, 22, 18, 22, 17, 20, 23]
    record = statistics.test_batches_record([k / 24 for k in right], 24, "on")
    assert record["mean"] == pytest.approx(205 / 240)
    assert record["interval"] == pytest.approx(wilson_interval(205, 240))
    assert record["dropout"] == "on" and record["batch_size"] == 24


def test_confusion_matrix_counts_pairs():
    matrix = confusion_matrix(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 2, 0]), 4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert matrix.dtype == np.int64
    assert accuracy_by_class(matrix) == [0.5, 1.0, pytest.approx(2 / 3), None]


def test_confusion_matrix_of_nothing_and_of_one_class():
    assert confusion_matrix(np.zeros(0, int), np.zeros(0, int), 2).tolist() == [[0, 0], [0, 0]]
    assert confusion_matrix(np.zeros(5, int), np.zeros(5, int), 1).tolist() == [[5]]


@pytest.mark.parametrize(
    ("true", "predicted"), [([0, 2], [0, 0]), ([0, 0], [-1, 0]), ([0], [0, 0]), ([[0]], [[0]])]
)
def test_confusion_matrix_refuses_labels_that_cannot_be(true, predicted):
    with pytest.raises(ValueError, match="labels"):
        confusion_matrix(np.array(true), np.array(predicted), 2)
