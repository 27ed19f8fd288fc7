from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.value.pareto_nbd_forecast import (
    Parameters,
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    p_alive,
    return_probability,
)
from training.value.simulate import Truth, simulate

PAPER = Parameters(0.553, 10.578, 0.606, 11.669)
YEARLY = np.log(1.1) / 365


@pytest.fixture(scope="module")
def grid():
    """Histories on which lifetimes is sound: weeks, up to 40 purchases."""
    x, share, T = np.meshgrid([0, 1, 2, 7, 40], [0.1, 0.5, 0.99], [1.0, 39.0, 78.0])
    x, T = x.ravel().astype(float), T.ravel()
    return x, np.where(x > 0, share.ravel() * T, 0.0), T


@pytest.fixture(scope="module")
def references():
    """P(alive), and what customers do who are alive, from 50-digit arithmetic; days.

    Made with mpmath 1.4.1: log-likelihood and P(alive) from A₀ of Fader & Hardie (2005), equations
    18 to 20 and 36; return probability, purchases and purchases discounted at 10 % a year by
    adaptive quadrature over the time u of k/A (1 + u/A)^(−k−1) (1 + u/B)^(−s) and
    k/A e^(−δu) (1 + u/B)^(−s), with k = r + x, A = alpha + T, B = beta + T. Points drawn from r in
    [0.05, 20], alpha in [0.5, 300], s in [0.01, 50] (at and beside the pole of the closed form at
    1), beta in [0.001, 1e5], x and T up to 10,000, t of a day to five years.
    """
    return pd.read_csv(Path(__file__).with_name("pareto_mpmath.csv"))


def on_reference(function, row, *terms):
    """A forecast for a customer who bought today, or is new, divided by P(alive)."""
    params = Parameters(row.r, row.alpha, row.s, row.beta)
    history = [row.x], [row.T if row.x else 0.0], [row.T]
    return function(params, row.t, *terms, *history)[0] / p_alive(params, *history)[0]


@pytest.mark.golden
def test_p_alive_equals_fifty_digit_arithmetic(references):
    assert references["x"].max() == 10_000 and references["T"].max() == 10_000
    for row in references.itertuples():
        params = Parameters(row.r, row.alpha, row.s, row.beta)
        alive = p_alive(params, [row.x], [row.t_x], [row.T])[0]
        assert alive == pytest.approx(row.alive, rel=1e-11, abs=1e-300), row


@pytest.mark.golden
def test_purchases_equal_fifty_digit_arithmetic(references):
    """Includes x = 10,000 and s at and beside the pole of the closed form."""
    assert {1.0, 1.0000001} <= set(references["s"])
    for row in references.itertuples():
        assert on_reference(expected_purchases, row) == pytest.approx(row.purchases, rel=1e-13), row


@pytest.mark.golden
def test_return_probability_equals_fifty_digit_arithmetic(references):
    for row in references.itertuples():
        assert on_reference(return_probability, row) == pytest.approx(row.back, rel=1e-10), row


@pytest.mark.golden
def test_discounted_purchases_equal_fifty_digit_arithmetic(references):
    for row in references.itertuples():
        ours = on_reference(discounted_purchases, row, YEARLY)
        assert ours == pytest.approx(row.discounted, rel=5e-6), row


@pytest.mark.parity
@pytest.mark.parametrize("params", [PAPER, Parameters(1.4, 13.0, 2.5, 8.0)])
def test_forecasts_equal_lifetimes_where_it_is_sound(grid, oracle, params):
    """Its probability of no purchase is Fader & Hardie (2014), note 028, equation 16."""
    theirs = oracle("ParetoNBDFitter")
    theirs.params_ = pd.Series(vars(params))
    np.testing.assert_allclose(
        p_alive(params, *grid), theirs.conditional_probability_alive(*grid), rtol=1e-11
    )
    for t in (1.0, 13.0, 39.0):
        np.testing.assert_allclose(
            expected_purchases(params, t, *grid),
            theirs.conditional_expected_number_of_purchases_up_to_time(t, *grid),
            rtol=1e-10,
        )
        none = theirs.conditional_probability_of_n_purchases_up_to_time(0, t, *grid)
        np.testing.assert_allclose(return_probability(params, t, *grid), 1 - none, atol=1e-12)
        new = theirs.expected_number_of_purchases_up_to_time(t)
        assert expected_purchases_new(params, t) == pytest.approx(new, rel=1e-12)


