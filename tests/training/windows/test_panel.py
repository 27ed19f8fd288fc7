"""The schedule never lets a window reach what it must not know."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import NotEnoughData
from training.windows.panel import (
    ANCHORS,
    MAX_SNAPSHOTS,
    MIN_HISTORY_DAYS,
    YEAR_DAYS,
    behaviour_of,
    churned,
    schedule,
    seen,
    window_days,
)

FIRST = date(2020, 1, 1)


@given(days=st.integers(1, 2000), horizon=st.integers(1, 730))
def test_every_window_is_over_before_it_is_learned_from(days: int, horizon: int) -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    span = timedelta(days=window_days(horizon))
    for origin in (plan.production, *plan.origins):
        assert all(day + span <= origin.at for day in origin.dates)
    for origin in plan.tests:
        assert origin.at + timedelta(days=horizon) <= plan.production.at
    assert all(day + span <= plan.production.at for day in plan.dates)


@given(days=st.integers(1, 2000), horizon=st.integers(1, 730))
def test_shorter_windows_are_tested_only_where_the_horizon_leaves_nothing_to_learn_before(
    days: int, horizon: int
) -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    tested = any(origin.dates for origin in plan.tests)
    assert not (plan.shorter and tested)
    if horizon > min(ANCHORS) and not tested:
        enough = days >= min(ANCHORS) + window_days(horizon) + MIN_HISTORY_DAYS
        assert bool(plan.shorter) == enough


@given(days=st.integers(100, 2000), horizon=st.integers(28, 400))
def test_origins_share_their_snapshots(days: int, horizon: int) -> None:
    """One lattice: a test adds what lies before production's snapshots, and last year's."""
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    parts = max(1, round(horizon / 28))
    most = MAX_SNAPSHOTS + 3 * parts + 8
    assert len(plan.dates) <= most


@given(days=st.integers(1, 2000), horizon=st.integers(1, 730))
def test_test_windows_do_not_overlap_and_come_newest_first(days: int, horizon: int) -> None:
    tests = schedule(FIRST, FIRST + timedelta(days=days), horizon).tests
    for newer, older in itertools.pairwise(tests):
        assert older.at + timedelta(days=horizon) <= newer.at


@given(days=st.integers(1, 2000), horizon=st.integers(1, 730))
def test_every_snapshot_has_some_history_before_it(days: int, horizon: int) -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    assert all(day >= FIRST + timedelta(days=MIN_HISTORY_DAYS) for day in plan.dates)


def test_the_same_season_a_year_earlier_is_learnt_when_history_allows() -> None:
    as_of = date(2011, 12, 10)
    plan = schedule(date(2009, 12, 1), as_of, 90)
    assert as_of - timedelta(days=YEAR_DAYS) in plan.production.dates


def test_a_short_log_learns_from_shorter_windows() -> None:
    # All of CDNOW on 1997-10-01 with 39 weeks ahead: the log itself is 39 weeks old.
    plan = schedule(date(1997, 1, 1), date(1997, 10, 1), 273)
    assert plan.tests == ()
    assert plan.production.dates[-1] == date(1997, 8, 2)
    assert plan.shorter[0].at == date(1997, 7, 3)
    assert plan.shorter[0].dates


def test_a_very_short_log_has_nothing_to_learn_from() -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=119), 273)
    assert plan.production.dates == plan.origins == ()


def test_the_columns_of_a_date_are_told_from_what_came_of_it() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a"],
            "occasions_90": [3],
            "spend_90": [9.0],
            "returned_in_60": [1],
            "occasions_in_60": [2],
            "spend_in_60": [5.0],
            "returned_in_90": [1],
            "occasions_in_90": [4],
            "spend_in_90": [7.0],
        }
    )
    assert list(behaviour_of(frame)) == ["customer_id", "occasions_90", "spend_90"]
    told = seen(frame, 90)
    assert told[["returned", "occasions", "spend"]].iloc[0].tolist() == [1, 4, 7.0]
    assert churned(told).tolist() == [0]


def test_an_as_of_before_the_log_is_refused_with_both_dates() -> None:
    with pytest.raises(NotEnoughData, match=r"2019-12-31.*2020-01-01"):
        schedule(FIRST, date(2019, 12, 31), 90)
