"""The contract of transactions and events: one reason for each row that does not go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.compat import arrow
from features.contracts.contract import (
    AMOUNT_RANGE,
    DUPLICATE,
    FUTURE,
    MARGIN_RANGE,
    NO_AMOUNT,
    NO_CUSTOMER,
    NO_DATE,
    NO_KIND,
    NON_FINITE_AMOUNT,
    NON_FINITE_VALUE,
    TOO_OLD,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_DATE,
    UNPARSEABLE_MARGIN,
    UNPARSEABLE_VALUE,
)
from features.errors import InputError
from features.inputs import MONEY_TYPE, Inputs
from features.intake import read
from features.settings import Sources
from tests.features.reading import NOW, read_transactions

FAR = datetime(9999, 12, 31)
Take = Callable[..., Inputs]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Reads transactions from text, bytes or a path; settings by keyword."""
    return partial(read_transactions, tmp_path)


def _reasons(inputs: Inputs) -> dict[str, int]:
    (report,) = inputs.reports
    assert report.accepted + sum(report.rejected.values()) == report.read
    return dict(report.rejected)


def _rows(table: Any) -> list[dict[str, Any]]:
    return arrow(table).to_pylist()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2024-03-01,5", NO_CUSTOMER),
        ("   ,2024-03-01,5", NO_CUSTOMER),
        ('"",2024-03-01,5', NO_CUSTOMER),
        # Another program's null, written as text, is no customer of that name.
        ("nan,2024-03-01,5", NO_CUSTOMER),
        ("NULL,2024-03-01,5", NO_CUSTOMER),
        ("C1,,5", NO_DATE),
        ("C1,31/12/2024,5", UNPARSEABLE_DATE),
        ("C1,2024-02-30,5", UNPARSEABLE_DATE),
        ("C1,45352,5", UNPARSEABLE_DATE),
        ("C1,1969-12-31 23:59:59,5", TOO_OLD),
        ("C1,0024-03-01,5", TOO_OLD),
        ("C1,9999-12-31,5", FUTURE),
        ("C1,2025-01-01 12:00:01,5", FUTURE),
        ("C1,2024-03-01,", NO_AMOUNT),
        ('C1,2024-03-01,"1,234.50"', UNPARSEABLE_AMOUNT),
        ("C1,2024-03-01,five", UNPARSEABLE_AMOUNT),
        ("C1,2024-03-01,inf", NON_FINITE_AMOUNT),
        ("C1,2024-03-01,NaN", NON_FINITE_AMOUNT),
        ("C1,2024-03-01,1e9", AMOUNT_RANGE),
        ("C1,2024-03-01,-1000000000", AMOUNT_RANGE),
        # The first reason that applies is given.
        (",,", NO_CUSTOMER),
        ("C1,never,five", UNPARSEABLE_DATE),
    ],
)
def test_a_row_is_rejected_with_its_reason(take: Take, row: str, reason: str) -> None:
    inputs = take(f"id,at,amount\nC9,2024-03-01,5\n{row}\n")
    assert _reasons(inputs) == {reason: 1}
    assert [r["customer_id"] for r in _rows(inputs.transactions)] == ["C9"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("C1,1970-01-01,5", ("C1", datetime(1970, 1, 1), "5")),
        ("C1,2025-01-01 12:00:00,5", ("C1", datetime(2025, 1, 1, 12), "5")),
        (" 17850.0 ,2024-03-01, 999999999.99 ", ("17850", datetime(2024, 3, 1), "999999999.99")),
        ("C1,2024-03-01,-0.0", ("C1", datetime(2024, 3, 1), "0")),
        ("C1,2024-03-01,-5", ("C1", datetime(2024, 3, 1), "-5")),
        ("C1,2024-03-01,0.0000004", ("C1", datetime(2024, 3, 1), "0")),
        ("C1,2024-03-01,999999999.999999", ("C1", datetime(2024, 3, 1), "999999999.999999")),
    ],
)
def test_the_edges_of_what_is_accepted(
    take: Take, row: str, expected: tuple[str, datetime, str]
) -> None:
    (found,) = _rows(take(f"id,at,amount\n{row}\n").transactions)
    assert (found["customer_id"], found["occurred_at"]) == expected[:2]
    assert found["amount"] == Decimal(expected[2])
    assert found["day"] == expected[1].date()


