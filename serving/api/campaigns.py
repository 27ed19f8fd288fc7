"""The answers of the service about plans, as plain values, for whoever carries them.

In: a worker, what is asked, and the scopes and name of the key. Out: figures and assignments.
Without the scope for risk the columns that tell it are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, Any

from serving.api import answers
from serving.api.failures import Failure
from serving.api.routes import ADMIN, RISK
from serving.campaigns.assignments import SCHEMA
from serving.errors import CampaignError, ScoreTableError

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.api.campaign_messages import PlanRequest
    from serving.campaigns.office import Proposal
    from serving.worker import Worker

#: Seconds that a request waits for a plan to be made; then it goes on without it.
PATIENCE = 15.0
#: Plans in a list.
LISTED = 100
_OF_RISK = ("stratum", "return_probability")


def columns(scopes: Iterable[str]) -> tuple[str, ...]:
    """Columns of the assignments that some scopes show."""
    hidden = () if {RISK, ADMIN} & set(scopes) else _OF_RISK
    return tuple(name for name in SCHEMA.names if name not in hidden)


def proposal(
    worker: Worker, budget: float | None, actions: Collection[str] | None = None
) -> Proposal:
    """A plan that nobody has made yet.

    Raises
    ------
    Failure
        503 before the first full scoring or without settings, 422 where no plan can be.
    """
    office, day = worker.need_office(), worker.need_desk().meta.as_of
    try:
        return office.propose(day, budget, actions)
    except (CampaignError, ScoreTableError) as error:
        raise _refused(error) from error


def made(
    worker: Worker, budget: float | None, actions: Collection[str] | None, *, who: str
) -> tuple[str, bool]:
    """Make a plan and wait for it a while.

    Returns
    -------
    str
        Its id.
    bool
        Whether it is kept already; else it is still being made.

    Raises
    ------
    Failure
        As of `proposal`.
    """
    office, day = worker.need_office(), worker.need_desk().meta.as_of
    try:
        plan_id, under_way = office.start(day, budget, actions, who=who)
        under_way.result(PATIENCE)
    except NotYet:
        return plan_id, False
    except (CampaignError, ScoreTableError) as error:
        raise _refused(error) from error
    return plan_id, kept(worker, plan_id) is not None


def named(worker: Worker, budget: float | None, actions: Collection[str] | None) -> str:
    """Id that a plan would have now.

    Raises
    ------
    Failure
        As of `proposal`.
    """
    office, day = worker.need_office(), worker.need_desk().meta.as_of
    try:
        return office.named(day, budget, actions)
    except (CampaignError, ScoreTableError) as error:
        raise _refused(error) from error


def kept(worker: Worker, plan_id: str) -> dict[str, Any] | None:
    """Figures of a plan that is kept; None while it is being made.

    Raises
    ------
    Failure
        400 for no id, 404 for a plan that is neither.
    """
    from serving.campaigns import shelf

    office = worker.need_office()
    folder = office.store.plans()
    if not plan_id:
        raise Failure(400, "Got no `plan` in the address; expected the id of one: /plans has them.")
    try:
        # In this order: it may be done between the two looks.
        being_made = office.has_begun(plan_id) or shelf.under_way(folder, plan_id)
        figures = shelf.said(folder, plan_id)
    except CampaignError as error:
        raise _refused(error) from error
    if figures is None and not being_made:
        raise Failure(404, "There is no such plan in the store; /plans lists them.")
    return figures


def assignments(worker: Worker, plan_id: str, scopes: Iterable[str]) -> pa.Table:
    """Assignments of a plan that is kept, in the columns of some scopes.

    Raises
    ------
    Failure
        422 where they cannot be read.
    """
    from serving.campaigns import shelf

    try:
        return shelf.assignments(worker.need_office().store.plans(), plan_id, columns(scopes))
    except CampaignError as error:
        raise _refused(error) from error


def answer(
    worker: Worker, request: PlanRequest, scopes: Collection[str], who: str
) -> dict[str, Any]:
    """Propose, make or read a plan.

    Parameters
    ----------
    worker : Worker
    request : PlanRequest
    scopes : collection of str
    who : str
        For the audit file.

    Returns
    -------
    dict
        As `campaign_messages.PlanAnswer`.

    Raises
    ------
    Failure
        404 for an unknown plan, 422 where no plan can be, 503 before the first full scoring.
    """
    if request.plan_id is None and not request.keep:
        found = proposal(worker, request.budget, request.actions)
        return _proposed(worker, found, request, scopes)
    plan_id = request.plan_id
    if plan_id is None:
        plan_id, _ = made(worker, request.budget, request.actions, who=who)
    figures = kept(worker, plan_id)
    head = _head(worker, plan_id, "being_made" if figures is None else "kept", request)
    if figures is None:
        return head
    rows = assignments(worker, plan_id, scopes)
    told = _told(worker, figures)
    return head | {"plan": figures, "remarks": told, **_page(rows, request)}


def listing(worker: Worker) -> dict[str, Any]:
    """The plans of the store, the newest first.

    Returns
    -------
    dict
        As `campaign_messages.PlansAnswer`.
    """
    from serving.campaigns import shelf

    folder = worker.need_office().store.plans()
    there = shelf.listed(folder)
    told = []
    for plan_id, when in there[:LISTED]:
        try:
            figures = shelf.said(folder, plan_id)
        except CampaignError:
            continue
        if figures is not None:
            keys = ("plan_id", "as_of", "horizon_days", "budget", "total")
            one = {"kept_at": when, "holdout": figures["holdout"]["holdout"]}
            told.append({**{key: figures[key] for key in keys}, **one})
    currency = worker.deployment.names.currency
    head = {"meta": answers.latest(worker)}
    return {**head, "currency": currency, "total": len(there), "plans": told}


def _proposed(
    worker: Worker, found: Proposal, request: PlanRequest, scopes: Iterable[str]
) -> dict[str, Any]:
    from serving.campaigns import shelf

    shown = [name for name in columns(scopes) if name != "arm"]
    figures = shelf.figures(found.plan)
    return _head(worker, found.plan.plan_id, "proposed", request) | {
        "estimated_from": found.sampled,
        "plan": figures,
        "remarks": _told(worker, figures),
        **_page(found.plan.assignments.select(shown), request),
    }


def _told(worker: Worker, figures: dict[str, Any]) -> list[str]:
    from serving.campaigns import remarks

    terms, meta = worker.need_office().terms, worker.need_desk().meta
    # Of a plan of another day the scores are not at hand.
    same = meta if figures["as_of"] == meta.as_of.isoformat() else None
    return [*remarks.notes(terms, same), *remarks.sentences(figures, terms.currency)]


def _head(worker: Worker, plan_id: str, state: str, request: PlanRequest) -> dict[str, Any]:
    return {
        "meta": answers.meta(worker, worker.need_desk()),
        "plan_id": plan_id,
        "state": state,
        "estimated_from": None,
        "plan": None,
        "remarks": [],
        "total": 0,
        "page": request.page,
        "page_size": request.page_size,
        "assignments": [],
    }


def _page(rows: pa.Table, request: PlanRequest) -> dict[str, Any]:
    start = (request.page - 1) * request.page_size
    return {
        "total": rows.num_rows,
        "assignments": rows.slice(start, request.page_size).to_pylist(),
    }


def _refused(error: Exception) -> Failure:
    return Failure(422, str(error), code="cannot_plan")
