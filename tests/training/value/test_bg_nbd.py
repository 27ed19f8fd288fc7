import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value import bg_nbd
from training.value.bg_nbd import Parameters, fit
from training.value.simulate import Truth, simulate

SEED_RANGE = range(1)


def history(frame):
    return frame["frequency"], frame["recency"], frame["T"]


def values(params):
    return np.array(dataclasses.astuple(params))


@pytest.fixture(scope="module")
def fitted(cdnow):
    return fit(*history(cdnow))


@pytest.mark.golden
def test_cdnow_gives_the_parameters_of_the_paper(fitted):
    """Fader, Hardie & Lee (2005), table 2, BG/NBD: to the digits printed."""
    assert fitted.verdict == "converged"
    assert round(fitted.params.r, 3) == 0.243
    assert round(fitted.params.alpha, 3) == 4.414
    assert round(fitted.params.a, 3) == 0.793
    assert round(fitted.params.b, 3) == 2.426
    assert round(fitted.log_likelihood, 1) == -9582.4


@pytest.mark.parity
def test_cdnow_gives_the_parameters_of_lifetimes(cdnow, fitted, oracle):
    theirs = oracle("BetaGeoFitter").fit(*history(cdnow)).params_.to_numpy()
    np.testing.assert_allclose(values(fitted.params), theirs, rtol=1e-4)
    reached = bg_nbd.log_likelihood(Parameters(*theirs), *history(cdnow))
    assert fitted.log_likelihood >= reached - 1e-9


def test_log_likelihood_of_a_fit_is_the_one_at_its_parameters(cdnow, fitted):
    value = bg_nbd.log_likelihood(fitted.params, *history(cdnow))
    assert fitted.log_likelihood == pytest.approx(value, rel=1e-12)


def test_time_unit_scales_alpha_alone(cdnow, fitted):
    x, t_x, T = history(cdnow)
    days = fit(x, 7 * t_x, 7 * T)
    expected = values(fitted.params) * [1, 7, 1, 1]
    np.testing.assert_allclose(values(days.params), expected, rtol=1e-7)


def test_weights_are_repeated_rows(cdnow):
    some = cdnow.head(500)
    weights = np.arange(500) % 3
    weighted = fit(*history(some), weights=weights)
    assert weighted == fit(*history(some.loc[some.index.repeat(weights)]))


def test_order_of_rows_changes_nothing(cdnow, fitted):
    assert fit(*history(cdnow.sample(frac=1, random_state=1))) == fitted


@pytest.mark.parametrize("seed", SEED_RANGE)
@pytest.mark.parametrize(
    "truth",
    [
        Parameters(0.243, 30.9, 0.793, 2.426),
        Parameters(1.4, 9.5, 0.3, 8.0),
        Parameters(0.6, 60.0, 1.0, 1.0),
    ],
)
def test_known_parameters_are_recovered(seed, truth):
    """Within four standard errors, which are below a tenth for 20,000 customers."""
    random = np.random.default_rng(seed)
    ages = random.uniform(30, 730, 20_000)
    found = fit(*history(simulate(Truth(purchases=truth), ages, 1.0, random)))
    assert found.verdict == "converged"
    away = np.log(values(found.params) / values(truth))
    assert np.all(np.abs(away) < 4 * np.array(found.relative_errors))
    assert max(found.relative_errors) < 0.1


LIMITS = {
    "nobody seems to leave": Parameters(0.5, 30.0, 1e-9, 1.0),
    "all customers seem to buy at one and the same rate": Parameters(1e7, 3e8, 0.8, 2.4),
    "everybody seems to leave at the first repeat purchase": Parameters(0.5, 30.0, 50.0, 1e-6),
    "all customers seem equally likely to leave after a purchase": Parameters(0.5, 30.0, 1e6, 3e6),
}


@pytest.mark.parametrize("said", LIMITS)
def test_limits_are_told_and_forecast_as_the_truth_does(said):
    """At a limit parameters are not known, but what they say of customers is.

    A sample from a limit has its best parameters there about every other time; with seed 3 all do.
    """
    truth, random = LIMITS[said], np.random.default_rng(3)
    customers = simulate(Truth(purchases=truth), random.integers(30, 731, 3_000), 1.0, random)
    with pytest.warns(StatisticalWarning, match=said):
        found = fit(*history(customers))
    assert found.verdict == "boundary" and said in found.message
    assert found.relative_errors is None
    ours = bg_nbd.expected_purchases(found.params, 90.0, *history(customers))
    expected = bg_nbd.expected_purchases(truth, 90.0, *history(customers))
    assert np.isfinite(ours).all()
    # Ten per cent: 3,000 customers determine the mean rate to about three.
    assert ours.sum() == pytest.approx(expected.sum(), rel=0.1)


def test_leaving_at_once_or_never_is_told():
    """Of customers who come back, a third never do again; the others come weekly for a year."""
    x, t_x = np.repeat([0.0, 1.0, 50.0], 100), np.repeat([0.0, 7.0, 350.0], 100)
    with pytest.warns(StatisticalWarning, match="after their first repeat purchase or never"):
        found = fit(x, t_x, np.full(300, 356.0))
    alive = bg_nbd.p_alive(found.params, x, t_x, np.full(300, 356.0))
    assert alive[150] < 0.05 and alive[250] > 0.99


def test_too_few_repeat_customers_are_refused():
    x = np.repeat([0.0, 2.0], [500, 9])
    with pytest.raises(NotEnoughData, match="Got 9 customers with a repeat purchase among 509"):
        fit(x, 5 * x, np.full(509, 100.0))
    with pytest.raises(NotEnoughData, match="Got 0 customers"):
        fit([], [], [])


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ((1, 5, np.nan), "finite numbers"),
        ((-1, 0, 9), "frequency of at least 0"),
        ((1, 9, 5), "recency between 0 and T"),
        ((1, -1, 5), "recency between 0 and T"),
        ((0, 4, 5), "recency 0 where frequency is 0"),
    ],
)
def test_rows_that_cannot_be_histories_are_refused(row, rule):
    x, t_x, T = np.array([[2, 5, 9], row], dtype=float).T
    with pytest.raises(TrainingError, match=f"Got 1 of 2 .* expected {rule}"):
        fit(x, t_x, T)


def test_weights_have_to_be_numbers_of_at_least_zero():
    with pytest.raises(TrainingError, match="finite weights"):
        fit([1, 2], [3, 4], [9, 9], weights=[1, -1])


def whole_numbers(low, high, size):
    return arrays(np.float64, size, elements=st.integers(low, high).map(float))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(x=whole_numbers(0, 9, 25), share=whole_numbers(1, 20, 25), T=whole_numbers(0, 60, 25))
def test_any_small_business_gets_a_verdict_and_finite_forecasts(x, share, T):
    """Twelve customers who came back and 25 of any kind: clumped, idle, all alike."""
    x = np.append(x * (T > 0), np.ones(12))
    T = np.append(T, np.full(12, 30.0))
    t_x = np.where(x > 0, np.ceil(T * np.append(share, np.full(12, 10.0)) / 20), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        found = fit(x, t_x, T)
    assert found.verdict in {"converged", "boundary", "failed"}
    assert np.isfinite(values(found.params)).all() and np.isfinite(found.log_likelihood)
    for forecast in (bg_nbd.return_probability, bg_nbd.expected_purchases):
        assert np.isfinite(forecast(found.params, 365.0, x, t_x, T)).all()
