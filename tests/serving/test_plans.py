"""Feature plans prepared once: other rows and other dates give what they should."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from serving import plans
from serving.plans import RAW, Plans

NOW = datetime(2024, 7, 2, 12)
AS_OF = date(2024, 7, 1)


@pytest.fixture(scope="module")
def prepared() -> Plans:
    return Plans("Europe/London", horizon_days=90)


def rows(*purchases: tuple[str, str, str]) -> pa.Table:
    """Rows of (customer, timestamp, amount)."""
    places: dict[str, int] = {}
    told = []
    for customer, timestamp, amount in purchases:
        places[customer] = places.get(customer, -1) + 1
        row = dict.fromkeys(RAW.names)
        row |= {"customer_id": customer, "timestamp": timestamp, "amount": amount}
        told.append({**row, "place": places[customer]})
    return pa.Table.from_pylist(told, schema=RAW)


def test_each_run_reads_its_own_rows_and_keeps_none(prepared):
    for amount in (10.0, 25.5):
        given = rows(("a", "2024-05-01", str(amount)), ("a", "2024-06-01", "4"))
        found = prepared.run(given, as_of=AS_OF, now=NOW)
        assert found.frame["spend_total"].tolist() == [amount + 4]
        assert found.frame["frequency"].tolist() == [1]
        assert prepared._rows.table.num_rows == 0


def test_no_rows_are_no_customers(prepared):
    found = prepared.run(RAW.empty_table(), as_of=AS_OF, now=NOW)
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
    assert found.ignored["good"] == 2
    assert found.rejected == {
        "bad": "transactions[1]: unparseable amount.",
        "late": "transactions: 1 with a date in the future.",
    }


def test_the_day_is_the_businesss_own(prepared):
    given = rows(("a", "2024-06-30T23:30:00Z", "10"), ("a", "2024-06-30T22:30:00Z", "7"))
    found = prepared.run(given, as_of=AS_OF, now=NOW)
    assert found.frame["spend_total"].tolist() == [7]
    assert found.ignored == {"a": 1}


def test_more_dates_than_are_kept_still_give_the_right_features(prepared, monkeypatch):
    monkeypatch.setattr(plans, "_DATES_KEPT", 2)
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
