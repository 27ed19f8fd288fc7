from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from training.value.bg_nbd import fit
from training.value.bg_nbd_forecast import (
    Parameters,
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    p_alive,
    return_probability,
)

PAPER = Parameters(0.243, 4.414, 0.793, 2.426)
YEARLY = np.log(1.1) / 365

SIZES = st.floats(-5, 5).map(lambda power: 10**power)
ANY = st.builds(Parameters, SIZES, SIZES, SIZES, SIZES)


@st.composite
def histories(draw):
    """One customer: up to 10,000 purchases in up to thirty years, or brand-new."""
    x = draw(st.sampled_from([0.0, 1.0, 2.0, 10.0, 1000.0, 10_000.0]))
    T = draw(st.floats(0, 11_000))
    t_x = T * draw(st.floats(0, 1)) if x else 0.0
    return np.array([x]), np.array([t_x]), np.array([T])


@pytest.fixture(scope="module")
def grid():
    """Histories on which lifetimes is sound: weeks, up to 40 purchases."""
    x, share, T = np.meshgrid([0, 1, 2, 7, 40], [0.1, 0.5, 0.99], [1.0, 39.0, 78.0])
    x, T = x.ravel().astype(float), T.ravel()
    return x, np.where(x > 0, share.ravel() * T, 0.0), T


@pytest.fixture(scope="module")
def references():
    """Purchases while alive, from 40-digit arithmetic; days.

    Made with mpmath 1.4.1 (hyp2f1 of Fader, Hardie & Lee's equation 10 without P(alive), at a = 1
    its limit; discounted at 10 % a year: adaptive quadrature of the purchase rate
    e^(−δu) s/β 2F1(s + 1, a; a + b + x; −u/β)) on points drawn from a in [0.01, 50],
    b in [0.05, 1000], r in [0.05, 20], alpha in [0.5, 300], x up to 10,000, t of 1 day to 5 years.
    """
    return pd.read_csv(Path(__file__).with_name("purchases_mpmath.csv"))


def on_reference(function, row, *terms):
    """A forecast for a customer who bought today, divided by P(alive)."""
    params = Parameters(row.r, row.alpha, row.a, row.b)
    T = float(row.T)
    x, t_x = np.array([float(row.x)]), np.array([T if row.x else 0.0])
    alive = p_alive(params, x, t_x, np.array([T]))
    return function(params, float(row.t), *terms, x, t_x, np.array([T]))[0] / alive[0]


@pytest.mark.golden
def test_papers_customer_buys_1226_times_in_the_next_39_weeks():
    """Fader, Hardie & Lee (2005), section 4: x = 2, t_x = 30.43, T = 38.86; 1.226."""
    expected = expected_purchases(PAPER, 39.0, 2.0, 30.43, 38.86)
    assert expected == pytest.approx(1.226, abs=0.0005)


@pytest.mark.golden
def test_purchases_equal_forty_digit_arithmetic(references):
    """Includes x = 10,000 and a at and beside the pole of the closed form."""
    assert {1.0, 1.0000001} <= set(references["a"]) and references["x"].max() == 10_000
    for row in references.itertuples():
        ours = on_reference(expected_purchases, row)
        assert ours == pytest.approx(row.purchases, rel=2e-12), row


@pytest.mark.golden
def test_discounted_purchases_equal_forty_digit_arithmetic(references):
    for row in references.dropna().itertuples():
        ours = on_reference(discounted_purchases, row, YEARLY)
        assert ours == pytest.approx(row.discounted, rel=1e-7), row


@pytest.mark.parity
@pytest.mark.parametrize("params", [PAPER, Parameters(1.4, 1.3, 3.0, 8.0)])
def test_forecasts_equal_lifetimes_where_it_is_sound(grid, oracle, params):
    theirs = oracle("BetaGeoFitter")
    theirs.params_ = {"r": params.r, "alpha": params.alpha, "a": params.a, "b": params.b}
    x, t_x, T = grid
    np.testing.assert_allclose(
        p_alive(params, *grid), theirs.conditional_probability_alive(*grid), rtol=1e-11
    )
    for t in (1.0, 13.0, 39.0):
        np.testing.assert_allclose(
            expected_purchases(params, t, *grid),
            theirs.conditional_expected_number_of_purchases_up_to_time(t, x, t_x, T),
            rtol=1e-9,
        )
        new = theirs.expected_number_of_purchases_up_to_time(t)
        assert expected_purchases_new(params, t) == pytest.approx(new, rel=1e-10)


