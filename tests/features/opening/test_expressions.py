"""Arithmetic and filters of the settings: what they mean, and what they refuse."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.compat import arrow
from features.errors import FeaturesError, InputError, SettingsError
from features.opening.expressions import amount, columns_of, condition

ROWS = {
    "Quantity": pa.array(["2", " 3 ", "-1", "x", None, ""]),
    "Price": pa.array([2.55, 1.0, 4.0, 1.0, 1.0, 1.0]),
    "Unit Price": pa.array([1, 2, 3, 4, 5, 6]),
    "Country": pa.array(["France", "Spain", "FRANCE", None, "Fiji", "O'Hara"]),
    "at": pa.array([f"2024-03-0{day}" for day in range(1, 7)]),
    "paid": pa.array([True, False, True, None, True, True]),
}


@pytest.fixture
def table() -> Any:
    """Six rows with text numbers, numbers, a name with a space, text, dates and booleans."""
    rows = pa.table(ROWS)
    rows = rows.append_column("day", rows["at"].cast(pa.date32()))
    return ibis.duckdb.connect().create_table("rows", rows)


def _values(table: Any, setting: str) -> list[Any]:
    return arrow(table.select(x=amount(table, setting, "amount")))["x"].to_pylist()


def _rows(table: Any, setting: str) -> list[int]:
    kept = arrow(table.filter(condition(table, setting, "where")))
    return kept["Unit Price"].to_pylist()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("Price", [2.55, 1.0, 4.0, 1.0, 1.0, 1.0]),
        # A setting that is the name of a column is that column, whatever signs it holds.
        ("Unit Price", [1, 2, 3, 4, 5, 6]),
        # Text is read as a number; what is none is null, and so is all that is made of it.
        ("Quantity * Price", [5.1, 3.0, -4.0, None, None, None]),
        ('"Unit Price" * -Price', [-2.55, -2.0, -12.0, -4.0, -5.0, -6.0]),
        ("(Price + 1) / 2 - 0.5", [1.275, 0.5, 2.0, 0.5, 0.5, 0.5]),
        ('Price / ("Unit Price" - 1)', [None, 1.0, 2.0, 1 / 3, 0.25, 0.2]),
    ],
)
def test_arithmetic_is_what_it_says(table: Any, setting: str, expected: list[float | None]) -> None:
    assert _values(table, setting) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("Quantity > 0", [1, 2]),
        # Text beside text is compared as text, beside a number as a number.
        ("Quantity >= '2'", [1, 4]),
        ("Quantity >= 2", [1, 2]),
        ("Country = 'France'", [1]),
        ("lower(Country) = 'france'", [1, 3]),
        ("Country in ('Spain', 'Fiji')", [2, 5]),
        ("Country not in ('Spain', 'Fiji')", [1, 3, 6]),
        ("Country like 'F%'", [1, 3, 5]),
        ("Country not like 'F%'", [2, 6]),
        ("Country is null or Country = 'O''Hara'", [4, 6]),
        ("Country is not null and not (Price > 1)", [2, 5, 6]),
        ("Price between 2 and 5", [1, 3]),
        ('"Unit Price" * Price <> 4 and "Unit Price" in (1, 4, 5)', [1, 5]),
        ("day >= '2024-03-05'", [5, 6]),
        ("'2024-03-02' > day", [1]),
        ("day between '2024-03-02' and '2024-03-03'", [2, 3]),
        ("at < '2024-03-03'", [1, 2]),
        ("paid", [1, 3, 5, 6]),
        ("not paid", [2]),
        ("paid = false", [2]),
    ],
)
def test_filters_keep_what_they_say(table: Any, setting: str, expected: list[int]) -> None:
    assert _rows(table, setting) == expected


@pytest.mark.parametrize(
    "setting",
    [
        "1; DROP TABLE rows",
        "(SELECT 1)",
        "Price + (SELECT max(Price) FROM rows)",
        "read_csv('/etc/passwd')",
        "getenv('HOME')",
        "sum(Price)",
        "Price::int",
        "CASE WHEN Price > 1 THEN 1 END",
        "Price || 'x'",
        "Price -> 'x'",
        "'5' * Price",
        "Price ^ 2",
        "Price % 2",
        "Price > 1",
        "*",
        "Price.x * 2",
        "$1 * Price",
        "Price -",
        "",
        "-- nothing",
        "1 + 1",
        "1e999999 * Price * x'41'",
    ],
)
def test_an_amount_is_arithmetic_and_nothing_else(table: Any, setting: str) -> None:
    with pytest.raises(FeaturesError, match=r"^amount"):
        _values(table, setting)


@pytest.mark.parametrize(
    "setting",
    [
        "Country in (SELECT Country FROM rows)",
        "exists (SELECT 1)",
        "Country = getenv('HOME')",
        "Country like Country",
        "Country ilike 'f%'",
        "Country similar to 'f'",
        "regexp_matches(Country, 'F')",
        "Price",
        "Price + 1",
        "Price > 'much'",
        "day > 'yesterday'",
        "Price > any(SELECT 1)",
        "true; DELETE FROM rows",
        "Country = 'France' ORDER BY 1",
        "Country like 'F%' escape '%'",
        "Price is true",
    ],
)
def test_a_filter_is_a_condition_and_nothing_else(table: Any, setting: str) -> None:
    with pytest.raises(SettingsError, match=r"^where"):
        _rows(table, setting)
    assert arrow(table.count().as_table()).num_rows == 1


def test_an_unknown_column_is_named_with_the_nearest_and_all_there_are(table: Any) -> None:
    with pytest.raises(InputError) as caught:
        _values(table, "Quantity * Prise")
    message = str(caught.value)
    assert "Prise is no column" in message
    assert "Did you mean 'Price'?" in message
    assert all(repr(name) in message for name in table.columns)


def test_a_name_with_a_space_is_to_be_quoted(table: Any) -> None:
    with pytest.raises(SettingsError, match=r"Put double quotes around 'Unit Price'"):
        _values(table, "Unit Price * 2")


def test_the_refused_piece_is_named(table: Any) -> None:
    with pytest.raises(SettingsError, match=r"'ABS\(Price\)' is not allowed here"):
        _values(table, "2 * abs(Price)")


@pytest.mark.parametrize("depth", [100, 900])
def test_deep_nesting_is_read_or_refused(table: Any, depth: int) -> None:
    setting = "(" * depth + "Price" + ")" * depth
    try:
        assert _values(table, setting) == ROWS["Price"].to_pylist()
    except SettingsError as error:
        assert "cannot be read" in str(error)


def test_very_long_settings_are_refused(table: Any) -> None:
    with pytest.raises(SettingsError, match="characters"):
        _values(table, "Price + " * 1000 + "Price")


def test_the_columns_that_are_read() -> None:
    columns = ["Quantity", "Unit Price", "Other"]
    assert columns_of('"Unit Price" * Quantity + Quantity', columns, "k") == (
        "Unit Price",
        "Quantity",
    )
    assert columns_of("Unit Price", columns, "k") == ("Unit Price",)


def test_text_with_a_decimal_comma_is_read_where_it_is_said_to_have_one() -> None:
    rows = pa.table({"Menge": ["2", "1,5"], "Preis": ["1.000,50", "2"], "Satz": ["0.5", "0.25"]})
    table = ibis.duckdb.connect().create_table("rows", rows)
    commas = {"Menge", "Preis"}
    found = table.select(x=amount(table, "Menge * Preis * Satz + 0.5", "k", commas=commas))
    assert arrow(found)["x"].to_pylist() == [1001.0, 1.25]
    (one,) = arrow(table.select(x=amount(table, "Preis", "k", commas=commas)).limit(1))["x"]
    assert one.as_py() == 1000.5
    kept = table.filter(condition(table, "Preis > 2.5 and Satz < 1", "k", commas=commas))
    assert arrow(kept)["Preis"].to_pylist() == ["1.000,50"]
