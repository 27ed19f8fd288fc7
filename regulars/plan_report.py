"""A plan for people: what it does, and what it should bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regulars import tables

if TYPE_CHECKING:
    from rich.table import Table

    from serving.campaigns.outcome import ActionLine, Forecast
    from serving.campaigns.planning import Plan

#: Points of the curve that are printed.
_SHOWN = (0.1, 0.3, 0.5, 0.7, 0.9)


def actions(plan: Plan, currency: str) -> Table:
    """Table of the actions: customers, cost, and expected profit with its band."""
    rows = [
        [
            one.action,
            one.channel,
            one.owner,
            one.forecast.treated,
            one.chosen - one.forecast.treated,
            *_money(one.forecast),
            _source(one),
        ]
        for one in plan.lines
    ]
    held = sum(one.chosen - one.forecast.treated for one in plan.lines)
    rows.append(["in all", None, None, plan.total.treated, held, *_money(plan.total), ""])
    of = "no budget" if plan.budget is None else f"a budget of {plan.budget:,.2f} {currency}"
    return tables.table(
        f"Plan {plan.plan_id} as of {plan.as_of}, {of}",
        [
            *("action", "channel", "owner", "treated", "held out", "cost", "profit"),
            *("80 % band", "pays", "effect"),
        ],
        rows,
    )


def guardrails(plan: Plan) -> Table | None:
    """Table of the customers kept from an action, and which; None where nobody was."""
    from serving.campaigns.audience import KEY_ACCOUNT

    rows = [
        [
            "key account: no named owner does it" if name == KEY_ACCOUNT else name,
            number,
            ", ".join(plan.kept_from.get(name, ())),
        ]
        for name, number in plan.held_back.items()
        if number
    ]
    if not rows:
        return None
    columns = ["guardrail", "customers", "kept from"]
    return tables.table("Kept from an action by a guardrail", columns, rows)


def curve(plan: Plan, currency: str) -> Table | None:
    """Table of profit against budget, up to the knee; None where nothing pays."""
    drawn = plan.curve
    if not drawn.knee:
        return None
    near = {min(drawn.points, key=lambda p: abs(p.budget - s * drawn.knee)) for s in _SHOWN}
    points = sorted({*near, drawn.points[-1]}, key=lambda point: point.budget)
    rows = [[point.budget, point.profit, point.next_coin] for point in points]
    return tables.table(f"What a budget brings, in {currency}", _CURVE, rows)


_CURVE = ["budget", "profit", "the next coin brings back"]


def _source(one: ActionLine) -> str:
    """Where what is believed of an action comes from."""
    if one.since is None:
        return "assumed"
    on = "" if one.measured is None else f", {one.measured:,} treated"
    return f"measured {one.since}{on}"


def _money(given: Forecast) -> list[float | str]:
    return [
        given.cost,
        given.profit,
        f"{given.lower:,.0f} to {given.upper:,.0f}",
        f"{given.chance:.0%}",
    ]
