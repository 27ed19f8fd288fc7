"""From settings to accepted rows: nothing is lost, on either engine."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.compat import arrow
from features.contracts.contract import DUPLICATE, MALFORMED
from features.errors import EmptyError, SettingsError
from features.inputs import Inputs
from features.intake import read
from features.settings import Sources
from tests.features.reading import NOW, read_transactions

IDS = st.sampled_from(["C1", "C2", "17850.0", "", "  ", "nan", 'a"b', "c,d", "e\nf", "é"])
DATES = st.sampled_from(
    [
        "2024-03-01",
        "2024-03-01T23:30:00-05:00",
        "31/12/2024",
        "",
        "9999-12-31",
        "1900-01-01",
        "soon",
    ]
)
AMOUNTS = st.sampled_from(["5", "-5", "0.1", "1,234.50", "", "inf", "1e12", "x", " 7 "])
EXTRA = st.lists(st.sampled_from(["x", "", '"']), max_size=2)
MESSY = st.lists(st.tuples(IDS, DATES, AMOUNTS, EXTRA), min_size=1, max_size=40)


def _text(rows: list[tuple[str, str, str, list[str]]]) -> str:
    """CSV of rows of which some have columns too many."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("id", "at", "amount"), *((*row[:3], *row[3]) for row in rows)])
    return text.getvalue()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(MESSY, st.booleans())
