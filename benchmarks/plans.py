"""How good a plan is, and how long it takes: side by side with the usual rules.

    python benchmarks/plans.py                 # a few minutes
    python benchmarks/plans.py --customers 1e5

Made customers with ten actions, a budget of three tenths of what everyone's best action would cost,
and capacities. `exact` is SciPy's HiGHS on the whole problem, as far as it is small enough. `by
ratio` takes the pairs by profit for a coin until nothing fits; `riskiest first` gives the customers
most likely to leave the action that keeps most of them, and so on down the risk. All keep the same
limits. Quote the ratios: seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.printed import heading, table, tell
from serving.campaigns.belief import Belief, Effect
from serving.campaigns.exact import exact
from serving.campaigns.problem import Problem, broken
from serving.campaigns.profit import increment, outlook
from serving.campaigns.solver import solve

ACTIONS = 10
EXACT_UP_TO = 2_000
PACKAGES = ("numpy", "scipy")


def made(customers: int, seed: int) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A problem, the risk of each customer, and how many leavers each action keeps."""
    random = np.random.default_rng(seed)
    risk = random.beta(1.2, 1.0, customers)
    spend = (1 - risk) * random.gamma(1.0, 120.0, customers)
    scores = pd.DataFrame(
        {
            "churn_probability": risk,
            "expected_spend": spend,
            "clv": 0.3 * spend * random.uniform(1.0, 4.0, customers),
            "p_alive": np.maximum(1 - risk, random.uniform(0, 1, customers)),
        }
    )
    known = outlook(scores, margin=0.3)
    kept = np.sort(random.uniform(0.01, 0.4, ACTIONS))
    gains = [
        increment(
            known,
            Effect(Belief(share, 0.0), Belief(random.uniform(0, 0.03), 0.0)),
            cost=12.0 * share * random.uniform(0.5, 1.5),
            cost_per_spend=random.uniform(0, 0.02),
        )
        for share in kept
    ]
    profit = np.column_stack([gain.profit for gain in gains])
    # What differs between people and is not in the scores.
    profit *= random.uniform(0.7, 1.3, profit.shape)
    profit[random.random(profit.shape) < 0.2] = -np.inf
    cost = np.column_stack([gain.cost for gain in gains])
    best = np.where(profit > 0, profit, 0.0).argmax(axis=1)
    budget = 0.3 * float(cost[np.arange(customers), best][(profit > 0).any(axis=1)].sum())
    capacity = np.ceil(random.uniform(0.02, 0.3, ACTIONS) * customers)
    return Problem(profit, cost, budget, capacity), risk, kept


def in_order(problem: Problem, order: np.ndarray) -> np.ndarray:
    """Take pairs in an order for as long as they fit; one pass, as a person would."""
    chosen = np.zeros(problem.profit.shape, dtype=bool)
    left, places = problem.budget, problem.capacity.copy()
    served = np.zeros(len(chosen), dtype=bool)
    cost = problem.cost
    for customer, action in zip(*np.unravel_index(order, problem.profit.shape), strict=True):
        price = cost[customer, action]
        if not served[customer] and places[action] >= 1 and price <= left:
            chosen[customer, action] = served[customer] = True
            left -= price
            places[action] -= 1
    return chosen


def by_ratio(problem: Problem, *_: np.ndarray) -> np.ndarray:
    """Pairs by profit for a coin."""
    flat = np.flatnonzero(problem.profit > 0)
    ratio = problem.profit.ravel()[flat] / np.maximum(problem.cost.ravel()[flat], 1e-9)
    return in_order(problem, flat[np.argsort(-ratio, kind="stable")])


def riskiest_first(problem: Problem, risk: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Customers by risk, each with the action that keeps most; what brings a loss is left out."""
    customer, action = np.nonzero(problem.profit > 0)
    order = np.lexsort((-kept[action], -risk[customer]))
    return in_order(problem, (customer * problem.profit.shape[1] + action)[order])


RULES: dict[str, Callable[..., np.ndarray]] = {
    "by ratio": by_ratio,
    "riskiest first": riskiest_first,
}


def rows(customers: int, seed: int) -> list[dict[str, str]]:
    """One row for each way to plan."""
    problem, risk, kept = made(customers, seed)
    start = time.perf_counter()
    found = solve(problem)
    listed = [("this planner", found.chosen, time.perf_counter() - start)]
    if customers <= EXACT_UP_TO:
        start = time.perf_counter()
        best = exact(problem)
        if best is not None:
            listed.append(("exact", best, time.perf_counter() - start))
    for name, rule in RULES.items():
        start = time.perf_counter()
        listed.append((name, rule(problem, risk, kept), time.perf_counter() - start))
    return [
        {
            "customers": f"{customers:,}",
            "plan": name,
            "profit": f"{problem.profit[chosen].sum():,.0f}",
            "of ours, %": f"{100 * problem.profit[chosen].sum() / found.profit:.3f}",
            "gap proven, %": f"{100 * found.gap:.4f}" if name == "this planner" else "",
            "budget used, %": f"{100 * problem.cost[chosen].sum() / problem.budget:.2f}",
            "limits broken": broken(problem, chosen) or "none",
            "s": f"{seconds:.2f}",
        }
        for name, chosen, seconds in listed
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", default="500,2e3,2e4,1e6", help="as 1e5,1e6")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    told: list[dict[str, str]] = []
    for size in asked.customers.split(","):
        tell(f"{float(size):,.0f} customers")
        told += rows(int(float(size)), asked.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    command = " ".join(["python benchmarks/plans.py", *(sys.argv[1:] if arguments is None else [])])
    about = (__doc__ or "").partition("1e5\n\n")[2]
    print(heading("Plans", about.strip(), command, PACKAGES, date.today()))
    print(table(told))
    print(f"\nPeak memory {peak:.2f} GiB.")


if __name__ == "__main__":
    main()
