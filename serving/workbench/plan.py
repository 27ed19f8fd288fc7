"""What the page of the plans shows: what a budget brings, who gets what, and the plans so far.

In: a worker, the query string and the scopes of the key. Out: what the template speaks of. A
proposal names no arm: who is held out is told once the plan is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request

from serving.api import answers, campaigns
from serving.api.failures import Failure
from serving.workbench import charts, curves, customers, language
from serving.worker import Worker

if TYPE_CHECKING:
    import pyarrow as pa

PAGE_SIZE = 25
#: Steps of the slider.
STEPS = 100
_NAMES = "budget, action, page"


@dataclass(frozen=True)
class Asked:
    """What an address, or a form, asks a plan for.

    Parameters
    ----------
    budget : float or None
        In currency; that of the settings where not given.
    actions : tuple of str or None
        That may be used; all where not given, none where a form chose none.
    page : int
        Of the list, from 1.
    """

    budget: float | None = None
    actions: tuple[str, ...] | None = None
    page: int = 1

    def pairs(self) -> list[tuple[str, str]]:
        """As an address has it, without the page."""
        told = [] if self.budget is None else [("budget", _plain(self.budget))]
        return told + [("action", name) for name in self.actions or ()]


def read(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Read a query string or a form.

    Parameters
    ----------
    pairs : iterable of (name, value)
        An empty value is no value, as forms send; an empty action is a form that chose others,
        or none.

    Returns
    -------
    Asked

    Raises
    ------
    Failure
        400 for an unknown name or a value that cannot be.

    Examples
    --------
    >>> read([("budget", "1500"), ("action", "call")])
    Asked(budget=1500.0, actions=('call',), page=1)
    """
    budget, page = None, 1
    chosen: list[str] | None = None
    for name, value in pairs:
        if name == "action":
            chosen = [*(chosen or ()), *([value.strip()] if value.strip() else ())]
        if name == "action" or not value.strip():
            continue
        if name == "budget":
            budget = _number(value)
        elif name == "page" and value.isdigit() and 1 <= int(value) <= 1_000_000:
            page = int(value)
        else:
            raise Failure(400, f"Got an unknown name or page; expected {_NAMES}.")
    return Asked(budget, None if chosen is None else tuple(dict.fromkeys(chosen)), page)


def content(worker: Worker, request: Request, scopes: Iterable[str], who: str) -> dict[str, Any]:
    """Gather what the page shows before a plan is made.

    Parameters
    ----------
    worker : Worker
        With a score table.
    request : Request
    scopes : iterable of str
    who : str
        Who asks; only they can make the plan from this page.

    Returns
    -------
    dict
    """
    from serving.campaigns import remarks, shelf

    asked, shared = read(request.query_params.multi_items()), _shared(worker, scopes)
    office = worker.office
    if office is None or office.terms.obstacle or not office.terms.actions:
        why = office.terms.obstacle if office is not None else ""
        return {**shared, "obstacle": why, "figures": None}
    offered = [
        (name, one.channel, asked.actions is None or name in asked.actions)
        for name, one in office.terms.actions.items()
    ]
    if asked.actions == ():
        told = {"offered": offered, "budget": asked.budget, "unchosen": True}
        return {**shared, "obstacle": None, "figures": None, **told}
    found = campaigns.proposal(worker, asked.budget, asked.actions)
    figures, plan_id = shelf.figures(found.plan), found.plan.plan_id
    rows, pages = _listed(found.plan.assignments, asked.page, asked.pairs())
    described = _described(worker, rows, scopes)
    knee = figures["curve"]["knee"]
    return {
        **shared,
        "obstacle": None,
        "asked": asked,
        "sampled": found.sampled,
        "figures": figures,
        "offered": offered,
        "uncooled": office.terms.uncooled,
        "margins": remarks.other_margins(office.terms, worker.need_desk().meta),
        "slider": _slider(figures["budget"], knee),
        "chart": _drawn(figures, worker, request),
        "points": [
            (point, "?" + urlencode(Asked(math.floor(point["budget"]), asked.actions).pairs()))
            for point in figures["curve"]["points"]
            if point["budget"] >= 1
        ],
        "rows": rows,
        "described": described,
        "pages": pages,
        "total": found.plan.assignments.num_rows,
        "made_already": shelf.said(office.store.plans(), plan_id) is not None,
        "seal": office.seal(plan_id, who),
        "plans": campaigns.listing(worker)["plans"],
    }