def test_return_probability_is_the_share_of_rates_drawn_from_the_posterior(grid):
    """Of someone there, λ ~ Gamma(r + x, alpha + T) and μ ~ Gamma(s, beta + T): 400,000 draws.

    Given both, the first purchase or the end, whichever comes first, is exponential with λ + μ.
    """
    random = np.random.default_rng(8)
    number, t = 400_000, 13.0
    for x, T in ((0.0, 39.0), (2.0, 39.0), (40.0, 78.0)):
        rate = random.gamma(PAPER.r + x, 1 / (PAPER.alpha + T), number)
        leaving = random.gamma(PAPER.s, 1 / (PAPER.beta + T), number)
        first = random.exponential(1.0, number) / rate
        came = ((first < t) & (first < random.exponential(1.0, number) / leaving)).mean()
        history = [x], [T if x else 0.0], [T]
        exact = return_probability(PAPER, t, *history) / p_alive(PAPER, *history)
        assert abs(came - exact[0]) < 4 * np.sqrt(came * (1 - came) / number)


def test_short_windows_keep_their_digits():
    """For t → 0 both are P(alive) k/A t; the difference of nearly equal numbers would not be."""
    history = np.array([0.0, 3.0]), np.array([0.0, 50.0]), np.array([9_000.0, 9_000.0])
    params = Parameters(0.2, 30.0, 0.7, 90.0)
    for t in (1e-3, 1e-6, 1e-9):
        back, purchases = (f(params, t, *history) for f in (return_probability, expected_purchases))
        np.testing.assert_allclose(back, purchases, rtol=t)
        assert np.all(back <= purchases)


def test_purchases_grow_at_the_purchase_rate(grid):
    """dE/dt = P(alive) k/A (1 + t/B)^(−s), the mean of λ e^(−μt)."""
    x, _, T = grid
    rate = (PAPER.r + x) / (PAPER.alpha + T)
    step = 1e-3
    for t in (2.0, 30.0):
        staying = (1 + t / (PAPER.beta + T)) ** -PAPER.s
        gained = expected_purchases(PAPER, t + step, *grid)
        gained = gained - expected_purchases(PAPER, t - step, *grid)
        expected = p_alive(PAPER, *grid) * rate * staying
        np.testing.assert_allclose(gained / (2 * step), expected, rtol=1e-6, atol=1e-12)


def test_forecasts_come_true_for_simulated_customers():
    """40,000 customers with CDNOW's parameters (in days), and the 180 days that follow.

    Known parameters, so the only error is of the draws: totals within four standard errors; in
    each fifth by return probability the share of those who come back likewise.
    """
    truth, random = Parameters(0.553, 7 * 10.578, 0.606, 7 * 11.669), np.random.default_rng(20)
    customers = simulate(Truth(purchases=truth), random.integers(30, 731, 40_000), 180.0, random)
    history = tuple(customers[name] for name in ("frequency", "recency", "T"))
    back = return_probability(truth, 180.0, *history)
    forecasts = {
        "future_purchases": expected_purchases(truth, 180.0, *history),
        "alive": p_alive(truth, *history),
    }
    for name, forecast in forecasts.items():
        apart = customers[name].to_numpy(float) - forecast
        assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(apart.size), name
    came = (customers["future_purchases"] > 0).to_numpy(float)
    for fifth in np.array_split(np.argsort(back), 5):
        error = np.sqrt((back[fifth] * (1 - back[fifth])).sum()) / fifth.size
        assert abs(back[fifth].mean() - came[fifth].mean()) < 4 * error
