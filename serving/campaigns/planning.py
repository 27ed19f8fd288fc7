"""A plan: who gets which action for a budget, who is held out, and what it should bring.

In: score rows, the actions with what is believed of them, and whom a guardrail protects. Out: the
assignments and the figures that people need before anything goes out. Nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import margins
from serving.campaigns import holdout
from serving.campaigns.assignments import HOLDOUT, SCHEMA, TREATED
from serving.campaigns.curve import Curve, curve
from serving.campaigns.order import Order
from serving.campaigns.outcome import ActionLine, Forecast, forecast
from serving.campaigns.power import Power, power
from serving.campaigns.problem import Allocation, Problem
from serving.campaigns.prospect import Prospect, prospect
from serving.campaigns.solver import solve

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_TRIES = 5


@dataclass(frozen=True)
class Plan:
    """A plan and what is said of it.

    Attributes
    ----------
    plan_id : str
    as_of : date
    horizon_days : int
    budget : float or None
        In currency; None for none.
    assignments : pyarrow.Table
        Of the schema `serving.campaigns.assignments.SCHEMA`, the most profitable first.
    lines : tuple of ActionLine
        Action by action, in the order of the settings.
    total : Forecast
        Of all who are treated.
    held_back : mapping of str to int
        Guardrail to the customers that it kept from one action of the plan at least.
    kept_from : mapping of str to tuple of str
        Guardrail to the actions that it kept them from.
    unscored : int
        Customers of whom too little can be said to plan for them.
    curve : Curve
    power : Power
    gap : float
        How far the best plan can be away at most, as a share of its profit; before the holdout.
    """

    plan_id: str
    as_of: date
    horizon_days: int
    budget: float | None
    assignments: pa.Table = field(repr=False)
    lines: tuple[ActionLine, ...]
    total: Forecast
    held_back: Mapping[str, int]
    kept_from: Mapping[str, tuple[str, ...]]
    unscored: int
    curve: Curve
    power: Power
    gap: float

    @property
    def assumed(self) -> tuple[str, ...]:
        """Actions in the plan whose effect was never measured."""
        return tuple(one.action for one in self.lines if one.since is None and one.chosen)


def draw_up(scores: pd.DataFrame, order: Order) -> Plan:
    """Draw up a plan.

    Parameters
    ----------
    scores : pandas.DataFrame
        Score rows of one as-of date.
    order : Order

    Returns
    -------
    Plan
        The treated keep the budget, every capacity and the contact limit; so do the held out
        together with them where no smaller draw would do.

    Raises
    ------
    CampaignError
        If there is no action, or nobody whose value is known.
    """
    seen = prospect(scores, order)
    return settle(seen, order, curve(seen.whole, treated=1 - order.rules.holdout))


def settle(seen: Prospect, order: Order, drawn: Curve) -> Plan:
    """Settle who gets what, once it is seen what everything would bring.

    Parameters
    ----------
    seen : Prospect
        Of this order, whatever its budget.
    order : Order
    drawn : Curve
        Of the prospect.

    Returns
    -------
    Plan
        As `draw_up` gives it.
    """
    budget = order.rules.budget
    whole = seen.whole.limited(
        budget=np.inf if budget is None else budget, capacity=seen.whole.capacity
    )
    found, held = _with_holdout(seen.scores, whole, order)
    treated = found.chosen & ~held[:, None]
    rows = np.asarray(found.chosen.any(axis=1))
    brings = total(seen, order, treated)
    return Plan(
        plan_id=order.plan_id,
        as_of=seen.scores["as_of"].iloc[0],
        horizon_days=int(seen.scores["horizon_days"].iloc[0]),
        budget=budget,
        assignments=_assignments(seen.scores, order, whole, found, held),
        lines=lines(seen, order, found.chosen, treated),
        total=brings,
        held_back=seen.held_back,
        kept_from=seen.kept_from,
        unscored=seen.unscored,
        curve=drawn.agreeing(budget=budget, cost=brings.cost, profit=brings.profit),
        power=power(
            1 - seen.expected.leaves[rows], kept(seen, order, found.chosen, rows), held[rows]
        ),
        gap=found.gap,
    )


def lines(
    seen: Prospect, order: Order, chosen: np.ndarray, treated: np.ndarray
) -> tuple[ActionLine, ...]:
    """What is done, action by action; `chosen` and `treated` are pairs, as in an allocation."""
    return tuple(
        ActionLine(
            action=name,
            channel=order.actions[name].channel,
            owner=order.actions[name].owner,
            source=order.effect(name).source,
            since=order.effect(name).since,
            chosen=int(chosen[:, place].sum()),
            forecast=forecast([(seen.gains[name], order.effect(name), treated[:, place])]),
            capacity=order.actions[name].capacity,
            measured=order.effect(name).treated,
        )
        for place, name in enumerate(seen.gains)
    )


def total(seen: Prospect, order: Order, treated: np.ndarray) -> Forecast:
    """What all that is done should bring."""
    return forecast(
        (seen.gains[name], order.effect(name), treated[:, place])
        for place, name in enumerate(seen.gains)
    )


def kept(seen: Prospect, order: Order, chosen: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the actions are believed to add to the return probability of each chosen customer."""
    means = np.array([order.effect(name).kept.mean for name in seen.gains])
    return seen.expected.leaves[rows] * np.minimum(chosen[rows] @ means, 1.0)


