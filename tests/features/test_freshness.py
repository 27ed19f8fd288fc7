"""Freshness: a silence is held against the source's own past, and nothing later is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from math import comb

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import freshness
from features.freshness import SELDOM, SHORT_DAYS, limit
from features.inputs import Inputs

FIRST = date(2024, 1, 1)


def log(days: list[int] | range) -> ibis.Table:
    """A row on each of some days after the first one."""
    dates = pd.to_datetime(FIRST) + pd.to_timedelta(list(days), unit="D")
    table = ibis.memtable(pd.DataFrame({"customer_id": "a", "day": dates}))
    return table.mutate(day=table.day.date())


def of(days: list[int] | range, at: int, source: str = "transactions") -> freshness.Freshness:
    inputs = Inputs(**{source: log(days)})
    (found,) = freshness.of(inputs, FIRST + timedelta(days=at))
    return found


def test_a_daily_log_that_stopped_is_stale_after_a_week():
    assert not of(range(200), 200 + SHORT_DAYS).is_stale
    stopped = of(range(200), 201 + SHORT_DAYS)
    assert stopped.is_stale
    assert (stopped.silent_days, stopped.longest_gap, stopped.days) == (SHORT_DAYS + 1, 1, 200)
    assert stopped.seen() == "no row for 8 days, the last one of 2024-07-18"


def test_a_shop_that_closes_for_weeks_is_believed_to_do_so_again():
    days = [*range(100), *range(121, 300)]
    assert not of(days, 300 + 2 * 22).is_stale
    assert of(days, 301 + 2 * 22).is_stale


def test_a_log_up_to_the_date_is_not_silent():
    assert of(range(0, 90, 10), 81).silent_days == 0


@settings(max_examples=15)
@given(
    st.lists(st.integers(0, 60), min_size=2, max_size=30, unique=True),
    st.lists(st.integers(61, 400), max_size=5),
    st.randoms(use_true_random=False),
)
def test_later_rows_their_order_and_their_number_change_nothing(days, later, random):
    plain = of(days, 61)
    shuffled = [*days, *days[:3], *later]
    random.shuffle(shuffled)
    assert of(shuffled, 61) == plain


def test_each_source_is_held_against_its_own_past():
    inputs = Inputs(transactions=log(range(300)), events=log(range(240)))
    found = {one.source: one for one in freshness.of(inputs, FIRST + timedelta(days=300))}
    assert not found["transactions"].is_stale and found["events"].is_stale
    assert freshness.of(Inputs(), FIRST) == ()
    assert freshness.of(inputs, FIRST) == ()


def test_the_end_of_a_paid_period_is_no_sign_of_life():
    """It is on record from the first day; the end of a subscription that renews is news."""
    rows = log(range(100)).mutate(end=ibis.date(FIRST + timedelta(days=120)))
    for repeats, silent in ((False, 60), (True, 39)):
        table = rows.mutate(repeats=ibis.literal(repeats))
        (found,) = freshness.of(Inputs(subscriptions=table), FIRST + timedelta(days=160))
        assert found.silent_days == silent


@given(st.integers(2, 500), st.integers(1, 60))
def test_the_limit_is_the_least_factor_that_chance_seldom_exceeds(days, longest):
    told, gaps = limit(days, longest), days - 1
    factor = told // longest if told > SHORT_DAYS else 2
    assert told >= SHORT_DAYS and factor >= 2
    if told > SHORT_DAYS:
        assert 1 / comb(gaps + factor, factor) <= SELDOM
        assert factor == 2 or 1 / comb(gaps + factor - 1, factor - 1) > SELDOM


def test_a_single_day_tells_nothing():
    assert limit(1, 0) is None
    assert not of([0], 300).is_stale


def test_gaps_of_chance_are_called_stale_as_seldom_as_said():
    """20 exponential gaps and one more, 40,000 times: the formula in `limit` against the draw."""
    random = np.random.default_rng(5)
    gaps = random.exponential(1.0, (40_000, 21))
    factor = limit(21, 100) // 100
    share = (gaps[:, 20] > factor * gaps[:, :20].max(axis=1)).mean()
    assert share == pytest.approx(1 / comb(20 + factor, factor), abs=5e-4)
    assert share < 2 * SELDOM
