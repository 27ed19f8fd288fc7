import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value import gamma_gamma
from training.value.gamma_gamma import Parameters, expected_value, fit
from training.value.gamma_gamma_likelihood import collect, log_likelihood
from training.value.simulate import Truth, simulate

SEED_RANGE = range(1)
POINTS = [(6.25, 3.74, 15.44), (0.3, 1.01, 200.0), (1e5, 8.0, 1e-3), (2.0, 1e5, 4e6)]


def values(params):
    return np.array(dataclasses.astuple(params))


@pytest.fixture(scope="module")
def fitted(cdnow_values):
    return fit(cdnow_values["frequency"], cdnow_values["monetary_value"])


@pytest.mark.golden
def test_cdnow_gives_the_parameters_of_the_paper(fitted):
    """Fader & Hardie (2013), note 025: 946 repeat customers, p 6.25, q 3.74, γ 15.44.

    To the digits printed, from the exact means of the log. From means rounded to cents, as
    lifetimes carries them, γ is 15.4477 and would be printed 15.45.
    """
    assert fitted.verdict == "converged" and fitted.customers == 946
    assert round(fitted.params.p, 2) == 6.25
    assert round(fitted.params.q, 2) == 3.74
    assert round(fitted.params.v, 2) == 15.44


@pytest.mark.parity
def test_cdnow_in_cents_gives_the_parameters_of_lifetimes(cdnow_values, oracle):
    repeat = cdnow_values[cdnow_values["frequency"] > 0].round(2)
    x, m = repeat["frequency"], repeat["monetary_value"]
    theirs = oracle("GammaGammaFitter").fit(x, m)
    ours = fit(x, m)
    np.testing.assert_allclose(values(ours.params), theirs.params_.to_numpy(), rtol=1e-3)
    reached = gamma_gamma.log_likelihood(Parameters(*theirs.params_), x, m)
    assert ours.log_likelihood >= reached - 1e-9
    theirs.params_ = dict(zip("pqv", values(ours.params), strict=True))
    np.testing.assert_allclose(
        expected_value(ours.params, x, m), theirs.conditional_expected_average_profit(x, m)
    )


@pytest.mark.parity
@pytest.mark.parametrize("point", POINTS[:2])
def test_log_likelihood_equals_lifetimes(cdnow_values, oracle, point):
    repeat = cdnow_values[cdnow_values["frequency"] > 0]
    x, m = (repeat[name].to_numpy(float) for name in ("frequency", "monetary_value"))
    fitter = oracle("GammaGammaFitter")
    mean = fitter._negative_log_likelihood(np.log(point), x, m, np.ones(x.size), 0.0)
    ours = gamma_gamma.log_likelihood(Parameters(*point), x, m)
    assert ours == pytest.approx(-mean * x.size, rel=1e-11)


@pytest.mark.parametrize("point", POINTS)
def test_gradient_is_the_slope_of_the_value(cdnow_values, point):
    """Central differences, step 1e-4 of each parameter."""
    rows = collect(cdnow_values["frequency"], cdnow_values["monetary_value"], None)
    _, gradient = log_likelihood(rows, *point)
    for index, unit in enumerate(np.diag(point) * 1e-4):
        above = log_likelihood(rows, *(point + unit))[0]
        below = log_likelihood(rows, *(point - unit))[0]
        slope = (above - below) / (2 * unit[index])
        floor = 1e-12 * abs(above) / unit[index]
        assert gradient[index] == pytest.approx(slope, rel=1e-5, abs=floor)


@pytest.mark.parametrize("seed", SEED_RANGE)
def test_known_parameters_are_recovered(seed):
    """Within four standard errors of ln p, ln(q − 1) and the log of the mean."""
    truth, random = Truth(), np.random.default_rng(seed)
    customers = simulate(truth, random.uniform(30, 730, 40_000), 1.0, random)
    found = fit(customers["frequency"], customers["monetary_value"])
    assert found.verdict == "converged"
    searched = [
        np.log([params.p, params.q - 1, params.mean]) for params in (found.params, truth.values)
    ]
    assert np.all(np.abs(searched[0] - searched[1]) < 4 * np.array(found.relative_errors))
    assert abs(found.correlation) < 0.1


def test_expected_value_of_simulated_customers_is_their_true_mean(shoppers):
    """By number of purchases: the mean of the hidden mean values.

    Within four standard errors, of the sample and of the fitted population mean together.
    """
    found = fit(shoppers["frequency"], shoppers["monetary_value"])
    ours = expected_value(found.params, shoppers["frequency"], shoppers["monetary_value"])
    for frequency in (0, 1, 2, 5):
        some = shoppers["frequency"] == frequency
        away = ours[some] - shoppers.loc[some, "mean_value"]
        error = np.hypot(
            away.std() / np.sqrt(some.sum()), found.params.mean * found.relative_errors[2]
        )
        assert abs(away.mean()) < 4 * error


