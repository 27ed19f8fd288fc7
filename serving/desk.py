"""Answers from one score table: a customer, a page of customers, the whole of it, its totals.

In: a score file. Out: rows as Python values or Arrow batches. The table is held in DuckDB's
memory with an index over the ids; each call works on a cursor of its own, so that threads do
not meet. Queries are put together from column names of ours only; whatever a client sends is a
parameter.
"""

from __future__ import annotations

import glob
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from serving import abstention, scores
from serving.errors import ScoreTableError
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.scores import SCHEMA, Meta

#: Of every DuckDB here: one thread a query, and nothing is loaded from afar.
SETTINGS = MappingProxyType({"threads": 1, "autoinstall_known_extensions": False})
_BATCH_ROWS = 10_000
#: Rows down to which a page is looked for anew, and orders that are held for those beyond.
_NEAR, _SORTED = 5_000, 4


@dataclass(frozen=True)
class Query:
    """Which customers, and in what order.

    Parameters
    ----------
    stage, tier : tuple of str
        Kept when empty or holding the customer's.
    at_least, at_most : tuple of (column, number)
        Bounds, both included; a null is outside.
    starts_with : str
        Beginning of the customer's id.
    among : (str, str) or None
        Pattern for a behaviour table's file, and a plan: only its subscribers there.
    order : tuple of (column, descending)
        Most important first; nulls last, ties by customer id.
    """

    stage: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    at_least: tuple[tuple[str, float], ...] = ()
    at_most: tuple[tuple[str, float], ...] = ()
    starts_with: str = ""
    among: tuple[str, str] | None = None
    order: tuple[tuple[str, bool], ...] = ()

    def columns(self) -> set[str]:
        """Columns that the answer depends on, the id apart."""
        named = {name for name, _ in (*self.at_least, *self.at_most, *self.order)}
        named |= {"stage"} if self.stage else set()
        return named | ({"tier"} if self.tier else set())


@dataclass(frozen=True)
class Totals:
    """Sums over a score table; money in its currency.

    Parameters
    ----------
    customers, abstained : int
        All, and those about whom something is not said that can be asked of them.
    churners : float or None
        Customers expected to leave: the sum of the churn probabilities.
    spend, equity : float or None
        Expected spend over the horizon, and lifetime values; None where nothing is said.
    cells : mapping of (stage, tier) to int
        Customers; None where a customer has no stage or no tier.
    keepable : float or None
        The part of the churners who have not lapsed yet; None where nobody has a stage.
    contracts : bool
        Whether the customers are subscribers.
    """

    customers: int
    abstained: int
    churners: float | None
    spend: float | None
    equity: float | None
    cells: dict[tuple[str | None, str | None], int]
    keepable: float | None = None
    contracts: bool = False


