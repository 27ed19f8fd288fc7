"""Text and numbers of raw columns: the same on both engines, whatever the column's type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compat import arrow
from features.errors import InputError
from features.opening.columns import column, is_blank, is_number, number, text

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
COMMA_NUMBERS = {
    "-1.234,50": -1234.5,
    "1234,5": 1234.5,
    "12": 12.0,
    " 7,5 ": 7.5,
    "+3": 3.0,
    "-0,0": 0.0,
    ",5": 0.5,
    "5,": 5.0,
    "1,5E+02": 150.0,
    "1.234": 1234.0,
    "999.999.999,99": 999999999.99,
    # A decimal point that strayed in is not a thousand.
    "12.50": None,
    "0.123": None,
    "1234.567": None,
    "1.2345": None,
    "1.23,4": None,
    "1.234.56": None,
    "1..234": None,
    ".234": None,
    "1,234.50": None,
    "1,2,3": None,
    "1.234,5e1": None,
    "1 234,50": None,
    "1'234,50": None,
    ",": None,
    "-": None,
    "5,00 €": None,
    "": None,
    "-Infinity": float("-inf"),
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


def test_numbers_with_a_decimal_comma_are_strict_too(engine_table: Any) -> None:
    table = engine_table(pa.table({"x": list(COMMA_NUMBERS)}))
    seen = table.select(x=table.x, y=number(table.x, comma=True), z=is_number(table.x, comma=True))
    found = arrow(seen).to_pylist()
    assert {row["x"]: row["y"] for row in found} == COMMA_NUMBERS
    finite = {text for text, value in COMMA_NUMBERS.items() if value not in (None, float("-inf"))}
    assert {row["x"] for row in found if row["z"]} == finite


def test_a_column_of_numbers_has_no_decimal_sign(engine_table: Any) -> None:
    rows = pa.table({"whole": [1234], "float": [12.5], "exact": [Decimal("1.234")]})
    table = engine_table(rows)
    found = arrow(table.select(**{name: number(table[name], comma=True) for name in table.columns}))
    assert found.to_pylist() == [{"whole": 1234.0, "float": 12.5, "exact": 1.234}]


def _by_hand(written: str) -> float | None:
    """A number with a decimal comma, read letter by letter in plain Python."""
    body = written.strip(" ")
    sign = -1.0 if body[:1] == "-" else 1.0
    body = body[1:] if body[:1] in ("+", "-") else body
    mantissa, e, exponent = body.replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(",")
    groups = whole.split(".")
    if len(groups) > 1:
        sound = groups[0] != "" and groups[0][0] != "0" and len(groups[0]) <= 3
        if e or not sound or any(len(group) != 3 for group in groups[1:]):
            return None
    digits = "".join(groups)
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if not (digits or fraction) or any(not "0" <= d <= "9" for d in digits + fraction + power):
        return None
    if e and not 1 <= len(power) <= 3:
        return None
    return sign * float(f"{digits or 0}.{fraction or 0}{e}{exponent}")


@settings(max_examples=40)
@given(st.lists(st.text(alphabet="0123456789.,,..+-e ", max_size=9), min_size=200, max_size=200))
def test_a_decimal_comma_is_read_as_by_hand(texts: list[str]) -> None:
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": texts}))
    found = arrow(table.select(x=table.x, y=number(table.x, comma=True))).to_pylist()
    assert [row["y"] for row in found] == [_by_hand(row["x"]) for row in found]


@settings(max_examples=20)
@given(
    st.lists(
        st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False),
        min_size=100,
        max_size=100,
    )
)
def test_an_amount_is_the_same_however_it_is_written(amounts: list[Decimal]) -> None:
    swap = str.maketrans(",.", ".,")
    written = {
        "grouped": [f"{value:,.2f}".translate(swap) for value in amounts],
        "plain": [f"{value:.2f}".translate(swap) for value in amounts],
    }
    table = ibis.duckdb.connect().create_table("rows", pa.table(written))
    found = arrow(table.select(**{way: number(table[way], comma=True) for way in written}))
    for way in written:
        assert found[way].to_pylist() == [float(value) for value in amounts]