def _with_holdout(
    scores: pd.DataFrame, whole: Problem, order: Order
) -> tuple[Allocation, np.ndarray]:
    """Choose so many more that the treated among them use the limits, and never break them.

    The held out cost nothing. How many of them fall on dear customers is chance, so a choice whose
    treated cost too much is made anew with a little less; the last one fits whoever is held out.
    """
    share = order.rules.holdout
    budget, capacity = whole.budget / (1 - share), whole.capacity / (1 - share)
    for attempt in range(_TRIES):
        last = attempt == _TRIES - 1
        limits = (whole.budget, whole.capacity) if last else (budget, capacity)
        found = solve(whole.limited(budget=limits[0], capacity=limits[1]))
        held = _held_out(scores, found.chosen, order)
        treated = found.chosen & ~held[:, None]
        cost, taken = float(whole.cost[treated].sum()), treated.sum(axis=0)
        if cost <= whole.budget and (taken <= whole.capacity).all():
            break
        budget *= min(1.0, whole.budget / cost * (1 - 1e-4)) if cost else 1.0
        capacity = capacity - np.maximum(taken - whole.capacity, 0.0)
    return found, held


def _held_out(scores: pd.DataFrame, chosen: np.ndarray, order: Order) -> np.ndarray:
    """Who of the chosen is held out, as a mask over all customers."""
    rows = np.flatnonzero(chosen.any(axis=1))
    names = np.array(list(order.actions))
    some = scores.iloc[rows]
    held = np.zeros(len(scores), dtype=bool)
    held[rows] = holdout.draw(
        some["customer_id"].tolist(),
        holdout.strata(*_stratified(some, names[chosen[rows].argmax(axis=1)])),
        order.rules.holdout,
        plan_id=order.plan_id,
        key=order.key,
    )
    return held


def _stratified(some: pd.DataFrame, first: np.ndarray) -> tuple[Any, Any, np.ndarray]:
    tiers = some["tier"].astype("object").where(some["tier"].notna(), "none")
    return first, tiers, some["churn_probability"].to_numpy("float64")


def _assignments(
    scores: pd.DataFrame, order: Order, whole: Problem, found: Allocation, held: np.ndarray
) -> pa.Table:
    """One row for each chosen pair, the most profitable first."""
    import pyarrow as pa

    customer, action = np.nonzero(found.chosen)
    first = np.argsort(-whole.profit[customer, action], kind="stable")
    customer, action = customer[first], action[first]
    some, names = scores.iloc[customer], np.array(list(order.actions), dtype=object)
    rows = np.flatnonzero(found.chosen.any(axis=1))
    own = holdout.strata(*_stratified(scores.iloc[rows], names[found.chosen[rows].argmax(axis=1)]))
    stratum = own[np.searchsorted(rows, customer)]
    ids, said = some["customer_id"].tolist(), [order.actions[name] for name in names]
    columns = {
        "assignment_id": holdout.assignment_ids(
            ids, names[action].tolist(), plan_id=order.plan_id, key=order.key
        ),
        "plan_id": [order.plan_id] * len(ids),
        "customer_id": ids,
        "as_of": some["as_of"].tolist(),
        "horizon_days": some["horizon_days"].tolist(),
        "action": names[action],
        "channel": np.array([one.channel for one in said], dtype=object)[action],
        "owner": np.array([one.owner for one in said], dtype=object)[action],
        "arm": np.where(held[customer], HOLDOUT, TREATED),
        "stratum": stratum,
        "treated_share": np.full(len(ids), 1 - order.rules.holdout),
        "cost": whole.cost[customer, action],
        "expected_profit": whole.profit[customer, action],
        **{
            name: pa.array(some[name], from_pandas=True)
            for name in ("return_probability", "expected_purchases", "expected_spend")
        },
        margins.COLUMN: margins.rates(some, order.margin),
    }
    arrays = []
    for item in SCHEMA:
        made = columns[item.name]
        if isinstance(made, pa.ChunkedArray):
            made = made.combine_chunks()
        arrays.append(pa.array(made, item.type) if not isinstance(made, pa.Array) else made)
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
