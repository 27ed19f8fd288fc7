"""What-ifs: one behaviour of a customer changed, and the customer scored anew.

In: customer-days, events, subscriptions and behaviour rows of the store, and a change. Out:
behaviour rows as they would be. The days are written out as the rows of a log that give these very
days, the change is made to the rows, and the rows go through the feature plans that make the
behaviour table; so what nobody touched is bit for bit what it was. Subscriptions are kept as rows
(`serving.insight.subscribed` changes them).

A what-if tells what the model would say of such a customer. It is no promise: that a customer who
buys today is likelier to stay does not say that one who is made to buy would be.

Carried over from the behaviour row, as days do not hold them: how many different products,
categories and orders there are (an added purchase is of what the customer usually buys, in an
order of its own), attributes, and of buyers what comes of subscriptions; and the margin, as an
added purchase leaves what the others do.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from features.catalogue import FEATURES
from features.store import Store
from serving.api import rows
from serving.errors import ScoringError
from serving.insight import subscribed
from serving.insight.supposed import EVENTS, KINDS, PURCHASES, Change

if TYPE_CHECKING:
    from serving.api.plans import Plans

_KEPT = (
    *("products_distinct", "products_per_occasion", "categories_distinct", "orders_total"),
    *("margin_total", "margin_spend"),
)
_CARE = frozenset(feature.name for feature in FEATURES if feature.family == "care")
_CONTRACT = frozenset(feature.name for feature in FEATURES if feature.family == "subscription")
# Renewals fall on the days on which they would have: a row that is parted counts from its part.
_RENEWAL = "subscription_days_to_renewal"
#: Columns that come of days.
_FROM_DAYS = tuple(
    feature.name
    for feature in FEATURES
    if feature.family not in ("care", "subscription") and feature.name not in _KEPT
)

# All of a day's purchases on its first line, the others of nothing; its refunds likewise, each of
# the others of the smallest amount there is. The day adds up to what it was.
_LINES = """
WITH past AS (SELECT customer_id, day, net + refunded AS bought, lines, refund_lines, refunded
              FROM days),
lines AS (
    SELECT customer_id, day, CASE WHEN n = 1 THEN bought ELSE 0 END AS amount
    FROM past, unnest(range(1, lines + 1)) AS t(n)
    UNION ALL
    SELECT customer_id, day,
        CASE WHEN n = 1 THEN 0.000001 * (refund_lines - 1) - refunded ELSE -0.000001 END
    FROM past, unnest(range(1, refund_lines + 1)) AS t(n) WHERE {refunds}
    UNION ALL
    SELECT customer_id, day, CASE WHEN n = 1 THEN amount::DECIMAL(38, 6) ELSE 0 END
    FROM added, unnest(range(1, lines + 1)) AS t(n)
)
SELECT customer_id, row_number() OVER () AS place, day::VARCHAR AS timestamp,
    amount::DECIMAL(38, 6)::VARCHAR AS amount,
    NULL::VARCHAR AS order_id, NULL::VARCHAR AS product_id, NULL::VARCHAR AS category,
    NULL::VARCHAR AS margin
FROM lines
"""
_EVENTS = """
SELECT customer_id, row_number() OVER () AS place,
    strftime(occurred_at, '%Y-%m-%dT%H:%M:%S.%f') AS timestamp, kind, value::VARCHAR AS value
