"""Expressions that DuckDB and Spark read differently: the same values on both."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.compat import (
    arrow,
    batches,
    days_between,
    engine,
    exactly,
    is_finite,
    latest,
    local_time,
    missing,
    ratio,
    row_hash,
    square,
    whole_sum,
)


def _days(*days: str | None) -> pa.Array:
    return pa.array([day and date.fromisoformat(day) for day in days], pa.date32())


def _money(*amounts: str | None) -> pa.Array:
    return pa.array([amount and Decimal(amount) for amount in amounts], pa.decimal128(18, 6))


ROWS = pa.table(
    {
        "key": ["a", "a", "b", "b", None],
        "place": [1, 2, 3, 4, 5],
        "first": _days("2024-02-28", "2024-03-01", "2023-12-31", None, "2024-03-10"),
        "last": _days("2024-03-01", "2024-02-28", "2024-01-01", "2024-01-01", "2024-03-11"),
        "top": [1, 2, 0, None, 7],
        "bottom": [3, 0, 5, 1, 2],
        "amount": _money("2.5", "-999999999.999999", "0.000001", None, "0"),
        "text": ["x", None, "x", "y", "x"],
        "other": [None, "x", None, "y", None],
    }
)


def _duckdb_rows() -> Any:
    return ibis.duckdb.connect().create_table("rows", ROWS)


def _spark_rows(spark: Any) -> Any:
    spark._session.createDataFrame(ROWS).createOrReplaceTempView("rows")
    return spark.table("rows")


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def rows(request: pytest.FixtureRequest) -> Any:
    """Five rows with nulls, as a table of each engine."""
    if request.param == "duckdb":
        return _duckdb_rows()
    return _spark_rows(request.getfixturevalue("spark"))


def _column(rows: Any, values: Any) -> list[Any]:
    return arrow(rows.select(place=rows.place, x=values).order_by("place"))["x"].to_pylist()


def test_the_engine_is_named(rows: Any, request: pytest.FixtureRequest) -> None:
    assert engine(rows) == request.node.callspec.params["rows"]
    assert engine(rows.place + 1) == engine(rows)


def test_days_between_dates_are_counted_by_the_calendar(rows: Any) -> None:
    values = days_between(rows["last"], rows["first"])
    assert str(values.type()) == "int64"
    assert _column(rows, values) == [2, -2, 1, None, 1]
    as_of = ibis.literal(date(2024, 3, 2))
    assert _column(rows, days_between(as_of, rows["last"])) == [1, 3, 61, 61, -9]


def test_a_ratio_is_a_float_and_null_over_zero(rows: Any) -> None:
    values = ratio(rows.top, rows.bottom)
    assert str(values.type()) == "float64"
    assert _column(rows, values) == [1 / 3, None, 0.0, None, 3.5]
    # Spark would divide whole numbers as decimals: 31.4583333 with seven digits.
    assert _column(rows, ratio(rows.bottom * 0 + 755, ibis.literal(24)))[0] == 755 / 24


def test_finite_is_neither_infinite_nor_nan(rows: Any, tmp_path: Path) -> None:
    """In a Parquet file too, whose minimum and maximum leave NaN out."""
    values = pa.table({"place": [1, 2, 3, 4], "y": [1.5, float("nan"), None, float("-inf")]})
    backend = rows.get_backend()
    if engine(rows) == "spark":
        backend._session.createDataFrame(values).createOrReplaceTempView("floats")
        assert _column(backend.table("floats"), is_finite(backend.table("floats").y))[3] is False
        return
    for some in (values, values.slice(0, 3)):
        pq.write_table(some, tmp_path / "floats.parquet")
        table = backend.read_parquet(tmp_path / "floats.parquet")
        assert _column(table, is_finite(table.y)) == [True, False, None, False][: some.num_rows]


def test_squares_of_money_are_exact(rows: Any) -> None:
    expected = ["6.25", "999999999999998000.000000000001", "0.000000000001", None, "0"]
    assert _column(rows, square(rows.amount)) == [Decimal(e) if e else None for e in expected]
    total = arrow(rows.aggregate(x=square(rows.amount).sum()))["x"][0].as_py()
    assert total == Decimal("999999999999998006.250000000002")


def test_sums_of_whole_numbers_are_int64_in_the_engine_too(rows: Any, tmp_path: Path) -> None:
    """DuckDB's own sum has 128 bits, which Parquet keeps as a float64."""
    sums = rows.aggregate(all=whole_sum(rows.top), some=whole_sum(rows.top, where=rows.place > 1))
    assert arrow(sums).to_pylist() == [{"all": 10, "some": 9}]
    if engine(rows) == "duckdb":
        sums.to_parquet(tmp_path / "sums.parquet")
        assert pq.read_schema(tmp_path / "sums.parquet").types == [pa.int64(), pa.int64()]


