"""Sources opened as tables, and every way in which one is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.compat import arrow
from features.errors import FeaturesError, InputError
from features.inputs import Inputs
from features.opening import connection
from features.opening.sources import Opened, open_source
from features.settings import CustomersSource
from tests.features.reading import read_transactions


def _open(uri: Path | str, **given: Any) -> Opened:
    source = CustomersSource(uri=str(uri), customer_id="id", **given)
    return open_source(source, connection.duckdb(), "raw", key="sources.customers")


def _ids(opened: Opened) -> list[Any]:
    return sorted(arrow(opened.table)["id"].to_pylist())


def test_parquet_files_by_a_pattern(tmp_path: Path) -> None:
    for number in (1, 2):
        pq.write_table(pa.table({"id": [number]}), tmp_path / f"{number}.parquet")
    assert _ids(_open(tmp_path / "*.parquet")) == [1, 2]
    assert _ids(_open(tmp_path / "2.parquet")) == [2]


def test_patterns_are_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_text("id\n1\n")
    monkeypatch.chdir(tmp_path)
    assert _ids(_open("**/*.csv")) == ["1"]
    assert _ids(_open("deep/a.csv")) == ["1"]


def test_a_filter_is_applied_while_reading(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,n\n1,5\n2,15\n3,x\n")
    assert _ids(_open(tmp_path / "a.csv", where="n > 4")) == ["1", "2"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A DuckDB file with two tables, one in a schema of its own, and a view."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as shop:
        shop.execute("CREATE TABLE invoices AS SELECT 1 AS id")
        shop.execute("CREATE SCHEMA old")
        shop.execute("CREATE TABLE old.invoices AS SELECT 2 AS id")
        shop.execute("CREATE VIEW both_ AS SELECT * FROM invoices UNION ALL FROM old.invoices")
    return path


@pytest.mark.parametrize(
    ("table", "ids"), [("invoices", [1]), ("old.invoices", [2]), ("both_", [1, 2])]
)
def test_tables_of_a_duckdb_file(database: Path, table: str, ids: list[int]) -> None:
    opened = _open(database, table=table)
    assert _ids(opened) == ids
    opened.release()
    # Read only and let go: another process may write again.
    with duckdb.connect(str(database)) as shop:
        shop.execute("DROP VIEW both_")


def test_the_only_table_of_a_duckdb_file_needs_no_name(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "x.ddb")) as shop:
        shop.execute("CREATE TABLE t AS SELECT 7 AS id")
    assert _ids(_open(tmp_path / "x.ddb")) == [7]


@pytest.mark.parametrize("table", [None, "invoces"])
def test_the_tables_there_are_get_listed(database: Path, table: str | None) -> None:
    with pytest.raises(InputError, match=r"'both_', 'invoices', 'old\.invoices'"):
        _open(database, table=table)


def _text(path: Path) -> None:
    path.write_text("id\n1\n")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.mkdir()


def _nothing(path: Path) -> None:
    """Leave the path as it is: not there."""


def _cut_short(path: Path) -> None:
    pq.write_table(pa.table({"id": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("x.csv", _nothing, "does not exist"),
        ("*.csv", _nothing, "No file matches"),
        ("x.csv", _empty, "is empty; expected a header line"),
        ("x.parquet", _empty, "is empty; expected a Parquet file"),
        ("x.csv", _folder, "is a folder: name the files in it"),
        ("data", _folder, "is a folder: name the files in it"),
        ("x.parquet", _folder, "is a folder: name the files in it"),
        ("x.parquet", _text, "is not Parquet, or was cut short"),
        ("x.parquet", _cut_short, "is not Parquet, or was cut short"),
        ("x.duckdb", _text, "is not a DuckDB file"),
        ("x.duckdb", _nothing, "does not exist"),
        ("x.csv.gz", _text, "cannot be read: Not a gzipped file"),
        ("x.xlsx", _text, "is no known kind of source; expected a .csv"),
        ("x", _text, "is no known kind of source"),
        ("x.gz", _text, "is no known kind of source"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    tmp_path: Path, name: str, make: Any, message: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(InputError, match=re.escape(message)):
        _open(path)


@pytest.mark.parametrize(
    "uri", ["s3://bucket/x.parquet", "https://shop.example/x.csv", "mysql://u:secret@h/db", "://"]
)
def test_addresses_of_other_kinds_are_refused_without_their_password(uri: str) -> None:
    with pytest.raises(InputError, match="is no known address") as caught:
        _open(uri)
    assert "secret" not in str(caught.value)


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    _text(tmp_path / "invoices.csv")
    with pytest.raises(InputError, match=r"Did you mean 'invoices\.csv'\?"):
        _open(tmp_path / "invoces.csv")


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(InputError, match="pattern"):
        _open("data/**x/*.csv")


def test_files_that_do_not_fit_together_are_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "at": ["2024-03-01"], "amount": [1]}), tmp_path / "1.pq")
    pq.write_table(pa.table({"id": ["b"]}), tmp_path / "2.pq")
    with pytest.raises(InputError):
        read_transactions(tmp_path, tmp_path / "*.pq")


def test_a_spark_table_needs_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    with pytest.raises(InputError, match="needs an active Spark session"):
        read_transactions(tmp_path, Path("spark:/sales"), uri="spark://sales")


def test_a_spark_table_is_not_read_into_duckdb(tmp_path: Path) -> None:
    with pytest.raises(FeaturesError, match="hand in a connection to Spark"):
        read_transactions(tmp_path, Path("x"), uri="spark://x", connection=connection.duckdb())


@pytest.mark.spark
def test_spark_tables_there_are_get_listed(spark: Any) -> None:
    spark._session.range(1).createOrReplaceTempView("sales")
    source = CustomersSource(uri="spark://sale", customer_id="id")
    with pytest.raises(InputError, match=r"no table 'sale'. Did you mean 'sales'\?"):
        open_source(source, spark, "raw", key="k")


def test_spill_folders_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone = tmp_path / "spill-999999999-0"
    gone.mkdir()
    (tmp_path / "other").mkdir()
    backend = connection.duckdb(tmp_path)
    (own,) = backend.raw_sql("SELECT current_setting('temp_directory')").fetchone()
    assert Path(own).parent == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]


def test_reading_leaves_nothing_but_the_rejects(tmp_path: Path) -> None:
    inputs: Inputs = read_transactions(tmp_path, "id,at,amount\nC1,2024-03-01,5\n,,\n")
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["transactions.csv"]
    assert inputs.reports[0].rejected