def test_currency_scales_v_alone(cdnow_values, fitted):
    yen = fit(cdnow_values["frequency"], 150 * cdnow_values["monetary_value"])
    np.testing.assert_allclose(values(yen.params), values(fitted.params) * [1, 1, 150], rtol=1e-9)


def test_order_of_rows_changes_nothing_that_counts(cdnow_values, fitted):
    mixed = cdnow_values.sample(frac=1, random_state=2)
    again = fit(mixed["frequency"], mixed["monetary_value"])
    np.testing.assert_allclose(values(again.params), values(fitted.params), rtol=1e-9)


def test_weights_are_repeated_rows(cdnow_values):
    weights = np.arange(len(cdnow_values)) % 3
    x, m = cdnow_values["frequency"], cdnow_values["monetary_value"]
    weighted = fit(x, m, weights=weights)
    repeated = fit(np.repeat(x, weights), np.repeat(m, weights))
    np.testing.assert_allclose(values(weighted.params), values(repeated.params), rtol=1e-8)
    assert weighted.correlation == pytest.approx(repeated.correlation, abs=1e-12)


def test_correlation_is_spearmans(cdnow_values, fitted):
    repeat = cdnow_values[cdnow_values["frequency"] > 0]
    assert fitted.correlation == pytest.approx(repeat.corr(method="spearman").iloc[0, 1], abs=1e-12)


def test_value_that_grows_with_frequency_is_doubted():
    random = np.random.default_rng(1)
    x = random.integers(1, 20, 500)
    with pytest.warns(StatisticalWarning, match=r"rank correlation of 0\.[3-9]"):
        fit(x, x * random.gamma(5, 1, 500))


def test_rows_without_value_are_left_out(cdnow_values, fitted):
    extra = pd.DataFrame({"frequency": [0, 3, 5], "monetary_value": [40.0, 0.0, -7.0]})
    more = pd.concat([cdnow_values, extra])
    assert fit(more["frequency"], more["monetary_value"]) == fitted


def test_few_repeat_customers_get_the_plain_mean():
    x, m = np.arange(1, 30), np.linspace(10.0, 30.0, 29)
    with pytest.warns(StatisticalWarning, match="Only 29 customers"):
        found = fit(x, m)
    assert found.verdict == "mean"
    np.testing.assert_allclose(expected_value(found.params, [0, 1, 10_000], [0, 5, 99]), 20.0)


def test_no_repeat_customer_is_refused():
    with pytest.raises(NotEnoughData, match="no customer with a repeat purchase"):
        fit([0, 0, 2], [0, 0, 0])


def test_values_have_to_be_numbers():
    with pytest.raises(TrainingError, match="Got 1 of 2 rows"):
        fit([1, 2], [5.0, np.inf])


def test_values_without_a_finite_mean_are_held_at_the_observed_one():
    """Means of half-Cauchy values: the best q is near 1, where the population mean is infinite."""
    random = np.random.default_rng(3)
    x, m = random.integers(1, 20, 500), np.abs(random.standard_cauchy(500))
    with pytest.warns(StatisticalWarning, match="held at the observed one"):
        found = fit(x, m)
    assert found.verdict == "boundary" and found.relative_errors is None
    assert found.params.q > 1
    assert found.params.mean == pytest.approx(m.mean(), rel=1e-9)


@pytest.mark.parametrize("size", [30, 100, 5_000])
def test_one_price_for_all_is_expected_of_all(size):
    x = np.random.default_rng(0).integers(1, 5, size)
    with pytest.warns(StatisticalWarning, match="worth always the same; .* spend alike"):
        found = fit(x, np.full(size, 9.99))
    np.testing.assert_allclose(expected_value(found.params, [0, 3], [0, 9.99]), 9.99, rtol=1e-4)


@settings(max_examples=100, deadline=None)
@given(
    params=st.builds(
        Parameters,
        st.floats(-4, 5).map(lambda power: 10**power),
        st.floats(-3, 5).map(lambda power: 1 + 10**power),
        st.floats(-8, 12).map(lambda power: 10**power),
    ),
    x=st.integers(0, 10_000),
    m=st.floats(-1e3, 1e12),
)
def test_expected_value_lies_between_the_customers_mean_and_the_populations(params, x, m):
    value = expected_value(params, [x], [m])[0]
    own = m if x > 0 and m > 0 else params.mean
    low, high = sorted([own, params.mean])
    assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


@settings(max_examples=20, deadline=None)
@given(
    m=st.lists(st.floats(-4, 8).map(lambda power: 10**power), min_size=30, max_size=40),
    seed=st.integers(0, 9),
)
def test_any_values_get_a_verdict_and_finite_forecasts(m, seed):
    x = np.random.default_rng(seed).integers(1, 30, len(m))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        found = fit(x, m)
    assert np.isfinite(values(found.params)).all() and np.isfinite(found.log_likelihood)
    forecast = expected_value(found.params, x, m)
    assert np.isfinite(forecast).all() and (forecast > 0).all()
