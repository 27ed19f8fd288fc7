"""The few expressions that DuckDB and Spark read differently.

Everything else in this room is written in expressions that both engines read alike. What comes
in here is a column or a table of either engine; what goes out is an expression that gives the
same values on both. Nothing is computed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

if TYPE_CHECKING:
    import pyarrow as pa

Engine = Literal["duckdb", "spark"]

_INSTANT = dt.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _INSTANT), dt.timestamp))
def _duckdb_local_time(timezone, instant):  # type: ignore[no-untyped-def]
    """`timezone(zone, timestamptz)` of DuckDB: the wall clock in the zone."""


@ibis.udf.scalar.builtin(
    name="from_utc_timestamp", signature=((dt.timestamp, dt.string), dt.timestamp)
)
def _spark_local_time(instant, timezone):  # type: ignore[no-untyped-def]
    """`from_utc_timestamp(timestamp, zone)` of Spark: the wall clock in the zone."""


@ibis.udf.scalar.builtin(name="hash")
def _duckdb_hash(row) -> dt.uint64:  # type: ignore[no-untyped-def]
    """`hash(struct)` of DuckDB."""


@ibis.udf.scalar.builtin(name="xxhash64")
def _spark_hash(row) -> dt.int64:  # type: ignore[no-untyped-def]
    """`xxhash64(struct)` of Spark."""


def engine(expression: ir.Expr) -> Engine:
    """Name of the engine that an expression's tables belong to.

    Parameters
    ----------
    expression : ibis expression
        A table or a column of a connected backend.

    Returns
    -------
    {"duckdb", "spark"}
    """
    return "spark" if expression.get_backend().name == "pyspark" else "duckdb"


def days_between(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    """Whole days from one date to another (int64, negative when `later` is the earlier one).

    Of dates only: on timestamps DuckDB counts midnights and Spark counts elapsed days.

    Parameters
    ----------
    later, earlier : date column or date literal

    Returns
    -------
    int64 column, days; null where either is null.
    """
    return later.delta(earlier, unit="day").cast("int64")


def local_time(instant: ir.TimestampValue, timezone: str, engine: Engine) -> ir.TimestampValue:
    """Wall clock in a time zone at an instant.

    Parameters
    ----------
    instant : timestamp column
        With zone on DuckDB; on Spark a `TimestampType` column in a session set to UTC.
    timezone : str
        IANA name, such as ``Europe/London``.
    engine : {"duckdb", "spark"}

    Returns
    -------
    timestamp column without zone.
    """
    if engine == "spark":
        return _spark_local_time(instant, ibis.literal(timezone))
    return _duckdb_local_time(ibis.literal(timezone), instant)


def ratio(numerator: ir.NumericValue, denominator: ir.NumericValue) -> ir.FloatingValue:
    """Quotient as float64; null where the denominator is zero or either is null.

    DuckDB gives infinity on a zero divisor and Spark an error; Spark divides whole numbers as
    decimals with seven digits.

    Parameters
    ----------
    numerator, denominator : numeric columns

    Returns
    -------
    float64 column.
    """
    return numerator.cast("float64") / denominator.cast("float64").nullif(
        ibis.literal(0.0, "float64")
    )


def exactly(value: ir.Value, type_: str) -> ir.Value:
    """Cast that is always written.

    Ibis leaves a cast out when it takes a value to have the type already. It takes a sum of int64
    to be int64, where DuckDB adds up to 128 bits, which Parquet keeps as float64; and a product
    of decimals to have the digits of one factor.

    Parameters
    ----------
    value : column or reduction
    type_ : str
        Ibis name of the type.

    Returns
    -------
    The value in that type.
    """
    return ops.Cast(value, dt.dtype(type_)).to_expr()


def is_finite(values: ir.FloatingValue) -> ir.BooleanValue:
    """Whether a float64 is a number: neither infinite nor NaN; null for null.

    No comparison alone will do: DuckDB decides one by a Parquet file's minimum and maximum, in
    which NaN has no part. On Spark, Ibis takes nothing for infinite and NaN for null.

    Parameters
    ----------
    values : float64 column

    Returns
    -------
    boolean column
    """
    bounded = values.abs() <= ibis.literal(sys.float_info.max, "float64")
    return ~values.isnan() & ~values.isinf() & bounded


def square(amount: ir.DecimalValue) -> ir.DecimalValue:
    """Square of a decimal with six decimals, with all twelve of its own.

    DuckDB multiplies decimals of up to 18 digits in 64 bits and fails above 3037.0², so one
    factor is wider; Spark rounds what would need more than 38 digits, so the other is narrower.

    Parameters
    ----------
    amount : decimal column
        Six decimals; below 1e11 in size, as more fails.

    Returns
    -------
    decimal(37,12) column.
    """
    product = exactly(amount, "decimal(19, 6)") * exactly(amount, "decimal(17, 6)")
    return exactly(product, "decimal(37, 12)")


def row_hash(table: ir.Table, columns: Sequence[str], *, salt: int = 0) -> ir.IntegerValue:
    """Hash of whole rows, 64 bits: equal rows have equal hashes.

    The engines hash differently, so that a hash serves to tell rows of one table apart and
    never to compare tables.

    Parameters
    ----------
    table : ibis table
    columns : sequence of str
        Columns that make the row.
    salt : int
        Two hashes with different salts tell rows apart as one of 128 bits would.

    Returns
    -------
    64-bit integer column, never null.
    """
    fields: dict[str, Any] = {"salt_": ibis.literal(salt)}
    fields |= {f"value_{place}": table[name] for place, name in enumerate(columns)}
    if engine(table) == "duckdb":
        return _duckdb_hash(ibis.struct(fields))
    # Spark skips nulls, so that ("a", null) would equal (null, "a").
    fields |= {f"null_{place}": table[name].isnull() for place, name in enumerate(columns)}
    return _spark_hash(ibis.struct(fields))


def batches(table: ir.Table, rows: int = 122_880) -> pa.RecordBatchReader:
    """Compute a table and stream it as Arrow batches.

    On DuckDB it is never held whole; the stream ends when the connection runs another query, so
    read it to its end first. On Spark the driver holds the table.

    Ibis 12 cannot: its `to_pyarrow_batches` calls a method that DuckDB 2 no longer has, and on
    Spark goes through pandas, where integers with nulls become floats.

    Parameters
    ----------
    table : ibis table
    rows : int
        Rows of a batch, at most.

    Returns
    -------
    pyarrow.RecordBatchReader
    """
    import pyarrow as pa

    backend = table.get_backend()
    backend._run_pre_execute_hooks(table)
    if backend.name == "duckdb":
        return backend.con.sql(backend.compile(table)).to_arrow_reader(rows)
    whole = backend._session.sql(backend.compile(table)).toArrow()
    whole = whole.cast(pa.schema(table.schema().to_pyarrow()))
    return whole.to_reader(max_chunksize=rows)


def arrow(table: ir.Table) -> pa.Table:
    """Compute a table as one Arrow table; small results, the same types on both engines.

    Parameters
    ----------
    table : ibis table

    Returns
    -------
    pyarrow.Table
    """
    return batches(table).read_all()


def missing(type_: str) -> ir.Scalar:
    """Null of a type, such as ``"float64"`` or ``"string"``.

    Parameters
    ----------
    type_ : str
        Ibis name of the type.

    Returns
    -------
    Typed null.
    """
    return ibis.null(type_)


def latest(table: ir.Table, *, by: str | Sequence[str], order_by: Sequence[str]) -> ir.Table:
    """Last row of each key; ties are broken by the later columns of the order.

    `argmax` leaves the choice among ties to the engine, and the engines choose differently.

    Parameters
    ----------
    table : ibis table
    by : str or sequence of str
        Key columns.
    order_by : sequence of str
        Columns, most important first; the greatest values win and nulls lose. The choice is
        the same everywhere when they tell all rows of a key apart.

    Returns
    -------
    Table with the columns of `table` and one row per key.
    """
    keys = [by] if isinstance(by, str) else list(by)
    order = [ibis.desc(table[column], nulls_first=False) for column in order_by]
    place = ibis.row_number().over(ibis.window(group_by=keys, order_by=order))
    return table.mutate(place_in_key_=place).filter(ibis._.place_in_key_ == 0).drop("place_in_key_")


def whole_sum(count: ir.IntegerValue, *, where: ir.BooleanValue | None = None) -> ir.IntegerValue:
    """Sum of an int64 column as int64 on both engines.

    Parameters
    ----------
    count : int64 column
    where : boolean column or None

    Returns
    -------
    int64 reduction; null over no rows.
    """
    return exactly(count.sum(where=where), "int64")