def test_accepted_and_rejected_rows_add_up_to_those_read(
    tmp_path: Path, rows: list[tuple[str, str, str, list[str]]], deduplicate: bool
) -> None:
    inputs = read_transactions(tmp_path, _text(rows), deduplicate=deduplicate)
    (report,) = inputs.reports
    assert report.read == len(rows)
    assert report.accepted + sum(report.rejected.values()) == report.read
    assert all(count > 0 for count in report.rejected.values())
    assert arrow(inputs.transactions).num_rows == report.accepted
    assert report.rejected.get(MALFORMED, 0) == sum(bool(row[3]) for row in rows)
    path = tmp_path / "store" / "rejects" / "transactions.csv"
    written = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            written = [row["reason"] for row in csv.DictReader(file)]
    assert {reason: written.count(reason) for reason in written} == dict(report.rejected)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10
)
@given(MESSY, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, rows: list, random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    first, second = (
        read_transactions(tmp_path, _text(some), deduplicate=True) for some in (rows, shuffled)
    )
    assert dict(first.reports[0].rejected) == dict(second.reports[0].rejected)
    assert _sorted(first) == _sorted(second)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(st.text(alphabet='id,at\n"5x', max_size=120))
def test_no_line_of_any_text_is_lost(tmp_path: Path, text: str) -> None:
    lines = [line for line in text.split("\n") if line]
    if not lines:
        return
    inputs = read_transactions(tmp_path, f"id,at,amount\n{text}")
    (report,) = inputs.reports
    assert report.accepted + sum(report.rejected.values()) == report.read
    # A quoted value may hold lines; none may go without being part of a row.
    assert report.read <= len(lines)
    if '"' not in text:
        assert report.read == len(lines)


def _sorted(inputs: Inputs) -> list[Any]:
    return sorted(map(str, arrow(inputs.transactions).to_pylist()))


def test_rejects_hold_the_reason_and_the_raw_row(tmp_path: Path) -> None:
    text = 'id,reason,at,amount\n,"a\nb",2024-03-01,5\nC1,x,2024-03-01\nC1,x,2024-03-01,5\n'
    read_transactions(tmp_path, text)
    path = tmp_path / "store" / "rejects" / "transactions.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # The source has a column "reason" of its own.
    assert [row["reason_"] for row in rows] == ["no customer id", MALFORMED]
    assert (rows[0]["reason"], rows[0]["at"], rows[0]["id"]) == ("a\nb", "2024-03-01", "")
    assert "4 columns expected, 3 found" in rows[1]["detail"]
    assert "C1,x,2024-03-01" in rows[1]["detail"]


def test_rejects_of_an_earlier_reading_do_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "store" / "rejects" / "transactions.csv"
    read_transactions(tmp_path, "id,at,amount\n,2024-03-01,5\nC1,2024-03-01,5\n")
    assert path.exists()
    read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n")
    assert not path.exists()


def test_every_source_is_read_and_told_of(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,at,amount\nC1,2024-03-01,5\n")
    (tmp_path / "c.csv").write_text("id,left\nC1,yes\n")
    (tmp_path / "e.csv").write_text("id,at,kind\nC1,2024-03-01,usage\n")
    uri = {name: str(tmp_path / f"{name}.csv") for name in "tce"}
    sources = Sources.model_validate(
        {
            "transactions": {
                "uri": uri["t"],
                "customer_id": "id",
                "timestamp": "at",
                "amount": "amount",
            },
            "customers": {"uri": uri["c"], "customer_id": "id", "label": "left"},
            "events": {"uri": uri["e"], "customer_id": "id", "timestamp": "at", "kind": "kind"},
        }
    )
    told: list[str] = []
    inputs = read(sources, timezone="UTC", now=NOW, progress=told.append)
    assert [report.source for report in inputs.reports] == ["transactions", "customers", "events"]
    assert {line.partition(":")[0] for line in told} == {"transactions", "customers", "events"}
    joined = inputs.transactions.join(inputs.customers, "customer_id").join(
        inputs.events, "customer_id"
    )
    assert arrow(joined).num_rows == 1


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No source to read"):
        read(Sources(), timezone="UTC", now=NOW)
    with pytest.raises(SettingsError, match="timezone = 'Mars/Olympus' is not known"):
        read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n", timezone="Mars/Olympus")
    with pytest.raises(SettingsError, match="timezone"):
        read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n", timezone="../etc/passwd")


def test_a_filter_that_leaves_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(EmptyError, match=r"where = 'amount > 9' leaves no row"):
        read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n", where="amount > 9")


def test_tables_stay_when_the_file_is_gone(tmp_path: Path) -> None:
    inputs = read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n")
    (tmp_path / "transactions.csv").unlink()
    assert arrow(inputs.transactions).num_rows == 1


RAW = {
    "id": ["17850.0", "17850", "", "C1", "C1", "C1", "C2", "C3", None, "C4"],
    "at": [
        "2024-03-02T04:30:00Z",
        "2024-03-01 23:30",
        "2024-03-01",
        "2024-03-10T07:00:00Z",
        "2024-03-10T07:00:00Z",
        "31/12/2024",
        "9999-12-31",
        "2024-02-30",
        None,
        "2024-11-03T06:30:00.123456Z",
    ],
    "qty": ["3", "3", "1", "2", "2", "1", "1", "1", None, "1.5"],
    "price": [0.1, 0.1, 1.0, 2.5, 2.5, 1.0, 1.0, 1.0, None, float("nan")],
    "country": ["FR", "FR", "FR", "ES", "ES", "ES", "FR", "FR", None, "FR"],
}


@pytest.mark.spark
@pytest.mark.parity
@pytest.mark.parametrize("where", [None, "country = 'FR' or qty >= 2"])
def test_spark_accepts_and_rejects_what_duckdb_does(
    spark: Any, tmp_path: Path, where: str | None
) -> None:
    import pyarrow.parquet as pq

    rows = pa.table(RAW)
    pq.write_table(rows, tmp_path / "sales.parquet")
    spark._session.createDataFrame(rows).createOrReplaceTempView("sales")
    given = {
        "amount": "qty * price",
        "deduplicate": True,
        "timezone": "America/New_York",
        "order_id": "qty",
        **({"where": where} if where else {}),
    }
    there = read_transactions(tmp_path, Path("x"), uri="spark://sales", connection=spark, **given)
    here = read_transactions(tmp_path, tmp_path / "sales.parquet", **given)
    assert there.connection.name == "pyspark"
    assert there.reports == here.reports
    assert here.reports[0].rejected[DUPLICATE] == 1
    assert str(there.transactions.schema()) == str(here.transactions.schema()).replace(
        "(6)\n", "\n"
    )
    assert _sorted(there) == _sorted(here)


@pytest.mark.spark
@pytest.mark.parity
def test_files_beside_a_spark_table_come_to_spark(spark: Any, tmp_path: Path) -> None:
    rows = pa.table({"id": [1], "at": [datetime(2024, 3, 1)], "amount": [5.0]})
    spark._session.createDataFrame(rows).createOrReplaceTempView("sales")
    (tmp_path / "c.csv").write_text("id,age,left\n1,30,yes\n1,30,yes\n2,,no\n")
    sources = Sources.model_validate(
        {
            "transactions": {
                "uri": "spark://sales",
                "customer_id": "id",
                "timestamp": "at",
                "amount": "amount",
            },
            "customers": {
                "uri": str(tmp_path / "c.csv"),
                "customer_id": "id",
                "attributes": ["age"],
                "label": "left",
            },
        }
    )
    inputs = read(sources, timezone="UTC", now=NOW, connection=spark)
    joined = inputs.transactions.join(inputs.customers, "customer_id")
    (row,) = arrow(joined.select("customer_id", "day", "attribute_age", "churned")).to_pylist()
    assert row == {
        "customer_id": "1",
        "day": datetime(2024, 3, 1).date(),
        "attribute_age": 30.0,
        "churned": True,
    }
    assert [report.read for report in inputs.reports] == [1, 3]


GERMAN = {
    "id": ["a", "a", "b", "b", "c", "c", "d", ""],
    "at": [f"0{day}.03.2024" for day in range(1, 7)] + ["2024-03-07", "08.03.2024"],
    "menge": ["2", "-1", "1,5", "1", "1", "x", "1", "1"],
    "preis": ["1.234,50", "10,02", ",5", "10.02", "inf", "1", "1", "1"],
    "kind": ["Reklamation", " erledigt ", "Anruf", "SONST", "sonst", "usage", "usage", "usage"],
}


@pytest.mark.spark
@pytest.mark.parity
@pytest.mark.parametrize("decimal", [",", "."])
def test_spark_reads_decimal_commas_and_kinds_as_duckdb_does(
    spark: Any, tmp_path: Path, decimal: str
) -> None:
    import pyarrow.parquet as pq

    rows = pa.table(GERMAN)
    pq.write_table(rows, tmp_path / "sales.parquet")
    spark._session.createDataFrame(rows).createOrReplaceTempView("sales")
    shared = {"customer_id": "id", "timestamp": "at", "timestamp_format": "%d.%m.%Y"}
    found = []
    for uri, connection in (("spark://sales", spark), (str(tmp_path / "sales.parquet"), None)):
        common = {"uri": uri, "decimal": decimal, **shared}
        kinds = {"Reklamation": "complaint", "Erledigt": "resolution"}
        known = {"uri": uri, "decimal": decimal, "customer_id": "id"}
        sources = Sources.model_validate(
            {
                "transactions": {**common, "amount": "menge * preis", "where": "menge < 1.75"},
                "events": {**common, "kind": "kind", "value": "menge", "kinds": kinds},
                "customers": {**known, "attributes": ["preis", "menge", "kind"]},
            }
        )
        rejects = tmp_path / uri[:5]
        inputs = read(sources, timezone="UTC", now=NOW, connection=connection, rejects=rejects)
        written = {
            file.name: sorted(csv.reader(file.read_text().splitlines()))
            for file in rejects.glob("*.csv")
        }
        tables = [inputs.transactions, inputs.events, inputs.customers]
        held = [sorted(map(str, arrow(table).to_pylist())) for table in tables]
        found.append((inputs.reports, held, written))
    there, here = found
    assert there == here
    accepted = {report.source: report.accepted for report in here[0]}
    # Read with a comma, 1,5 is at hand; with a point, 10.02 is.
    assert accepted["transactions"] == (2 if decimal == "," else 1)
    assert any("decimal comma" in str(report.advice) for report in here[0]) == (decimal == ".")