FROM (SELECT customer_id, occurred_at, kind, value FROM events UNION ALL BY NAME FROM more)
"""


@dataclass(frozen=True)
class Past:
    """What the store holds of some customers.

    Parameters
    ----------
    behaviour : pandas.DataFrame
        Their rows of the behaviour table.
    days, events, subscriptions : pyarrow.Table or None
        Their customer-days, events and subscriptions; None where none are kept, and of buyers
        the last.
    as_of : date
    plans : list of serving.insight.subscribed.Plan
        Of all subscribers.
    """

    behaviour: pd.DataFrame
    days: pa.Table | None
    events: pa.Table | None
    as_of: date
    subscriptions: pa.Table | None = None
    plans: list[subscribed.Plan] = field(default_factory=list)


def offered(*, subscribers: bool) -> tuple[str, ...]:
    """Kinds of a change that can be asked for.

    Parameters
    ----------
    subscribers : bool
        Whether customers are scored by their subscriptions.

    Returns
    -------
    tuple of str
    """
    others = PURCHASES if subscribers else subscribed.KINDS
    return tuple(kind for kind in KINDS if kind not in others)


def past(
    store: Store | None, cursor: Any, as_of: date, ids: Sequence[str], *, subscribers: bool = False
) -> Past:
    """Read what the store holds of customers.

    Parameters
    ----------
    store : Store or None
    cursor : DuckDB cursor
        Of the caller's own.
    as_of : date
    ids : sequence of str
    subscribers : bool
        Whether they are scored by their subscriptions, rather than by their purchases.

    Returns
    -------
    Past

    Raises
    ------
    ScoringError
        If the behaviour table is not there, or the customer-days (of subscribers, the
        subscriptions).
    """
    needed = "subscriptions" if subscribers else "purchases"
    paths = starts(store, as_of, subscribers=subscribers) if store else []
    if store is None or not all(path.is_file() for path in paths):
        raise ScoringError(
            f"a what-if starts from the behaviour table and the {needed} of {as_of}, which are "
            "not in the store; run `regulars build` for that date"
        )
    marks = ", ".join("?" * len(ids))
    sql = (
        "SELECT * FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608
        f"WHERE customer_id IN ({marks})"
    )

    def read(path: Path) -> pa.Table:
        return cursor.sql(sql, params=[glob.escape(str(path)), *ids]).to_arrow_table()

    def kept(path: Path) -> pa.Table | None:
        return read(path) if path.is_file() else None

    return Past(
        read(paths[0]).to_pandas(),
        kept(store.occasions(as_of)),
        kept(store.events(as_of)),
        as_of,
        read(paths[1]) if subscribers else None,
        subscribed.plans(store, cursor, as_of) if subscribers else [],
    )


def starts(store: Store, as_of: date, *, subscribers: bool) -> list[Path]:
    """Files that a what-if cannot do without.

    Parameters
    ----------
    store : Store
    as_of : date
    subscribers : bool

    Returns
    -------
    list of Path
        The behaviour table, and customer-days or subscriptions.
    """
    rows_of = store.subscriptions(as_of) if subscribers else store.occasions(as_of)
    return [store.behaviour(as_of), rows_of]


def behaviour(known: Past, change: Change, plans: Plans, engine: Any) -> pd.DataFrame:
    """Behaviour rows as they would be.

    Parameters
    ----------
    known : Past
    change : Change
    plans : Plans
        Of buyers, or of subscribers where ``known`` has subscriptions.
    engine : DuckDB connection
        In which rows are written out; a cursor of the caller's own.

    Returns
    -------
    pandas.DataFrame
        The rows of ``known.behaviour`` of those who have a purchase on record then (of
        subscribers, a subscription that runs), with ``as_of`` later by the days of silence. A
        payment that failed leaves out who has not renewed yet.

    Raises
    ------
    ScoringError
        If the change is of events and none are kept, or of a plan that nobody has.
    """
    moved = change.kind in (*EVENTS, "silence")
    cared = bool(_CARE & set(known.behaviour.dropna(axis="columns", how="all").columns))
    if known.events is None and (change.kind in EVENTS or (moved and cared)):
        raise ScoringError(
            f"a what-if of a {change.kind} starts from the events of {known.as_of}, which are not "
            "in the store; with [sources.events], run `regulars build` for that date"
        )
    as_of = known.as_of + timedelta(days=change.days if change.kind == "silence" else 0)
    contract = known.subscriptions
    # Where days go by, those since a purchase do too.
    bought = known.days is not None and (contract is None or change.kind == "silence")
    found = plans.run(
        _lines(known, change, engine) if bought else None,
        None if known.events is None else _events(known, change, engine),
        None
        if contract is None
        else subscribed.changed(contract, change, known.as_of, engine, known.plans),
        as_of=as_of,
        # Nothing here is later than what the contract has accepted.
        now=datetime.combine(as_of, time.min),
    )
    return _put(known, found.frame, change, as_of, bought=bought)


def _lines(known: Past, change: Change, engine: Any) -> pa.Table:
    """Rows of a log that give the days, changed."""
    engine.register("days", known.days)
    engine.register("added", _added(known, change))
    refunds = change.kind != "no_refunds"
    sql = _LINES.format(refunds="true" if refunds else "false")
    return engine.sql(sql).to_arrow_table().cast(rows.TRANSACTIONS)


def _added(known: Past, change: Change) -> pa.Table:
    """The purchase that is added for each customer, if any."""
    one = known.behaviour if change.kind == "purchase" else known.behaviour.iloc[:0]
    usual = one["order_mean"].to_numpy(dtype="float64", na_value=0.0)
    amount = usual if change.amount is None else [change.amount] * len(one)
    return pa.table(
        {
            "customer_id": pa.array(one["customer_id"], pa.string()),
            "day": pa.array([known.as_of - timedelta(days=1)] * len(one), pa.date32()),
            "amount": pa.array(amount, pa.float64()),
            "lines": pa.array(one["lines_mean"].fillna(1).round().clip(lower=1).astype("int64")),
        }
    )


def _events(known: Past, change: Change, engine: Any) -> pa.Table:
    ids: Any = known.behaviour["customer_id"] if change.kind in EVENTS else []
    yesterday = datetime.combine(known.as_of - timedelta(days=1), time(12))
    more = {
        "customer_id": pa.array(ids, pa.string()),
        "occurred_at": pa.array([yesterday] * len(ids), pa.timestamp("us")),
        "kind": pa.array([change.kind] * len(ids), pa.string()),
        "value": pa.nulls(len(ids), pa.float64()),
    }
    engine.register("events", known.events)
    engine.register("more", pa.table(more))
    return engine.sql(_EVENTS).to_arrow_table().cast(rows.EVENTS)


def _put(
    known: Past, fresh: pd.DataFrame, change: Change, as_of: date, *, bought: bool
) -> pd.DataFrame:
    """The behaviour rows with the columns that were worked out anew."""
    own = known.behaviour.set_index("customer_id")
    new = fresh.set_index("customer_id")
    own = own.loc[own.index.intersection(new.index)]
    same = {_RENEWAL} if change.kind in ("price_change", "failed_payment") else set()
    names = [
        *(_FROM_DAYS if bought else ()),
        *(sorted(_CARE) if known.events is not None else ()),
        *(sorted(_CONTRACT - same) if known.subscriptions is not None else ()),
    ]
    changed = own.assign(**{name: new[name].reindex(own.index) for name in names}, as_of=as_of)
    if change.kind == "purchase":
        changed["orders_total"] = changed["orders_total"] + 1
    elif change.kind == "no_refunds":
        # The same products over the occasions that there are now.
        products = (own["products_per_occasion"] * (own["frequency"] + 1)).round()
        changed["products_per_occasion"] = products / (changed["frequency"] + 1)
    return changed.reset_index()[list(known.behaviour.columns)]
