"""PostgreSQL tables: filtered and projected there, streamed into the local DuckDB.

The session is read-only. A password never appears in an error.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from features.errors import InputError
from features.opening.columns import names, nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.section import Source

_PASSWORD = re.compile(r"(?<=://)([^/@]*?:)(.*)(?=@)")
_PASSWORD_OPTION = re.compile(r"(?i)(?<=[?&]password=)[^&]*")
_ROWS = 100_000


def without_password(uri: str) -> str:
    """Address with the password replaced by ``***``.

    Parameters
    ----------
    uri : str
        Any source's `uri`; those without a password come back as they are.

    Returns
    -------
    str
    """
    return _PASSWORD_OPTION.sub("***", _PASSWORD.sub(r"\1***", uri))


@contextlib.contextmanager
def open_postgres(source: Source) -> Iterator[ir.Table]:
    """Open a table of a PostgreSQL server; no row is read yet. Closes the session at the end.

    Parameters
    ----------
    source : Source
        For `uri` and `table`.

    Yields
    ------
    ibis table of the PostgreSQL backend

    Raises
    ------
    InputError
        If the server cannot be reached, or has no such table.
    """
    backend = _connect(source.uri)
    try:
        yield _table(backend, source)
    finally:
        backend.disconnect()


def _table(backend: Any, source: Source) -> ir.Table:
    if source.table is None:
        raise InputError(
            f"{without_password(source.uri)} needs `table`; "
            f"the tables are {names(_tables(backend))}."
        )
    schema, _, table = source.table.rpartition(".")
    import ibis

    try:
        return backend.table(table, database=schema or None)
    except ibis.common.exceptions.TableNotFound:
        found = _tables(backend)
        raise InputError(
            f"{without_password(source.uri)} has no table {source.table!r}."
            f"{nearest(source.table, found)} The tables are {names(found)}."
        ) from None


def pull(
    remote: ir.Table,
    connection: Any,
    name: str,
    *,
    wanted: Sequence[str] | None,
    condition: ir.BooleanValue | None,
    uri: str,
) -> ir.Table:
    """Stream the wanted columns of the rows that meet a condition into DuckDB.

    Parameters
    ----------
    remote : ibis table of the PostgreSQL backend
    connection : ibis DuckDB backend
    name : str
        Name of the table to make.
    wanted : sequence of str or None
        Columns to bring; None for all.
    condition : boolean column of `remote` or None
        Filter that the server applies.
    uri : str
        The source, for the error.

    Returns
    -------
    ibis table of `connection`

    Raises
    ------
    InputError
        If the server fails while reading.
    """
    import duckdb
    import psycopg

    rows = remote if condition is None else remote.filter(condition)
    rows = rows.select({c: _portable(rows[c]) for c in wanted or remote.columns})
    incoming = f"{name}_incoming"
    try:
        connection.con.register(incoming, rows.to_pyarrow_batches(chunk_size=_ROWS))
        connection.create_table(name, connection.table(incoming), temp=True)
    except (psycopg.Error, duckdb.Error) as error:
        raise InputError(f"{without_password(uri)} cannot be read: {brief(error, uri)}.") from None
    finally:
        connection.con.unregister(incoming)
    return connection.table(name)


def brief(error: Exception, uri: str) -> str:
    """First line of an engine's error, without the address's password.

    Parameters
    ----------
    error : Exception
    uri : str

    Returns
    -------
    str
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0].rstrip(".") if lines else ""
    for found in [match.group(2) for match in [_PASSWORD.search(uri)] if match]:
        for secret in (found, unquote_plus(found)):
            text = text.replace(secret, "***") if secret else text
    return text or type(error).__name__


def _connect(uri: str) -> Any:
    import ibis

    try:
        import psycopg
    except ImportError:
        raise InputError(
            "A postgresql:// source needs psycopg, which is not installed; "
            "install regulars[postgres]."
        ) from None
    try:
        return ibis.connect(uri, connect_timeout=10, options="-c default_transaction_read_only=on")
    except (psycopg.Error, ValueError) as error:
        raise InputError(
            f"{without_password(uri)} cannot be reached: {brief(error, uri)}. "
            "Check the address, the user and that the server runs."
        ) from None


def _tables(backend: Any) -> list[str]:
    return sorted(backend.list_tables())


def _portable(values: ir.Column) -> ir.Column:
    """Types that Arrow cannot carry: numerics without a scale, and the server's own types."""
    kind = values.type()
    if kind.is_decimal():
        return values.cast("string")
    if kind.is_numeric() or kind.is_boolean() or kind.is_temporal() or kind.is_string():
        return values
    return values.cast("string")
