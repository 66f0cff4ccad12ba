"""Two lists of trainings: against scipy, by hand, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from tf1_lstm.report.two_samples import compare_samples, power_of_t, smirnov_p


def seeds(values):
    return dict(enumerate(values, 1))


@pytest.mark.parametrize(("n", "m"), [(2, 2), (10, 10), (5, 9)])
def test_welchs_p_and_interval_are_those_of_scipy(n, m):
    draw = np.random.RandomState(n)
    one, other = draw.normal(0.94, 0.004, n), draw.normal(0.943, 0.002, m)
    found = compare_samples(seeds(one), seeds(other))
    assert found.welch_p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue, rel=1e-8)
    assert found.difference == pytest.approx(one.mean() - other.mean())
    middle = (found.interval.low + found.interval.high) / 2
    assert middle == pytest.approx(found.difference)
    assert found.counts == (n, m)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (10, 10), (7, 12)])
def test_the_p_of_kolmogorov_and_smirnov_is_scipys_exact_one(n, m):
    draw = np.random.RandomState(m)
    for shift in (0.0, 0.5, 3.0):
        one, other = draw.normal(0, 1, n), draw.normal(shift, 1, m)
        expected = stats.ks_2samp(one, other, mode="exact").pvalue
        assert smirnov_p(one, other) == pytest.approx(expected, rel=1e-9)
    assert smirnov_p([1, 2], [1, 2]) == 1.0


@pytest.mark.parametrize("degrees", [2, 8, 18, 200])
def test_power_is_that_of_the_noncentral_t(degrees):
    border = stats.t.ppf(0.975, degrees)
    for shift in (0.0, 1.0, 2.236, 5.0):
        expected = stats.nct.sf(border, degrees, shift) + stats.nct.cdf(-border, degrees, shift)
        assert power_of_t(shift, degrees) == pytest.approx(expected, abs=1e-4)


def test_equivalence_is_two_paired_one_sided_tests():
    one = [0.94, 0.945, 0.95, 0.947]
    other = [0.941, 0.944, 0.951, 0.949]
    found = compare_samples(seeds(one), seeds(other))
    differences = np.subtract(one, other)
    sides = [
        stats.ttest_1samp(differences, -0.01).pvalue / 2,
        stats.ttest_1samp(differences, 0.01).pvalue / 2,
    ]
    assert found.equivalent_p == pytest.approx(max(sides), rel=1e-8)
    assert compare_samples({1: 0.9, 2: 0.8}, {3: 0.9, 4: 0.8}).paired is None


def test_one_distribution_is_called_two_in_five_of_a_hundred_and_a_shift_is_found_as_often_as_said():
    draw = np.random.RandomState(1)
    for shift, expected in ((0.0, 0.05), (1.0, None)):
        found = [
            compare_samples(seeds(draw.normal(0, 1, 10)), seeds(draw.normal(shift, 1, 10)), margin=1.0)
            for _ in range(300)
        ]
        share = np.mean([one.welch_p < 0.05 for one in found])
        assert share == pytest.approx(found[0].power_at_std if expected is None else expected, abs=0.06)
        assert np.mean([one.smirnov_p < 0.05 for one in found]) < share + 0.03


@pytest.mark.parametrize("values", [[0.9], [0.9, np.nan]])
def test_too_few_values_or_ones_that_are_not_finite_are_refused(values):
    with pytest.raises(ValueError, match="expected two finite values"):
        compare_samples(seeds(values), seeds([0.9, 0.8]))
