"""Verdicts over seeds: against values by hand, against scipy, and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from tf1_lstm.report.student import quantile, upper_tail
from tf1_lstm.report.verdicts import (
    CANNOT_TELL,
    DIFFERS,
    NOT_JUDGED,
    REPRODUCED,
    PublishedFigure,
    holm,
    judge,
    mean_interval,
    paired_difference,
    place_among,
    predict_one_more,
)

# Eight accuracies with mean 0.94 and squares of deviations that sum to 0.000112.
EIGHT = [0.934, 0.936, 0.938, 0.94, 0.94, 0.942, 0.944, 0.946]


@pytest.mark.parametrize("degrees", [0.3, 1, 2, 2.5, 4, 9, 30.7, 247, 1e4])
def test_t_tail_and_quantile_are_those_of_scipy(degrees):
    for t in (0, 1e-8, 0.01, 0.5, 1, 2.262, 5, 40, 1e5):
        assert upper_tail(t, degrees) == pytest.approx(stats.t.sf(t, degrees), rel=1e-10)
        assert upper_tail(-t, degrees) == pytest.approx(stats.t.sf(-t, degrees), rel=1e-10)
    for probability in (0.025, 0.5, 0.6, 0.9, 0.95, 0.975, 0.999):
        # scipy's own quantile is good to eight digits; ours gives its probability back.
        expected = stats.t.ppf(probability, degrees)
        assert quantile(probability, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-12)
        assert upper_tail(quantile(probability, degrees), degrees) == pytest.approx(
            1 - probability, rel=1e-12
        )


def test_t_quantiles_are_those_of_printed_tables():
    printed = {1: 12.706, 4: 2.776, 9: 2.262, 29: 2.045}
    assert {n: round(quantile(0.975, n), 3) for n in printed} == printed
    assert quantile(0.975, math.inf) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("arguments", [(0.0, 0.0), (math.nan, 3.0), (1.0, -1.0)])
def test_t_refuses_what_it_is_not_defined_for(arguments):
    with pytest.raises(ValueError, match="degrees of freedom"):
        upper_tail(*arguments)


def test_prediction_interval_by_hand():
    # s = sqrt(0.000112 / 7) = 0.004; t(.975, 7) = 2.364624; half = 2.364624 * 0.004 * sqrt(1 + 1/8).
    found = predict_one_more(EIGHT, rounding=0.00005)
    assert found.std == pytest.approx(0.004)
    assert found.half_width == pytest.approx(2.364624 * 0.004 * math.sqrt(1.125) + 0.00005, abs=1e-8)
    assert found.mean_interval.high - 0.94 == pytest.approx(2.364624 * 0.004 / math.sqrt(8), abs=1e-8)


def test_sampling_adds_its_variance_with_the_degrees_of_welch_and_satterthwaite():
    # a (1 - a) / k = .94 * .06 / 240 = 2.35e-4, with 239 degrees; the trainings' 1.8e-5, with 7.
    found = predict_one_more(EIGHT, sampled=240)
    assert found.error**2 == pytest.approx(1.8e-5 + 2.35e-4)
    by_hand = (1.8e-5 + 2.35e-4) ** 2 / (1.8e-5**2 / 7 + 2.35e-4**2 / 239)
    assert found.degrees == pytest.approx(by_hand)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, by_hand) * found.error)


def test_the_t_interval_of_a_mean_is_that_of_scipy():
    low, high = stats.t.interval(0.95, 7, np.mean(EIGHT), stats.sem(EIGHT))
    assert mean_interval(EIGHT) == pytest.approx((low, high))


def test_p_of_one_more_training_is_that_of_the_pooled_test_with_a_group_of_one():
    (found,) = judge([(EIGHT, PublishedFigure(0.949))])
    pooled = (0.949 - 0.94) / (0.004 * math.sqrt(1 + 1 / 8))
    assert found.p_value == pytest.approx(2 * stats.t.sf(pooled, 7))


@pytest.mark.parametrize(
    ("values", "published", "text"),
    [
        (EIGHT, PublishedFigure(0.943, 0.00005), "cannot tell (±1.01)"),
        # Half as wide: within one point.
        ([0.94 + (x - 0.94) / 2 for x in EIGHT], PublishedFigure(0.941, 0.00005), "reproduced"),
        (EIGHT, PublishedFigure(0.96), "differs by -2.00 points (p = 0.002)"),
        (EIGHT, PublishedFigure(0.9), "differs by +4.00 points (p < 0.001)"),
        (EIGHT, PublishedFigure(0.96, sampled=128), "cannot tell (±4.24)"),
        (EIGHT[:4], PublishedFigure(0.5), "not judged"),
        (EIGHT[:1], PublishedFigure(0.5), "not judged"),
        ([], PublishedFigure(0.5), "not judged"),
    ],
)
def test_verdicts_in_words(values, published, text):
    assert judge([(values, published)])[0].text == text


def test_a_wide_interval_is_reproduced_only_where_both_one_sided_tests_hold():
    # Half-width 1.02 points (0.99 at one-sided 5 % would be 0.81): the centre is equivalent, 0.3 off is not.
    (centre,) = judge([(EIGHT, PublishedFigure(0.94))])
    assert centre.prediction is not None and centre.prediction.half_width > 0.01
    assert centre.equivalent and centre.word == REPRODUCED
    slack = 0.01 - stats.t.ppf(0.95, 7) * centre.prediction.error
    for off, word in ((0.99 * slack, REPRODUCED), (1.01 * slack, CANNOT_TELL)):
        assert judge([(EIGHT, PublishedFigure(0.94 + off))])[0].word == word


def test_seeds_that_all_gave_one_figure_are_judged_by_the_rounding():
    same = [0.9] * 6
    assert judge([(same, PublishedFigure(0.90004, 0.00005))])[0].word == REPRODUCED
    assert judge([(same, PublishedFigure(0.9002, 0.00005))])[0].word == DIFFERS


def test_holm_by_hand():
    # Holm (1979): sorted .01, .02, .03, .04 are multiplied by 4, 3, 2, 1, and never fall.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_figure_outside_of_its_interval_that_holm_spares_cannot_be_told():
    alone = judge([(EIGHT, PublishedFigure(0.9515))])[0]
    assert alone.word == DIFFERS and alone.p_value is not None and 0.025 < alone.p_value < 0.05
    spared = judge([(EIGHT, PublishedFigure(0.9515)), (EIGHT, PublishedFigure(0.94))])
    assert [verdict.word for verdict in spared] == [CANNOT_TELL, REPRODUCED]
    # What is not judged does not count among the figures that were.
    assert judge([(EIGHT, PublishedFigure(0.9515)), (EIGHT[:4], PublishedFigure(0.5))])[0].word == DIFFERS


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        judge([([0.9, math.nan, 0.9, 0.9, 0.9], PublishedFigure(0.9))])


def test_pairs_by_seed_are_compared_as_scipy_does():
    port = [0.935, 0.935, 0.94, 0.941, 0.938, 0.945, 0.944, 0.95]
    found = paired_difference(EIGHT, port)
    expected = stats.ttest_rel(EIGHT, port)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.mean == pytest.approx(np.mean(EIGHT) - np.mean(port))
    difference = np.subtract(EIGHT, port)
    assert found.interval == pytest.approx(
        stats.t.interval(0.95, 7, difference.mean(), stats.sem(difference))
    )
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference(EIGHT, port[:3])


def test_place_of_one_run_among_seeds():
    assert place_among(0.94, EIGHT) == (3, 2, 3)
    assert place_among(0.94, EIGHT).text == "above 3 of 8 seeds, equal to 2"


@pytest.mark.parametrize("figures", [pytest.param(1, marks=pytest.mark.thorough), 4])
@pytest.mark.parametrize("seeds", [5, pytest.param(10, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("sampled", [0, 240])
def test_draws_of_one_distribution_differ_in_one_document_of_twenty_at_most(figures, seeds, sampled):
    random = np.random.RandomState(7)
    documents, mean, std = 800, 0.85, 0.004
    wrong = 0
    for _ in range(documents):
        drawn = []
        for _ in range(figures):
            values = random.normal(mean, std, seeds)
            truth = random.normal(mean, std)
            published = random.binomial(sampled, truth) / sampled if sampled else truth
            drawn.append((values, PublishedFigure(published, sampled=sampled)))
        wrong += any(verdict.word == DIFFERS for verdict in judge(drawn))
    # 5 % and three standard errors of that count.
    assert wrong / documents <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / documents)


def test_a_figure_three_standard_deviations_away_is_found_in_four_of_five():
    random = np.random.RandomState(7)
    found = [
        judge([(random.normal(0.94, 0.004, 10), PublishedFigure(0.94 + 3 * 0.004))])[0].word
        for _ in range(800)
    ]
    assert np.mean([word == DIFFERS for word in found]) >= 0.80
    assert NOT_JUDGED not in found
