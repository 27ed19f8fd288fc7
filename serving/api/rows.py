"""Raw rows of a request, source by source: where plans read them, and what the contract says.

In: rows of one source, as text. Out: of each customer the first row that the contract rejects,
and how many rows are not looked at. All sources are judged here, by the contract that judges files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from features.contracts.contract import FUTURE
from features.kinds import KINDS
from serving.api import billing

if TYPE_CHECKING:
    import ibis.expr.types as ir

Source = Literal["transactions", "events", "subscriptions"]

_ROW = (("customer_id", pa.string()), ("place", pa.int64()), ("timestamp", pa.string()))
#: Columns of the rows of a request; `place` is the position among the customer's rows.
TRANSACTIONS = pa.schema(
    [
        *_ROW,
        ("amount", pa.string()),
        ("order_id", pa.string()),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("margin", pa.string()),
    ]
)
EVENTS = pa.schema([*_ROW, ("kind", pa.string()), ("value", pa.string())])
SUBSCRIPTIONS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("place", pa.int64()),
        *((name, pa.string()) for name in billing.COLUMNS[1:]),
    ]
)
SCHEMAS: Mapping[Source, pa.Schema] = MappingProxyType(
    {"transactions": TRANSACTIONS, "events": EVENTS, "subscriptions": SUBSCRIPTIONS}
)
# The future is told apart by a parameter; in the plan it would have to be compiled each time.
_NEVER = datetime(9999, 12, 31)

# The raw row, with its place, is there for rejected rows only.
_VERDICT = """
PREPARE verdict_{source} AS
SELECT customer_id,
       min(raw_.place),
       min_by(reason_, raw_.place),
       count(*) FILTER (reason_ IS NULL AND {moment} > $1::TIMESTAMP),
       count(*) FILTER (reason_ IS NULL AND ({ignored}))
FROM ({judged}) GROUP BY customer_id
"""
_OUTCOME = "day >= $2::DATE"
_KNOWN = ", ".join(f"'{kind}'" for kind in KINDS)
_IGNORED: Mapping[Source, str] = MappingProxyType(
    {
        "transactions": _OUTCOME,
        "events": f"{_OUTCOME} OR kind NOT IN ({_KNOWN})",
        "subscriptions": _OUTCOME,
    }
)
# A subscription has no hours.
_MOMENTS: Mapping[Source, str] = MappingProxyType(
    {"transactions": "occurred_at", "events": "occurred_at", "subscriptions": "day"}
)


@dataclass(frozen=True)
class Rejected:
    """Why a customer is not computed.

    Parameters
    ----------
    source : {"transactions", "events", "subscriptions"}
        Where the rejected row is.
    message : str
        Its place and the contract's reason.
    """

    source: Source
    message: str


@dataclass(frozen=True)
class Verdict:
    """What the contract says of the rows of one source.

    Parameters
    ----------
    rejected : dict of str to Rejected
        Customer to its first rejected row.
    ignored : dict of str to int
        Customer to its number of rows from the as-of date on; of events, of those of no known kind
        too.
    """

    rejected: dict[str, Rejected]
    ignored: dict[str, int]


class Rows:
    """Rows of one source that prepared plans read; others can be put in their place.

    DuckDB asks for the stream at each run. A table that it holds itself, or one registered
    anew, would make it bind the plans again.

    Parameters
    ----------
    source : {"transactions", "events", "subscriptions"}
    """

    def __init__(self, source: Source) -> None:
        self._schema = SCHEMAS[source]
        self.clear()

    def clear(self) -> None:
        """Put no rows in the place of those there are."""
        self.table = self._schema.empty_table()

    def __arrow_c_schema__(self) -> Any:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


def name(source: Source) -> str:
    """Name of the table of a source's raw rows, in DuckDB.

    Parameters
    ----------
    source : {"transactions", "events", "subscriptions"}

    Returns
    -------
    str
    """
    return f"raw_{source}"


def judged(
    raw: ir.Table, source: Source, timezone: str, keeping: Mapping[str, Any] | None = None
) -> ir.Table:
    """Judge the rows of a source as those of a file are, the future apart.

    Parameters
    ----------
    raw : ibis table
        Of the source's schema, in DuckDB.
    source : {"transactions", "events", "subscriptions"}
    timezone : str
        IANA name of the business time zone.
    keeping : mapping, optional
        How subscriptions are kept, as `serving.api.billing.kept` gives it; needed for them.

    Returns
    -------
    ibis table
        As `features.contracts.contract.transactions`, `features.contracts.contract.events` or
        `features.contracts.subscriptions.subscriptions` gives it.
    """
    from features.contracts import contract
    from features.contracts.subscriptions import subscriptions
    from features.opening.sources import Opened
    from features.settings import EventsSource, TransactionsSource

    opened = Opened(raw, "request")
    named: dict[str, Any] = {column: column for column in raw.columns if column != "place"}
    clock = contract.Clock(timezone, _NEVER, "duckdb")
    if source == "subscriptions":
        return subscriptions(opened, billing.source(keeping or {}), clock)
    if source == "events":
        return contract.events(opened, EventsSource(uri="request", **named), clock)
    return contract.transactions(opened, TransactionsSource(uri="request", **named), clock)


def accepted(judged: ir.Table) -> ir.Table:
    """The accepted rows, in the columns of `features.inputs`.

    Parameters
    ----------
    judged : ibis table

    Returns
    -------
    ibis table
    """
    theirs = [name for name in judged.columns if name.endswith("_")]
    return judged.filter(judged.reason_.isnull()).drop(*theirs)


def prepare(database: Any, source: Source, query: str) -> None:
    """Prepare the verdict on a source.

    Parameters
    ----------
    database : DuckDB connection
    source : {"transactions", "events", "subscriptions"}
    query : str
        What `judged` compiles to.
    """
    parts = {"moment": _MOMENTS[source], "ignored": _IGNORED[source]}
    told = _VERDICT.format(source=source, judged=query, **parts)
    database.execute(told)


def verdict(database: Any, source: Source, *, as_of: date, now: datetime) -> Verdict:
    """Run the prepared verdict on the rows that are in place.

    Parameters
    ----------
    database : DuckDB connection
    source : {"transactions", "events", "subscriptions"}
    as_of : date
        Rows from it on are outcome.
    now : datetime
        Wall clock of the business, without zone; later rows are rejected.

    Returns
    -------
    Verdict
    """
    told = database.execute(
        f"EXECUTE verdict_{source}(TIMESTAMP '{now.isoformat(' ')}', DATE '{as_of}')"
    ).fetchall()
    rejected = {
        one: Rejected(source, _why(source, *found))
        for one, *found, _ in told
        if found[1] or found[2]
    }
    return Verdict(rejected, {one: later for one, *_, later in told if later})


def _why(source: Source, place: int | None, reason: str | None, late: int) -> str:
    if reason is None:
        return f"{source}: {late} with a {FUTURE}."
    return f"{source}[{place}]: {reason}."
