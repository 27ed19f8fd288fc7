import dataclasses

import numpy as np
import pandas as pd
import pytest

from training.errors import StatisticalWarning
from training.value import bg_nbd, mbg_nbd
from training.value.histories import counted
from training.value.mbg_nbd import Parameters, fit, p_alive
from training.value.simulate import Truth, simulate

CDNOW = Parameters(0.525, 6.183, 0.891, 1.614)


def history(frame):
    return frame["frequency"], frame["recency"], frame["T"]


def values(params):
    return np.array(dataclasses.astuple(params))


@pytest.fixture(scope="module")
def grid():
    """Histories on which lifetimes is sound: weeks, up to 40 purchases."""
    x, share, T = np.meshgrid([0, 1, 2, 7, 40], [0.1, 0.5, 0.99], [1.0, 39.0, 78.0])
    x, T = x.ravel().astype(float), T.ravel()
    return x, np.where(x > 0, share.ravel() * T, 0.0), T


@pytest.mark.parity
def test_cdnow_gives_the_parameters_of_lifetimes(cdnow, oracle):
    """Log-likelihood −9582.13, by `ModifiedBetaGeoFitter` of lifetimes 0.11.3 too."""
    fitted = fit(*history(cdnow))
    assert fitted.verdict == "converged"
    assert round(fitted.log_likelihood, 2) == -9582.13
    theirs = oracle("ModifiedBetaGeoFitter").fit(*history(cdnow)).params_.to_numpy()
    np.testing.assert_allclose(values(fitted.params), theirs, rtol=1e-4)
    reached = mbg_nbd.log_likelihood(Parameters(*theirs), *history(cdnow))
    assert fitted.log_likelihood >= reached - 1e-9


@pytest.mark.parity
@pytest.mark.parametrize("params", [CDNOW, Parameters(1.4, 1.3, 3.0, 8.0)])
def test_forecasts_equal_lifetimes_where_it_is_sound(grid, oracle, params):
    """Wagner & Hoppe (2008) for the purchases."""
    theirs = oracle("ModifiedBetaGeoFitter")
    theirs.params_ = pd.Series(vars(params))
    alive = theirs.conditional_probability_alive(*grid)
    np.testing.assert_allclose(p_alive(params, *grid), alive, rtol=1e-11)
    for t in (1.0, 13.0, 39.0):
        np.testing.assert_allclose(
            mbg_nbd.expected_purchases(params, t, *grid),
            theirs.conditional_expected_number_of_purchases_up_to_time(t, *grid),
            rtol=1e-9,
        )
        new = theirs.expected_number_of_purchases_up_to_time(t)
        assert mbg_nbd.expected_purchases_new(params, t) == pytest.approx(new, rel=1e-10)


def test_one_time_buyers_may_be_gone_and_the_more_so_the_longer_away():
    """1 / (1 + a/b ((alpha + T) / alpha)^r): already b / (a + b) on the day of the purchase."""
    T = np.array([0.0, 1.0, 39.0, 78.0])
    alive = p_alive(CDNOW, np.zeros(4), np.zeros(4), T)
    assert alive[0] == pytest.approx(CDNOW.b / (CDNOW.a + CDNOW.b), rel=1e-14)
    assert np.all(np.diff(alive) < 0) and np.all(alive < 1)
    expected = 1 / (1 + CDNOW.a / CDNOW.b * (1 + T / CDNOW.alpha) ** CDNOW.r)
    np.testing.assert_allclose(alive, expected, rtol=1e-13)


def test_whoever_survived_the_first_purchase_is_as_in_bg_nbd_with_one_more_b(grid):
    """A p ~ Beta(a, b) that spared the first purchase is Beta(a, b + 1), and BG/NBD goes on."""
    spared = bg_nbd.Parameters(CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b + 1.0)
    repeat = grid[0] > 0
    some = tuple(column[repeat] for column in grid)
    np.testing.assert_allclose(p_alive(CDNOW, *some), bg_nbd.p_alive(spared, *some), rtol=1e-14)
    for ours, theirs in (
        (mbg_nbd.expected_purchases, bg_nbd.expected_purchases),
        (mbg_nbd.return_probability, bg_nbd.return_probability),
    ):
        np.testing.assert_allclose(
            ours(CDNOW, 13.0, *some), theirs(spared, 13.0, *some), rtol=1e-13
        )
    survived = CDNOW.b / (CDNOW.a + CDNOW.b)
    new = survived * bg_nbd.expected_purchases_new(spared, 39.0)
    assert mbg_nbd.expected_purchases_new(CDNOW, 39.0) == pytest.approx(new, rel=1e-13)


