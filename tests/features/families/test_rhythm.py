"""Gaps between occasions and the silence since the last one, against hand counts."""

from __future__ import annotations

from datetime import date
from math import sqrt

import pytest

AS_OF = date(2024, 6, 1)
# Occasions 100, 70, 61, 60 and 10 days before 1 June 2024: gaps of 30, 9, 1 and 50 days.
FIVE = ["2024-02-22", "2024-03-23", "2024-04-01", "2024-04-02", "2024-05-22"]


@pytest.mark.golden
def test_by_hand(rows_of):
    row = rows_of([("a", day, 1) for day in FIVE])["a"]
    # Mean 90 / 4; squares 900 + 81 + 1 + 2500 = 3482, so s² = (4 · 3482 − 90²) / (4 · 3).
    std = sqrt(5828 / 12)
    expected = {
        "days_since_last": 10,
        "gap_mean": 22.5,
        "gap_std": std,
        "gap_max": 50,
        "gap_last": 50,
        "overdue_ratio": 10 / 22.5,
        "overdue_score": (10 - 22.5) / std,
        "gap_trend": 50 / 22.5,
        "occasions_30": 1,
        "occasions_60": 2,
        "occasions_90": 4,
        "occasions_180": 5,
        "occasions_365": 5,
        "active_months_365": 4,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.golden
@pytest.mark.parametrize(
    ("days", "null"),
    [
        (FIVE[:1], {"gap_mean", "gap_std", "gap_max", "gap_last", "overdue_ratio", "gap_trend"}),
        (FIVE[:2], {"gap_std"}),
        (FIVE[:3], set()),
        # Two gaps of 30 days: their spread is 0 and divides nothing.
        (["2024-03-02", "2024-04-01", "2024-05-01"], set()),
    ],
)
def test_gaps_need_two_occasions_and_their_spread_three(rows_of, days, null):
    row = rows_of([("a", day, 1) for day in days])["a"]
    gaps = ("gap_mean", "gap_std", "gap_max", "gap_last", "overdue_ratio", "gap_trend")
    assert {name for name in gaps if row[name] is None} == null
    scored = len(days) == 3 and row["gap_std"] > 0
    assert (row["overdue_score"] is not None) == scored


def test_evenly_spaced_occasions_have_no_spread_and_no_score(rows_of):
    row = rows_of([("a", day, 1) for day in ("2024-03-02", "2024-04-01", "2024-05-01")])["a"]
    assert (row["gap_mean"], row["gap_std"], row["overdue_score"]) == (30.0, 0.0, None)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("day", "inside"), [("2024-05-02", True), ("2024-05-01", False), ("2024-05-31", True)]
)
def test_a_window_of_30_days_opens_30_days_before_as_of(rows_of, day, inside):
    row = rows_of([("a", "2020-01-01", 1), ("a", day, 1)])["a"]
    assert row["occasions_30"] == int(inside)


@pytest.mark.golden
def test_active_months_count_a_month_that_the_window_cuts_on_both_sides(rows_of):
    """As of 2023-06-15 the year opens on 2022-06-15: thirteen calendar months, June twice.

    The occasion of 2022-06-10 is outside; that of 2022-06-20 counts although it is not the first
    of its month.
    """
    days = [
        "2022-06-10",
        "2022-06-20",
        *(f"2022-{m:02d}-03" for m in range(7, 13)),
        *(f"2023-{m:02d}-03" for m in range(1, 7)),
    ]
    row = rows_of([("a", day, 1) for day in days], date(2023, 6, 15))["a"]
    assert row["active_months_365"] == 13


def test_days_that_are_no_occasions_interrupt_no_gap(rows_of):
    row = rows_of([("a", "2024-05-01", 9), ("a", "2024-05-10", -2), ("a", "2024-05-20", 9)])["a"]
    assert (row["gap_mean"], row["days_since_last"], row["occasions_30"]) == (19.0, 12, 1)
