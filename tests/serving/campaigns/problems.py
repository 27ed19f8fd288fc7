"""Random problems for the tests of the solver."""

from __future__ import annotations

import numpy as np

from serving.campaigns.problem import Problem


def problem(
    customers: int,
    actions: int = 10,
    *,
    seed: int = 0,
    contacts: int = 1,
    tight: float = 0.3,
    alike: bool = False,
) -> Problem:
    """A problem whose budget is a share of what the best action of everyone would cost.

    Three in ten pairs are not allowed, three in ten actions have no capacity limit; `alike` makes
    many customers the same, which leaves prices with ties.
    """
    random = np.random.default_rng(seed)
    worth = random.gamma(1, 20, (customers, 1)) * random.uniform(0.3, 1.5, (customers, actions))
    profit = worth * random.uniform(0.3, 1.2, actions) - random.uniform(0, 10, worth.shape)
    cost = random.uniform(0.1, 10, actions) * random.uniform(0.8, 1.2, worth.shape)
    if alike:
        profit, cost = np.round(profit / 10) * 10, np.ceil(cost)
    profit[random.random(worth.shape) < 0.3] = -np.inf
    capacity = np.ceil(random.uniform(0.02, 0.4, actions) * customers)
    capacity[random.random(actions) < 0.3] = np.inf
    best = np.where(profit > 0, profit, 0.0).argmax(axis=1)
    budget = tight * float(cost[np.arange(customers), best].sum())
    return Problem(profit, cost, budget, capacity, contacts)
