"""Subscriptions by hand and at random as inputs, and what they mean in plain Python."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from features.inputs import Inputs

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("day", pa.date32()),
        ("end", pa.date32()),
        ("plan", pa.string()),
        ("price", pa.decimal128(18, 6)),
        ("margin", pa.decimal128(18, 6)),
        ("end_reason", pa.string()),
        ("repeats", pa.bool_()),
        ("term_months", pa.int64()),
        ("term_days", pa.int64()),
        ("grace_days", pa.int64()),
    ]
)
GRACE = 5
FAR = date(9999, 12, 31)


def row(
    customer: str,
    day: date | str,
    end: date | str | None = None,
    *,
    plan: str | None = "basic",
    price: float | None = 10,
    margin: float | None = None,
    reason: str | None = None,
    period: bool = False,
    months: int = 1,
    days: int = 0,
    grace: int = GRACE,
) -> dict[str, Any]:
    """An accepted row."""
    return {
        "customer_id": customer,
        "day": date.fromisoformat(day) if isinstance(day, str) else day,
        "end": date.fromisoformat(end) if isinstance(end, str) else end,
        "plan": plan,
        "price": None if price is None else Decimal(str(price)),
        "margin": None if margin is None else Decimal(str(margin)),
        "end_reason": reason,
        "repeats": not period,
        "term_months": 0 if days else months,
        "term_days": days,
        "grace_days": grace,
    }


def table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as Arrow."""
    return pa.Table.from_pylist(list(rows), SCHEMA)


def inputs(rows: Iterable[dict[str, Any]] | pa.Table, threads: int = 1) -> Inputs:
    """Rows as the one source of a DuckDB of their own."""
    connection = ibis.duckdb.connect(threads=threads)
    given = rows if isinstance(rows, pa.Table) else table(rows)
    return Inputs(
        subscriptions=connection.create_table("subscriptions", given), connection=connection
    )


