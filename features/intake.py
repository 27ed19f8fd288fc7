"""From settings to accepted rows: every source opened, judged, kept once and reported.

The judged rows are materialised once (a table of the in-memory DuckDB, a cached view on Spark);
everything after this reads the accepted ones among them. Rows read = accepted + rejected.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.compat import batches
from features.contracts import contract
from features.contracts.customers import customers as judge_customers
from features.contracts.rejects import remove_rejects, write_rejects
from features.contracts.reports import report
from features.contracts.specimens import specimens
from features.contracts.subscriptions import subscriptions as judge_subscriptions
from features.contracts.treatments import treatments as judge_treatments
from features.errors import EmptyError, InputError, SettingsError
from features.inputs import Inputs, SourceReport
from features.opening import connection as engines
from features.opening.expressions import columns_of
from features.opening.postgres import brief
from features.opening.sources import Opened, Wanted, is_spark, open_source
from features.settings import (
    CustomersSource,
    EventsSource,
    Sources,
    SubscriptionsSource,
    TransactionsSource,
    TreatmentsSource,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

AnySource = (
    TransactionsSource | CustomersSource | EventsSource | SubscriptionsSource | TreatmentsSource
)
Progress = Callable[[str], None]
_READ = ("transactions", "customers", "events", "subscriptions", "treatments")
# Settings that name one column.
_SINGLE = (
    *("customer_id", "timestamp", "order_id", "product_id", "category", "kind", "label"),
    *("start", "end", "plan", "end_reason", "account"),
    *("campaign", "action", "arm"),
)
# What judging leaves beside the columns of `features.inputs`.
_JUDGED = ("reason_", "row_", "zoned_", "raw_", "last_")


def read(
    sources: Sources,
    *,
    timezone: str,
    now: datetime,
    rejects: Path | None = None,
    connection: Any = None,
    progress: Progress | None = None,
) -> Inputs:
    """Read, judge and keep the rows of every source.

    Parameters
    ----------
    sources : Sources
        At least one of them.
    timezone : str
        IANA name of the business time zone.
    now : datetime
        This moment, with a time zone; later rows are rejected.
    rejects : Path, optional
        Folder for the rejected rows, ``<source>.csv`` each; not kept when not given.
    connection : ibis backend, optional
        DuckDB or Spark to read in. By default DuckDB in memory, which spills to disk beside
        `rejects`; the active Spark session when a source is a Spark table.
    progress : callable, optional
        Told in a few words what is being done.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        If a source cannot be read or has no rows.
    SettingsError
        If a setting cannot be.
    EmptyError
        If a source's `where` leaves no row.
    """
    reading = _Reading.start(sources, timezone, now, rejects, connection, progress)
    tables: dict[str, ir.Table] = {}
    reports: list[SourceReport] = []
    for name in _READ:
        source = getattr(sources, name)
        if source is not None:
            tables[name], found = _read_source(reading, name, source)
            reports.append(found)
    return Inputs(**tables, reports=tuple(reports), connection=reading.connection)


@dataclass(frozen=True)
class _Reading:
    """What reading one source has in common with reading the next."""

    connection: Any
    clock: contract.Clock
    rejects: Path | None
    progress: Progress
    local: Any

    @classmethod
    def start(
        cls,
        sources: Sources,
        timezone: str,
        now: datetime,
        rejects: Path | None,
        connection: Any,
        progress: Progress | None,
    ) -> _Reading:
        given = [getattr(sources, name) for name in _READ if getattr(sources, name) is not None]
        if not given:
            raise SettingsError(
                "No source to read; give at least one of [sources.transactions], "
                "[sources.customers], [sources.events], [sources.subscriptions] and "
                "[sources.treatments]."
            )
        local_now = now.astimezone(_zone(timezone)).replace(tzinfo=None)
        spill = rejects.parent / "spill" if rejects is not None else None
        if connection is None:
            on_spark = any(is_spark(source.uri) for source in given)
            connection = engines.spark() if on_spark else engines.duckdb(spill)
        engine: Any = "spark" if connection.name == "pyspark" else "duckdb"
        if engine == "duckdb" and any(is_spark(source.uri) for source in given):
            raise SettingsError(
                "A Spark table cannot be read into DuckDB; hand in a connection to Spark."
            )
        local = connection if engine == "duckdb" else engines.duckdb(spill)
        clock = contract.Clock(timezone, local_now, engine)
        return cls(connection, clock, rejects, progress or (lambda _: None), local)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"timezone = {timezone!r} is not known; use an IANA name such as 'Europe/London'."
        ) from None


def _read_source(reading: _Reading, name: str, source: AnySource) -> tuple[ir.Table, SourceReport]:
    """Read one source in the engine that it is in; hand the accepted rows to the common one."""
    inside = is_spark(source.uri) or reading.clock.engine == "duckdb"
    backend = reading.connection if inside else reading.local
    clock = reading.clock if inside else replace(reading.clock, engine="duckdb")
    unique = f"{name}_{secrets.token_hex(4)}"
    reading.progress(f"{name}: reading")
    opened = open_source(
        source, backend, f"{unique}_raw", key=f"sources.{name}", wanted=_wanted(source)
    )
    with _engine_errors(opened):
        judged = _keep(backend, f"{unique}_judged", _judge(opened, source, clock, backend, unique))
    opened.release()
    found = _report(reading, name, source, opened, judged)
    accepted = judged.filter(judged.reason_.isnull())
    accepted = accepted.drop(*(name for name in _JUDGED if name in judged.columns))
    if not inside:
        accepted = _hand_over(accepted, reading.connection, unique)
    return accepted, found


def _judge(
    opened: Opened, source: AnySource, clock: contract.Clock, backend: Any, unique: str
) -> ir.Table:
    if isinstance(source, CustomersSource):
        # The types of the attributes are read off the values: a CSV file is read only once.
        kept = _keep(backend, f"{unique}_rows", opened.table)
        return judge_customers(replace(opened, table=kept), source)
    if isinstance(source, EventsSource):
        return contract.events(opened, source, clock)
    if isinstance(source, SubscriptionsSource):
        return judge_subscriptions(opened, source, clock)
    if isinstance(source, TreatmentsSource):
        return judge_treatments(opened, source, clock)
    return contract.transactions(opened, source, clock)


def _wanted(source: AnySource) -> Wanted | None:
    """Columns that a database over the network has to give; None for whole rows."""
    if getattr(source, "deduplicate", False):
        return None

    def needed(columns: Sequence[str]) -> list[str]:
        named = [getattr(source, setting, None) for setting in _SINGLE]
        named += [*getattr(source, "attributes", ()), *getattr(source, "permissions", ())]
        for setting in ("amount", "margin", "value", "price", "cost"):
            if written := getattr(source, setting, None):
                named += columns_of(written, columns, f"sources.*.{setting}")
        return [name for name in named if name is not None]

    return needed


def _keep(backend: Any, name: str, table: ir.Table) -> ir.Table:
    """Compute a table once and keep it within the engine."""
    if backend.name == "pyspark":
        backend.create_view(name, table, overwrite=True)
        backend._session.catalog.cacheTable(name)
        return backend.table(name)
    return backend.create_table(name, table, temp=True)


def _report(
    reading: _Reading,
    name: str,
    source: AnySource,
    opened: Opened,
    judged: ir.Table,
) -> SourceReport:
    reading.progress(f"{name}: counting")
    found = report(name, judged, source, malformed=len(opened.malformed), commas=opened.commas)
    if not found.read:
        _refuse_empty(name, source, opened.uri)
    if reading.rejects is not None:
        path = reading.rejects / f"{name}.csv"
        if found.rejected:
            reading.progress(f"{name}: writing {found.read - found.accepted:,} rejected rows")
            looked = specimens(judged, source, key=f"sources.{name}", commas=opened.commas)
            write_rejects(judged, opened.malformed, path, looked)
        else:
            remove_rejects(path)
    return found


def _refuse_empty(name: str, source: AnySource, uri: str) -> None:
    if source.where is not None:
        raise EmptyError(
            f"sources.{name}.where = {source.where!r} leaves no row of {uri}; check the filter."
        )
    raise InputError(f"{uri} has columns but no rows; expected at least one.")


@contextlib.contextmanager
def _engine_errors(opened: Opened) -> Iterator[None]:
    """Turn what DuckDB says of a file that it cannot read to the end into an input error."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if opened.failures:
            raise opened.failures[0] from None
        what = brief(error, opened.uri)
        raise InputError(f"{opened.uri} cannot be read to its end: {what}.") from None


def _hand_over(accepted: ir.Table, spark: Any, unique: str) -> ir.Table:
    """Bring accepted rows from DuckDB to Spark."""
    rows = batches(accepted).read_all()
    spark._session.createDataFrame(rows).createOrReplaceTempView(unique)
    return spark.table(unique)