@settings(max_examples=150, deadline=None)
@given(params=ANY, history=histories(), t=st.floats(1e-6, 1825))
def test_forecasts_are_ordered_for_any_customer(params, history, t):
    """0 <= return <= alive <= 1, return <= purchases, discounted <= purchases, all finite."""
    alive = p_alive(params, *history)[0]
    back = return_probability(params, t, *history)[0]
    purchases = expected_purchases(params, t, *history)[0]
    discounted = discounted_purchases(params, t, YEARLY, *history)[0]
    assert 0 <= back <= alive <= 1
    assert back <= purchases * (1 + 1e-9) and np.isfinite(purchases)
    assert purchases * np.exp(-YEARLY * t) * (1 - 1e-9) <= discounted <= purchases * (1 + 1e-6)


@settings(max_examples=100, deadline=None)
@given(params=ANY, history=histories(), t=st.floats(0, 900), more=st.floats(0, 900))
def test_return_probability_rises_with_the_window(params, history, t, more):
    shorter = return_probability(params, t, *history)
    assert shorter <= return_probability(params, t + more, *history)


def test_nothing_happens_in_no_time(grid):
    for forecast in (return_probability, expected_purchases):
        assert np.array_equal(forecast(PAPER, 0.0, *grid), np.zeros(grid[0].size))
    assert np.array_equal(discounted_purchases(PAPER, 0.0, 0.1, *grid), np.zeros(grid[0].size))


def test_purchases_grow_at_the_purchase_rate(grid):
    """dE/dt = P(alive) s/β 2F1(s + 1, a; a + b + x; −t/β), the mean of λ e^(−λpt)."""
    x, _, T = grid
    s, beta = PAPER.r + x, PAPER.alpha + T
    step = 1e-3
    for t in (2.0, 30.0):
        rate = s / beta * hyp2f1(s + 1, PAPER.a, PAPER.a + PAPER.b + x, -t / beta)
        gained = expected_purchases(PAPER, t + step, *grid)
        gained = gained - expected_purchases(PAPER, t - step, *grid)
        np.testing.assert_allclose(
            gained / (2 * step), p_alive(PAPER, *grid) * rate, rtol=1e-6, atol=1e-12
        )


def test_discounting_is_the_sum_over_short_spells(grid):
    """∫ e^(−δu) dE(u) by 400 spells with the discount of their middle; δ of 1 % a week."""
    edges = np.linspace(0.0, 52.0, 401)
    cumulated = np.array([expected_purchases(PAPER, t, *grid) for t in edges])
    middle = np.exp(-0.01 * (edges[1:] + edges[:-1]) / 2)
    summed = middle @ np.diff(cumulated, axis=0)
    np.testing.assert_allclose(discounted_purchases(PAPER, 52.0, 0.01, *grid), summed, rtol=1e-5)


def test_discounting_at_rate_zero_is_counting(grid):
    assert np.array_equal(
        discounted_purchases(PAPER, 52.0, 0.0, *grid), expected_purchases(PAPER, 52.0, *grid)
    )


def test_time_unit_does_not_matter(grid):
    x, t_x, T = grid
    days = Parameters(PAPER.r, 7 * PAPER.alpha, PAPER.a, PAPER.b)
    for forecast in (return_probability, expected_purchases):
        weekly = forecast(PAPER, 13.0, x, t_x, T)
        np.testing.assert_allclose(forecast(days, 91.0, x, 7 * t_x, 7 * T), weekly, rtol=1e-12)


def test_customer_gets_the_same_answer_alone_and_among_others(grid):
    together = expected_purchases(PAPER, 13.0, *grid)
    for index in (0, 7, 44):
        alone = expected_purchases(PAPER, 13.0, *(column[[index]] for column in grid))
        assert alone[0] == together[index]


def test_ten_thousand_purchases_leave_an_active_customer_alive():
    """Daily for 27 years, last one yesterday; then the same, gone for half a year."""
    x, T = np.array([1e4, 1e4]), np.array([1e4, 1e4])
    alive = p_alive(Parameters(0.7, 60.0, 0.1, 2.4), x, np.array([9_999.0, 9_800.0]), T)
    assert alive[0] > 0.99 and alive[1] < 1e-50


def test_forecasts_come_true_for_simulated_customers(shoppers):
    """Fitted on the history, compared with the 180 days that follow it.

    Totals within 3 %, about three standard errors; in each fifth by return probability the share
    of those who come back is within four binomial standard errors.
    """
    history = tuple(shoppers[name] for name in ("frequency", "recency", "T"))
    params = fit(*history).params
    purchases = expected_purchases(params, 180.0, *history)
    back = return_probability(params, 180.0, *history)
    came = (shoppers["future_purchases"] > 0).to_numpy(float)
    assert purchases.sum() == pytest.approx(shoppers["future_purchases"].sum(), rel=0.03)
    assert p_alive(params, *history).mean() == pytest.approx(shoppers["alive"].mean(), rel=0.02)
    for fifth in np.array_split(np.argsort(back), 5):
        error = np.sqrt((back[fifth] * (1 - back[fifth])).sum()) / fifth.size
        assert abs(back[fifth].mean() - came[fifth].mean()) < 4 * error
