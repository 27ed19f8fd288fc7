"""What the first page shows: totals, stages by tiers, and a list of customers.

In: a worker, its score table, the query string and the scopes of the key. Out: what the
template speaks of; columns of other scopes than the key's are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from serving import answers, parameters, questions, watchlist
from serving.desk import Desk, Totals
from serving.lifecycle import STAGES
from serving.messages import CustomersRequest
from serving.routes import ADMIN, RISK, VALUE
from serving.tiers import TIERS
from serving.worker import Worker

PAGE_SIZE = 25

Rows = list[dict[str, Any]]

#: Orders that the list offers: column, words, scope.
_ORDERS = (
    ("-clv", "lifetime value, highest first", VALUE),
    ("-churn_probability", "risk, highest first", RISK),
    ("-expected_spend", "expected spend, highest first", VALUE),
    ("-potential_value", "potential value, highest first", VALUE),
    ("next_purchase_by", "next purchase due, earliest first", RISK),
    ("customer_id", "customer id", ""),
)
# Shades of the cells of the table, by share of all customers.
_SHADES = (0.0, 0.005, 0.02, 0.05, 0.10, 0.20)


def content(worker: Worker, desk: Desk, request: Request, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the first page shows.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    request : Request
        Its query string filters, sorts and pages the list; without one it is the watchlist, or
        everybody where nobody is on that.
    scopes : iterable of str

    Returns
    -------
    dict
    """
    given = request.query_params.multi_items()
    sees = {scope: bool({scope, ADMIN} & set(scopes)) for scope in (RISK, VALUE)}
    orders = _orders(desk.totals, sees)
    shown = questions.columns(scopes)

    def listed(pairs: list[tuple[str, str]]) -> tuple[CustomersRequest, Rows, int]:
        asked = _asked(pairs, orders[0][0])
        query = answers.query(asked.filter, asked.sort, shown)
        return asked, *desk.page(query, shown, page=asked.page, size=asked.page_size)

    asked, rows, total = listed(given or _first(sees))
    if not given and not total:
        asked, rows, total = listed([])
    return {
        "worker": worker,
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "totals": desk.totals,
        "expected": desk.meta.counts.get("expected", {}),
        "sees": sees,
        "grid": grid(desk.totals) if sees[VALUE] else None,
        "stages": _stages(desk.totals),
        "staged": any(stage for stage, _ in desk.totals.cells),
        "asked": asked,
        "heading": watchlist.heading(asked),
        "orders": orders,
        "rows": rows,
        "total": total,
        "pages": _pages(asked, total),
        "exported": urlencode(parameters.pairs(asked)),
        "all_stages": STAGES,
        "all_tiers": TIERS,
    }


def grid(totals: Totals) -> dict[str, Any]:
    """Customers by stage (rows) and tier (columns), with a shade for each cell.

    Parameters
    ----------
    totals : Totals

    Returns
    -------
    dict
        ``rows`` of {stage, cells, total} and ``totals`` by tier; the column None, for customers
        without a tier, only when there are any.
    """
    tiers = [*TIERS, *([None] if any(tier is None for _, tier in totals.cells) else [])]
    stages = [*STAGES, *([None] if any(stage is None for stage, _ in totals.cells) else [])]
    rows: list[dict[str, Any]] = []
    for stage in stages:
        counts = [totals.cells.get((stage, tier), 0) for tier in tiers]
        cells = [
            {"tier": tier, "customers": number, "shade": _shade(number, totals.customers)}
            for tier, number in zip(tiers, counts, strict=True)
        ]
        rows.append({"stage": stage, "cells": cells, "total": sum(counts)})
    by_tier = [sum(row["cells"][place]["customers"] for row in rows) for place in range(len(tiers))]
    return {"tiers": tiers, "rows": rows, "totals": by_tier}


def _orders(totals: Totals, sees: dict[str, bool]) -> list[tuple[str, str]]:
    """Orders by columns that the key shows and the table says anything in."""
    silent = {VALUE} if totals.equity is None else set()
    return [
        (name, words)
        for name, words, scope in _ORDERS
        if sees.get(scope, True) and scope not in silent
    ]


def _first(sees: dict[str, bool]) -> list[tuple[str, str]]:
    """The watchlist as an address; without the scope for risk, its stage alone."""
    pairs: list[tuple[str, str]] = [("stage", watchlist.STAGE)]
    if sees[RISK]:
        pairs.append(("min_churn_probability", str(watchlist.LEAST)))
    return pairs


def _asked(given: list[tuple[str, str]], order: str) -> CustomersRequest:
    """What the address asks for."""
    if not any(name == "page_size" for name, _ in given):
        given = [*given, ("page_size", str(PAGE_SIZE))]
    return parameters.read(given, sort=[order])


def _stages(totals: Totals) -> list[tuple[str | None, int]]:
    sums: dict[str | None, int] = {}
    for (stage, _), number in totals.cells.items():
        sums[stage] = sums.get(stage, 0) + number
    order = [*STAGES, *([None] if None in sums else [])]
    return [(stage, sums.get(stage, 0)) for stage in order]


def _shade(number: int, everyone: int) -> int:
    share = number / everyone if everyone else 0.0
    return sum(share > step for step in _SHADES)


def _pages(asked: CustomersRequest, total: int) -> dict[str, Any]:
    """First and last row shown, and the addresses of the pages beside this one."""
    first = (asked.page - 1) * asked.page_size + 1
    last = min(asked.page * asked.page_size, total)

    def address(page: int) -> str:
        size = [("page_size", str(asked.page_size))] if asked.page_size != PAGE_SIZE else []
        return "?" + urlencode([*parameters.pairs(asked), *size, ("page", str(page))])

    return {
        "first": min(first, total),
        "last": last,
        "before": address(asked.page - 1) if asked.page > 1 else None,
        "after": address(asked.page + 1) if last < total else None,
    }
