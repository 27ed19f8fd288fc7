"""sBG fitted: the paper's cohorts, limits, and customers of known parameters."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import NotEnoughData
from training.subscriptions.retention import Parameters
from training.subscriptions.sbg import Histories, Prior, cohort, fit, log_likelihood
from training.subscriptions.simulate import cohorts

# Fader & Hardie (2007), table 1: customers of a thousand who are left after years 0 to 7.
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241)
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "reached"),
    [(REGULAR, 0.704, 1.182, -1680.27), (HIGH_END, 0.668, 3.806, -1611.16)],
)
def test_the_cohorts_of_the_paper_give_its_parameters(survivors, alpha, beta, reached):
    """α and β as in Fader & Hardie (2007), years 0 to 7; the likelihoods are our own."""
    found = fit(cohort(survivors))
    assert found.verdict == "converged"
    assert (round(found.params.alpha, 3), round(found.params.beta, 3)) == (alpha, beta)
    assert round(found.log_likelihood, 2) == reached


@pytest.mark.golden
def test_years_eight_to_twelve_of_the_paper_are_forecast():
    """Table 1 again: the fit on years 0 to 7 against the years that it has not seen."""
    from training.subscriptions.retention import survival

    later = np.arange(8, 13)
    regular = 1000 * survival(fit(cohort(REGULAR)).params, later)
    high_end = 1000 * survival(fit(cohort(HIGH_END)).params, later)
    np.testing.assert_allclose(regular, [223, 207, 194, 183, 173], atol=4)
    np.testing.assert_allclose(high_end, [468, 445, 427, 409, 394], atol=17)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.booleans(), st.integers(1, 50)), min_size=1, max_size=15
    ),
    st.floats(-3, 3),
    st.floats(-2, 4),
)
def test_counts_are_so_many_equal_rows(rows, logit, spread):
    size, share = np.exp(spread), 1 / (1 + np.exp(-logit))
    truth = Parameters(size * share, size * (1 - share))
    renewals, active, counts = map(np.array, zip(*rows, strict=True))
    together = log_likelihood(truth, Histories.of(renewals, active, counts))
    alone = Histories.of(np.repeat(renewals, counts), np.repeat(active, counts))
    assert together == pytest.approx(log_likelihood(truth, alone), rel=1e-12, abs=1e-9)


def test_chances_of_all_fates_sum_to_one():
    """Whoever is watched for 20 renewals ended at one of them or still runs."""
    truth = Parameters(0.7, 2.5)
    fates = [Histories.of([n], [False]) for n in range(20)] + [Histories.of([20], [True])]
    assert sum(np.exp(log_likelihood(truth, one)) for one in fates) == pytest.approx(1.0, abs=1e-12)


def test_a_cohort_is_the_customers_one_by_one():
    by_year = cohort([10, 6, 5])
    one_by_one = Histories.of([0] * 4 + [1] + [2] * 5, [False] * 5 + [True] * 5)
    assert by_year.ended == one_by_one.ended == 5
    assert by_year.opportunities == one_by_one.opportunities == 16
    truth = Parameters(1.0, 2.0)
    assert log_likelihood(truth, by_year) == pytest.approx(log_likelihood(truth, one_by_one))


@pytest.mark.parametrize(
    ("survivors", "said"),
    [
        ([1000, 1000, 1000], "nobody seems to leave"),
        ([1024, 512, 256, 128, 64], "all customers seem to leave at one and the same rate"),
        ([1000, 500, 500, 500], "some seem to leave at once and the others never"),
    ],
)
def test_limits_are_told_and_still_forecast_right(survivors, said):
    from training.subscriptions.retention import survival

    found = fit(cohort(survivors))
    assert found.verdict == "boundary" and said in found.message
    assert found.errors is None
    left = survivors[0] * survival(found.params, np.arange(len(survivors)))
    np.testing.assert_allclose(left, survivors, atol=3)


def test_a_prior_speaks_where_the_data_do_not_and_gives_way_to_many():
    prior = Prior(logit_churn=-2.0, log_spread=1.0, sd=0.5)
    nothing = fit(Histories.of([], []), prior)
    np.testing.assert_allclose(nothing.coordinates, (-2.0, 1.0), atol=1e-6)
    few, many = (cohort(np.array([1.0, 0.5, 0.35, 0.3]) * size) for size in (20, 200_000))
    free = fit(many).coordinates[0]
    small, large = fit(few, prior).coordinates[0], fit(many, prior).coordinates[0]
    assert -2.0 < small < free - 0.1
    assert large == pytest.approx(free, abs=1e-3)


def test_without_a_renewal_there_is_nothing_to_learn():
    with pytest.raises(NotEnoughData, match="no renewal has come up"):
        fit(Histories.of([0, 0], [True, True]))


@pytest.mark.parametrize("survivors", [[10], [10, 11], [[10, 9]], [5, -1]])
def test_survivors_that_rise_are_refused(survivors):
    with pytest.raises(ValueError, match="never rise"):
        cohort(survivors)


def test_histories_that_cannot_be_are_refused():
    for renewals, active in (([-1], [True]), ([np.nan], [True]), ([1, 2], [True])):
        with pytest.raises(ValueError, match="Got"):
            Histories.of(renewals, active)


TRUTHS = (Parameters(0.704, 1.182), Parameters(0.668, 3.806), Parameters(1.5, 12.0))
REPEATS, CUSTOMERS = 60, 2_000


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: f"{truth.alpha}-{truth.beta}")
def test_known_parameters_are_recovered_without_bias_and_with_honest_errors(truth):
    """60 samples of 2,000 customers, watched for 1 to 24 renewals: bias, and 90 % coverage.

    That fewer than 46 of 60 right intervals at 90 % hold happens once in a thousand; so does a
    mean more than 3.3 standard errors away. `pytest -s` shows the table.
    """
    random = np.random.default_rng(20070101)
    goal = np.array([np.log(truth.alpha / truth.beta), np.log(truth.alpha + truth.beta)])
    away, errors = [], []
    for _ in range(REPEATS):
        found = fit(cohorts(truth, CUSTOMERS, random.integers(1, 25, CUSTOMERS), random))
        assert found.verdict == "converged"
        away.append(np.array(found.coordinates) - goal)
        errors.append(found.errors)
    off, sizes = np.array(away), np.array(errors)
    covered = (np.abs(off) <= 1.6449 * sizes).mean(axis=0)
    told = [f"\nsBG α {truth.alpha} β {truth.beta}: parameter, bias, spread, coverage of 90 %"]
    for place, name in enumerate(("logit α/(α+β)", "log(α+β)")):
        of = off[:, place]
        told.append(f"  {name:14} {of.mean():+.3f} {of.std():.3f} {covered[place]:.0%}")
    sys.stdout.write("\n".join([*told, ""]))
    # A skewed estimate may be off by a little more than chance in a sample of this size.
    assert np.all(np.abs(off.mean(axis=0)) < 3.3 * off.std(axis=0) / np.sqrt(REPEATS) + 0.02)
    assert np.all(covered * REPEATS >= 46)
