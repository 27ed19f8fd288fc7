"""The catalogue as a contract of the behaviour table.

In: a behaviour table, best one that has been written: every check is a query of its own. Out:
nothing, or an error that names each column and what was expected of it. Values are checked in
the engine; no row is pulled into memory but a few that fail.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from features.catalogue import ATTRIBUTE, FEATURES, Feature
from features.compat import is_finite
from features.errors import FeaturesError

if TYPE_CHECKING:
    from pandera.errors import SchemaError
    from pandera.ibis import Column, DataFrameSchema

    from features.table import Population

SHOWN = 3
_TYPES = {"int64": dt.int64, "float64": dt.float64}
_BY_NAME = {feature.name: feature for feature in FEATURES}


def check(table: ir.Table, *, population: Population = "buyers") -> None:
    """Refuse a behaviour table that is not as the catalogue says.

    Parameters
    ----------
    table : ibis table
        Columns ``customer_id``, ``as_of``, those of the catalogue in their order, then
        ``attribute_*`` (string or float64).
    population : {"buyers", "customers", "subscribers"}
        Among all but buyers those without an occasion may have nulls everywhere.

    Raises
    ------
    FeaturesError
        Naming every column with a wrong place, type, null or value. Customers are not named.
    """
    _check_columns(table)
    contract = schema(table, population=population)
    from pandera.errors import SchemaErrors

    try:
        contract.validate(table, lazy=True)
    except SchemaErrors as errors:
        faults = [_fault(error) for error in errors.schema_errors]
        raise FeaturesError(
            f"Got a behaviour table that is not as the catalogue says: {'; '.join(faults)}. "
            "Build it again with `regulars build`."
        ) from None


def schema(table: ir.Table, *, population: Population = "buyers") -> DataFrameSchema:
    """Contract of a behaviour table as a pandera schema for ibis tables.

    Parameters
    ----------
    table : ibis table
        For its ``attribute_*`` columns.
    population : {"buyers", "customers", "subscribers"}

    Returns
    -------
    pandera DataFrameSchema
    """
    Column, DataFrameSchema = _pandera("Column", "DataFrameSchema")
    attributes = [name for name in table.columns if name.startswith(ATTRIBUTE)]
    columns = {
        "customer_id": Column(dt.string),
        "as_of": Column(dt.date),
        **{feature.name: _column(feature, population) for feature in FEATURES},
        **{name: _attribute(table[name].type()) for name in attributes},
    }
    return DataFrameSchema(columns, unique=["customer_id"])


def _pandera(*names: str) -> tuple[Any, ...]:
    """Names of `pandera.ibis`, imported when wanted: it takes seconds, of which pyspark most."""
    with warnings.catch_warnings():
        # pandera imports `pyspark.pandas` where it is installed, which has views on pandas 3.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        from pandera import ibis as pandera_ibis
    return tuple(getattr(pandera_ibis, name) for name in names)


def _column(feature: Feature, population: Population) -> Column:
    """Column of the catalogue: its type, its range and whether it may be null."""
    Check, Column = _pandera("Check", "Column")
    nullable = feature.nullable or population != "buyers"
    if feature.kind == "string":
        return Column(dt.string, nullable=nullable)
    checks = [Check(lambda data: _within(data.table[data.key], feature), n_failure_cases=SHOWN)]
    return Column(_TYPES[feature.kind], checks, nullable=nullable)


def _attribute(type_: dt.DataType) -> Column:
    """Attribute of the user's: text or finite numbers, null where it is not known."""
    Check, Column = _pandera("Check", "Column")
    if type_.is_string():
        return Column(dt.string, nullable=True)
    checks = [Check(lambda data: is_finite(data.table[data.key]), n_failure_cases=SHOWN)]
    return Column(dt.float64, checks, nullable=True)


def _within(column: ir.Column, feature: Feature) -> ir.BooleanValue:
    """Whether values are finite and in the range of their feature."""
    fits = is_finite(column) if feature.kind == "float64" else column.notnull()
    if feature.low is not None:
        fits &= column >= feature.low
    if feature.high is not None:
        fits &= column <= feature.high
    return fits


def _check_columns(table: ir.Table) -> None:
    """Refuse columns that are missing, not known or out of their order."""
    expected = ["customer_id", "as_of", *_BY_NAME]
    got = [name for name in table.columns if not name.startswith(ATTRIBUTE)]
    missing = [name for name in expected if name not in got]
    unknown = [name for name in got if name not in expected]
    if missing or unknown:
        raise FeaturesError(
            f"Got a behaviour table without {missing or 'nothing'} and with {unknown or 'nothing'} "
            "besides, expected the columns of the catalogue. Build it again with `regulars build`."
        )
    if list(table.columns)[: len(expected)] != expected:
        raise FeaturesError(
            "Got a behaviour table in another order, expected that of the catalogue with "
            "attribute_* columns last. Build it again with `regulars build`."
        )


def _fault(error: SchemaError) -> str:
    """One thing that is wrong, in words."""
    name, reason = getattr(error.schema, "name", None), error.reason_code.name
    if reason == "DUPLICATES":
        return "customer_id is repeated"
    if reason == "SERIES_CONTAINS_NULLS":
        return f"{name} has nulls"
    if reason == "WRONG_DATATYPE":
        return f"{name} is {error.failure_cases}, expected {error.check}"
    feature = _BY_NAME.get(str(name))
    low, high = (feature.low, feature.high) if feature else (None, None)
    span = f"{'' if low is None else f'from {low:g} '}{'' if high is None else f'to {high:g} '}"
    return f"{name} has values that are not {span}and finite"
