"""What a customer's page shows: scores, reasons, what-ifs and the purchases through time."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from features.store import Store
from serving import abstention, questions
from serving.api import answers
from serving.api.failures import Failure
from serving.api.routes import ADMIN, RISK, VALUE
from serving.desk import Desk
from serving.workbench import facts, insight, outlook, subscription, timeline
from serving.workbench.timeline import KINDS, Contact
from serving.worker import Worker

#: Purchases told in words under the timeline.
_TOLD = 12


def content(
    worker: Worker, customer_id: str, scopes: Iterable[str], form: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Gather what a customer's page shows.

    Parameters
    ----------
    worker : Worker
    customer_id : str
    scopes : iterable of str
        Only their columns are shown.
    form : sequence of (str, str), optional
        Fields of a what-if, where one is asked for.

    Returns
    -------
    dict

    Raises
    ------
    Failure
        404 for a customer who is not in the score table.
    """
    desk = worker.need_desk()
    found = desk.rows([customer_id], questions.columns(scopes))
    if customer_id not in found:
        raise Failure(
            404,
            f"No such customer in the score table of {desk.meta.as_of}. Ids are compared letter "
            "by letter, as they are in the source.",
            code="unknown_customer",
        )
    row = found[customer_id]
    days = occasions(worker.deployment.store, desk, customer_id)
    happened = contacts(worker.deployment.store, desk, customer_id)
    known = facts.of(worker.deployment.store, desk, customer_id)
    return {
        "worker": worker,
        "contract": desk.totals.contracts,
        "subscription": subscription.of(worker.deployment.store, desk, customer_id, known),
        "ended": subscription.ENDED,
        "terms": subscription.TERMS,
        "unsaid": abstention.asked(row["abstained"]),
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "row": row,
        "sees": {scope: bool({scope, ADMIN} & set(scopes)) for scope in (RISK, VALUE)},
        "days": days[::-1][:_TOLD],
        "all_days": len(days),
        "contacts": None if happened is None else happened[::-1][:_TOLD],
        "chart": timeline.draw(days, desk.meta.as_of, row.get("next_purchase_by"), happened or ()),
        **insight.content(worker, desk, customer_id, form, scopes, known),
        **outlook.content(worker, desk, customer_id, days, scopes),
    }


def occasions(store: Store | None, desk: Desk, customer_id: str) -> list[tuple[date, float]]:
    """Days of a customer with their net spend, oldest first.

    Parameters
    ----------
    store : Store or None
    desk : Desk
        The score table, for its as-of date.
    customer_id : str

    Returns
    -------
    list of (date, float)
        In currency, negative where refunds outweigh; empty when the store does not have them.
    """
    path = None if store is None else store.occasions(desk.meta.as_of)
    if path is None or not path.is_file():
        return []
    sql = "SELECT day, net::DOUBLE FROM read_parquet(?) WHERE customer_id = ? ORDER BY day"
    return desk.cursor().execute(sql, [glob.escape(str(path)), customer_id]).fetchall()


def contacts(store: Store | None, desk: Desk, customer_id: str) -> list[Contact] | None:
    """What a customer had to do with the service, day by day, oldest first.

    Parameters
    ----------
    store : Store or None
    desk : Desk
        The score table, for its as-of date.
    customer_id : str

    Returns
    -------
    list of Contact or None
        Uses are left out; None where no events are kept.
    """
    path = None if store is None else store.events(desk.meta.as_of)
    if path is None or not path.is_file():
        return None
    sql = (
        "SELECT day, kind, count(*), CASE WHEN kind = 'satisfaction' "
        "THEN arg_max(value, occurred_at) END FROM read_parquet(?) "
        "WHERE customer_id = ? AND list_contains(?, kind) GROUP BY day, kind ORDER BY day, kind"
    )
    given = [glob.escape(str(path)), customer_id, list(KINDS)]
    return [Contact(*row) for row in desk.cursor().execute(sql, given).fetchall()]
