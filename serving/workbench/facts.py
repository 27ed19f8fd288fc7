"""What is known of a customer beside its scores, by the behaviour table that they were made from.

In: the store and a customer of its score table. Out: some columns of its behaviour row, for the
words of its page.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from features.store import Store
from serving.desk import Desk
from serving.workbench import pages

#: Columns that pages speak of.
COLUMNS = (
    "complaints_open",
    "refund_lines",
    "subscription_plan",
    "subscription_price",
    "subscription_term_days",
    "subscription_tenure_days",
    "subscription_renewals",
    "subscription_days_to_renewal",
)

#: Changes that change nothing, in words: there is nothing that could be other than it is.
IDLE: Mapping[str, str] = {
    "resolution": "Nothing changes: no complaint is open that could be resolved.",
    "no_refunds": "Nothing changes: there was no refund.",
    "plan_change": "Nothing changes: this is the customer's own plan.",
}
#: Of a change that could be, and both sides are alike.
ALIKE = "Both sides are alike: the model has learned next to nothing of such a change."


def of(store: Store | None, desk: Desk, customer_id: str) -> dict[str, Any]:
    """Columns of a customer's behaviour row.

    Parameters
    ----------
    store : Store or None
    desk : Desk
        The score table, for its as-of date.
    customer_id : str

    Returns
    -------
    dict
        By the names of `COLUMNS`; empty where the table is not kept or does not hold it.
    """
    path = None if store is None else store.behaviour(desk.meta.as_of)
    if path is None or not path.is_file():
        return {}
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608
        "WHERE customer_id = ?"
    )
    row = desk.cursor().execute(sql, [glob.escape(str(path)), customer_id]).fetchone()
    return {} if row is None else dict(zip(COLUMNS, row, strict=True))


def unchanged(
    known: Mapping[str, Any], asked: Mapping[str, str], said: Mapping[str, Any] | None
) -> str | None:
    """Why a what-if changes nothing, if so.

    Parameters
    ----------
    known : mapping
        As `of` gives it.
    asked : mapping of str to str
        Fields of the form.
    said : mapping or None
        The answer, with ``before`` and ``after`` where it could be told.

    Returns
    -------
    str or None
        One of `IDLE` or `ALIKE`; None where something changes or nothing was answered.
    """
    if not said or "after" not in said:
        return None
    kind = asked.get("change", "")
    idle = {
        "resolution": known.get("complaints_open") == 0,
        "no_refunds": known.get("refund_lines") == 0,
        "plan_change": bool(asked.get("plan"))
        and known.get("subscription_plan") == asked.get("plan"),
    }
    if idle.get(kind):
        return IDLE[kind]
    return ALIKE if _shown(said["before"]) == _shown(said["after"]) else None


def _shown(side: Mapping[str, Any]) -> dict[str, Any]:
    """A side of a what-if as the page writes it: smaller differences nobody sees."""
    return {name: write(side.get(name)) for name, write in _WRITTEN.items()}


def _texts(reasons: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, str]]:
    return [(reason["text"], reason["direction"]) for reason in reasons or ()]


_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "stage": str,
    "tier": str,
    "next_purchase_by": str,
    "churn_probability": pages.percent,
    "expected_spend": partial(pages.money, currency=""),
    "clv": partial(pages.money, currency=""),
    "reasons": _texts,
}