def test_the_columns_and_their_types(take: Take) -> None:
    inputs = take("id,at,amount,o\nC1,2024-03-01,5,7.0\n", order_id="o")
    assert {name: str(kind) for name, kind in inputs.transactions.schema().items()} == {
        "customer_id": "string",
        "occurred_at": "timestamp(6)",
        "day": "date",
        "amount": MONEY_TYPE,
        "order_id": "string",
        "product_id": "string",
        "category": "string",
    }
    (row,) = _rows(inputs.transactions)
    assert (row["order_id"], row["product_id"], row["category"]) == ("7", None, None)


@pytest.mark.parametrize(
    ("margin", "reason"),
    [
        ("three", UNPARSEABLE_MARGIN),
        ('"1,50"', UNPARSEABLE_MARGIN),
        ("inf", MARGIN_RANGE),
        ("NaN", MARGIN_RANGE),
        ("-1e9", MARGIN_RANGE),
    ],
)
def test_a_row_with_a_margin_that_is_no_money_is_rejected(
    take: Take, margin: str, reason: str
) -> None:
    text = f"id,at,amount,left\nC9,2024-03-01,5,1\nC1,2024-03-01,5,{margin}\n"
    inputs = take(text, margin="left")
    assert _reasons(inputs) == {reason: 1}
    assert [r["customer_id"] for r in _rows(inputs.transactions)] == ["C9"]
    # What is wrong with the amount is told first.
    assert _reasons(take("id,at,amount,left\nC1,2024-03-01,,x\n", margin="left")) == {NO_AMOUNT: 1}


def test_a_margin_may_be_reckoned_below_zero_and_not_known(take: Take) -> None:
    text = "id,at,amount,n,cost\nC1,2024-03-01,5,2,2.20\nC2,2024-03-01,5,3,1.9\nC3,2024-03-01,5,,\n"
    rows = _rows(take(text, margin="amount - n * cost").transactions)
    told = {row["customer_id"]: row["margin"] for row in rows}
    assert told == {"C1": Decimal("0.6"), "C2": Decimal("-0.7"), "C3": None}


def test_margins_that_are_not_there_or_look_like_costs_are_told(take: Take) -> None:
    text = "id,at,amount,left\nC1,2024-03-01,5,8\nC2,2024-03-01,-5,-2\nC3,2024-03-01,5,\n"
    (report,) = take(text, margin="left").reports
    notes = " ".join(report.notes)
    assert "1 row without a margin." in notes
    assert "1 row with a margin above the amount" in notes
    assert "margin" not in " ".join(take(text).reports[0].notes)


def test_now_is_of_the_business_and_not_of_the_machine(take: Take) -> None:
    # It is 12:00 in UTC and 07:00 in New York.
    text = "id,at,amount\nC1,2025-01-01 08:00,5\nC1,2025-01-01 07:00,5\n"
    assert _reasons(take(text, timezone="America/New_York")) == {FUTURE: 1}


def test_a_purchase_late_in_the_evening_belongs_to_that_day(take: Take) -> None:
    text = "id,at,amount\nC1,2024-03-02T04:30:00Z,5\nC1,2024-03-01 23:30,5\n"
    inputs = take(text, timezone="America/New_York")
    assert {row["day"] for row in _rows(inputs.transactions)} == {date(2024, 3, 1)}
    (report,) = inputs.reports
    assert any("1 moment with a zone and 1 moment without" in note for note in report.notes)


def test_amounts_of_arithmetic_are_exact_money(take: Take) -> None:
    text = "id,at,qty,unit price\nC1,2024-03-01,3,0.1\nC1,2024-03-01,x,0.1\nC1,2024-03-01,,0.1\n"
    inputs = take(text, amount='qty * "unit price"')
    # 3 * 0.1 is 0.30000000000000004 as a float.
    assert [row["amount"] for row in _rows(inputs.transactions)] == [Decimal("0.300000")]
    assert _reasons(inputs) == {UNPARSEABLE_AMOUNT: 1, NO_AMOUNT: 1}


