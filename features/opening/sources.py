"""Sources opened as tables: CSV, Parquet, DuckDB, PostgreSQL and Spark.

A settings section with a `uri` comes in, a lazily read table of the engine goes out, with what
the contract needs to know about it. Every way in which a source can be absent or of another
form is an `InputError` that says what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from features.errors import InputError, SettingsError, placed
from features.opening.columns import names, nearest
from features.opening.connection import spark
from features.opening.delimited import open_delimited
from features.opening.expressions import columns_of, condition
from features.opening.postgres import brief, open_postgres, pull, without_password
from features.opening.quotes import Malformed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.section import Source

_DELIMITED = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
_DUCKDB = (".duckdb", ".ddb", ".db")
_KINDS = (
    "a .csv, .tsv or .txt file (each also .gz), .parquet (globs allowed), a .duckdb file, "
    "postgresql://… or spark://<table>"
)


Wanted = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Opened:
    """A source as a table, and what its columns alone do not tell.

    Parameters
    ----------
    table : ibis table
        Raw columns; rows outside `where` are already left out.
    uri : str
        The source without its password, for messages.
    malformed : list of Malformed
        Gets the malformed lines of a CSV file while the table is read, which is once.
    failures : list of InputError
        Gets the reason when a CSV file cannot be read to its end.
    ambiguous : frozenset of str
        Names that a CSV header holds more than once.
    instants : frozenset of str
        Columns that hold instants rather than wall-clock times.
    commas : frozenset of str
        Columns whose text, where it is a number, has a decimal comma.
    release : callable
        Lets go of what was opened; to be called once the table was read.
    """

    table: ir.Table
    uri: str
    malformed: list[Malformed] = field(default_factory=list)
    failures: list[InputError] = field(default_factory=list)
    ambiguous: frozenset[str] = frozenset()
    instants: frozenset[str] = frozenset()
    commas: frozenset[str] = frozenset()
    release: Callable[[], None] = lambda: None


def is_spark(uri: str) -> bool:
    """Whether an address names a Spark table.

    Parameters
    ----------
    uri : str

    Returns
    -------
    bool
    """
    return uri.startswith("spark://")


def open_source(
    source: Source,
    connection: Any,
    name: str,
    *,
    key: str,
    wanted: Wanted | None = None,
) -> Opened:
    """Open a source as a table of the connection's engine.

    Parameters
    ----------
    source : Source
        Settings with `uri`, `table`, `where`, `encoding`, `delimiter` and `decimal`.
    connection : ibis backend
        DuckDB; Spark for a Spark table.
    name : str
        Name of the table or view to make, unique within the connection.
    key : str
        Settings key of the source, for errors.
    wanted : callable, optional
        From the columns there are to those to bring from a database over the network; all
        when not given.

    Returns
    -------
    Opened

    Raises
    ------
    InputError
        If the source cannot be opened, or its `where` names no column of it.
    SettingsError
        If its `where` is not a filter.
    """
    if source.uri.startswith(("postgresql://", "postgres://")):
        return _postgres(source, connection, name, key, wanted)
    if is_spark(source.uri):
        opened = _spark(source, connection, name)
    else:
        opened = _file(source, connection, name)
    return _filtered(replace(opened, commas=_commas(source, opened.table)), source, key)


def _filtered(opened: Opened, source: Source, key: str) -> Opened:
    """Leave the rows outside `where` out."""
    if source.where is None:
        return opened
    with placed(opened.uri):
        where = condition(opened.table, source.where, f"{key}.where", commas=opened.commas)
    return replace(opened, table=opened.table.filter(where))


def _commas(source: Source, table: ir.Table) -> frozenset[str]:
    """Columns in which a number is text with a decimal comma."""
    if source.decimal == ".":
        return frozenset()
    return frozenset(name for name, kind in table.schema().items() if not kind.is_numeric())


def _file(source: Source, connection: Any, name: str) -> Opened:
    if "://" in source.uri:
        raise InputError(f"{without_password(source.uri)} is no known address; expected {_KINDS}.")
    suffixes = [s.lower() for s in Path(source.uri).suffixes]
    suffix = suffixes[-1] if suffixes else ""
    if suffix == ".gz" and len(suffixes) > 1:
        suffix = suffixes[-2] if suffixes[-2] in _DELIMITED else suffix
    if suffix in _DELIMITED:
        return _delimited(source, connection, name)
    if suffix in _PARQUET:
        table = _parquet(source, connection, name)
        return Opened(table, source.uri, instants=_with_zone(table))
    if suffix in _DUCKDB:
        return _duckdb(source, connection, name)
    if Path(source.uri).expanduser().is_dir():
        raise InputError(_folder(source.uri))
    raise InputError(f"uri = {source.uri!r} is no known kind of source; expected {_KINDS}.")


def _delimited(source: Source, connection: Any, name: str) -> Opened:
    found = open_delimited(_files(source.uri), source)
    connection.con.register(name, found.reader)
    return Opened(
        connection.table(name),
        source.uri,
        malformed=found.malformed,
        failures=found.failures,
        ambiguous=found.ambiguous,
        release=partial(connection.con.unregister, name),
    )


def _folder(uri: str) -> str:
    return f"{uri} is a folder: name the files in it, for instance {uri.rstrip('/')}/*.parquet."


def _with_zone(table: ir.Table) -> frozenset[str]:
    return frozenset(
        column
        for column, kind in table.schema().items()
        if kind.is_timestamp() and kind.timezone is not None
    )


def _files(uri: str) -> list[Path]:
    """Give the files that a path or a glob names, in order."""
    path = Path(uri).expanduser()
    if path.is_dir():
        raise InputError(_folder(uri))
    if path.is_file():
        return [path]
    if not any(sign in uri for sign in "*?["):
        raise InputError(
            f"{uri} does not exist (looked from {Path.cwd()}); "
            f"check the path.{nearest(path.name, _beside(path))}"
        )
    try:
        found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    except ValueError as error:
        raise InputError(f"{uri} is no pattern for files: {error}.") from None
    if not (files := [file for file in found if file.is_file()]):
        raise InputError(f"No file matches {uri} (looked from {Path.cwd()}); check the pattern.")
    return files


def _beside(path: Path) -> list[str]:
    return [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []


def _parquet(source: Source, connection: Any, name: str) -> ir.Table:
    files = _files(source.uri)
    for file in files:
        if file.stat().st_size == 0:
            raise InputError(f"{file} is empty; expected a Parquet file.")
    return _opening(
        source,
        lambda: connection.read_parquet([str(file) for file in files], table_name=name),
        "is not Parquet, or was cut short",
    )


def _duckdb(source: Source, connection: Any, name: str) -> Opened:
    (file,) = _files(source.uri)[:1]
    database = f"{name}_file"
    _opening(
        source,
        lambda: connection.attach(str(file), database, read_only=True),
        "is not a DuckDB file, or another process is writing to it",
    )
    rows = connection.raw_sql("SELECT database_name, schema_name, table_name FROM duckdb_tables()")
    tables = [row[1:] for row in rows.fetchall() if row[0] == database]
    rows = connection.raw_sql(
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    )
    tables += [row[1:] for row in rows.fetchall() if row[0] == database]
    schema, chosen = _chosen(source, tables)
    table = connection.table(chosen, database=(database, schema))
    return Opened(
        table,
        source.uri,
        instants=_with_zone(table),
        release=lambda: connection.detach(database),
    )


def _chosen(source: Source, tables: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Choose the table that the settings name, or the only one there is."""
    shown = sorted(t if s == "main" else f"{s}.{t}" for s, t in tables)
    if source.table is None:
        if len(tables) == 1:
            return tables[0]
        raise InputError(f"{source.uri} needs `table`; the tables are {names(shown)}.")
    schema, _, table = source.table.rpartition(".")
    if (schema or "main", table) not in tables:
        raise InputError(
            f"{source.uri} has no table {source.table!r}.{nearest(source.table, shown)} "
            f"The tables are {names(shown)}."
        )
    return schema or "main", table


