"""Tables for people: what stands in a cell, and what is shown of scores and versions."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from features.inputs import SourceReport
from regulars import data_report, tables
from regulars.data_report import DataReport
from regulars.settings import Settings, load
from serving.groups.watchlist import Watchlist
from training.readiness import Answer
from training.runs.registry import Change, Version


def shown(table: Table | None) -> str:
    assert table is not None
    stream = io.StringIO()
    Console(file=stream, width=200).print(table)
    return stream.getvalue()


def report(**changes: Any) -> DataReport:
    """A log of ten rows with three rejected, of four customers of whom one came back."""
    source = SourceReport(
        source="transactions",
        read=12_345,
        accepted=12_342,
        rejected={"no customer id": 1, "unreadable date": 2},
        first_day=date(2024, 1, 1),
        last_day=date(2024, 3, 1),
        customers=4,
    )
    given: dict[str, Any] = {
        "sources": (source,),
        "as_of": date(2024, 3, 2),
        "customers": 4,
        "returned": 1,
        "answers": (Answer("value", False, "too few [of them]"),),
        "rejects": Path("/store/rejects"),
    }
    return DataReport(**{**given, **changes})


@pytest.mark.parametrize(
    ("value", "cell"),
    [(1234567, "1,234,567"), (1234.5, "1,234.50"), (None, "–"), (True, "yes"), ("[x]", "[x]")],
)
def test_a_cell_is_written_for_people(value: object, cell: str):
    assert cell in shown(tables.table("t", ["head"], [[value]]))


def test_rows_read_accepted_and_rejected_stand_side_by_side():
    lines = shown(data_report.sources(report())).splitlines()
    row = next(line for line in lines if "12,345" in line)
    assert row.split()[1:4] == ["12,345", "12,342", "3"]


def test_the_most_frequent_reason_comes_first():
    text = shown(data_report.rejected(report()))
    assert text.index("unreadable date") < text.index("no customer id")


def test_nothing_rejected_is_no_table():
    clean = SourceReport(source="transactions", read=1, accepted=1)
    assert data_report.rejected(report(sources=(clean,))) is None


def test_the_repeat_rate_is_a_sentence():
    assert data_report.repeat_rate(report()) == "1 of 4 customers came back at least once (25%)."
    assert data_report.repeat_rate(report(customers=0, returned=0)) is None


def test_brackets_in_an_answer_are_no_markup():
    assert "too few [of them]" in shown(data_report.answers(report()))


def test_a_report_for_machines_holds_plain_values():
    plain = json.loads(json.dumps(report().to_dict(), default=str))
    assert plain["sources"][0]["rejected"] == {"no customer id": 1, "unreadable date": 2}
    assert plain["repeat_rate"] == 0.25


def test_a_champion_reigns_until_the_next():
    changes = [
        Change("2024-01-01T10:00:00+00:00", "promotion", None, "1", "first model"),
        Change("2024-02-01T11:30:00+00:00", "promotion", "1", "2", "better"),
    ]
    lines = [
        line.split() for line in shown(tables.reigns(changes)).splitlines() if "promot" in line
    ]
    assert lines[0][1:5] == ["2024-01-01", "10:00", "2024-02-01", "11:30"]
    assert lines[1][3] == "–"


def test_versions_show_every_grade_that_any_of_them_has():
    listed = [
        Version("2", "r2", "2024", ("champion",), {"grade_risk": "A", "speaker": "churn"}),
        Version("1", "r1", "2024", (), {"speaker": "value"}),
    ]
    text = shown(tables.versions(listed))
    assert "risk grade" in text
    assert "champion" in text


def reason(direction: str, text: str) -> dict[str, str]:
    return {"direction": direction, "text": text}


ROW = {
    "customer_id": "007",
    "horizon_days": 90,
    "clv_horizon_days": 365,
    "churn_probability": 0.824,
    "expected_spend": 12.3,
    "clv": 14.5,
    "reasons": [
        reason("lowers risk", "spends more"),
        reason("raises risk", "long away"),
        reason("raises risk", "one complaint open"),
    ],
}


def first(settings: Settings, **changes: Any) -> str:
    listed = Watchlist("Look after them first", [{**ROW, **changes}])
    return shown(tables.at_risk(listed, settings))


@pytest.fixture
def settings(config: Path) -> Settings:
    return load(config, {})


def test_every_reason_is_told_what_raises_the_risk_before_what_lowers_it(settings: Settings):
    text = first(settings)
    assert "▲ long away · one complaint open" in text
    assert text.index("▲ long away") < text.index("▼ spends more")
    assert "▼ spends more" in text


def test_the_list_says_who_is_on_it_and_what_its_numbers_are(config: Path):
    text = " ".join(first(load(config, {})).split())
    assert "Look after them first" in text
    assert "82%" in text
    assert "12.30" in text
    assert "leaves: chance of no purchase within 90 days" in text
    assert "spend: revenue expected within 90 days" in text
    assert "worth: profit (the margin of the revenue) expected within 365 days" in text
    assert "money in EUR" in text


def test_a_business_without_values_shows_none(config: Path):
    """Under the rule `label` without a log there is a chance to leave, and nothing about money."""
    label = '[sources.customers]\nuri = "c.csv"\ncustomer_id = "who"\nlabel = "left"\n'
    config.write_text(config.read_text() + label + '[churn]\nrule = "label"\n')
    text = first(load(config, {}), clv=None, expected_spend=None, reasons=[])
    text = " ".join(text.split())
    assert "leaves: chance to leave within 90 days" in text
    assert "spend" not in text
    assert "worth" not in text
