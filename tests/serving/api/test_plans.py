"""Feature plans prepared once: other rows, dates and sources give what they should."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features import intake, table
from features.catalogue import FEATURES
from features.settings import Sources
from serving.api import plans
from serving.api.plans import Plans
from serving.api.rows import EVENTS, TRANSACTIONS

CARE = [feature.name for feature in FEATURES if feature.family == "care"]
NOW = datetime(2024, 7, 2, 12)
AS_OF = date(2024, 7, 1)


@pytest.fixture(scope="module")
def prepared() -> Plans:
    return Plans("Europe/London", horizon_days=90)


def table_of(schema: pa.Schema, given: Iterable[Sequence[str | None]]) -> pa.Table:
    """Rows of a schema, each with its place among those of its customer."""
    places: dict[str, int] = {}
    told = []
    for row in given:
        named = dict(zip((name for name in schema.names if name != "place"), row, strict=False))
        places[row[0]] = places.get(row[0], -1) + 1
        told.append({**dict.fromkeys(schema.names), **named, "place": places[row[0]]})
    return pa.Table.from_pylist(told, schema=schema)


def rows(*purchases: Sequence[str]) -> pa.Table:
    """Rows of (customer, timestamp, amount)."""
    return table_of(TRANSACTIONS, purchases)


def events(*told: Sequence[str | None]) -> pa.Table:
    """Rows of (customer, timestamp, kind[, value])."""
    return table_of(EVENTS, told)


def by_customer(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("customer_id").reset_index(drop=True)


def test_each_run_reads_its_own_rows_and_keeps_none(prepared):
    for amount in (10.0, 25.5):
        given = rows(("a", "2024-05-01", str(amount)), ("a", "2024-06-01", "4"))
        found = prepared.run(given, as_of=AS_OF, now=NOW)
        assert found.frame["spend_total"].tolist() == [amount + 4]
        assert found.frame["frequency"].tolist() == [1]
        assert prepared._rows["transactions"].table.num_rows == 0


def test_rows_may_state_what_they_left(prepared):
    """As in a file: exact, below zero too, and null where none is stated."""
    nothing = (None, None, None)
    given = rows(
        ("a", "2024-05-01", "10", *nothing, "3.1"),
        ("a", "2024-06-01", "20", *nothing, "-0.4"),
        ("a", "2024-06-01", "5"),
        ("b", "2024-06-01", "5"),
    )
    frame = by_customer(prepared.run(given, as_of=AS_OF, now=NOW).frame)
    assert frame["margin_total"].tolist() == [2.7, pytest.approx(np.nan, nan_ok=True)]
    assert frame["margin_spend"].tolist() == [30.0, pytest.approx(np.nan, nan_ok=True)]
    wrong = rows(("a", "2024-05-01", "10", *nothing, "much"))
    found = prepared.run(wrong, as_of=AS_OF, now=NOW)
    assert found.rejected["a"].message == "transactions[0]: unparseable margin."


def test_no_rows_are_no_customers(prepared):
    found = prepared.run(TRANSACTIONS.empty_table(), as_of=AS_OF, now=NOW)
    assert found.frame.empty
    assert found.rejected == {}


def test_rejected_and_ignored_rows_are_told_by_customer(prepared):
    given = rows(
        ("good", "2024-05-01", "10"),
        ("good", "2024-07-01T00:00:00", "10"),
        ("good", "2024-07-01T23:00:00", "10"),
        ("bad", "2024-05-01", "10"),
        ("bad", "2024-05-02", "ten"),
        ("bad", "soon", "10"),
        ("late", "2024-05-01", "10"),
        ("late", "2024-07-02T12:00:01", "10"),
    )
    found = prepared.run(given, as_of=AS_OF, now=NOW)
    assert found.frame["customer_id"].tolist() == ["good"]
    assert found.ignored["transactions"]["good"] == 2
    assert {one: why.message for one, why in found.rejected.items()} == {
        "bad": "transactions[1]: unparseable amount.",
        "late": "transactions: 1 with a date in the future.",
    }


def test_the_day_is_the_businesss_own(prepared):
    given = rows(("a", "2024-06-30T23:30:00Z", "10"), ("a", "2024-06-30T22:30:00Z", "7"))
    found = prepared.run(given, as_of=AS_OF, now=NOW)
    assert found.frame["spend_total"].tolist() == [7]
    assert found.ignored["transactions"] == {"a": 1}


def test_more_dates_than_are_kept_still_give_the_right_features(prepared, monkeypatch):
    monkeypatch.setattr(plans, "_PLANS_KEPT", 2)
    given = rows(("a", "2024-01-01", "10"))
    for round_ in range(2):
        for days in (40, 80, 120):
            as_of = date(2024, 1, 1) + timedelta(days=days)
            found = prepared.run(given, as_of=as_of, now=NOW)
            assert found.frame["days_since_last"].tolist() == [days], round_
        assert len(prepared._prepared) <= 2


def test_requests_at_once_do_not_mix(prepared):
    wrong = []

    def ask(number: int) -> None:
        for amount in range(1, 6):
            given = rows((f"c{number}", "2024-05-01", str(100 * number + amount)))
            found = prepared.run(given, as_of=AS_OF, now=NOW).frame
            told = list(zip(found["customer_id"], found["spend_total"], strict=True))
            if told != [(f"c{number}", 100 * number + amount)]:
                wrong.append(told)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_text_is_never_a_part_of_a_query(prepared):
    strange = "x'); DROP TABLE raw; --"
    given = rows((strange, "2024-05-01", "10"), (strange, "2024-05-02'", "1"))
    assert prepared.run(given, as_of=AS_OF, now=NOW).rejected.keys() == {strange}
    given = rows((strange, "2024-05-01", "10"))
    assert prepared.run(given, as_of=AS_OF, now=NOW).frame["customer_id"].tolist() == [strange]


def made_business(seed: int) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Purchases and events as the text of a file, on both sides of the as-of date.

    A third of the customers has no event, some never bought; kinds are written in many ways, and
    some events share their instant and differ in their value.
    """
    rng = np.random.default_rng(seed)

    def moment() -> str:
        at = NOW - timedelta(minutes=int(rng.integers(0, 60 * 24 * 400)))
        return at.isoformat()

    bought, told = [], []
    for number in range(60):
        one = f"c{number:02d}"
        if number % 10:
            for _ in range(rng.integers(1, 8)):
                bought.append((one, moment(), str(round(rng.gamma(2, 20) - 5, 2))))
        if number % 3 == 0:
            continue
        for _ in range(rng.integers(1, 12)):
            kind = rng.choice(["complaint", "resolution", "Satisfaction", "CONTACT ", "usage", "x"])
            value = "" if rng.random() < 0.3 else repr(rng.normal(3, 2))
            told.append((one, moment(), str(kind), value))
            if rng.random() < 0.3:
                told.append((*told[-1][:3], repr(rng.normal(3, 2))))
    return bought, told