@dataclass(frozen=True)
class Desk:
    """One score table, at hand.

    Parameters
    ----------
    meta : Meta
        What it was made with.
    totals : Totals
    """

    meta: Meta
    totals: Totals
    _connection: Any = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _sorted: OrderedDict[Query, np.ndarray] = field(default_factory=OrderedDict, repr=False)

    def rows(self, ids: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows of customers by their ids.

        Parameters
        ----------
        ids : sequence of str
        columns : sequence of str
            Names of the score table's columns.

        Returns
        -------
        dict of str to dict
            Only those that are there; each with its ``customer_id``.
        """
        if not ids:
            return {}
        wanted = list(dict.fromkeys(ids))
        # A list of parameters goes through the index; a joined list would read the whole table.
        marks = ", ".join("?" * len(wanted))
        names = list(dict.fromkeys(["customer_id", *columns]))
        sql = f"SELECT {_names(names)} FROM scores WHERE customer_id IN ({marks})"  # noqa: S608
        found = self._records(sql, wanted, names)
        return {row["customer_id"]: row for row in found}

    def page(
        self, query: Query, columns: Sequence[str], *, page: int, size: int
    ) -> tuple[list[dict[str, Any]], int]:
        """One page of the customers of a query.

        Parameters
        ----------
        query : Query
        columns : sequence of str
        page : int
            From 1.
        size : int
            Rows of a page.

        Returns
        -------
        list of dict
            In the query's order.
        int
            Customers in all pages.
        """
        # Ids first and their rows after: sorting whole rows reads every reason of the table.
        start = (page - 1) * size
        ids, total = (
            self._near(query, start, size) if start < _NEAR else self._far(query, start, size)
        )
        found = self.rows(ids, columns)
        return [found[one] for one in ids], total

    def _near(self, query: Query, start: int, size: int) -> tuple[list[str], int]:
        """Ids of a page among the first, which the engine finds without sorting everybody."""
        where, values = _where(query)
        cursor = self.cursor()
        total = cursor.execute(f"SELECT count(*) FROM scores{where}", values).fetchone()[0]  # noqa: S608
        sql = f"SELECT customer_id FROM scores{where}{_order(query)} LIMIT ? OFFSET ?"  # noqa: S608
        rows = cursor.execute(sql, [*values, size, start]).fetchall()
        return [row[0] for row in rows], total

    def _far(self, query: Query, start: int, size: int) -> tuple[list[str], int]:
        """Ids of a page far down: everybody is sorted once, and the order held for the next."""
        with self._lock:
            places = self._sorted.get(query)
        cursor = self.cursor()
        if places is None:
            where, values = _where(query)
            sql = f"SELECT rowid FROM scores{where}{_order(query)}"  # noqa: S608
            places = cursor.execute(sql, values).fetchnumpy()["rowid"]
            with self._lock:
                self._sorted[query] = places
                while len(self._sorted) > _SORTED:
                    self._sorted.popitem(last=False)
        chosen = places[start : start + size].tolist()
        marks = ", ".join("?" * len(chosen))
        sql = f"SELECT rowid, customer_id FROM scores WHERE rowid IN ({marks})"  # noqa: S608
        by_place = dict(cursor.execute(sql, chosen).fetchall()) if chosen else {}
        return [by_place[place] for place in chosen], len(places)

    def batches(self, query: Query, columns: Sequence[str]) -> pa.RecordBatchReader:
        """All rows of a query, in batches, never held whole.

        Parameters
        ----------
        query : Query
        columns : sequence of str

        Returns
        -------
        pyarrow.RecordBatchReader
            With the types of ``scores.SCHEMA``.
        """
        where, values = _where(query)
        # The table lies in the order of the ids; sorting it again would hold it whole.
        order = "" if query.order in ((), (("customer_id", False),)) else _order(query)
        sql = f"SELECT {_names(columns)} FROM scores{where}{order}"  # noqa: S608
        schema = pa.schema([SCHEMA.field(name) for name in columns])
        given = self.cursor().sql(sql, params=values).to_arrow_reader(_BATCH_ROWS)
        return pa.RecordBatchReader.from_batches(schema, (_typed(batch, schema) for batch in given))

    def cursor(self) -> Any:
        """DuckDB cursor of the caller's own, for other files of the store."""
        with self._lock:
            return self._connection.cursor()

    def _records(
        self, sql: str, values: Sequence[Any], names: Sequence[str]
    ) -> list[dict[str, Any]]:
        found = self.cursor().execute(sql, list(values)).fetchall()
        rows = [dict(zip(names, row, strict=True)) for row in found]
        if "scored_at" in names:
            for row in rows:
                row["scored_at"] = row["scored_at"].replace(tzinfo=UTC)
        return rows


def load(path: Path) -> Desk:
    """Load a score file into memory.

    Parameters
    ----------
    path : Path
        Parquet file that a full scoring wrote.

    Returns
    -------
    Desk

    Raises
    ------
    ScoreTableError
        If it is missing, unreadable, no score table, or holds a customer twice.
    """
    import pyarrow.parquet as pq

    meta = scores.read_meta(path)
    if pq.read_schema(path).remove_metadata() != SCHEMA:
        raise ScoreTableError(
            f"got {path.name} with other columns than a score table's; run a full scoring again"
        )
    connection = duckdb.connect(config=dict(SETTINGS))
    try:
        connection.execute(
            # DuckDB needs a further package for instants with a zone; these are UTC anyway.
            "CREATE TABLE scores AS SELECT * "
            "REPLACE (make_timestamp(epoch_us(scored_at)) AS scored_at) "
            "FROM read_parquet(?, hive_partitioning = false) ORDER BY customer_id",
            [glob.escape(str(path))],
        )
        for name, words in (("stage", STAGES), ("tier", TIERS)):
            _enumerate(connection, name, words)
        connection.execute("CREATE UNIQUE INDEX by_id ON scores (customer_id)")
        return Desk(meta, _totals(connection), connection)
    except duckdb.Error as error:
        connection.close()
        raise ScoreTableError(
            f"got {path.name}, which cannot be loaded ({type(error).__name__}); run a full "
            "scoring again"
        ) from error


def _enumerate(connection: Any, name: str, words: Sequence[str]) -> None:
    """Keep the few words of a column as numbers, which are many times quicker to compare."""
    there = connection.execute(f"SELECT DISTINCT {name} FROM scores").fetchall()  # noqa: S608
    # In the order of the letters, so that sorting stays as it is for text.
    known = sorted({*words, *(one for (one,) in there if one is not None)})
    quoted = ", ".join("'" + one.replace("'", "''") + "'" for one in known)
    connection.execute(f"ALTER TABLE scores ALTER {name} TYPE ENUM({quoted})")


def _totals(connection: Any) -> Totals:
    sums = connection.execute(
        "SELECT count(*), sum(churn_probability), sum(expected_spend), sum(clv), "
        "CASE WHEN count(stage) > 0 "
        "THEN coalesce(sum(churn_probability) FILTER (stage <> 'lapsed'), 0) END, "
        "count(expected_months) + count(involuntary_probability) > 0 FROM scores"
    ).fetchone()
    # There are few different texts.
    silent = "SELECT abstained, count(*) FROM scores WHERE abstained IS NOT NULL GROUP BY ALL"
    abstained = sum(
        number
        for text, number in connection.execute(silent).fetchall()
        if abstention.asked(text) is not None
    )
    cells = connection.execute("SELECT stage, tier, count(*) FROM scores GROUP BY ALL").fetchall()
    by_cell = {(stage, tier): count for stage, tier, count in cells}
    customers, churners, spend, equity, keepable, contracts = sums
    return Totals(customers, abstained, churners, spend, equity, by_cell, keepable, contracts)


def _names(columns: Sequence[str]) -> str:
    """Column list of a query; only the score table's own names get in."""
    unknown = set(columns) - set(SCHEMA.names)
    if unknown:
        raise ScoreTableError(f"got the columns {sorted(unknown)}; expected {SCHEMA.names}")
    return ", ".join(f'"{name}"' for name in columns)


def _where(query: Query) -> tuple[str, list[Any]]:
    tests: list[str] = []
    values: list[Any] = []
    for name, words in (("stage", query.stage), ("tier", query.tier)):
        if words:
            tests.append(f"{name} IN ({', '.join('?' * len(words))})")
            values += words
    for bounds, sign in ((query.at_least, ">="), (query.at_most, "<=")):
        for name, value in bounds:
            tests.append(f"{_names([name])} {sign} ?")
            values.append(value)
    if query.starts_with:
        tests.append("starts_with(customer_id, ?)")
        values.append(query.starts_with)
    if query.among:
        tests.append(
            "customer_id IN (SELECT customer_id FROM read_parquet(?, hive_partitioning = false) "
            "WHERE subscription_plan = ?)"
        )
        values += query.among
    return (" WHERE " + " AND ".join(tests) if tests else ""), values


def _order(query: Query) -> str:
    ways = {False: "ASC NULLS LAST", True: "DESC NULLS LAST"}
    terms = [f"{_names([name])} {ways[down]}" for name, down in query.order]
    # The table lies in the order of the ids.
    return f" ORDER BY {', '.join([*terms, 'rowid'])}"


def _typed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch(
        [column.cast(item.type) for column, item in zip(batch.columns, schema, strict=True)],
        schema=schema,
    )
