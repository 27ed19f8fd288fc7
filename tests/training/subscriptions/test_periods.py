"""What the chances of periods add up to."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.subscriptions import periods

MONTH = 30.4375
AS_OF = date(2024, 1, 31)


def frame(*pairs):
    due, term = zip(*pairs, strict=True)
    return pd.DataFrame({periods.DUE: due, periods.TERM: term})


CHANCES = arrays(np.float64, (3, 8), elements=st.floats(0.0, 1.0))
SPANS = st.integers(1, 200)
DUE = periods.dues(frame((5, MONTH), (-3, MONTH), (20, 28.0)), AS_OF, 8)


def test_renewals_go_by_the_calendar_and_days_by_days():
    due = periods.dues(frame((0, MONTH), (29, 3 * MONTH), (0, 365.25), (4, 7.0)), AS_OF, 3)
    assert due.tolist() == [
        [0, 29, 60],  # 31 January, 29 February, 31 March
        [29, 119, 211],  # 29 February, May, August
        [0, 366, 731],
        [4, 11, 18],
    ]


def test_without_a_subscription_there_are_no_renewals():
    due = periods.dues(frame((np.nan, np.nan), (3, MONTH)), AS_OF, 2)
    assert np.isnan(due[0]).all() and due[1].tolist() == [3, 32]


@given(
    st.lists(
        st.tuples(st.integers(-90, 366), st.sampled_from([7.0, 28.0, MONTH, 365.25])),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 800),
)
def test_enough_periods_are_asked_for_to_reach_beyond_a_span(pairs, days):
    table = frame(*pairs)
    due = periods.dues(table, AS_OF, periods.periods_within(table, days))
    assert np.all(due[:, -1] >= days)
    assert np.all(np.diff(due, axis=1) > 0)


@given(CHANCES, SPANS, SPANS, st.floats(0, 1))
def test_staying_falls_with_the_span_and_stays_a_chance(chances, first, second, within):
    short, long = sorted((first, second))
    near = periods.staying(chances, DUE, short, within)
    far = periods.staying(chances, DUE, long, within)
    assert np.all((far >= 0) & (near <= 1) & (far <= near + 1e-12))


@given(CHANCES, SPANS)
def test_ends_at_renewals_only_make_staying_the_last_payment_in_the_span(chances, days):
    within = days > DUE
    number = within.sum(axis=1)
    reached = np.column_stack([np.ones(3), periods.paid(chances)])
    expected = reached[np.arange(3), number]
    np.testing.assert_allclose(periods.staying(chances, DUE, days, 0.0), expected, atol=1e-12)


def test_ends_between_renewals_come_evenly():
    chances = np.full((1, 8), 0.2)
    due = DUE[:1]
    halves = [periods.staying(chances, due, days, 1.0)[0] for days in (0, 2.5, 5)]
    assert halves == pytest.approx([1.0, 0.9, 0.8])
    assert periods.staying(chances, due, 2.5, 0.5)[0] == pytest.approx(0.95)


@given(CHANCES, SPANS, st.floats(0, 1))
def test_payments_are_at_most_the_renewals_and_less_with_a_discount(chances, days, rate):
    plain = periods.payments(chances, DUE, days)
    assert np.all(plain <= (days > DUE).sum(axis=1) + 1e-9)
    assert np.all(periods.payments(chances, DUE, days, rate) <= plain + 1e-9)


def test_payments_and_months_are_those_of_simulated_customers():
    random = np.random.default_rng(4)
    chances = np.array([[0.3, 0.1, 0.2, 0.05, 0.1, 0.1, 0.3, 0.2]])
    due, days, size = DUE[:1], 150, 200_000
    there = (random.random((size, 8)) >= chances).cumprod(axis=1)
    made = (there * (due < days)).sum(axis=1)
    assert periods.payments(chances, due, days)[0] == pytest.approx(made.mean(), abs=0.02)
    last = np.where(there.all(axis=1), 7, there.argmin(axis=1))
    ran = np.minimum(due[0][last], days)
    assert periods.months(chances, due, days)[0] == pytest.approx(ran.mean() / MONTH, rel=0.01)
    discounted = ((there * (due < days)) * 1.1 ** (-due / 365)).sum(axis=1).mean()
    assert periods.payments(chances, due, days, 0.1)[0] == pytest.approx(discounted, rel=0.01)


def test_an_overdue_renewal_counts_as_today_s():
    chances = np.full((1, 8), 0.5)
    late = DUE[1:2]
    assert late[0, 0] == -3
    assert periods.payments(chances, late, 1, 0.5)[0] == pytest.approx(0.5)
    assert periods.staying(chances, late, 1, 0.0)[0] == pytest.approx(0.5)