def behaviour_table(folder, bought, told) -> pd.DataFrame:
    """The behaviour table of a business with both sources, as `regulars build` makes it."""
    columns = {"transactions": ("timestamp", "amount"), "events": ("timestamp", "kind", "value")}
    sources = {}
    for name, given in (("transactions", bought), ("events", told)):
        uri = folder / f"{name}.csv"
        pd.DataFrame(given, columns=["customer_id", *columns[name]]).to_csv(uri, index=False)
        named = {column: column for column in ("customer_id", *columns[name])}
        sources[name] = {"uri": str(uri), **named}
    read = intake.read(
        Sources.model_validate(sources), timezone="Europe/London", now=NOW.replace(tzinfo=UTC)
    )
    assert [report.rejected for report in read.reports] == [{}, {}]
    built = table.behaviour(read, AS_OF, horizon_days=90)
    return by_customer(built.to_pyarrow().to_pandas())


@pytest.mark.parity
def test_with_events_every_row_is_that_of_the_behaviour_table(prepared, tmp_path):
    bought, told = made_business(3)
    expected = behaviour_table(tmp_path, bought, told)
    found = prepared.run(rows(*bought), events(*told), as_of=AS_OF, now=NOW)
    assert found.rejected == {}
    pd.testing.assert_frame_equal(by_customer(found.frame), expected, check_exact=True)
    # Something is compared: no column of the family is one value, and none is null throughout.
    assert (expected[CARE].nunique() > 1).all()


@pytest.mark.parity
def test_a_customer_with_events_has_the_same_row_alone_as_among_others(prepared):
    bought, told = made_business(4)
    together = prepared.run(rows(*bought), events(*told), as_of=AS_OF, now=NOW).frame
    for one in ("c01", "c03", "c44"):
        own = rows(*(row for row in bought if row[0] == one))
        contacts = events(*(row for row in told if row[0] == one))
        alone = prepared.run(own, contacts, as_of=AS_OF, now=NOW).frame
        expected = together[together["customer_id"] == one].reset_index(drop=True)
        # A whole number is a float in pandas where another customer has a null.
        pd.testing.assert_frame_equal(alone, expected, check_exact=True, check_dtype=False)


def test_without_events_there_is_no_events_source_though_others_bring_some():
    bought, told = made_business(5)
    fresh, used = (Plans("Europe/London", horizon_days=90) for _ in range(2))
    used.run(rows(*bought), events(*told), as_of=AS_OF, now=NOW)
    found = used.run(rows(*bought), as_of=AS_OF, now=NOW).frame
    assert found[CARE].isna().all(axis=None)
    expected = fresh.run(rows(*bought), as_of=AS_OF, now=NOW).frame
    pd.testing.assert_frame_equal(by_customer(found), by_customer(expected), check_exact=True)