def test_a_division_by_zero_is_no_amount_that_can_be_read(take: Take) -> None:
    inputs = take("id,at,a,b\nC1,2024-03-01,3,0\nC1,2024-03-01,3,2\n", amount="a / b")
    assert _reasons(inputs) == {UNPARSEABLE_AMOUNT: 1}


def test_repeats_are_kept_and_counted_or_rejected(take: Take) -> None:
    text = "id,at,amount,line\n" + "C1,2024-03-01,5,1\n" * 3 + "C1,2024-03-01,5,2\n"
    kept = take(text)
    assert _reasons(kept) == {}
    assert any("2 exact repeats" in note for note in kept.reports[0].notes)
    # A row that differs in a column that is not used is not a repeat.
    dropped = take(text, deduplicate=True)
    assert _reasons(dropped) == {DUPLICATE: 2}
    assert len(_rows(dropped.transactions)) == 2


def test_repeats_that_were_rejected_for_another_reason_are_not_told_as_kept(take: Take) -> None:
    text = "id,at,amount\n" + "C1,2024-03-01,5\n" * 3 + ",2024-03-01,5\n" * 4 + "C1,,5\n" * 5
    (report,) = take(text).reports
    assert report.accepted == 3 and report.notes[0].startswith("2 exact repeats of other rows kept")
    assert _reasons(take(text, deduplicate=True))[DUPLICATE] == 2


def test_rows_outside_the_filter_are_not_read(take: Take) -> None:
    text = "id,at,amount,country\nC1,2024-03-01,5,FR\nC2,2024-03-01,5,ES\n,2024-03-01,5,ES\n"
    inputs = take(text, where="country = 'FR'")
    assert (inputs.reports[0].read, inputs.reports[0].accepted) == (1, 1)


def test_only_refunds_and_one_customer_are_said(take: Take) -> None:
    (report,) = take("id,at,amount\nC1,2024-03-01,-5\nC1,2024-03-02,-5\n").reports
    assert report.accepted == 2
    assert any("only refunds" in note for note in report.notes)
    assert any("one customer" in note for note in report.notes)


def test_the_report_names_an_example_of_what_cannot_be_read(take: Take) -> None:
    (report,) = take("id,at,amount\nC1,31/12/2024,5\nC1,2024-03-01,£5\n").reports
    assert any("'31/12/2024'" in note and "timestamp_format" in note for note in report.notes)
    assert any("'£5'" in note for note in report.notes)


def test_span_and_customers_are_of_accepted_rows(take: Take) -> None:
    text = "id,at,amount\nC1,2024-03-01,5\nC2,2024-04-01,5\nC2,2024-05-01,5\nC3,9999-01-01,5\n"
    (report,) = take(text).reports
    assert (report.first_day, report.last_day) == (date(2024, 3, 1), date(2024, 5, 1))
    assert report.customers == 2


def test_typed_columns_are_judged_alike(take: Take, tmp_path: Path) -> None:
    path, day = tmp_path / "x.parquet", datetime(2024, 3, 1)
    rows = pa.table(
        {
            "id": pa.array([17850.0, None, 17851.0, 17852.0, 17853.0, 17854.0], pa.float64()),
            "at": pa.array(
                [day, day, None, day, day, FAR],
                pa.timestamp("us"),
            ),
            "amount": pa.array([5.25, 1.0, 1.0, float("nan"), float("-inf"), 1.0]),
        }
    )
    pq.write_table(rows, path)
    inputs = take(path)
    assert _reasons(inputs) == {NO_CUSTOMER: 1, NO_DATE: 1, NON_FINITE_AMOUNT: 2, FUTURE: 1}
    (row,) = _rows(inputs.transactions)
    assert (row["customer_id"], row["amount"]) == ("17850", Decimal("5.25"))