def test_an_exact_cast_is_written_where_the_type_seems_right(rows: Any) -> None:
    values = exactly(rows.amount, "decimal(18, 6)")
    assert values.type() == rows.amount.type()
    assert "CAST" in rows.get_backend().compile(rows.select(x=values))


def test_typed_nulls(rows: Any) -> None:
    kinds = {"float64": pa.float64(), "string": pa.string(), "int64": pa.int64()}
    table = arrow(rows.select(**{kind: missing(kind) for kind in kinds}))
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == kinds
    assert all(column.null_count == 5 for column in table.columns)


def test_the_latest_row_of_a_key_is_the_greatest_and_nulls_lose(rows: Any) -> None:
    kept = latest(rows.filter(rows.key.notnull()), by="key", order_by=["first", "place"])
    assert kept.columns == rows.columns
    assert sorted(arrow(kept)["place"].to_pylist()) == [2, 3]


def test_ties_are_broken_by_the_later_columns(rows: Any) -> None:
    kept = latest(rows, by=["text"], order_by=["other", "place"])
    by_text = {r["text"]: r["place"] for r in arrow(kept).to_pylist()}
    assert by_text == {"x": 5, "y": 4, None: 2}


def test_equal_rows_and_only_those_have_equal_hashes(rows: Any) -> None:
    # ("x", null) and (null, "x") differ; Spark's own hash skips nulls and finds them equal.
    hashes = _column(rows, row_hash(rows, ["text", "other"]))
    salted = _column(rows, row_hash(rows, ["text", "other"], salt=1))
    assert hashes[0] == hashes[2] == hashes[4]
    assert len({hashes[0], hashes[1], hashes[3]}) == 3
    assert set(hashes).isdisjoint(salted)


WALL_CLOCKS = [
    # 23:30 in New York is the next day in UTC.
    ("2024-03-02 04:30:00", "America/New_York", "2024-03-01 23:30:00"),
    # The hour before and after the clocks go forward, 2024-03-10 02:00 in New York.
    ("2024-03-10 06:59:59", "America/New_York", "2024-03-10 01:59:59"),
    ("2024-03-10 07:00:00", "America/New_York", "2024-03-10 03:00:00"),
    # Two instants share a wall clock when they go back, 2024-11-03 02:00.
    ("2024-11-03 05:30:00", "America/New_York", "2024-11-03 01:30:00"),
    ("2024-11-03 06:30:00", "America/New_York", "2024-11-03 01:30:00"),
    ("2024-06-30 23:30:00", "Europe/London", "2024-07-01 00:30:00"),
    ("2024-01-01 00:00:00", "Asia/Kolkata", "2024-01-01 05:30:00"),
    ("2024-01-01 00:00:00", "UTC", "2024-01-01 00:00:00"),
]


def test_local_time_is_the_wall_clock_of_the_zone(rows: Any) -> None:
    which = engine(rows)
    kind = "timestamp('UTC')" if which == "duckdb" else "timestamp"
    clocks = {
        f"case_{place}": local_time(ibis.literal(instant).cast(kind), zone, which)
        for place, (instant, zone, _) in enumerate(WALL_CLOCKS)
    }
    seen = arrow(rows.limit(1).select(**clocks)).to_pylist()[0]
    assert list(seen.values()) == [datetime.fromisoformat(wall) for *_, wall in WALL_CLOCKS]


def test_batches_stream_whole_integers_although_some_are_null(rows: Any) -> None:
    reader = batches(rows.select("place", "top").order_by("place"), rows=2)
    assert reader.schema.field("top").type == pa.int64()
    table = reader.read_all()
    assert table["top"].to_pylist() == [1, 2, 0, None, 7]


def test_tables_in_memory_can_be_computed_too() -> None:
    assert arrow(ibis.memtable(ROWS).select("place"))["place"].to_pylist() == [1, 2, 3, 4, 5]
