"""What a customer's page shows of time and action: the course of the score, what to do, plans.

In: a worker, its score table, a customer with the days of its purchases, and the scopes of the
key. Out: what the templates speak of. Who sees the risk sees its course; who sees the value sees
actions and plans, as on the page of the plans.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.api.routes import RISK, VALUE
from serving.desk import Desk
from serving.errors import CampaignError, ScoreTableError
from serving.insight import past
from serving.scores import SCHEMA
from serving.workbench import course, customers
from serving.worker import Worker

if TYPE_CHECKING:
    from serving.campaigns.suggestion import Offer


def content(
    worker: Worker, desk: Desk, customer_id: str, days: past.Days, scopes: Iterable[str]
) -> dict[str, Any]:
    """Gather the course of the score, the actions and the plans of a customer.

    Parameters
    ----------
    worker : Worker
    desk : Desk
        With this customer.
    customer_id : str
    days : sequence of (date, float)
        Days with their net spend in currency, oldest first.
    scopes : iterable of str

    Returns
    -------
    dict
    """
    sees, store = customers.seen(scopes), worker.deployment.store
    told: dict[str, Any] = {
        "course": None,
        "offers": None,
        "no_offer": "",
        "memberships": (),
        "bound": None,
        "currency": worker.deployment.names.currency,
    }
    if store is None:
        return told
    if sees[RISK]:
        points = past.course(store, desk, customer_id, days, worker.scorer)
        told["course"] = course.draw(points)
    if sees[VALUE] and worker.office is not None and worker.office.terms.actions:
        told |= _planned(worker, store.plans(), desk, customer_id)
    return told


def _planned(worker: Worker, folder: Path, desk: Desk, customer_id: str) -> dict[str, Any]:
    """Plans that a customer is in, and actions that fit it, or why none can be told.

    Who is in a plan that still runs gets no other action: no plan would choose it, held out first.
    """
    from serving.campaigns import membership, suggestion

    assert worker.office is not None  # noqa: S101 - asked for with one only
    day = desk.meta.as_of
    found: list[Offer] = []
    told: dict[str, Any] = {"offers": found, "no_offer": "", "memberships": (), "bound": None}
    try:
        there = membership.running(folder, day)
        told["memberships"] = membership.memberships(folder, desk.cursor(), customer_id, there)
        bound = [one for one in told["memberships"] if one.runs(day)]
        if bound:
            told["bound"] = min(bound, key=lambda one: not one.held_out)
            return told
        row = desk.rows([customer_id], SCHEMA.names)[customer_id]
        found += suggestion.offers(row, worker.office.order(day))
    except (CampaignError, ScoreTableError) as error:
        told["no_offer"] = str(error)
    return told
