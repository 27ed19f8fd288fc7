"""What the page of the customers shows: a list that is filtered, sorted, paged and exported.

In: a worker, its score table, the query string and the scopes of the key. Out: what the
template speaks of; columns of other scopes than the key's are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from serving import questions
from serving.api import answers, parameters
from serving.api.messages import CustomersRequest
from serving.api.routes import ADMIN, RISK, VALUE
from serving.desk import Desk, Totals
from serving.groups import watchlist
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.workbench import lists, subscription
from serving.worker import Worker

PAGE_SIZE = 25

Rows = list[dict[str, Any]]

#: Orders that the list offers: column, words, scope.
ORDERS = (
    ("-clv", "lifetime value, highest first", VALUE),
    ("-churn_probability", "risk, highest first", RISK),
    ("-expected_spend", "expected spend, highest first", VALUE),
    ("-potential_value", "potential value, highest first", VALUE),
    ("next_purchase_by", "next purchase due, earliest first", RISK),
    ("customer_id", "customer id", ""),
)
#: Other words for them of subscribers; empty where there is nothing to order by.
OF_CONTRACTS = {
    "next_purchase_by": "next renewal due, earliest first",
    "-potential_value": "",
}


def content(worker: Worker, desk: Desk, request: Request, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the page of the customers shows.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    request : Request
        Its query string filters, sorts and pages the list.
    scopes : iterable of str

    Returns
    -------
    dict
    """
    sees, store = seen(scopes), worker.deployment.store
    offered = orders(desk.totals, sees)
    plan, given = subscription.parted(request.query_params.multi_items())
    asked = _asked(given, offered[0][0])
    rows, total = listed(desk, asked, scopes, subscription.among(store, desk, plan))
    chosen = [(subscription.PLAN, plan)] if plan else []
    return {
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": sees,
        "asked": asked,
        "heading": watchlist.heading(asked),
        "orders": offered,
        "rows": subscription.named(store, desk, rows),
        "total": total,
        "pages": _pages(asked, total, chosen),
        "exported": urlencode([*parameters.pairs(asked), *chosen]),
        "contract": desk.totals.contracts,
        "plan": plan,
        "all_plans": subscription.plans(store, desk),
        "all_stages": STAGES,
        "all_tiers": TIERS,
        **lists.content(worker, asked, scopes, chosen),
    }


def seen(scopes: Iterable[str]) -> dict[str, bool]:
    """Which questions some scopes show.

    Examples
    --------
    >>> seen(["risk"])
    {'risk': True, 'value': False}
    """
    held = set(scopes)
    return {scope: bool({scope, ADMIN} & held) for scope in (RISK, VALUE)}


def listed(
    desk: Desk,
    asked: CustomersRequest,
    scopes: Iterable[str],
    among: tuple[str, str] | None = None,
) -> tuple[Rows, int]:
    """Rows of a page of customers, of one plan if so asked, and how many there are in all."""
    shown = questions.columns(scopes)
    query = replace(answers.query(asked.filter, asked.sort, shown), among=among)
    return desk.page(query, shown, page=asked.page, size=asked.page_size)


def orders(totals: Totals, sees: dict[str, bool]) -> list[tuple[str, str]]:
    """Orders by columns that the key shows and the table says anything in."""
    silent = {VALUE} if totals.equity is None else set()
    of_contracts = OF_CONTRACTS if totals.contracts else {}
    return [
        (name, of_contracts.get(name, words))
        for name, words, scope in ORDERS
        if sees.get(scope, True) and scope not in silent and of_contracts.get(name) != ""
    ]


def _asked(given: list[tuple[str, str]], order: str) -> CustomersRequest:
    """What the address asks for."""
    if not any(name == "page_size" for name, _ in given):
        given = [*given, ("page_size", str(PAGE_SIZE))]
    return parameters.read(given, sort=[order])


def _pages(asked: CustomersRequest, total: int, chosen: list[tuple[str, str]]) -> dict[str, Any]:
    """First and last row shown, and the addresses of the pages beside this one."""
    first = (asked.page - 1) * asked.page_size + 1
    last = min(asked.page * asked.page_size, total)

    def address(page: int) -> str:
        size = [("page_size", str(asked.page_size))] if asked.page_size != PAGE_SIZE else []
        return "?" + urlencode([*parameters.pairs(asked), *chosen, *size, ("page", str(page))])

    return {
        "first": min(first, total),
        "last": last,
        "before": address(asked.page - 1) if asked.page > 1 else None,
        "after": address(asked.page + 1) if last < total else None,
    }
