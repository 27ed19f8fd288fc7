"""Raw rows of a request: one place for each source, read by whoever asks."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import ibis
import pyarrow as pa
import pytest

from serving.api import rows
from serving.api.rows import SCHEMAS, Rejected, Rows

NOW = datetime(2024, 7, 2, 12)
AS_OF = date(2024, 7, 1)


def row(source: str, **given: object) -> dict[str, object]:
    usual = {"customer_id": "a", "timestamp": "2024-05-01", "amount": "5", "kind": "contact"}
    told = {"place": 0, **usual, **given}
    # The day of a subscription is its start.
    told["start"] = told["timestamp"]
    return {name: told.get(name) for name in SCHEMAS[source].names}


@pytest.mark.parametrize("source", SCHEMAS)
def test_each_query_reads_the_rows_that_are_in_place(source):
    place, database = Rows(source), duckdb.connect()
    database.register("place", place)
    for number in (2, 3):
        place.table = pa.Table.from_pylist([row(source)] * number, schema=SCHEMAS[source])
        assert database.execute("SELECT count(*) FROM place").fetchone() == (number,)
    place.clear()
    assert database.execute("SELECT count(*) FROM place").fetchone() == (0,)


@pytest.mark.parametrize("source", SCHEMAS)
def test_rows_are_accepted_or_rejected_in_the_contracts_words(source):
    given = [
        row(source, place=2, timestamp="soon"),
        row(source, place=1, timestamp=None),
        row(source, place=0),
        row(source, customer_id="b", timestamp="2024-07-01"),
        row(source, customer_id="c", timestamp="2024-07-03"),
    ]
    templates, database, place = ibis.duckdb.connect(), duckdb.connect(), Rows(source)
    place.table = pa.Table.from_pylist(given, schema=SCHEMAS[source])
    raw = templates.create_table(rows.name(source), place.table, temp=True)
    judged = rows.judged(raw, source, "Europe/London")
    accepted = rows.accepted(judged).to_pyarrow().to_pylist()
    # A row of the future is told apart by the verdict.
    assert sorted((one["customer_id"], one["day"]) for one in accepted) == [
        ("a", date(2024, 5, 1)),
        ("b", date(2024, 7, 1)),
        ("c", date(2024, 7, 3)),
    ]
    database.register(rows.name(source), place)
    rows.prepare(database, source, templates.compile(judged))
    found = rows.verdict(database, source, as_of=AS_OF, now=NOW)
    assert found.rejected == {
        "a": Rejected(source, f"{source}[1]: no date."),
        "c": Rejected(source, f"{source}: 1 with a date in the future."),
    }
    assert found.ignored == {"b": 1, "c": 1}
