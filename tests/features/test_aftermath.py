"""What happened in the days of a campaign, against hand counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from features.aftermath import aftermath, observed_days
from features.errors import FeaturesError
from tests.features.subscribers import inputs, row

START = date(2024, 6, 1)


def happened(log, days=30):
    table = aftermath(log.inputs(), START, days)
    return {row.pop("customer_id"): row for row in table.to_pyarrow().to_pylist()}


@pytest.fixture
def log(make_log):
    """Four customers, one of whom came later; the first and the last day of thirty."""
    bought = [
        *((name, "2024-05-31", 5) for name in ("back", "gone", "cross")),
        ("back", "2024-06-01", 10),
        ("back", "2024-06-30", 7),
        ("back", "2024-07-01", 100),
        ("cross", "2024-05-31", -1),
        ("cross", "2024-06-02", -2),
        ("cross", "2024-06-03", -2),
        ("new", "2024-06-02", 9),
    ]
    seen = [
        ("cross", "2024-05-31T23:59:59", "complaint"),
        ("cross", "2024-06-01T00:00:00", "complaint"),
        ("cross", "2024-06-30T23:59:59", "unsubscribe"),
        ("cross", "2024-07-01T00:00:00", "unsubscribe"),
        ("gone", "2024-06-04T12:00:00", "contact"),
    ]
    return make_log(bought, seen=seen)


NOTHING = {"returned": 0, "purchases": 0, "spend": 0.0}
NO_HARM = {"refunds": 0, "complaints": 0, "unsubscribes": 0}


@pytest.mark.golden
def test_by_hand(log):
    assert happened(log) == {
        "back": {"returned": 1, "purchases": 2, "spend": 17.0, **NO_HARM},
        "gone": NOTHING | NO_HARM,
        "cross": NOTHING | {"spend": -4.0, "refunds": 2, "complaints": 1, "unsubscribes": 1},
    }


def test_without_events_nothing_is_said_of_complaints(log):
    assert set(happened(replace(log, events=None))["back"]) == {*NOTHING, "refunds"}


@pytest.mark.golden
def test_subscribers_return_by_staying_by_hand():
    """A month from the fifteenth: one renewal each in June; who leaves in July has stayed."""
    rows = [
        row("stays", "2024-01-15"),
        row("left", "2024-01-15", "2024-06-20"),
        row("later", "2024-01-15", "2024-07-20"),
        row("free", "2024-01-15", price=None),
    ]
    table = aftermath(
        inputs(rows), START, 30, population="subscribers", known_until=date(2024, 9, 1)
    )
    told = {one.pop("customer_id"): tuple(one.values()) for one in table.to_pyarrow().to_pylist()}
    assert told == {
        "stays": (1, 1, 10.0),
        "left": (0, 1, 10.0),
        "later": (1, 1, 10.0),
        "free": (1, 1, None),
    }


def test_what_comes_after_the_window_changes_nothing(rich_log):
    start, days = date(2023, 6, 1), 60
    end = start + timedelta(days=days)

    def told(given):
        rows = aftermath(given.inputs(), start, days).order_by("customer_id")
        return rows.to_pyarrow()

    import pyarrow.compute as pc

    cut = rich_log.map(
        lambda table: table.filter(pc.less(table["day"], end)) if "day" in table.column_names
        else table
    )  # fmt: skip
    assert told(rich_log).equals(told(cut))


def test_without_a_log_it_is_refused_with_what_to_do(log):
    with pytest.raises(FeaturesError, match=r"\[sources.transactions\]"):
        aftermath(replace(log.inputs(), transactions=None), START, 30)
    with pytest.raises(FeaturesError, match=r"\[sources.subscriptions\]"):
        aftermath(log.inputs(), START, 30, population="subscribers")


@pytest.mark.parametrize(("until", "days"), [(1, 0), (2, 1), (31, 30), (60, 30)])
def test_only_days_that_were_observed_count(until: int, days: int):
    assert observed_days(START, 30, START + timedelta(days=until - 1)) == days