def renewal(start: date, months: int, days: int, number: int) -> date:
    """Day of a renewal: the day of the month that it began on, or the last there is."""
    if days:
        return start + timedelta(days=days * number)
    year, month = divmod(start.year * 12 + start.month - 1 + months * number, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def payments(one: dict[str, Any], end: date) -> list[date]:
    """Days on which a row was paid for, before a day and before its own end."""
    stop = min(end, one["until"])
    if not one["repeats"]:
        return [one["day"]] if one["day"] < stop else []
    found: list[date] = []
    while (day := renewal(one["day"], one["term_months"], one["term_days"], len(found))) < stop:
        found.append(day)
    return found


def spells(rows: list[dict[str, Any]], as_of: date) -> list[list[dict[str, Any]]]:
    """One customer's spells as known on a date, each a list of rows in the order of time."""
    seen = []
    for one in rows:
        if one["day"] < as_of:
            hidden = one["end"] is None or (one["repeats"] and one["end"] >= as_of)
            come = one["end"] is not None and one["end"] < as_of
            reason = one["end_reason"] if come else None
            seen.append({**one, "until": FAR if hidden else one["end"], "end_reason": reason})
    found: list[list[dict[str, Any]]] = []
    for one in sorted(seen, key=_order):
        covered = max((r["until"] for spell in found for r in spell), default=None)
        one["gap"] = None if covered is None else (one["day"] - covered).days
        if one["gap"] is None or one["gap"] > one["grace_days"]:
            found.append([])
        found[-1].append(one)
    return found


def _order(one: dict[str, Any]) -> tuple[Any, ...]:
    # Nulls come last, as in the engine.
    texts = [(one[name] is None, one[name] or "") for name in ("plan", "end_reason")]
    price = (one["price"] is None, one["price"] or 0)
    return (one["day"], one["until"], texts[0], price, texts[1])


def described(rows: list[dict[str, Any]], as_of: date) -> dict[str, Any] | None:
    """Columns of the family for one customer; None for one who never subscribed."""
    known = spells(rows, as_of)
    if not known:
        return None
    every, last = [one for spell in known for one in spell], known[-1]
    place = {id(one): number for number, one in enumerate(every)}
    current = max(every, key=lambda one: (one["until"], one["day"], place[id(one)]))
    ended = (as_of - current["until"]).days
    runs = current["until"] == FAR if current["repeats"] else ended <= current["grace_days"]
    told: dict[str, Any] = {
        "subscription_earlier": len(known) - runs,
        "subscription_first_days": (as_of - every[0]["day"]).days,
        "subscription_involuntary_ends": sum(r["end_reason"] == "involuntary" for r in every),
    }
    return told | (_of_spell(last, current, as_of) if runs else {})


def _of_spell(spell: list[dict[str, Any]], current: dict[str, Any], as_of: date) -> dict[str, Any]:
    priced = [
        (as_of - b["day"], after / before)
        for a, b in pairwise(spell)
        if a["price"] and b["price"] is not None
        for before, after in [_alike(a, b)]
        if before != after
    ]
    planned = [
        (as_of - b["day"]).days
        for a, b in pairwise(spell)
        if a["plan"] and b["plan"] and a["plan"] != b["plan"]
    ]
    if current["repeats"]:
        made = len(payments(current, as_of))
        due = renewal(current["day"], current["term_months"], current["term_days"], made)
    else:
        due = current["until"]
    return {
        "subscription_tenure_days": (as_of - spell[0]["day"]).days,
        "subscription_renewals": sum(len(payments(one, as_of)) for one in spell) - 1,
        "subscription_days_to_renewal": (due - as_of).days,
        "subscription_term_days": current["term_months"] * 30.4375 + current["term_days"],
        "subscription_price": None if current["price"] is None else float(current["price"]),
        "subscription_margin": None if current["margin"] is None else float(current["margin"]),
        "subscription_plan": current["plan"],
        "subscription_price_ratio": float(priced[-1][1]) if priced else None,
        "subscription_days_since_price_change": priced[-1][0].days if priced else None,
        "subscription_plan_changes": len(planned),
        "subscription_days_since_plan_change": planned[-1] if planned else None,
        "subscription_late_renewals": sum((one["gap"] or 0) > 0 for one in spell[1:]),
        "subscription_pause_days": spell[0]["gap"],
    }


def _alike(a: dict[str, Any], b: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Prices of a month each where both terms are of months."""
    months = (
        (a["term_months"], b["term_months"]) if a["term_months"] and b["term_months"] else (1, 1)
    )
    return Fraction(a["price"]) / months[0], Fraction(b["price"]) / months[1]


def fate(
    rows: list[dict[str, Any]], as_of: date, horizon_days: int, known_until: date
) -> dict[str, Any] | None:
    """Outcome of one customer; None for one without a row before as-of."""
    begun = [s for s in spells(rows, known_until) if s[0]["day"] < as_of]
    if not begun:
        return None
    spell = begun[-1]
    stop = max(one["until"] for one in spell)
    final = (known_until - stop).days > spell[0]["grace_days"]
    end = as_of + timedelta(days=horizon_days)
    paid = [(one, [day for day in payments(one, end) if day >= as_of]) for one in spell]
    priced = [one["price"] * len(days) for one, days in paid if one["price"] is not None]
    reasons = [r["end_reason"] for r in spell if r["until"] == stop and r["end_reason"]]
    return {
        "ended_after": (stop - as_of).days if final else None,
        "end_reason": max(reasons) if final and reasons else None,
        "occasions": sum(len(days) for _, days in paid),
        "spend": float(sum(priced)) if priced else None,
    }


def by_customer(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of each customer."""
    ordered = sorted(rows, key=lambda one: one["customer_id"])
    return {who: list(some) for who, some in groupby(ordered, lambda one: one["customer_id"])}


def random_rows(
    seed: int, start: date, end: date, customers: Iterable[int], *, period: bool
) -> list[dict[str, Any]]:
    """Subscriptions of either shape with everything in them that the features look at.

    Changes of plan and price, late renewals, pauses, involuntary ends, rows without a price.
    """
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for customer in customers:
        day = start + timedelta(days=int(random.integers((end - start).days)))
        plan, price = str(random.choice(["basic", "gold"])), 10.0 + customer % 7
        while day < end:
            terms = 1 if period else int(random.integers(1, 9))
            stop = renewal(day, 1, 0, terms)
            over = random.random() < (0.08 if period else 0.5)
            why = str(random.choice(["voluntary", "involuntary", "moved"])) if over else None
            named = None if random.random() < 0.03 else plan
            paid = None if random.random() < 0.03 else price
            running = not period and stop >= end
            rows.append(
                row(
                    f"s{customer:03}",
                    day,
                    None if running else stop,
                    plan=named,
                    price=paid,
                    margin=None if customer % 5 == 0 else round(price * 0.4 - customer % 3, 2),
                    reason=None if running else why,
                    period=period,
                )
            )
            gap = int(random.integers(20, 200)) if over else max(0, int(random.integers(-8, 5)))
            day = stop + timedelta(days=gap)
            if random.random() < 0.2:
                plan = "gold" if plan == "basic" else "basic"
            if random.random() < 0.2:
                price = round(price * 1.1, 2)
    return rows
