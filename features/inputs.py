"""The accepted rows of every source, and what was said about the others.

Tables belong to one engine (DuckDB or Spark) and hold accepted rows only. Instants are naive
and in business local time; money is decimal(18,6), so that sums are exact whatever the order
of the rows; a column that the source does not have is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

MONEY_TYPE = "decimal(18, 6)"


@dataclass(frozen=True)
class SourceReport:
    """What became of the rows of one source; `accepted + sum(rejected.values()) == read`.

    Parameters
    ----------
    source : str
        Name of the source in the settings: ``transactions``, ``customers``, ``events``,
        ``subscriptions``, ``treatments``.
    read : int
        Rows read (after the source's `where`), malformed lines included.
    accepted : int
        Rows that went on.
    rejected : mapping of str to int
        Reason to number of rows; reasons with no row are left out.
    notes : tuple of str
        What a person should know although the rows were accepted.
    advice : mapping of str to str
        Reason to a sentence: a value that could not be read, and what would read it; among the
        notes too.
    first_day, last_day : date or None
        Span of the accepted rows; None for a source without dates or without accepted rows.
    customers : int
        Distinct customer ids among the accepted rows.
    """

    source: str
    read: int
    accepted: int
    rejected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    advice: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    first_day: date | None = None
    last_day: date | None = None
    customers: int = 0


@dataclass(frozen=True)
class Inputs:
    """Accepted rows of every source, as tables of one engine (DuckDB or Spark).

    Parameters
    ----------
    transactions : ibis table or None
        ``customer_id`` string, ``occurred_at`` timestamp (naive, business local time), ``day``
        date, ``amount`` decimal(18,6), ``order_id``, ``product_id``, ``category`` string (null
        where the source has none), ``margin`` decimal(18,6) or null where the source names one.
    customers : ibis table or None
        ``customer_id`` string (unique), ``attribute_<column>`` and ``permission_<column>`` string
        or float64, ``churned`` boolean (null without a label), ``account`` string where the source
        names one.
    events : ibis table or None
        ``customer_id`` string, ``occurred_at`` timestamp, ``day`` date, ``kind`` string (lower
        case), ``value`` float64.
    subscriptions : ibis table or None
        ``customer_id`` string, ``day`` date (the first), ``end`` date (null while it runs; of a
        paid period never null), ``plan`` string, ``price`` decimal(18,6) or null, ``end_reason``
        string (lower case) or null, ``repeats`` boolean (it renews until it ends; else it is one
        paid period), ``term_months`` and ``term_days`` int64 (one of them 0), ``grace_days`` int64
        (the same for all), ``margin`` decimal(18,6) or null where the source names one.
    treatments : ibis table or None
        ``customer_id`` string, ``occurred_at`` timestamp, ``day`` date, ``campaign`` string,
        ``action`` string or null, ``arm`` string (``treated`` or ``holdout``), ``cost``
        decimal(18,6) or null.
    reports : tuple of SourceReport
        One for each source that was read.
    connection : ibis backend
        Kept so that the tables stay alive.
    """

    transactions: ir.Table | None = None
    customers: ir.Table | None = None
    events: ir.Table | None = None
    subscriptions: ir.Table | None = None
    treatments: ir.Table | None = None
    reports: tuple[SourceReport, ...] = ()
    connection: Any = None
