"""An estimate of a plan from some of the customers, where all of them would take too long.

In: the prospect of evenly spaced customers, and how many each stands for. Out: the figures of the
plan of all, without assignments: nobody is chosen or drawn.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.campaigns import planning
from serving.campaigns.assignments import SCHEMA
from serving.campaigns.curve import Curve
from serving.campaigns.order import Order
from serving.campaigns.planning import Plan
from serving.campaigns.power import expected
from serving.campaigns.prospect import Prospect
from serving.campaigns.solver import solve


def estimate(seen: Prospect, order: Order, drawn: Curve, *, weight: float) -> Plan:
    """Estimate what a plan would come to.

    Parameters
    ----------
    seen : Prospect
        Of some of the customers, with the capacities of all.
    order : Order
    drawn : Curve
        Of the prospect with the same weight.
    weight : float
        How many customers each row stands for, at least 1.

    Returns
    -------
    Plan
        Without assignments; its gap is that of the problem of some.
    """
    share, budget = 1 - order.rules.holdout, order.rules.budget
    scale = share * weight
    found = solve(
        seen.whole.limited(
            budget=np.inf if budget is None else budget / scale,
            capacity=seen.whole.capacity / scale,
        ),
        # The exact search would mend far less than what the sample leaves open.
        core_pairs=0,
    )
    everyone = found.chosen
    rows = np.asarray(everyone.any(axis=1))
    customers = int(rows.sum()) * weight
    treated = round(customers * share)
    return Plan(
        plan_id=order.plan_id,
        as_of=seen.scores["as_of"].iloc[0],
        horizon_days=int(seen.scores["horizon_days"].iloc[0]),
        budget=budget,
        assignments=SCHEMA.empty_table(),
        lines=tuple(
            replace(one, chosen=round(one.chosen * weight), forecast=one.forecast.times(scale))
            for one in planning.lines(seen, order, everyone, everyone)
        ),
        total=planning.total(seen, order, everyone).times(scale),
        held_back={name: round(number * weight) for name, number in seen.held_back.items()},
        kept_from=seen.kept_from,
        unscored=round(seen.unscored * weight),
        curve=drawn,
        power=expected(
            1 - seen.expected.leaves[rows],
            planning.kept(seen, order, everyone, rows),
            treated=treated,
            holdout=round(customers) - treated,
        ),
        gap=found.gap,
    )