def test_gradient_is_the_slope_of_the_value(cdnow):
    """Central differences in the logarithm of each parameter, step 1e-4: error near 1e-8."""
    x, t_x, T = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    counts = mbg_nbd.PROCESS.lay_out(counted(x, t_x, T, None))
    for point in ((0.525, 6.183, 0.891, 1.614), (1e-3, 900.0, 7.0, 1e-4), (1e5, 3e5, 1e4, 1e5)):
        at, step = np.log(point), 1e-4
        _, gradient = mbg_nbd.PROCESS.slopes(counts, *point)
        for index, unit in enumerate(np.eye(4) * step):
            above = mbg_nbd.PROCESS.slopes(counts, *np.exp(at + unit))[0]
            below = mbg_nbd.PROCESS.slopes(counts, *np.exp(at - unit))[0]
            slope = (above - below) / (2 * step)
            floor = 1e-13 * abs(above) / step
            assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=floor + 1e-4)


LIMITS = {
    "all customers seem to buy at one and the same rate": Parameters(1e7, 3e8, 0.8, 2.4),
    "customers seem to leave after their first purchase or never": Parameters(0.5, 30, 1e-9, 1e-9),
    "all customers seem equally likely to leave after a purchase": Parameters(0.5, 30.0, 1e6, 3e6),
}


@pytest.mark.parametrize(("said", "seed"), list(zip(LIMITS, (3, 4, 3), strict=True)))
def test_limits_are_told_and_forecast_as_the_truth_does(said, seed):
    """As for BG/NBD: a sample from a limit has its best parameters there every other time."""
    truth, random = LIMITS[said], np.random.default_rng(seed)
    customers = simulate(Truth(purchases=truth), random.integers(30, 731, 3_000), 1.0, random)
    with pytest.warns(StatisticalWarning, match=said):
        found = fit(*history(customers))
    assert found.verdict == "boundary" and found.relative_errors is None
    ours = mbg_nbd.expected_purchases(found.params, 90.0, *history(customers))
    expected = mbg_nbd.expected_purchases(truth, 90.0, *history(customers))
    assert np.isfinite(ours).all()
    # Ten per cent: 3,000 customers determine the mean rate to about three.
    assert ours.sum() == pytest.approx(expected.sum(), rel=0.1)


def test_forecasts_come_true_for_simulated_customers():
    """40,000 customers and the 180 days that follow, with known parameters.

    Totals within four standard errors; in each fifth by return probability the share of those who
    come back likewise. One-time buyers, about whom BG/NBD says something else, for themselves.
    """
    truth, random = Parameters(0.525, 7 * 6.183, 0.891, 1.614), np.random.default_rng(21)
    customers = simulate(Truth(purchases=truth), random.integers(30, 731, 40_000), 180.0, random)
    columns = history(customers)
    back = mbg_nbd.return_probability(truth, 180.0, *columns)
    forecasts = {
        "future_purchases": mbg_nbd.expected_purchases(truth, 180.0, *columns),
        "alive": p_alive(truth, *columns),
    }
    once = (customers["frequency"] == 0).to_numpy()
    for name, forecast in forecasts.items():
        for rows in (once, ~once):
            apart = (customers[name].to_numpy(float) - forecast)[rows]
            assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(apart.size), name
    came = (customers["future_purchases"] > 0).to_numpy(float)
    for fifth in np.array_split(np.argsort(back), 5):
        error = np.sqrt((back[fifth] * (1 - back[fifth])).sum()) / fifth.size
        assert abs(back[fifth].mean() - came[fifth].mean()) < 4 * error
