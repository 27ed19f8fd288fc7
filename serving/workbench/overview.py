"""What the first page shows: totals, stages by tiers, and whom to look after first.

In: a worker, its score table and the scopes of the key. Out: what the template speaks of;
columns of other scopes than the key's are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from serving.api import answers, parameters
from serving.api.messages import CustomersRequest, Filter
from serving.api.routes import RISK, VALUE
from serving.desk import Desk, Totals
from serving.groups import watchlist
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.workbench import customers, subscription
from serving.worker import Worker

#: Customers of the list; the rest is on the page of the customers.
FIRST = 10

# Shades of the cells of the table, by share of all customers.
_SHADES = (0.0, 0.005, 0.02, 0.05, 0.10, 0.20)


def content(worker: Worker, desk: Desk, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the first page shows.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    scopes : iterable of str

    Returns
    -------
    dict
    """
    sees = customers.seen(scopes)
    order = customers.orders(desk.totals, sees)[0][0]
    asked = CustomersRequest(filter=_watched(sees), sort=[order], page_size=FIRST)
    rows, total = customers.listed(desk, asked, scopes)
    if not total:
        asked = CustomersRequest(sort=[order], page_size=FIRST)
        rows, total = customers.listed(desk, asked, scopes)
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
        "heading": watchlist.heading(asked),
        "listed": asked.filter.stage,
        "rows": subscription.named(worker.deployment.store, desk, rows),
        "contract": desk.totals.contracts,
        "total": total,
        "whole": "/customers?" + urlencode(parameters.pairs(asked)),
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


def _watched(sees: dict[str, bool]) -> Filter:
    """The watch list; without the scope for risk, its stage alone."""
    return watchlist.chosen() if sees[RISK] else Filter(stage=[watchlist.STAGE])


def _stages(totals: Totals) -> list[tuple[str | None, int]]:
    sums: dict[str | None, int] = {}
    for (stage, _), number in totals.cells.items():
        sums[stage] = sums.get(stage, 0) + number
    order = [*STAGES, *([None] if None in sums else [])]
    return [(stage, sums.get(stage, 0)) for stage in order]


def _shade(number: int, everyone: int) -> int:
    share = number / everyone if everyone else 0.0
    return sum(share > step for step in _SHADES)
