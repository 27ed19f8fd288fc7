"""The curve of profit against budget, and where the next coin brings back less than itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from serving.campaigns.problem import Problem
from serving.campaigns.solver import solve

#: Customers up to whom a curve is drawn from all, and from how many evenly spaced ones of more.
_WHOLE, _SOME = 50_000, 20_000
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
        The budget from which on the next coin brings back less than itself, in currency: more than
        this is not spent, whatever the budget.
    customers : int
        From how many customers it was drawn.
    estimated : bool
        Whether these stand for more.
    """

    points: tuple[Point, ...]
    knee: float
    customers: int
    estimated: bool = False

    def at(self, budget: float) -> float:
        """Profit that a budget brings, in currency; straight between the points."""
        budgets, profits = zip(*((one.budget, one.profit) for one in self.points), strict=True)
        return float(np.interp(budget, budgets, profits))

    def agreeing(self, *, budget: float | None, cost: float, profit: float) -> Curve:
        """The curve beside a plan of all customers: what was estimated goes through the plan.

        Parameters
        ----------
        budget : float or None
            Of the plan, in currency.
        cost, profit : float
            What the plan costs and brings, in currency.

        Returns
        -------
        Curve
            This one where it was drawn from all, or the plan is too small to tell of others.
        """
        if not self.estimated or not self.knee or cost < self.points[1].budget or profit <= 0:
            return self
        free = budget is None or budget >= self.knee
        wide = cost / self.knee if free else 1.0
        high = profit / (self.points[-1].profit if budget is None else self.at(budget))
        points = tuple(
            replace(one, budget=one.budget * wide, cost=one.cost * wide, profit=one.profit * high)
            for one in self.points
        )
        return replace(self, points=points, knee=self.knee * wide)


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
    many = rows if rows <= _WHOLE else _SOME
    some = np.unique(np.linspace(0, max(rows - 1, 0), many).astype(int))
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
    estimated = weight > 1 or len(some) < rows
    return Curve(tuple(points), knee * scale, len(some), estimated)
