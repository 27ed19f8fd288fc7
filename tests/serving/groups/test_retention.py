"""Raised retention: never a loss, nothing for those who stay anyway, the formula of the paper."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.groups.retention import Terms, again, gains

TERMS = Terms(horizon_days=90, clv_horizon_days=365, margin=0.3, annual_discount_rate=0.1)
SHARES = st.floats(0.01, 1.0)


def worth(r: float, spend: float, terms: Terms) -> float:
    """A lifetime value by the constant-retention formula, added up term by term."""
    v = (1 + terms.annual_discount_rate) ** (-terms.horizon_days / 365)
    periods = terms.clv_horizon_days / terms.horizon_days
    weights = [min(1.0, periods - k) for k in range(int(np.ceil(periods)))]
    annuity = sum(weight * (r * v) ** k for k, weight in enumerate(weights))
    return terms.margin * spend * v**0.5 * annuity


def raised(p: float, spend: float, clv: float, terms: Terms = TERMS, by: float = 0.05) -> float:
    profit = terms.margin * spend
    arrays = (np.array([value], dtype=float) for value in (p, profit, clv))
    return float(again(*arrays, terms, raised=by)[0])


@given(SHARES, st.floats(0.0, 0.9), st.floats(0.0, 0.1))
def test_the_retention_that_made_the_value_is_found_and_raised(p, r, by):
    p = min(p, 0.9)
    clv = worth(r, 100.0, TERMS)
    expected = clv * (1 + by) * worth(r * (1 + by), 100.0, TERMS) / clv
    assert raised(p, 100.0, clv, by=by) == pytest.approx(expected, rel=1e-3)


@given(SHARES, st.floats(0, 1e4), st.floats(0, 1e5), st.floats(0, 0.5), st.floats(0, 0.5))
def test_more_retention_is_never_worth_less(p, spend, clv, low, more):
    once, twice = raised(p, spend, clv, by=low), raised(p, spend, clv, by=low + more)
    assert clv <= once * (1 + 1e-12)
    assert once <= twice * (1 + 1e-12)


def test_nothing_is_gained_from_who_stays_for_sure():
    assert raised(1.0, 100.0, worth(1.0, 100.0, TERMS)) == pytest.approx(worth(1.0, 100.0, TERMS))


def test_nothing_is_gained_without_a_raise():
    assert raised(0.4, 100.0, 70.0, by=0.0) == pytest.approx(70.0)


@pytest.mark.golden
def test_over_a_long_life_it_is_the_constant_retention_formula():
    """A(r) = 1 / (1 − r v): Gupta et al. (2006), equation 2, over 120 periods of a month."""
    terms = Terms(horizon_days=30, clv_horizon_days=3600, margin=1.0, annual_discount_rate=0.1)
    v = 1.1 ** (-30 / 365)
    r, p = 0.8, 0.5
    told = raised(p, 1.0, v**0.5 / (1 - r * v), terms)
    assert told == pytest.approx(v**0.5 * 1.05 / (1 - 1.05 * r * v), rel=1e-3)


@given(SHARES, st.floats(0.0, 0.9), st.floats(0.0, 0.1))
def test_to_keep_a_customer_who_is_sold_to_at_a_loss_costs_what_a_gain_would_bring(p, r, by):
    clv = worth(r, 100.0, TERMS)
    gain = raised(p, 100.0, clv, by=by) - clv
    loss = raised(p, -100.0, -clv, by=by) + clv
    assert loss == pytest.approx(-gain, rel=1e-12)


def test_every_customer_counts_at_its_own_margin():
    columns = {
        "tier": ["core", "costly", "small"],
        "return_probability": [0.5, 0.5, 0.5],
        "expected_spend": [100.0, 100.0, 100.0],
        "clv": [worth(0.6, 100.0, TERMS), -worth(0.6, 100.0, TERMS), worth(0.6, 100.0, TERMS)],
        "margin_rate": [0.3, -0.3, None],
    }
    table = ibis.duckdb.connect().create_table("scores", pa.table(columns))
    gain = {one.tier: one.gain for one in gains(table, TERMS)}
    assert gain["core"] == gain["small"] > 0
    assert gain["costly"] == pytest.approx(-gain["core"])
    # A score table from before there were rates has that of the terms.
    older = {one.tier: one.gain for one in gains(table.drop("margin_rate"), TERMS)}
    assert older["core"] == gain["core"]


def test_what_is_not_said_stays_unsaid():
    assert np.isnan(raised(np.nan, 100.0, 50.0))
    assert np.isnan(raised(0.5, 100.0, np.nan))
    assert raised(0.0, 0.0, 0.0) == 0.0