def made(worker: Worker, request: Request, plan_id: str, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the page shows of a plan that was made, or is being made.

    Parameters
    ----------
    worker : Worker
    request : Request
    plan_id : str
    scopes : iterable of str

    Returns
    -------
    dict
        ``figures`` is None while it is being made.
    """
    given = [pair for pair in request.query_params.multi_items() if pair[0] != "plan"]
    asked, shared = read(given), _shared(worker, scopes)
    figures = campaigns.kept(worker, plan_id)
    told = {**shared, "plan_id": plan_id, "figures": figures, "sampled": None}
    if figures is None:
        return told
    table = campaigns.assignments(worker, plan_id, scopes)
    rows, pages = _listed(table, asked.page, [("plan", plan_id)])
    described = _described(worker, rows, scopes)
    return told | {
        "chart": _drawn(figures, worker, request),
        "rows": rows,
        "described": described,
        "pages": pages,
        "total": table.num_rows,
    }


def _shared(worker: Worker, scopes: Iterable[str]) -> dict[str, Any]:
    desk = worker.need_desk()
    return {
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": customers.seen(scopes),
        "currency": worker.deployment.names.currency,
        "plans": [],
    }


def _drawn(figures: Mapping[str, Any], worker: Worker, request: Request) -> Any:
    spoken, currency = language.of(request), worker.deployment.names.currency
    facts = (figures["curve"], figures["budget"], currency)
    say = language.words(spoken).gettext
    return charts.remembered(lambda: curves.draw(*facts, say), "curve", spoken, *facts)


def _listed(
    table: pa.Table, page: int, pairs: Sequence[tuple[str, str]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of a page of assignments, and the addresses of the pages beside it."""
    start = (page - 1) * PAGE_SIZE
    last = min(start + PAGE_SIZE, table.num_rows)

    def address(of: int) -> str:
        return "?" + urlencode([*pairs, ("page", str(of))])

    return table.slice(start, PAGE_SIZE).to_pylist(), {
        "first": min(start + 1, last),
        "last": last,
        "before": address(page - 1) if page > 1 else None,
        "after": address(page + 1) if last < table.num_rows else None,
    }


def _described(
    worker: Worker, rows: Sequence[dict[str, Any]], scopes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """What the scores of the plan's day say of the customers of a page, as far as a key sees it.

    Nothing of a plan of an earlier day: its scores are not at hand.
    """
    import pyarrow as pa

    from serving import questions
    from serving.insight import drivers
    from serving.scores import SCHEMA

    desk = worker.need_desk()
    if not rows or rows[0]["as_of"] != desk.meta.as_of:
        return {}
    shown = set(questions.columns(scopes))
    names = [name for name in ("stage", "tier", "churn_probability", "reasons") if name in shown]
    told = desk.rows([row["customer_id"] for row in rows], names)
    if "reasons" in names:
        lists = pa.array([one["reasons"] for one in told.values()], SCHEMA.field("reasons").type)
        drawn = drivers.told(None, subscribers=desk.totals.contracts)
        words = {name: one.words for name, one in drawn.items()}
        for one, name in zip(told.values(), drivers.heaviest(lists).to_pylist(), strict=True):
            one["driver"] = words.get(name)
    return told


def _slider(budget: float | None, knee: float) -> dict[str, float]:
    """Ends and step of the slider, in whole units of the currency."""
    step = max(1, 10 ** max(0, math.floor(math.log10(max(knee, 1) / STEPS))))
    most = math.ceil(max(knee, budget or 0.0, 1) / step) * step
    return {"most": most, "step": step, "value": most if budget is None else round(budget)}


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e15:
        raise Failure(400, "Got a budget that cannot be; expected a number of at least 0.")
    return value


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
