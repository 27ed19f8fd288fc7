"""Text and numbers of raw columns: the same on both engines, whatever the column's type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.columns import column, is_blank, number, text
from features.compat import arrow
from features.errors import InputError

TEXTS = {
    "17850": "17850",
    "17850.0": "17850",
    "17850.00": "17850",
    "-3.0": "-3",
    " 17850 ": "17850",
    "\t17850.0\n": "17850",
    "007": "007",
    "C1.0": "C1.0",
    "1.05": "1.05",
    "0.0": "0",
    "  ": None,
    "": None,
    "a b": "a b",
    "é ": "é",
}
NUMBERS = {
    "12.50": 12.5,
    " 7.5 ": 7.5,
    "+3": 3.0,
    "-0.0": 0.0,
    ".5": 0.5,
    "5.": 5.0,
    "1e2": 100.0,
    "1,234.50": None,
    "1_000": None,
    "0x10": None,
    "1.5d": None,
    "1.5f": None,
    "£5": None,
    "(5)": None,
    "five": None,
    "": None,
    "1e400": float("inf"),
    "-Infinity": float("-inf"),
    "inf": float("inf"),
}


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine_table(request: pytest.FixtureRequest) -> Any:
    """Makes a table of either engine from an Arrow table."""
    if request.param == "duckdb":
        connection = ibis.duckdb.connect()
        return lambda rows: connection.create_table("rows", rows)
    spark = request.getfixturevalue("spark")

    def _make(rows: pa.Table) -> Any:
        spark._session.createDataFrame(rows).createOrReplaceTempView("rows")
        return spark.table("rows")

    return _make


def test_text_is_trimmed_and_whole_numbers_lose_their_point(engine_table: Any) -> None:
    table = engine_table(pa.table({"x": list(TEXTS)}))
    found = arrow(table.select(x=table.x, y=text(table.x), z=is_blank(table.x))).to_pylist()
    assert {row["x"]: row["y"] for row in found} == TEXTS
    assert {row["x"] for row in found if row["z"]} == {"  ", ""}


def test_an_id_is_the_same_text_whatever_the_type_of_its_column(engine_table: Any) -> None:
    ids = [17850, None, 12]
    table = engine_table(
        pa.table(
            {
                "place": [0, 1, 2],
                "whole": pa.array(ids, pa.int32()),
                "float": pa.array(ids, pa.float64()),
                "small": pa.array(ids, pa.float32()),
                "exact": pa.array([i and Decimal(i) for i in ids], pa.decimal128(10, 2)),
                "text": ["17850.0", None, " 12"],
            }
        )
    )
    columns = ("whole", "float", "small", "exact", "text")
    found = arrow(table.select("place", **{c: text(table[c]) for c in columns}).order_by("place"))
    for name in columns:
        assert found[name].to_pylist() == ["17850", None, "12"]


def test_floats_that_are_no_whole_number_are_no_id(engine_table: Any) -> None:
    values = [float("nan"), float("inf"), 1.5, 1e300]
    table = engine_table(pa.table({"place": [0, 1, 2, 3], "x": values}))
    found = arrow(table.select("place", y=text(table.x)).order_by("place"))["y"].to_pylist()
    assert found[:3] == [None, None, "1.5"]
    assert found[3] is not None


def test_numbers_are_plain_or_null(engine_table: Any) -> None:
    table = engine_table(pa.table({"x": list(NUMBERS)}))
    found = arrow(table.select(x=table.x, y=number(table.x))).to_pylist()
    assert {row["x"]: row["y"] for row in found} == NUMBERS


def test_a_missing_column_is_named_with_what_there_is(engine_table: Any) -> None:
    table = engine_table(pa.table({"Customer ID": [1], "Price": [2]}))
    with pytest.raises(InputError, match=r"k = 'customer id'.* Did you mean 'Customer ID'\?"):
        column(table, "customer id", "k")
