"""The curve of profit against budget, and where the next coin earns less than one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serving.campaigns.problem import Problem
from serving.campaigns.solver import solve

#: Customers that a curve is drawn from; of more, evenly spaced ones stand for all.
_MANY = 6_000
#: Pairs of the exact search, and customers from whom on the curve is smooth without it.
_PAIRS, _SMOOTH = 200, 1_500
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Point:
    """What a budget brings.

    Attributes
    ----------
    budget, cost, profit : float
        Allowed, spent, and expected besides the cost, in currency.
    next_coin : float
        What the next coin brings, its own return included; at least 1 up to the knee.
    """

    budget: float
    cost: float
    profit: float
    next_coin: float


@dataclass(frozen=True)
class Curve:
    """Profit against budget.

    Attributes
    ----------
    points : tuple of Point
        By rising budget, the first 0, the last at the knee.
    knee : float
        The budget from which on the next coin earns less than one, in currency: more than this
        is not spent, whatever the budget.
    customers : int
        From how many customers it was drawn.
    """

    points: tuple[Point, ...]
    knee: float
    customers: int


def curve(problem: Problem, *, treated: float = 1.0, weight: float = 1.0) -> Curve:
    """Draw the curve of a problem, whatever its budget.

    Parameters
    ----------
    problem : Problem
    treated : float
        Share of the chosen that is treated, in (0, 1]: budgets and capacities are those of the
        treated, and the others earn nothing.
    weight : float
        How many customers each row stands for, at least 1; capacities are those of all.

    Returns
    -------
    Curve

    Notes
    -----
    Profit is what remains after costs, so without a budget every pair with a profit is worth its
    cost, and the spend of that plan is the knee. Below it the next coin brings 1 + λ, with the
    dual price λ of the budget.
    """
    rows = len(problem.profit)
    some = np.unique(np.linspace(0, max(rows - 1, 0), min(rows, _MANY)).astype(int))
    share = len(some) / rows if rows else 1.0
    few, scale = problem.of(some), treated * weight / share
    capacity = problem.capacity / scale
    pairs = _PAIRS if len(some) < _SMOOTH else 0
    free = solve(few.limited(budget=np.inf, capacity=capacity), core_pairs=pairs)
    knee = free.cost
    points = [Point(0.0, 0.0, 0.0, 1.0)] if not knee else []
    for at in (0.0, *_SHARES) if knee else ():
        found = solve(few.limited(budget=at * knee, capacity=capacity), core_pairs=pairs)
        points.append(
            Point(
                at * knee * scale, found.cost * scale, found.profit * scale, 1 + found.budget_price
            )
        )
    points.append(Point(knee * scale, knee * scale, free.profit * scale, 1.0))
    return Curve(tuple(points), knee * scale, len(some))
