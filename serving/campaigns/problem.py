"""The problem that a plan solves: who gets which action, under a budget and its limits.

maximise    Σ_ia profit_ia x_ia
subject to  Σ_ia cost_ia x_ia ≤ budget,  Σ_i x_ia ≤ capacity_a,  Σ_a x_ia ≤ contacts,  x_ia ∈ {0, 1}

A pair of customer and action that is not allowed, or brings no profit, has a profit of −inf.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from serving.errors import CampaignError


@dataclass(frozen=True)
class Problem:
    """Profits, costs and limits.

    Attributes
    ----------
    profit : array of shape (n customers, m actions)
        In currency; what is not above 0 is never done, −inf where it may not be.
    cost : array of shape (n, m)
        In currency, finite and at least 0.
    budget : float >= 0
        In currency; inf for none.
    capacity : array of shape (m,)
        Customers an action can take, at least 0; inf for no limit.
    contacts : int >= 1
        Actions a customer can get.

    Raises
    ------
    CampaignError
        If shapes or signs are other than these.
    """

    profit: np.ndarray
    cost: np.ndarray
    budget: float
    capacity: np.ndarray
    contacts: int = 1

    def __post_init__(self) -> None:
        shape = self.profit.shape
        if self.cost.shape != shape or self.capacity.shape != shape[1:] or len(shape) != 2:
            raise CampaignError(
                f"Got profits of shape {shape}, costs of {self.cost.shape} and capacities of "
                f"{self.capacity.shape}; expected (n, m), (n, m) and (m,)."
            )
        costs = bool(np.isfinite(self.cost).all() and (self.cost >= 0).all())
        limits = self.budget >= 0 and bool((self.capacity >= 0).all()) and self.contacts >= 1
        if not (costs and limits) or np.isnan(self.profit).any() or (self.profit == np.inf).any():
            raise CampaignError(
                f"Got a budget of {self.budget}, capacities of {self.capacity.tolist()} and "
                f"{self.contacts} contacts; expected none below 0, at least one contact, finite "
                "costs, and profits that are finite or −inf."
            )

    def limited(self, *, budget: float, capacity: np.ndarray) -> Problem:
        """The same customers and actions under other limits."""
        return replace(self, budget=budget, capacity=capacity)

    def of(self, rows: np.ndarray) -> Problem:
        """The problem of some of the customers, under the same limits."""
        return replace(self, profit=self.profit[rows], cost=self.cost[rows])


@dataclass(frozen=True)
class Allocation:
    """Who gets what, and how good it is known to be.

    Attributes
    ----------
    chosen : boolean array of shape (n, m)
    profit, cost : float
        Sums over what was chosen, in currency.
    bound : float
        No allocation brings more than this, in currency.
    budget_price : float
        What the last coin of the budget brings besides itself (the dual price); 0 where the
        budget does not bind.
    """

    chosen: np.ndarray
    profit: float
    cost: float
    bound: float
    budget_price: float

    @property
    def gap(self) -> float:
        """Share of the bound that is missing: how far the optimum can be, at most."""
        return max(0.0, (self.bound - self.profit) / self.bound) if self.bound > 0 else 0.0


def allocation(
    problem: Problem, chosen: np.ndarray, *, bound: float, budget_price: float
) -> Allocation:
    """Sum up what was chosen.

    Raises
    ------
    CampaignError
        If it breaks a limit; a plan that does never leaves the solver.
    """
    if told := broken(problem, chosen):
        raise CampaignError(f"Got a plan that breaks its limits ({told}); please report it.")
    profit, cost = float(problem.profit[chosen].sum()), float(problem.cost[chosen].sum())
    return Allocation(chosen, profit, cost, max(bound, profit), budget_price)


def broken(problem: Problem, chosen: np.ndarray) -> str:
    """Which limits an allocation breaks, in words; empty for none.

    A budget is kept to a billionth of itself: sums depend on their order by that much.
    """
    told = []
    if float(problem.cost[chosen].sum()) > problem.budget * (1 + 1e-9):
        told.append("budget")
    if (chosen.sum(axis=0) > problem.capacity).any():
        told.append("capacity")
    if chosen.shape[0] and (chosen.sum(axis=1) > problem.contacts).any():
        told.append("contacts")
    if (problem.profit[chosen] <= 0).any():
        told.append("pairs without profit")
    return ", ".join(told)
