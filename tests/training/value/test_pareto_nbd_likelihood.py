from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.value import pareto_nbd
from training.value.counted import Distinct, count
from training.value.pareto_nbd import Parameters
from training.value.pareto_nbd_likelihood import lay_out, log_likelihood

POINTS = [
    (0.553, 10.578, 0.606, 11.669),
    (3.0, 0.05, 1e-2, 40.0),
    (1e-3, 900.0, 7.0, 1e-4),
    (1e5, 3e5, 1e4, 1e5),
    (0.5, 10.0, 5e-3, 1e-150),
    (0.5, 10.0, 1e7, 1e9),
]


@pytest.fixture(scope="module")
def counts(cdnow):
    """CDNOW with three very frequent customers added, one long gone, and one of today."""
    x = np.append(cdnow["frequency"], [10_000, 10_000, 500, 0]).astype(float)
    T = np.append(cdnow["T"], [38.86, 38.86, 38.86, 0.0])
    t_x = np.append(cdnow["recency"], [38.85, 20.0, 38.0, 0.0])
    return lay_out(count((x, T, t_x)))


@pytest.mark.parametrize("point", POINTS)
def test_gradient_is_the_slope_of_the_value(counts, point):
    """Central differences in the logarithm of each parameter, step 1e-4: error near 1e-8."""
    at, step = np.log(point), 1e-4
    _, gradient = log_likelihood(counts, *point)
    for index, unit in enumerate(np.eye(4) * step):
        above = log_likelihood(counts, *np.exp(at + unit))[0]
        below = log_likelihood(counts, *np.exp(at - unit))[0]
        slope = (above - below) / (2 * step)
        # The floor is the rounding of the values over the step.
        floor = 1e-13 * abs(above) / step
        assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=floor + 1e-4)


@pytest.mark.parametrize("point", POINTS)
def test_interpolated_likelihood_is_the_sum_over_the_customers(counts, cdnow, point):
    """Counted and interpolated between ages, or every customer's own two integrals."""
    history = (cdnow["frequency"], cdnow["recency"], cdnow["T"])
    params = Parameters(*point)
    by_row = pareto_nbd.log_likelihoods(params, *history)
    assert pareto_nbd.log_likelihood(params, *history) == pytest.approx(by_row.sum(), rel=1e-12)


@pytest.mark.golden
def test_value_equals_fifty_digit_arithmetic():
    """Fader & Hardie (2005), note 009, equations 18 to 20; made with mpmath 1.4.1."""
    for row in pd.read_csv(Path(__file__).with_name("pareto_mpmath.csv")).itertuples():
        params = Parameters(row.r, row.alpha, row.s, row.beta)
        history = ([row.x], [row.t_x], [row.T])
        expected = pytest.approx(row.log_likelihood, rel=1e-12, abs=1e-14)
        assert pareto_nbd.log_likelihood(params, *history) == expected, row
        assert pareto_nbd.log_likelihoods(params, *history)[0] == expected, row


@pytest.mark.parametrize("point", POINTS[:1])
@pytest.mark.parity
def test_value_equals_lifetimes(cdnow, oracle, point):
    fitter = oracle("ParetoNBDFitter")
    x, t_x, T = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    total = fitter._negative_log_likelihood(np.array(point), x, t_x, T, np.ones(x.size), 0.0)
    value, _ = log_likelihood(lay_out(count((x, T, t_x))), *point)
    assert value == pytest.approx(-total, rel=1e-12)


def test_value_is_smooth_towards_equal_rates(counts):
    """At r → ∞ with r / alpha fixed the value tends to a limit; digits must not get lost.

    The distance to the limit falls as 1 / r, so from 1e7 to 1e9 it falls by a hundred.
    """
    values = [log_likelihood(counts, r, 2 * r, 0.8, 2.4)[0] for r in (1e7, 1e9, 1e11)]
    assert abs(values[2] - values[1]) < 0.02 * abs(values[1] - values[0]) + 1e-9 * abs(values[0])


def test_nobody_leaving_is_the_negative_binomial(cdnow):
    """At s / beta → 0: ln Γ(r + x) / Γ(r) + r ln alpha − (r + x) ln(alpha + T) a customer."""
    x, t_x, T = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    value = pareto_nbd.log_likelihood(Parameters(0.4, 12.0, 1e-3, 1e14), x, t_x, T)
    rows = np.cumsum(np.log(0.4 + np.arange(x.max())))
    rising = np.where(x > 0, rows[np.maximum(x, 1).astype(int) - 1], 0.0)
    nbd = rising + 0.4 * np.log(12.0) - (0.4 + x) * np.log(12.0 + T)
    assert value == pytest.approx(nbd.sum(), rel=1e-11)


def test_blocks_of_rows_add_up():
    """Rows are worked in blocks: 20,000 distinct rows equal the sum over their two halves."""
    random = np.random.default_rng(5)
    T = random.uniform(1, 700, 20_000)
    rows = Distinct((random.integers(0, 40, T.size).astype(float), T, T / 2), np.ones(T.size))
    rows.columns[2][rows.columns[0] == 0] = 0.0
    halves = [
        Distinct(tuple(column[half] for column in rows.columns), rows.counts[half])
        for half in (slice(None, 10_000), slice(10_000, None))
    ]
    whole = log_likelihood(lay_out(rows), 0.7, 60.0, 0.2, 30.0)
    parts = [log_likelihood(lay_out(half), 0.7, 60.0, 0.2, 30.0) for half in halves]
    assert whole[0] == pytest.approx(parts[0][0] + parts[1][0], rel=1e-13)
    np.testing.assert_allclose(whole[1], parts[0][1] + parts[1][1], rtol=1e-10)


def test_customers_of_today_say_nothing():
    """Bought once, age zero: certain, whatever the parameters."""
    value, gradient = log_likelihood(lay_out(count((np.zeros(3),) * 3)), 0.5, 10.0, 0.6, 11.0)
    assert value == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-14)
