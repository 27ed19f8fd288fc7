"""What became of subscribers: a slow reference, and ends that are final."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pytest
from hypothesis import given, settings

from features import fates
from features.compat import arrow
from tests.features import subscribers
from tests.features.families.test_subscription import AS_OF, ROWS, as_rows
from tests.features.subscribers import GRACE, by_customer, fate, inputs, row, spells, table

HORIZON = 60
NAMES = ("ended_after", "end_reason", "occasions", "spend")


def outcome(rows, as_of, known_until, horizon_days=HORIZON):
    table_ = fates.outcomes(inputs(rows).subscriptions, as_of, horizon_days, known_until)
    return {one.pop("customer_id"): one for one in arrow(table_).to_pylist()}


@pytest.fixture(scope="module")
def plans():
    """Outcomes at a date in the past of AS_OF, and histories: written once, run on every log."""
    connection = ibis.duckdb.connect(threads=1)
    rows = connection.create_table("rows", schema=ibis.schema(subscribers.SCHEMA))
    asked = (
        fates.outcomes(rows, THEN, HORIZON, AS_OF),
        fates.histories(rows, AS_OF),
    )
    queries = [connection.compile(one) for one in asked]

    def run(given):
        connection.con.execute("DELETE FROM rows")
        connection.insert("rows", table(given))
        return [connection.con.sql(query).to_arrow_table().to_pylist() for query in queries]

    return run


THEN = AS_OF - timedelta(days=150)


@settings(max_examples=25)
@given(drawn=ROWS)
def test_equals_a_slow_reference(plans, drawn):
    for period in (False, True):
        rows = as_rows(drawn, period=period)
        outcomes, histories = plans(rows)
        ours = {one["customer_id"]: {name: one[name] for name in NAMES} for one in outcomes}
        expected = {
            who: fate(some, THEN, HORIZON, AS_OF) for who, some in by_customer(rows).items()
        }
        expected = {who: told for who, told in expected.items() if told is not None}
        for told in expected.values():
            told["spend"] = told["spend"] if told["spend"] is None else pytest.approx(told["spend"])
        assert ours == expected
        assert sorted(map(str, counted(rows))) == sorted(
            str((one["renewals"], one["active"]))
            for one in histories
            for _ in range(one["customers"])
        )


def counted(rows):
    """Renewals of every spell that was paid for, and whether it runs."""
    found = []
    for some in by_customer(rows).values():
        for spell in spells(some, AS_OF):
            paid = sum(len(subscribers.payments(one, AS_OF)) for one in spell)
            stop = max(one["until"] for one in spell)
            if paid:
                found.append((paid - 1, (AS_OF - stop).days <= GRACE))
    return found


def test_an_end_is_final_when_its_grace_is_over():
    rows = [row("a", "2024-01-10", "2024-03-10", reason="voluntary")]
    as_of, end = date(2024, 2, 1), date(2024, 3, 10)
    for late, final in ((GRACE, False), (GRACE + 1, True)):
        found = outcome(rows, as_of, end + timedelta(days=late))["a"]
        assert found["ended_after"] == (38 if final else None)
        assert found["end_reason"] == ("voluntary" if final else None)


@pytest.mark.parametrize(("gap", "left"), [(1, False), (GRACE, False), (GRACE + 1, True)])
def test_who_is_back_within_the_grace_never_left(gap, left):
    again = date(2024, 3, 10) + timedelta(days=gap)
    rows = [row("a", "2024-01-10", "2024-03-10"), row("a", again)]
    found = outcome(rows, date(2024, 2, 1), AS_OF)["a"]
    assert (found["ended_after"] is not None) == left
    # 10 February; and the start of the new row, where it is the same spell, in the 60 days.
    assert found["occasions"] == (1 if left else 2)


def test_rows_after_what_is_known_change_nothing():
    rows = [row("a", "2024-01-10"), row("b", "2024-01-10", "2024-03-10")]
    later = [row("b", "2024-05-20"), row("c", "2024-05-20"), row("a", "2024-05-25", price=99)]
    ended = [rows[0] | {"end": date(2024, 6, 5)}, rows[1]]
    known = date(2024, 5, 20)
    assert outcome([*ended, *later], date(2024, 2, 1), known) == outcome(
        rows, date(2024, 2, 1), known
    )


def test_paid_periods_count_where_they_begin():
    rows = [
        row("a", "2024-01-10", "2024-02-10", price=10, period=True),
        row("a", "2024-02-12", "2024-03-12", price=12, period=True),
        row("a", "2024-03-12", "2024-04-12", price=None, period=True),
    ]
    found = outcome(rows, date(2024, 2, 11), AS_OF)["a"]
    assert found == {"ended_after": 61, "end_reason": None, "occasions": 2, "spend": 12.0}


@pytest.mark.spark
@pytest.mark.parity
def test_duckdb_equals_spark_bit_for_bit(spark, tmp_path):
    import pyarrow.parquet as pq

    start = date(2022, 12, 1)
    rows = table(
        one | {"customer_id": f"{period}{one['customer_id']}"}
        for period in (False, True)
        for one in subscribers.random_rows(3, start, AS_OF, range(40), period=period)
    )
    pq.write_table(rows, tmp_path / "subscriptions.parquet")
    there = spark.read_parquet(tmp_path / "subscriptions.parquet", table_name="subscriptions")
    for make in (
        lambda source: fates.outcomes(source, THEN, HORIZON, AS_OF),
        lambda source: fates.histories(source, AS_OF),
    ):
        found = [make(source) for source in (there, inputs(rows).subscriptions)]
        sorted_ = [arrow(one.order_by(*one.columns)) for one in found]
        assert sorted_[0].schema.types == sorted_[1].schema.types
        assert sorted_[0].equals(sorted_[1])