def test_no_events_are_zeros_for_everyone_and_change_nothing_else(prepared):
    given = rows(("a", "2024-05-01", "10"), ("b", "2024-06-01", "4"))
    without = by_customer(prepared.run(given, as_of=AS_OF, now=NOW).frame)
    found = by_customer(prepared.run(given, EVENTS.empty_table(), as_of=AS_OF, now=NOW).frame)
    counts = [feature.name for feature in FEATURES if feature.name in CARE and feature.without == 0]
    assert {"complaints_total", "complaints_open", "contacts_90", "usage_90"} <= set(counts)
    assert (found[counts] == 0).all(axis=None)
    assert found[[name for name in CARE if name not in counts]].isna().all(axis=None)
    rest = [name for name in found.columns if name not in CARE]
    pd.testing.assert_frame_equal(found[rest], without[rest], check_exact=True)


def test_the_plan_with_events_is_prepared_when_first_asked_for():
    made = Plans("Europe/London", horizon_days=90)
    made.warm(AS_OF)
    given = rows(("a", "2024-05-01", "10"))
    made.run(given, as_of=AS_OF, now=NOW)
    assert len(made._prepared) == 1
    assert list(made._judged) == ["transactions"]
    for _ in range(2):
        made.run(given, EVENTS.empty_table(), as_of=AS_OF, now=NOW)
        assert len(made._prepared) == 2
    (plain, joined) = (
        made._compile(AS_OF, sources) for sources in (("transactions",), ("transactions", "events"))
    )
    assert "raw_events" not in plain
    assert "raw_events" in joined


def test_a_rejected_event_is_told_and_takes_its_customer_only(prepared):
    customers = ("good", "when", "kind", "value", "late", "both")
    bought = [(one, "2024-05-01", "10") for one in customers]
    told = [
        ("good", "2024-05-02", "complaint", None),
        ("good", "2024-05-02", "nobody knows this kind", None),
        ("when", "2024-05-02", "contact", None),
        ("when", "soon", "contact", None),
        ("kind", "2024-05-02", " ", None),
        ("value", "2024-05-02", "usage", "much"),
        ("value", None, "usage", "1"),
        ("late", "2024-07-02T12:00:01", "complaint", None),
        ("both", "2024-05-02", "usage", "inf"),
    ]
    given = rows(*bought, ("both", "2024-05-02", "ten"))
    found = prepared.run(given, events(*told), as_of=AS_OF, now=NOW)
    assert found.frame["customer_id"].tolist() == ["good"]
    assert found.frame["complaints_total"].tolist() == [1]
    assert {one: why.message for one, why in found.rejected.items()} == {
        "when": "events[1]: unparseable date.",
        "kind": "events[0]: no kind.",
        "value": "events[0]: unparseable value.",
        "late": "events: 1 with a date in the future.",
        "both": "transactions[1]: unparseable amount.",
    }
    assert {one for one, why in found.rejected.items() if why.source == "events"} == {
        "when",
        "kind",
        "value",
        "late",
    }


def test_events_from_the_as_of_date_on_are_neither_input_nor_told(prepared):
    given = rows(("a", "2024-05-01", "10"), ("a", "2024-07-01", "10"))
    told = [("a", "2024-06-30T23:59:59", "complaint"), ("a", "2024-07-01T00:00:00", "complaint")]
    found = prepared.run(given, events(*told, told[1]), as_of=AS_OF, now=NOW)
    assert found.rejected == {}
    assert found.frame["complaints_total"].tolist() == [1]
    assert found.ignored["transactions"] == {"a": 1}


def test_the_day_of_an_event_is_the_businesss_own(prepared):
    told = [("a", "2024-06-30T23:30:00Z", "contact"), ("a", "2024-06-30T22:30:00Z", "contact")]
    found = prepared.run(rows(("a", "2024-05-01", "10")), events(*told), as_of=AS_OF, now=NOW).frame
    assert found["contacts_total"].tolist() == [1]


def test_events_of_one_request_are_gone_in_the_next(prepared):
    given = rows(("a", "2024-05-01", "10"))
    for number in (2, 1):
        told = events(*[("a", "2024-05-02", "contact")] * number)
        found = prepared.run(given, told, as_of=AS_OF, now=NOW).frame
        assert found["contacts_total"].tolist() == [number]
        assert prepared._rows["events"].table.num_rows == 0


def test_events_of_somebody_who_never_bought_are_no_row(prepared):
    told = events(("b", "2024-05-02", "contact"))
    found = prepared.run(rows(("a", "2024-05-01", "10")), told, as_of=AS_OF, now=NOW).frame
    assert found["customer_id"].tolist() == ["a"]
