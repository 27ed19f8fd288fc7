"""Complaints, marks, contacts and usage, against hand counts."""

from __future__ import annotations

import pytest

NAMES = (
    "complaints_total",
    "complaints_open",
    "complaints_90",
    "days_since_complaint",
    "satisfaction_last",
    "satisfaction_mean",
    "satisfaction_trend",
    "contacts_90",
    "contacts_total",
    "usage_90",
)
BOUGHT = [("a", "2024-01-01", 1)]


def care(rows_of, *seen):
    row = rows_of(BOUGHT, seen=[("a", *event) for event in seen])["a"]
    return {name: row[name] for name in NAMES}


@pytest.mark.golden
def test_by_hand(rows_of):
    found = care(
        rows_of,
        ("2023-05-01T10:00:00", "complaint"),
        ("2023-05-09T10:00:00", "resolution"),
        ("2024-03-03T00:00:00", "complaint"),  # 90 days before as-of
        ("2024-05-02T23:59:59", "complaint"),  # 30 days
        ("2024-06-01T00:00:00", "complaint"),  # as-of itself: not seen
        ("2023-05-01T10:00:00", "satisfaction", 9.0),
        ("2024-05-30T10:00:00", "satisfaction", 4.0),
        ("2024-03-02T10:00:00", "contact"),  # 91 days
        ("2024-03-03T10:00:00", "contact"),
        ("2024-05-01T10:00:00", "usage", 2.5),
        ("2024-05-02T10:00:00", "usage"),
        ("2023-05-02T10:00:00", "usage", 100.0),
    )
    assert found == {
        "complaints_total": 3,
        "complaints_open": 2,
        "complaints_90": 2,
        "days_since_complaint": 30,
        "satisfaction_last": 4.0,
        "satisfaction_mean": 6.5,
        "satisfaction_trend": -2.5,
        "contacts_90": 1,
        "contacts_total": 2,
        "usage_90": 3.5,
    }


@pytest.mark.golden
def test_more_resolutions_than_complaints_leave_none_open(rows_of):
    found = care(
        rows_of, ("2024-05-01T10:00:00", "resolution"), ("2024-05-01T11:00:00", "resolution")
    )
    assert (found["complaints_open"], found["complaints_total"]) == (0, 0)
    assert found["days_since_complaint"] is None


@pytest.mark.golden
def test_of_marks_at_one_instant_the_lowest_is_the_last(rows_of):
    at = "2024-05-30T10:00:00"
    marks = [(at, "satisfaction", mark) for mark in (7.0, 3.0, 9.0)]
    earlier = ("2024-05-30T09:59:59", "satisfaction", 1.0)
    assert care(rows_of, *marks, earlier)["satisfaction_last"] == 3.0
    assert care(rows_of, *reversed(marks), earlier)["satisfaction_last"] == 3.0


@pytest.mark.golden
def test_a_mark_without_a_value_is_no_mark(rows_of):
    found = care(
        rows_of,
        ("2024-05-01T10:00:00", "satisfaction", 8.0),
        ("2024-05-02T10:00:00", "satisfaction"),
    )
    assert (found["satisfaction_last"], found["satisfaction_mean"]) == (8.0, 8.0)


def test_values_add_up_as_decimals(rows_of):
    marks = [(f"2024-05-0{day}T10:00:00", "usage", 0.1) for day in range(2, 10)] * 3
    assert care(rows_of, *marks)["usage_90"] == 2.4
    assert sum([0.1] * 24) != 2.4


@pytest.mark.parametrize("value", [1e15, -1e300, float("inf"), float("nan")])
def test_values_beyond_reading_are_left_out(rows_of, value):
    found = care(
        rows_of, ("2024-05-30T10:00:00", "usage", value), ("2024-05-30T10:00:00", "usage", 2.0)
    )
    assert found["usage_90"] == 2.0