def _events(tmp_path: Path, text: str, **given: Any) -> Inputs:
    path = tmp_path / "events.csv"
    path.write_text(text)
    source = {"uri": str(path), "customer_id": "id", "timestamp": "at", "kind": "kind", **given}
    sources = Sources.model_validate({"events": source})
    return read(sources, timezone="UTC", now=NOW)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2024-03-01,usage,1", NO_CUSTOMER),
        ("C1,soon,usage,1", UNPARSEABLE_DATE),
        ("C1,2026-03-01,usage,1", FUTURE),
        ("C1,2024-03-01, ,1", NO_KIND),
        ("C1,2024-03-01,satisfaction,good", UNPARSEABLE_VALUE),
        ("C1,2024-03-01,satisfaction,inf", NON_FINITE_VALUE),
    ],
)
def test_an_event_is_rejected_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    inputs = _events(
        tmp_path, f"id,at,kind,value\nC1,2024-03-01,Complaint,\n{row}\n", value="value"
    )
    assert _reasons(inputs) == {reason: 1}
    (found,) = _rows(inputs.events)
    assert (found["kind"], found["value"]) == ("complaint", None)


def test_events_need_no_value(tmp_path: Path) -> None:
    inputs = _events(tmp_path, "id,at,kind\nC1,2024-03-01T10:00, USAGE \n")
    assert _rows(inputs.events) == [
        {
            "customer_id": "C1",
            "occurred_at": datetime(2024, 3, 1, 10),
            "day": date(2024, 3, 1),
            "kind": "usage",
            "value": None,
        }
    ]


GERMAN = "id;at;Menge;Preis\n"


def test_a_decimal_comma_is_read_in_arithmetic(take: Take) -> None:
    text = f"{GERMAN}C1;2024-03-01;2;1.234,50\nC1;2024-03-02;-1;10,02\nC1;2024-03-03;1;10.02\n"
    inputs = take(text, delimiter=";", decimal=",", amount="Menge * Preis")
    assert [row["amount"] for row in _rows(inputs.transactions.order_by("day"))] == [
        Decimal("2469"),
        Decimal("-10.02"),
    ]
    assert _reasons(inputs) == {UNPARSEABLE_AMOUNT: 1}


def test_without_the_setting_a_decimal_comma_is_rejected_as_ever(take: Take) -> None:
    text = f"{GERMAN}C1;2024-03-01;2;1.234,50\nC1;2024-03-02;1;10.02\n"
    inputs = take(text, delimiter=";", amount="Menge * Preis")
    assert _reasons(inputs) == {UNPARSEABLE_AMOUNT: 1}


def test_a_filter_reads_a_decimal_comma_too(take: Take) -> None:
    text = f"{GERMAN}C1;2024-03-01;1;9,99\nC2;2024-03-01;1;1.000,00\n"
    inputs = take(text, delimiter=";", decimal=",", amount="Preis", where="Preis > 10.5")
    assert [row["customer_id"] for row in _rows(inputs.transactions)] == ["C2"]


def test_the_value_of_an_event_may_have_a_decimal_comma(tmp_path: Path) -> None:
    text = "id;at;kind;mark\nC1;2024-03-01;satisfaction;3,5\nC2;2024-03-01;usage;1.5\n"
    inputs = _events(tmp_path, text, value="mark", delimiter=";", decimal=",")
    assert [row["value"] for row in _rows(inputs.events)] == [3.5]
    assert _reasons(inputs) == {UNPARSEABLE_VALUE: 1}


def test_an_event_in_the_words_of_the_business_is_of_a_known_kind(tmp_path: Path) -> None:
    text = "id,at,kind\n" + "".join(
        f"C{place},2024-03-01,{kind}\n"
        for place, kind in enumerate([" REKLAMATION ", "erledigt", "contact", "Usage", "Sonstiges"])
    )
    kinds = {"Reklamation": "complaint", " ERLEDIGT": "Resolution", "Contact": "complaint"}
    found = _rows(_events(tmp_path, text, kinds=kinds).events.order_by("customer_id"))
    # A word that the settings name counts as they say, be it a known kind.
    expected = ["complaint", "resolution", "complaint", "usage", "sonstiges"]
    assert [row["kind"] for row in found] == expected


def test_a_date_column_of_another_type_is_an_error(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["C1"], "at": [45352], "amount": [1.0]}), path)
    with pytest.raises(InputError, match=r"sources\.transactions\.timestamp"):
        take(path)
