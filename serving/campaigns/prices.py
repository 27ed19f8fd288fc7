"""Prices of the budget and of each action's capacity: the dual of the plan's problem.

At prices λ for a coin and μ_a for a place, every customer decides alone: the `contacts` best
actions with profit_ia − λ cost_ia − μ_a above 0. What all of them gain, and the limits at those
prices, is never less than the best plan brings; the best prices make it smallest:

    D(λ, μ) = λ budget + Σ_a μ_a capacity_a + Σ_i Σ_{best contacts a} (profit_ia − λ cost_ia − μ_a)⁺

D is convex and piecewise linear in as many prices as there are limits, so cutting planes within a
box around the best prices so far find its minimum (Lemaréchal, Nemirovskii & Nesterov 1995, New
variants of bundle methods, Mathematical Programming 69: 111-147, describe the family). One look
at D passes once over all customers; nothing loops over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from serving.campaigns.problem import Problem

_LOOKS, _SAMPLE_LOOKS = 60, 120
#: Share of D at which prices count as the best.
_CLOSE = 1e-9
_SAMPLE = 20_000
# The planes differ in the last digits where many customers are alike.
_STRICT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclass(frozen=True)
class Prices:
    """Prices, and what they prove.

    Attributes
    ----------
    budget : float >= 0
        Of a coin (λ), in coins.
    capacity : array of shape (m,), >= 0
        Of a place (μ), in currency.
    bound : float
        D: no plan brings more, in currency.
    """

    budget: float
    capacity: np.ndarray
    bound: float


@dataclass
class _Cuts:
    """Planes below D: values and slopes at the prices looked at."""

    at: list[np.ndarray] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    slope: list[np.ndarray] = field(default_factory=list)

    def add(self, at: np.ndarray, value: float, slope: np.ndarray) -> None:
        self.at.append(at)
        self.value.append(value)
        self.slope.append(slope)

    def lowest(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
        """Prices within a box at which the highest plane is lowest, and its height there."""
        from scipy.optimize import linprog

        slopes = np.array(self.slope)
        heights = np.array(self.value) - (slopes * np.array(self.at)).sum(axis=1)
        # Heights of about 1, as the solver's tolerances are absolute.
        unit = max(1.0, float(np.abs(self.value).min()))
        found = linprog(
            np.append(np.zeros(len(low)), 1.0),
            A_ub=np.column_stack([slopes / unit, -np.ones(len(slopes))]),
            b_ub=-heights / unit,
            bounds=[*zip(low, high, strict=True), (None, None)],
            options=_STRICT,
        )
        if found.x is None:
            return self.at[int(np.argmin(self.value))], -np.inf
        return np.clip(found.x[:-1], low, high), float(found.x[-1]) * unit


def reduced(problem: Problem, budget_price: float, capacity_price: np.ndarray) -> np.ndarray:
    """Profit of every pair with its limits paid for.

    Returns
    -------
    array of shape (n, m)
        In currency; −inf where a pair is not allowed.
    """
    left = problem.cost * -budget_price
    left += problem.profit
    left -= capacity_price
    return left


def best(left: np.ndarray, contacts: int) -> np.ndarray:
    """Which pairs every customer takes: its best ones, as many as it may, above 0.

    Parameters
    ----------
    left : array of shape (n, m)
        As `reduced` gives it.
    contacts : int

    Returns
    -------
    boolean array of shape (n, m)
    """
    taken = left > 0
    if contacts >= left.shape[1]:
        return taken
    if contacts == 1:
        first = left.argmax(axis=1)
        only = np.zeros_like(taken)
        rows = np.arange(len(left))
        only[rows, first] = taken[rows, first]
        return only
    order = np.argsort(-left, axis=1, kind="stable")
    top = np.zeros_like(taken)
    np.put_along_axis(top, order[:, :contacts], True, axis=1)
    return taken & top


def prices(problem: Problem) -> Prices:
    """Best prices of a problem.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Prices
        Found on 20,000 of the customers first where there are many more, then on all of them
        from there. Limits that do not bind have a price of 0.
    """
    rows, actions = problem.profit.shape
    start, reach = np.zeros(actions + 1), _reach(problem)
    if rows > 4 * _SAMPLE:
        every = np.unique(np.linspace(0, rows - 1, _SAMPLE).astype(int))
        share = len(every) / rows
        few = problem.of(every).limited(
            budget=problem.budget * share, capacity=problem.capacity * share
        )
        start, _ = _descend(few, start, reach, _SAMPLE_LOOKS)
        reach = reach * 0.02
    found, bound = _descend(problem, start, reach, _LOOKS)
    return Prices(float(found[0]), found[1:], bound)


def _reach(problem: Problem) -> np.ndarray:
    """How far prices can lie from 0: what the best pair brings for each limit."""
    allowed = problem.profit > 0
    if not allowed.any():
        return np.ones(problem.profit.shape[1] + 1)
    profit, cost = problem.profit[allowed], problem.cost[allowed]
    # Costs of less than a billionth are none to a price.
    ratio = float((profit / np.maximum(cost, 1e-9))[cost > 0].max(initial=0.0))
    most = np.where(allowed, problem.profit, 0.0).max(axis=0)
    return np.maximum(np.append(ratio, most), 1e-9)


def _look(problem: Problem, at: np.ndarray) -> tuple[float, np.ndarray]:
    """D and its slope at some prices; a limit of inf has no price."""
    taken = best(left := reduced(problem, float(at[0]), at[1:]), problem.contacts)
    limits = np.append(problem.budget, problem.capacity)
    finite = np.isfinite(limits)
    used = np.append(problem.cost[taken].sum(), taken.sum(axis=0))
    slope = np.where(finite, np.where(finite, limits, 0.0) - used, 0.0)
    return float(left[taken].sum() + (at[finite] * limits[finite]).sum()), slope


def _descend(
    problem: Problem, start: np.ndarray, reach: np.ndarray, looks: int
) -> tuple[np.ndarray, float]:
    """Prices from a start downhill, within boxes that grow with success."""
    bind = np.isfinite(np.append(problem.budget, problem.capacity))
    here, cuts = np.where(bind, start, 0.0), _Cuts()
    value, slope = _look(problem, here)
    cuts.add(here, value, slope)
    wide = np.where(bind, reach, 0.0)
    for _ in range(looks):
        there, height = cuts.lowest(np.maximum(here - wide, 0.0), here + wide)
        if value - height <= _CLOSE * max(abs(value), 1e-12):
            break
        found, slope = _look(problem, there)
        cuts.add(there, found, slope)
        if found <= value - 0.1 * (value - height):
            here, value, wide = there, found, wide * 2
        else:
            if found < value:
                here, value = there, found
            wide = wide * 0.5
    return here, value
