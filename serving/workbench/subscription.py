"""What a subscriber subscribes: plan, price, since when, the next renewal, and what was before.

In: the store, its score table and facts of a customer. Out: what the page of a customer and the
lists say of it. Lists can be of one plan: the name ``plan`` in an address, which no other question
knows.

Null rule: of customers who are no subscribers nothing is told.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features.store import Store
from serving.api.failures import Failure
from serving.desk import Desk
from serving.insight import subscribed
from serving.insight.subscribed import Plan

#: Name of the plan in an address.
PLAN = "plan"
#: Rows of the history that are shown, the latest.
TOLD = 12
#: Reasons of an end in words, by the contract's.
ENDED: Mapping[str, str] = {"voluntary": "cancelled", "involuntary": "payment failed"}
#: Words of the terms that have some, by months.
TERMS: Mapping[int, str] = {1: "a month", 3: "a quarter", 6: "half a year", 12: "a year"}

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Spell:
    """One subscription, or one paid period.

    Parameters
    ----------
    start : date
    end : date or None
        None while it runs.
    plan : str or None
    price : float or None
        Of a term, in currency.
    reason : str or None
        Why it ended, in the contract's words or the source's.
    """

    start: date
    end: date | None
    plan: str | None
    price: float | None
    reason: str | None


@dataclass(frozen=True)
class Subscription:
    """What a customer subscribes now.

    Parameters
    ----------
    plan : str or None
    price : float or None
        Of a term, in currency.
    term : (int, int)
        Months and days of a term, of which one is 0.
    since : date
    renewals : int
        Made so far.
    due : date or None
        The next renewal; before the as-of date where it is overdue.
    spells : tuple of Spell
        The latest first; empty where they are not kept.
    """

    plan: str | None
    price: float | None
    term: tuple[int, int]
    since: date
    renewals: int
    due: date | None
    spells: tuple[Spell, ...] = ()


def of(
    store: Store | None, desk: Desk, customer_id: str, known: Mapping[str, Any]
) -> Subscription | None:
    """What a customer subscribes.

    Parameters
    ----------
    store : Store or None
    desk : Desk
    customer_id : str
    known : mapping
        Of its behaviour row, as `serving.workbench.facts` gives it.

    Returns
    -------
    Subscription or None
        None of others than subscribers, and where no behaviour is kept.
    """
    tenure = known.get("subscription_tenure_days")
    if not desk.totals.contracts or tenure is None:
        return None
    as_of, left = desk.meta.as_of, known.get("subscription_days_to_renewal")
    term = Plan("", None, known.get("subscription_term_days") or 0.0).term
    return Subscription(
        plan=known.get("subscription_plan"),
        price=known.get("subscription_price"),
        term=term,
        since=as_of - timedelta(days=int(tenure)),
        renewals=int(known.get("subscription_renewals") or 0),
        due=None if left is None else as_of + timedelta(days=int(left)),
        spells=_spells(store, desk, customer_id),
    )


def _spells(store: Store | None, desk: Desk, customer_id: str) -> tuple[Spell, ...]:
    path = None if store is None else store.subscriptions(desk.meta.as_of)
    if path is None or not path.is_file():
        return ()
    sql = (
        'SELECT day, "end", plan, price::DOUBLE, end_reason '
        "FROM read_parquet(?, hive_partitioning = false) WHERE customer_id = ? "
        "ORDER BY day DESC, plan LIMIT ?"
    )
    given = [glob.escape(str(path)), customer_id, TOLD]
    return tuple(Spell(*row) for row in desk.cursor().execute(sql, given).fetchall())


def plans(store: Store | None, desk: Desk) -> list[str]:
    """Plans that lists can be of, those of most subscribers first.

    Parameters
    ----------
    store : Store or None
    desk : Desk

    Returns
    -------
    list of str
        Empty of others than subscribers.
    """
    if store is None or not desk.totals.contracts:
        return []
    found = subscribed.plans(store, desk.cursor(), desk.meta.as_of)
    return [one.name for one in found[: subscribed.MOST_PLANS]]


def named(store: Store | None, desk: Desk, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a list with the plan of each customer.

    Parameters
    ----------
    store : Store or None
    desk : Desk
    rows : sequence of dict
        With ``customer_id``.

    Returns
    -------
    list of dict
        With ``plan``, None where it is not known.
    """
    path = None if store is None or not desk.totals.contracts else store.behaviour(desk.meta.as_of)
    told: dict[str, str | None] = {}
    if rows and path is not None and path.is_file():
        ids = [row["customer_id"] for row in rows]
        sql = (
            "SELECT customer_id, subscription_plan FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608
            f"WHERE customer_id IN ({', '.join('?' * len(ids))})"
        )
        told = dict(desk.cursor().execute(sql, [glob.escape(str(path)), *ids]).fetchall())
    return [{**row, PLAN: told.get(row["customer_id"])} for row in rows]


def parted(pairs: Iterable[tuple[str, str]]) -> tuple[str, Pairs]:
    """The plan that an address asks for, and the rest of it.

    Parameters
    ----------
    pairs : iterable of (name, value)

    Returns
    -------
    str
        Empty where it asks for none; of several the last.
    list of (name, value)

    Examples
    --------
    >>> parted([("plan", "Basic"), ("stage", "new")])
    ('Basic', [('stage', 'new')])
    """
    given = list(pairs)
    chosen = [value.strip() for name, value in given if name == PLAN]
    return (chosen[-1] if chosen else ""), [pair for pair in given if pair[0] != PLAN]


def among(store: Store | None, desk: Desk, plan: str) -> tuple[str, str] | None:
    """What a `serving.desk.Query` needs to be of one plan.

    Parameters
    ----------
    store : Store or None
    desk : Desk
    plan : str

    Returns
    -------
    (str, str) or None
        A pattern for the behaviour table's file, and the plan; None without a plan.

    Raises
    ------
    Failure
        400 where no plans are known.
    """
    if not plan:
        return None
    path = None if store is None or not desk.totals.contracts else store.behaviour(desk.meta.as_of)
    if path is None or not path.is_file():
        raise Failure(400, "Got a plan in the address, and no plans of customers are known here.")
    return glob.escape(str(path)), plan
