"""The subscriptions source: every row accepted, or rejected with one reason."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from features.compat import arrow
from features.contracts.subscriptions import COLUMNS
from features.ends import ENDS
from features.inputs import Inputs
from features.intake import read
from features.settings import Sources, SubscriptionsSource
from tests.features.reading import NOW

COLUMNS_OF_FILE = {"customer_id": "who", "start": "from", "end": "to", "price": "paid"}
HEAD = "who,from,to,plan,paid,why\n"


def take(folder: Path, lines: str, **settings: Any) -> Inputs:
    """Read subscriptions from text; rejected rows go to the folder."""
    path = folder / "subscriptions.csv"
    path.write_text(HEAD + lines)
    given = {"uri": str(path), **COLUMNS_OF_FILE, "plan": "plan", **settings}
    return read(
        Sources.model_validate({"subscriptions": given}),
        timezone="Europe/Berlin",
        now=NOW,
        rejects=folder / "store" / "rejects",
    )


def rows(inputs: Inputs) -> list[dict[str, Any]]:
    assert inputs.subscriptions is not None
    assert tuple(inputs.subscriptions.columns) == COLUMNS
    return arrow(inputs.subscriptions.order_by("customer_id", "day")).to_pylist()


REJECTED = {
    ",2024-03-01,,basic,5,": "no customer id",
    "a,,,basic,5,": "no date",
    "a,soon,,basic,5,": "unparseable date",
    "a,1969-12-31,,basic,5,": "date before 1970",
    "a,2025-01-03,,basic,5,": "date in the future",
    "a,2024-03-01,later,basic,5,": "unparseable end",
    "a,2024-03-01,2024-02-29,basic,5,": "end before start",
    "a,2024-03-01,,basic,free,": "unparseable price",
    "a,2024-03-01,,basic,inf,": "price out of range",
    "a,2024-03-01,,basic,1e9,": "price out of range",
    "a,2024-03-01,,basic,-0.01,": "negative price",
    # The first reason that applies is given.
    ",soon,later,basic,free,": "no customer id",
    "b,soon,later,basic,free,": "unparseable date",
    "b,2024-03-01,later,basic,free,": "unparseable end",
}


def test_a_row_is_rejected_with_its_reason_and_kept(tmp_path: Path):
    inputs = take(tmp_path, "\n".join(["z,2024-01-01,,basic,5,", *REJECTED, ""]))
    (report,) = inputs.reports
    assert dict(report.rejected) == dict(Counter(REJECTED.values()))
    assert report.read == report.accepted + sum(report.rejected.values()) == 1 + len(REJECTED)
    assert [row["customer_id"] for row in rows(inputs)] == ["z"]
    with (tmp_path / "store" / "rejects" / "subscriptions.csv").open(newline="") as file:
        kept = {",".join([*row][2:]): row[0] for row in list(csv.reader(file))[1:]}
    assert kept == REJECTED


def test_the_edges_of_what_is_accepted(tmp_path: Path):
    inputs = take(
        tmp_path,
        "a,1970-01-01,,basic,0,\n"
        "b,2025-01-01,2031-01-01,,,\n"  # an end that is on record before it comes
        "c,2024-03-01,2024-03-01,basic,999999999.99,\n"
        "d,2024-03-01T23:30:00-05:00,,basic,5,\n",  # the next morning in Berlin
    )
    assert inputs.reports[0].rejected == {}
    a, b, c, d = rows(inputs)
    assert (a["day"], a["end"], a["price"]) == (date(1970, 1, 1), None, Decimal(0))
    assert (b["end"], b["price"], b["plan"]) == (date(2031, 1, 1), None, None)
    assert (c["day"], c["end"]) == (date(2024, 3, 1), date(2024, 3, 1))
    assert d["day"] == date(2024, 3, 2)
    assert all(row["repeats"] and row["grace_days"] == 7 for row in (a, b, c, d))


def test_a_period_without_a_day_is_rejected_only_where_rows_are_periods(tmp_path: Path):
    line = "a,2024-03-01,2024-03-01,basic,5,\n"
    assert take(tmp_path, line).reports[0].accepted == 1
    found = take(tmp_path, f"z,2024-03-01,2024-04-01,basic,5,\n{line}", rows="period")
    assert dict(found.reports[0].rejected) == {"end before start": 1}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [(1, 0), (1, 0), (1, 0)]),
        ({"term": "quarter"}, [(3, 0), (3, 0), (3, 0)]),
        ({"term": "28 days"}, [(0, 28)] * 3),
        ({"terms": {" Gold ": "year"}}, [(1, 0), (12, 0), (1, 0)]),
        ({"rows": "period"}, [(1, 0), (12, 0), (1, 0)]),
        ({"rows": "period", "term": "week"}, [(0, 7)] * 3),
        ({"rows": "period", "terms": {"gold": "quarter"}}, [(1, 0), (3, 0), (1, 0)]),
    ],
)
def test_the_term_is_the_plan_s_the_settings_or_the_period_s_own(
    tmp_path: Path, settings: dict[str, Any], expected: list[tuple[int, int]]
):
    lines = "a,2024-01-31,2024-02-29,basic,5,\nb,2023-03-01,2024-03-01,GOLD,50,\n"
    found = rows(take(tmp_path, lines + "c,2024-01-31,,basic,5,\n", **settings))
    assert [(row["term_months"], row["term_days"]) for row in found] == expected


@pytest.mark.parametrize(
    ("term", "end"),
    [(None, (2024, 2, 29)), ("year", (2025, 1, 31)), ("28 days", (2024, 2, 28))],
)
def test_a_period_without_an_end_is_paid_for_one_term(
    tmp_path: Path, term: str | None, end: tuple[int, int, int]
):
    (row,) = rows(take(tmp_path, "a,2024-01-31,,basic,5,\n", rows="period", term=term))
    assert row["end"] == date(*end)
    assert not row["repeats"]


def test_the_business_s_own_words_tell_why_it_ended(tmp_path: Path):
    lines = "".join(
        f"c{k},2024-01-01,2024-02-01,basic,5,{word}\n"
        for k, word in enumerate(["Card declined", "involuntary", "", "cancelled ", "moved"])
    )
    words = {"card Declined": "involuntary", "Cancelled": "voluntary"}
    inputs = take(tmp_path, lines, end_reason="why", end_reasons=words)
    assert [row["end_reason"] for row in rows(inputs)] == [
        "involuntary",
        "involuntary",
        None,
        "voluntary",
        "moved",
    ]
    notes = [note for note in inputs.reports[0].notes if "reasons of ends" in note]
    assert notes == [
        "1 of 4 reasons of ends are not read: 'moved' (1). Known are voluntary and involuntary; "
        "give yours one of them in [sources.subscriptions], as "
        'end_reasons = { "card declined" = "involuntary" }.'
    ]


def test_what_was_accepted_but_may_not_be_meant_is_told(tmp_path: Path):
    ended = take(tmp_path, "a,2024-01-01,2024-02-01,basic,,\nb,2024-01-01,2024-02-01,basic,5,\n")
    told = " ".join(ended.reports[0].notes)
    assert 'set rows = "period"' in told and "1 row without a price." in told
    running = "a,2024-01-01,,basic,5,\nb,2024-01-01,,basic,5,\n"
    assert not take(tmp_path, running).reports[0].notes


def test_the_span_ends_with_the_last_thing_that_happened(tmp_path: Path):
    """A start, or an end of a subscription that had come; not up to when something is paid."""
    lines = "a,2024-01-01,2024-05-01,basic,5,\nb,2024-02-01,2026-02-01,basic,5,\n"
    for settings, last in (({}, date(2024, 5, 1)), ({"rows": "period"}, date(2024, 2, 1))):
        (report,) = take(tmp_path, lines, **settings).reports
        assert (report.first_day, report.last_day) == (date(2024, 1, 1), last)
        assert report.customers == 2


def test_exact_repeats_are_told_or_rejected(tmp_path: Path):
    lines = "a,2024-01-01,2024-02-01,basic,5,\n" * 3
    kept = take(tmp_path, lines, rows="period").reports[0]
    assert kept.accepted == 3 and "2 exact repeats" in kept.notes[0]
    once = take(tmp_path, lines, rows="period", deduplicate=True).reports[0]
    assert dict(once.rejected) == {"duplicate": 2}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"term": "fortnight"}, "expected week, month"),
        ({"plan": "p", "terms": {"gold": "decade"}}, "expected week, month"),
        ({"terms": {"gold": "year"}}, "needs `plan`"),
        ({"end_reasons": {"x": "voluntary"}}, "needs `end_reason`"),
        ({"end_reason": "why", "end_reasons": {"x": "gone"}}, f"expected {' or '.join(ENDS)}"),
        (
            {"end_reason": "w", "end_reasons": {"x": "voluntary", "X ": "involuntary"}},
            "got both 'voluntary' and 'involuntary'",
        ),
        ({"end_reason": "why", "end_reasons": {" ": "voluntary"}}, "blank word"),
        ({"grace_days": 91}, "less than or equal to 90"),
        ({"rows": "both"}, "'subscription' or 'period'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        SubscriptionsSource(uri="x.csv", customer_id="who", start="from", **changes)


def test_a_margin_is_read_beside_the_price_and_may_be_a_loss(tmp_path: Path):
    inputs = take(
        tmp_path,
        "a,2024-03-01,,basic,10,\nb,2024-03-01,,basic,2.5,\nc,2024-03-01,,basic,,\n",
        margin="paid - 4",
    )
    assert inputs.subscriptions is not None
    assert tuple(inputs.subscriptions.columns) == (*COLUMNS, "margin")
    found = arrow(inputs.subscriptions.order_by("customer_id"))["margin"].to_pylist()
    assert found == [Decimal(6), Decimal("-1.5"), None]


def test_a_margin_that_cannot_be_read_is_a_reason_of_its_own(tmp_path: Path):
    inputs = take(tmp_path, "a,2024-03-01,,basic,10,x\nb,2024-03-01,,basic,1,1e9\n", margin="why")
    (report,) = inputs.reports
    assert dict(report.rejected) == {"unparseable margin": 1, "margin out of range": 1}
