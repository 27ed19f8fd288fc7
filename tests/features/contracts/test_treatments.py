"""The treatments source: every row accepted, or rejected with one reason."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from features.compat import arrow
from features.contracts.treatments import COLUMNS, sent
from features.inputs import Inputs
from features.intake import read
from features.settings import Sources, TreatmentsSource
from tests.features.reading import NOW

HEAD = "who,at,campaign,what,arm,paid\n"
NAMED = {"customer_id": "who", "timestamp": "at", "campaign": "campaign"}
ALL = {**NAMED, "action": "what", "arm": "arm", "cost": "paid"}


def take(folder: Path, lines: str, **settings: Any) -> Inputs:
    """Read treatments from text; rejected rows go to the folder."""
    path = folder / "treatments.csv"
    path.write_text(HEAD + lines)
    return read(
        Sources.model_validate({"treatments": {"uri": str(path), **settings}}),
        timezone="Europe/Berlin",
        now=NOW,
        rejects=folder / "store" / "rejects",
    )


def rows(inputs: Inputs) -> list[dict[str, Any]]:
    assert inputs.treatments is not None
    assert tuple(inputs.treatments.columns) == COLUMNS
    return arrow(inputs.treatments.order_by("customer_id", "day")).to_pylist()


REJECTED = {
    ",2024-03-01,spring,call,treated,1": "no customer id",
    "a,,spring,call,treated,1": "no date",
    "a,soon,spring,call,treated,1": "unparseable date",
    "a,1969-12-31,spring,call,treated,1": "date before 1970",
    "a,2025-01-03,spring,call,treated,1": "date in the future",
    "a,2024-03-01,,call,treated,1": "no campaign",
    "a,2024-03-01,spring,call,,1": "arm is not treated or holdout",
    "a,2024-03-01,spring,call,both,1": "arm is not treated or holdout",
    "a,2024-03-01,spring,call,treated,free": "unparseable cost",
    "a,2024-03-01,spring,call,treated,inf": "cost out of range",
    "a,2024-03-01,spring,call,treated,1e9": "cost out of range",
    "a,2024-03-01,spring,call,treated,-0.01": "cost out of range",
    # The first reason that applies is given.
    ",soon,,call,both,free": "no customer id",
    "b,2024-03-01,,call,both,free": "no campaign",
}


def test_every_row_is_accepted_or_rejected_with_one_reason(tmp_path: Path):
    good = "c,2024-03-01,spring,call,treated,1\n"
    inputs = take(tmp_path, good + "\n".join(REJECTED) + "\n", **ALL)
    (report,) = inputs.reports
    assert (report.read, report.accepted, report.customers) == (len(REJECTED) + 1, 1, 1)
    assert report.rejected == Counter(REJECTED.values())
    with (tmp_path / "store" / "rejects" / "treatments.csv").open() as file:
        kept = [(row["who"], row["campaign"], row["reason"]) for row in csv.DictReader(file)]
    assert sorted(kept) == sorted(
        (line.split(",")[0], line.split(",")[2], reason) for line, reason in REJECTED.items()
    )


def test_a_row_is_read_in_business_time_with_exact_money(tmp_path: Path):
    inputs = take(tmp_path, "a,2024-06-30T23:30:00Z,spring, call ,Holdout,0.35\n", **ALL)
    assert rows(inputs) == [
        {
            "customer_id": "a",
            # Berlin is two hours ahead in summer.
            "occurred_at": datetime(2024, 7, 1, 1, 30),
            "day": date(2024, 7, 1),
            "campaign": "spring",
            "action": "call",
            "arm": "holdout",
            "cost": Decimal("0.350000"),
        }
    ]


def test_without_the_optional_columns_everyone_was_treated(tmp_path: Path):
    (row,) = rows(take(tmp_path, "a,2024-03-01,spring,call,holdout,1\n", **NAMED))
    assert (row["action"], row["arm"], row["cost"]) == (None, "treated", None)


def test_a_blank_cost_is_not_known_and_no_fault(tmp_path: Path):
    (row,) = rows(take(tmp_path, "a,2024-03-01,spring,call,treated,\n", **ALL))
    assert row["cost"] is None


def test_the_business_has_words_of_its_own_for_the_arms(tmp_path: Path):
    lines = "a,2024-03-01,spring,call,CONTROL ,1\nb,2024-03-01,spring,call,Mailed,1\n"
    inputs = take(tmp_path, lines, **ALL, arms={"control": "holdout", " mailed": "treated"})
    assert [row["arm"] for row in rows(inputs)] == ["holdout", "treated"]


def test_an_arm_that_is_not_known_comes_with_the_setting_that_would_read_it(tmp_path: Path):
    (report,) = take(tmp_path, "a,2024-03-01,spring,call,Mailed,1\n", **ALL).reports
    (said,) = report.notes
    assert "'arm' holds for instance 'Mailed'" in said and "arms = {" in said


def test_words_for_arms_need_their_column():
    with pytest.raises(ValidationError, match="needs `arm`"):
        TreatmentsSource(uri="t.csv", **NAMED, arms={"control": "holdout"})
    with pytest.raises(ValidationError, match="name one"):
        TreatmentsSource(uri="t.csv", **NAMED, arm="arm", arms={"a": "holdout", " A": "treated"})


def test_what_was_sent_between_two_days_holds_the_first_and_not_the_last(tmp_path: Path):
    lines = (
        "a,2024-02-29,spring,call,treated,1\nb,2024-03-01,spring,call,treated,1\n"
        "b,2024-03-02,spring,call,treated,1\nc,2024-03-02,spring,,treated,1\n"
        "d,2024-03-02,spring,call,holdout,1\ne,2024-03-03,spring,call,treated,1\n"
    )
    taken = take(tmp_path, lines, **ALL).treatments
    found = arrow(sent(taken, date(2024, 3, 1), date(2024, 3, 3))).to_pylist()
    assert sorted((row["customer_id"], row["action"]) for row in found) == [
        ("b", "call"),
        ("c", None),
    ]
