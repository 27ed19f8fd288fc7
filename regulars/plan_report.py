"""A plan for people: what it does, what it should bring, and what to know before it goes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from regulars import tables

if TYPE_CHECKING:
    from rich.table import Table

    from serving.campaigns.outcome import ActionLine, Forecast
    from serving.campaigns.planning import Plan
    from serving.campaigns.power import Power

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
    """Table of the customers that guardrails held back; None where they held nobody back."""
    rows = [[name, number] for name, number in plan.held_back.items() if number]
    if not rows:
        return None
    return tables.table("Held back by a guardrail", ["guardrail", "customers"], rows)


def curve(plan: Plan, currency: str) -> Table | None:
    """Table of profit against budget, up to the knee; None where nothing pays."""
    drawn = plan.curve
    if not drawn.knee:
        return None
    near = {min(drawn.points, key=lambda p: abs(p.budget - s * drawn.knee)) for s in _SHOWN}
    points = sorted({*near, drawn.points[-1]}, key=lambda point: point.budget)
    rows = [[point.budget, point.profit, point.next_coin] for point in points]
    return tables.table(f"What a budget brings, in {currency}", _CURVE, rows)


_CURVE = ["budget", "profit", "the next coin brings"]


def sentences(plan: Plan, currency: str) -> Iterator[str]:
    """What to know before the plan goes out."""
    if not plan.total.treated:
        yield "Nobody gets anything: no action pays for anyone it may go to."
    knee = plan.curve.knee
    if knee:
        yield (
            f"Beyond {knee:,.2f} {currency} the next coin earns less than one: more is not spent."
        )
    yield _of_holdout(plan.power)
    if plan.assumed:
        yield (
            f"Nothing was ever measured of {', '.join(plan.assumed)}: effect, profit and band are "
            "assumptions from the settings. Run `regulars measure` once the horizon is over."
        )
    if plan.unscored:
        yield f"{plan.unscored:,} customers are left out: too little can be said of their value."
    yield f"The best plan within these limits brings at most {plan.gap:.3%} more (duality gap)."


def _of_holdout(found: Power) -> str:
    if found.smallest is None or found.power is None:
        return (
            f"The holdout of {found.holdout:,} beside {found.treated:,} treated is too small to "
            "show any effect; plan for more customers, or raise `holdout` in [plan]."
        )
    return (
        f"The holdout of {found.holdout:,} beside {found.treated:,} treated shows a rise of the "
        f"return rate, {found.base:.1%} without, by {100 * found.smallest:.1f} points or more in "
        f"four cases of five ({100 * (found.smallest_adjusted or 0):.1f} given the "
        f"scores). Believed are {100 * (found.expected or 0):+.1f} points, which it shows with a "
        f"chance of {found.power:.0%}."
    )


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
