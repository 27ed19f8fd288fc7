"""Intervals of what is paid: short, and as full as they say."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.grading.reliability import needed
from training.subscriptions import periods
from training.subscriptions.amounts import FIXED, Amounts
from training.subscriptions.prices import Prices
from training.windows.spread import LEVEL

MONTH = 30.4375
TERMS = np.array([MONTH, MONTH, 28.0])
DUE = periods.dues(
    pd.DataFrame({periods.DUE: [5, -3, 20], periods.TERM: TERMS}), date(2024, 1, 31), 14
)
CHANCES = arrays(np.float64, (3, 14), elements=st.floats(0.001, 0.999))
SIZE = 20_000


def rising(seed=0):
    """Prices that rise by a quarter at one renewal of ten."""
    rows = pd.DataFrame(
        {
            periods.DUE: 10.0,
            periods.TERM: MONTH,
            "subscription_renewals": 3,
            "subscription_days_since_price_change": [15.0] * 30 + [np.nan] * 270,
            "subscription_price_ratio": [1.25] * 30 + [np.nan] * 270,
        }
    )
    return Prices.learn([rows], np.random.default_rng(seed))


def paid(chances, due, days, random, rise=0.0):
    """Renewals and amounts of simulated customers of one kind."""
    there = (random.random((SIZE, len(due))) >= chances).cumprod(axis=1) * (due < days)
    price = np.where(random.random(there.shape) < rise, 1.25, 1.0).cumprod(axis=1)
    return there.sum(axis=1), (there * price).sum(axis=1)


@given(CHANCES, st.integers(1, 400), st.floats(0, 0.5), st.booleans())
def test_an_interval_lies_among_what_can_be_paid(chances, days, rate, moving):
    prices = rising() if moving else FIXED
    amounts = Amounts.of(chances, DUE, TERMS, days, rate, prices)
    low, high, level = amounts.interval()
    assert np.all((low >= 0) & (low <= high)) and np.all((level >= 0) & (level + LEVEL <= 1))
    if not moving:
        assert np.all(high <= periods.weights(DUE, days, rate).sum(axis=1) + 1e-9)
    central = amounts.quantile(0.9) - amounts.quantile(0.1)
    assert np.all(high - low <= central + 1e-9)


@given(CHANCES, st.integers(1, 400))
def test_a_number_of_renewals_lies_inside_with_eight_chances_of_ten(chances, days):
    """Exactly, by the distribution itself: no draw is needed."""
    amounts = Amounts.of(chances, DUE, TERMS, days)
    low, high, level = amounts.interval()
    inside, covered = np.zeros(3), np.zeros(3)
    for count in range(DUE.shape[1] + 1):
        number = np.full(3, count)
        start, stop = amounts.counted(number)
        chance = np.where(start < 1.5, stop - start, 0.0)
        part = needed((start, stop), (level, level + LEVEL))
        inside += chance * ((number >= low) & (number <= high))
        covered += chance * part
    np.testing.assert_allclose(covered, LEVEL, atol=1e-9)
    assert np.all(inside >= LEVEL - 1e-9)


def test_who_is_nearly_sure_to_renew_each_time_has_no_room():
    amounts = Amounts.of(np.full((3, 14), 0.02), DUE, TERMS, 90)
    low, high, _ = amounts.interval()
    number = (DUE < 90).sum(axis=1)
    assert low.tolist() == high.tolist() == number.tolist()


def test_who_is_nearly_sure_to_leave_is_expected_to_pay_nothing():
    low, high, _ = Amounts.of(np.full((3, 14), 0.9), DUE, TERMS, 365).interval()
    assert low.tolist() == high.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("days", "chance"), [(60, 0.1), (365, 0.03), (365, 0.15)])
def test_amounts_of_simulated_customers_lie_inside_as_often_as_is_said(days, chance):
    """Prices that move cross the borders between numbers of renewals; that costs a little."""
    random = np.random.default_rng(7)
    chances = np.full((1, 14), chance)
    count, amount = paid(chances[0], DUE[0], days, random, rise=0.1)
    one = Amounts.of(chances, DUE[:1], TERMS[:1], days, prices=rising())
    low, high, level = one.interval()
    inside = ((amount >= low - 1e-6) & (amount <= high + 1e-6)).mean()
    assert 0.78 < inside < 0.95
    many = Amounts.of(
        np.repeat(chances, SIZE, axis=0),
        np.repeat(DUE[:1], SIZE, axis=0),
        np.repeat(TERMS[:1], SIZE),
        days,
        prices=rising(),
    )
    levels = np.repeat(level, SIZE)
    part = needed(many.priced(count, amount), (levels, levels + LEVEL))
    assert part.mean() == pytest.approx(LEVEL, abs=0.02)


def test_more_than_can_be_paid_lies_outside():
    amounts = Amounts.of(np.full((3, 14), 0.3), DUE, TERMS, 30)
    _, _, level = amounts.interval()
    start, stop = amounts.priced(np.full(3, 9), np.full(3, 9.0))
    assert np.all(start > 1) and np.all(needed((start, stop), (level, level + LEVEL)) == 0)
