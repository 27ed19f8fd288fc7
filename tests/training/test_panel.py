"""The schedule never lets a window reach what it must not know."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import NotEnoughData
from training.panel import MIN_HISTORY_DAYS, YEAR_DAYS, Origin, schedule

FIRST = date(2020, 1, 1)


def _ends(origin: Origin, horizon: int) -> bool:
    span = timedelta(days=horizon)
    calibrated = origin.calibrate is None or origin.calibrate + span <= origin.at
    trained = all(day + span <= origin.calibrate for day in origin.train)
    return calibrated and trained


@given(days=st.integers(1, 2000), horizon=st.integers(1, 730))
def test_every_window_is_over_before_the_next_stage_begins(days: int, horizon: int) -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    assert _ends(plan.production, horizon)
    for origin in plan.tests:
        assert _ends(origin, horizon)
        assert origin.at + timedelta(days=horizon) <= plan.production.at


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
    assert as_of - timedelta(days=YEAR_DAYS) in plan.production.train


def test_a_short_log_has_no_panel_and_no_test_window() -> None:
    # All of CDNOW on 1997-10-01 with 39 weeks ahead: the log itself is 39 weeks old.
    plan = schedule(date(1997, 1, 1), date(1997, 10, 1), 273)
    assert not plan.production.has_panel
    assert plan.tests == ()


def test_an_as_of_before_the_log_is_refused_with_both_dates() -> None:
    with pytest.raises(NotEnoughData, match=r"2019-12-31.*2020-01-01"):
        schedule(FIRST, date(2019, 12, 31), 90)