def _opening(source: Source, opening: Callable[[], Any], otherwise: str) -> Any:
    import duckdb

    try:
        return opening()
    except duckdb.Error as error:
        raise InputError(f"{source.uri} {otherwise}: {brief(error, source.uri)}.") from None


def _postgres(
    source: Source, connection: Any, name: str, key: str, wanted: Wanted | None
) -> Opened:
    """Filter on the server when it can; text read as numbers is filtered here."""
    with open_postgres(source) as remote:
        # The server's: its numerics come as text, and have a point.
        commas = _commas(source, remote)
        there, brought = _asked(source, remote, key, wanted, commas)
        here = there is not None and bool(there.op().find(ibis.expr.operations.TryCast))
        table = pull(
            remote,
            connection,
            name,
            wanted=brought,
            condition=None if here else there,
            uri=source.uri,
        )
    release = partial(connection.drop_table, name, force=True)
    opened = Opened(
        table,
        without_password(source.uri),
        instants=_with_zone(table),
        commas=commas,
        release=release,
    )
    return _filtered(opened, source, key) if here else opened


def _asked(
    source: Source, remote: ir.Table, key: str, wanted: Wanted | None, commas: frozenset[str]
) -> tuple[ir.BooleanValue | None, list[str] | None]:
    """Give the filter, and the columns that it and the settings name; None for all columns."""
    there: ir.BooleanValue | None = None
    also: tuple[str, ...] = ()
    if source.where is not None:
        there = condition(remote, source.where, f"{key}.where", commas=commas)
        also = columns_of(source.where, remote.columns, f"{key}.where")
    if wanted is None:
        return there, None
    brought = list(dict.fromkeys([*wanted(remote.columns), *also]))
    for column in brought:
        if column not in remote.columns:
            raise InputError(
                f"{key}: {source.table!r} has no column {column!r}."
                f"{nearest(column, remote.columns)} The columns are {names(remote.columns)}."
            )
    return there, brought


def _spark(source: Source, connection: Any, name: str) -> Opened:
    """Open a Spark table; its plan stays on Spark."""
    backend = connection if connection.name == "pyspark" else spark()
    wanted = source.uri.removeprefix("spark://").strip("/") or source.table
    if not wanted:
        raise SettingsError("uri = 'spark://' names no table; write spark://<table>.")
    from pyspark.errors import AnalysisException

    try:
        frame = backend._session.table(wanted)
    except AnalysisException:
        found = backend.list_tables()
        raise InputError(
            f"The Spark session has no table {wanted!r}.{nearest(wanted, found)} "
            f"The tables are {names(found)}."
        ) from None
    frame.createOrReplaceTempView(name)
    # Ibis tells Spark's instants and wall-clock times apart no longer: ask Spark.
    instants = frozenset(f.name for f in frame.schema if f.dataType.typeName() == "timestamp")
    return Opened(backend.table(name), source.uri, instants=instants)
