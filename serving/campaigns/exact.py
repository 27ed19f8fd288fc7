"""The exact plan by SciPy's HiGHS, for problems of a few thousand pairs.

Also the polish of larger ones: the customers whose action is least clear are decided exactly,
with what the others leave of budget and capacity.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

import numpy as np

from serving.campaigns.problem import Problem

#: Nodes of the search after which the best plan so far is taken; no clock decides.
NODES = 2_000
_one_at_a_time = threading.Lock()


def exact(problem: Problem, *, gap: float = 1e-7, nodes: int = NODES) -> np.ndarray | None:
    """Choose exactly.

    Parameters
    ----------
    problem : Problem
        With a few thousand pairs of positive profit at most.
    gap : float
        Share of the optimum at which the search ends.
    nodes : int
        Of the search, at most.

    Returns
    -------
    boolean array of shape (n, m), or None where the search ended without a plan.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    allowed = (problem.profit > 0) & (problem.cost <= problem.budget)
    customer, action = np.nonzero(allowed)
    chosen = np.zeros_like(allowed)
    pairs = len(customer)
    if not pairs:
        return chosen
    place = np.arange(pairs)
    # Numbers of the customers that have a pair, without holes.
    row = np.unique(customer, return_inverse=True)[1]
    people, actions = int(row.max()) + 1, problem.profit.shape[1]
    ones = np.ones(pairs)
    limits = [
        LinearConstraint(csr_array((ones, (row, place)), (people, pairs)), ub=problem.contacts),
        LinearConstraint(csr_array((ones, (action, place)), (actions, pairs)), ub=problem.capacity),
    ]
    cost = problem.cost[allowed]
    if 0 < problem.budget < np.inf:
        # As shares of the budget, so that the solver's tolerance is one too.
        limits.append(LinearConstraint(cost[None] / problem.budget, ub=1.0))
    best = problem.profit[allowed]
    with _unheard():
        found = milp(
            -best / best.max(),
            integrality=ones,
            bounds=Bounds(0, 1),
            constraints=limits,
            options={"mip_rel_gap": gap, "node_limit": nodes},
        )
    if found.x is None:
        return None
    taken = found.x > 0.5
    chosen[customer[taken], action[taken]] = True
    return _within(problem, chosen)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Drop what C code prints: SciPy's HiGHS leaves debug lines on standard output."""
    with _one_at_a_time:
        try:
            kept = os.dup(1)
        except OSError:  # No standard output, as in a daemon.
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            sys.stdout.flush()
            os.dup2(nowhere, 1)
            yield
        finally:
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)


def _within(problem: Problem, chosen: np.ndarray) -> np.ndarray:
    """Without the least profitable pairs that only the solver's tolerance let in."""
    over = float(problem.cost[chosen].sum()) - problem.budget
    if over <= 0:
        return chosen
    customer, action = np.nonzero(chosen)
    cost, profit = problem.cost[chosen], problem.profit[chosen]
    # One pair that covers the excess, the cheapest to lose; the excess is a millionth at most.
    covers = np.where(cost >= over, profit, np.inf)
    lost = int(np.argmin(covers)) if np.isfinite(covers).any() else int(np.argmax(cost))
    kept = chosen.copy()
    kept[customer[lost], action[lost]] = False
    return _within(problem, kept)
