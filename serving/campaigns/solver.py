"""The solver: the most profitable plan within its limits, with a bound on what is missing.

Prices of the limits (`serving.campaigns.prices`) make every customer decide alone. What they then
take is cut back to the limits, what the limits leave is filled up, and the customers whose choice
was closest are decided anew by an exact search with what the others leave. No step breaks a
limit, and D at the prices says how far the optimum can be away (Fisher 1981, The Lagrangian
Relaxation Method for Solving Integer Programming Problems, Management Science 27(1): 1-18).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.campaigns.exact import exact
from serving.campaigns.prices import best, prices, reduced
from serving.campaigns.problem import Allocation, Problem, allocation

#: Pairs that the exact search takes on; a problem with fewer is solved by it alone.
CORE_PAIRS = 3_000
#: Of a larger problem, so many and so many nodes of the search: the rest is decided by the prices,
#: and a page waits for it.
_PART_PAIRS, _PART_NODES = 1_000, 100
#: Share of the bound that may be missing for the exact search to be left out, or to end.
_NEAR = 1e-4
_FILLS = 50
#: By how much profits that are alike are told apart.
_TIE = 1e-4
_GOLDEN = (5**0.5 - 1) / 2


def solve(problem: Problem, *, core_pairs: int = CORE_PAIRS) -> Allocation:
    """Choose who gets what.

    Parameters
    ----------
    problem : Problem
    core_pairs : int
        Pairs that are decided by the exact search, of a problem with more at most 1,000; 0 leaves
        it out, as does a plan that is proven to be within 0.01 % of the best without it.

    Returns
    -------
    Allocation
        Keeps every limit. Its `gap` is 0 up to rounding where the exact search did it all.
    """
    # A place for half a customer is none.
    problem = problem.limited(budget=problem.budget, capacity=np.floor(problem.capacity))
    told_apart = _told_apart(problem)
    paid = prices(told_apart)
    left = reduced(told_apart, paid.budget, paid.capacity)
    chosen = best(left, problem.contacts)
    chosen = _cut(problem, left, chosen)
    chosen = _filled(problem, left, chosen)
    bound = paid.bound
    missing = bound - float(problem.profit[chosen].sum())
    if core_pairs and missing > _NEAR * bound:
        chosen, whole = _polished(problem, left, chosen, core_pairs)
        if whole:
            bound = min(bound, float(problem.profit[chosen].sum()) * (1 + 1e-7))
    return allocation(problem, chosen, bound=bound, budget_price=paid.budget)


def _told_apart(problem: Problem) -> Problem:
    """The problem with profits raised by up to `_TIE` of themselves, each by another share.

    Customers who are alike would all do the same at any prices, and a limit that only some of
    them fit into would be missed. Profits only rise, so a bound of this problem is one of ours.
    """
    places = np.arange(problem.profit.size, dtype="float64").reshape(problem.profit.shape)
    shares = np.modf(places * _GOLDEN)[0]
    shares *= _TIE
    shares += 1.0
    return replace(problem, profit=problem.profit * shares)


def _cut(problem: Problem, left: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Cut back to the limits, the least gainful pairs first."""
    kept = chosen.copy()
    for full in np.flatnonzero(chosen.sum(axis=0) > problem.capacity):
        takers = np.flatnonzero(chosen[:, full])
        order = np.argsort(-left[takers, full], kind="stable")
        kept[takers[order[int(problem.capacity[full]) :]], full] = False
    customer, action = np.nonzero(kept)
    cost = problem.cost[kept]
    if cost.sum() <= problem.budget:
        return kept
    order = np.argsort(-left[kept] / np.maximum(cost, 1e-12), kind="stable")
    over = np.cumsum(cost[order]) > problem.budget
    kept[customer[order[over]], action[order[over]]] = False
    return kept


def _filled(problem: Problem, left: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Fill up what the limits leave: in each round every customer offers its best other pair."""
    chosen = chosen.copy()
    rows = np.arange(len(chosen))
    for _ in range(_FILLS):
        budget = problem.budget - float(problem.cost[chosen].sum())
        places = problem.capacity - chosen.sum(axis=0)
        free = (problem.profit > 0) & ~chosen & (problem.cost <= budget) & (places >= 1)
        free &= (chosen.sum(axis=1) < problem.contacts)[:, None]
        offered = np.where(free, left, -np.inf)
        action = offered.argmax(axis=1)
        who = np.flatnonzero(np.isfinite(offered[rows, action]))
        if not len(who):
            break
        gain, cost = offered[who, action[who]], problem.cost[who, action[who]]
        first = np.argsort(-gain, kind="stable")
        who, cost = who[first], cost[first]
        taken = action[who]
        fits = _rank_within(taken) < places[taken]
        who, cost, taken = who[fits], cost[fits], taken[fits]
        fits = np.cumsum(cost) <= budget
        # The first that is too dear must not bar the cheaper ones for good.
        if not fits.any():
            fits[np.argmax(cost <= budget)] = True
        chosen[who[fits], taken[fits]] = True
    return chosen


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """How many of the same group stand before each place."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(groups)))
    rank = np.empty(len(groups), dtype=int)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return rank


def _polished(
    problem: Problem, left: np.ndarray, chosen: np.ndarray, core_pairs: int
) -> tuple[np.ndarray, bool]:
    """Decide the closest choices anew; also whether all were decided so."""
    if (problem.profit > 0).sum() > core_pairs:
        core_pairs = min(core_pairs, _PART_PAIRS)
    core = _closest(problem, left, chosen, core_pairs)
    others = chosen.copy()
    others[core] = False
    spent, used = float(problem.cost[others].sum()), others.sum(axis=0)
    rest = problem.of(core).limited(
        budget=max(problem.budget - spent, 0.0), capacity=problem.capacity - used
    )
    allowance = 0.1 * _NEAR * float(problem.profit[chosen].sum())
    whole = len(core) == int((problem.profit > 0).any(axis=1).sum())
    here = float(rest.profit[chosen[core]].sum())
    if whole or here <= 0:
        found = exact(rest)
    else:
        # Of a part, what is missing counts by the whole plan.
        found = exact(rest, gap=max(allowance / here, 1e-7), nodes=_PART_NODES)
    if found is None:
        return chosen, False
    if rest.profit[found].sum() < here:
        return chosen, whole
    others[core] = found
    return others, whole


def _closest(problem: Problem, left: np.ndarray, chosen: np.ndarray, pairs: int) -> np.ndarray:
    """Customers with the closest choice, as many as have so many pairs that may be done.

    How close it is: what the worst that is chosen gains over the best that is not, or over
    nothing; the loss of a change, measured at the prices.
    """
    allowed = problem.profit > 0
    worst = np.where(chosen, left, np.inf).min(axis=1)
    spare = np.where(allowed & ~chosen, left, -np.inf).max(axis=1)
    full = chosen.sum(axis=1) >= problem.contacts
    swap = np.where(full, worst - spare, np.inf)
    drop, add = np.where(chosen.any(axis=1), worst, np.inf), np.where(full, np.inf, -spare)
    close = np.minimum(np.abs(drop), np.minimum(np.abs(swap), np.abs(add)))
    able = np.flatnonzero(allowed.any(axis=1))
    order = able[np.argsort(close[able], kind="stable")]
    return np.sort(order[np.cumsum(allowed[order].sum(axis=1)) <= pairs])
