"""How good a plan is, and how long it takes: side by side with the usual rules.

    python benchmarks/plans.py > docs/plans.md       # a quarter of an hour on 2 cores
    python benchmarks/plans.py --customers 2e4 --whole 1e5 --problems 3

Made customers with ten actions, a budget of three tenths of what everyone's best action would cost,
and capacities. `exact` is SciPy's HiGHS on the whole problem, as far as it is small enough. `by
ratio` takes the pairs by profit for a coin until nothing fits; `riskiest first` gives the customers
most likely to leave the action that keeps most of them, and so on down the risk. All keep the same
limits. Quote the ratios: seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd

from benchmarks import options
from benchmarks.printed import heading, table, tell
from serving.campaigns.belief import Belief, Effect
from serving.campaigns.curve import curve
from serving.campaigns.exact import exact
from serving.campaigns.order import Order
from serving.campaigns.planning import settle
from serving.campaigns.problem import Problem, broken
from serving.campaigns.profit import increment, outlook
from serving.campaigns.prospect import prospect
from serving.campaigns.settings import ActionSettings, PlanSettings
from serving.campaigns.solver import CORE_PAIRS, solve

ACTIONS = 10
EXACT_UP_TO = 2_000
GAP_SIZES = (10, 30, 100, 300)
#: Pairs that the exact search decides, by the name of the way.
WAYS = {"this planner": CORE_PAIRS, "200 pairs exact": 200, "prices alone": 0}
PACKAGES = ("numpy", "scipy")


def people(customers: int, random: np.random.Generator) -> pd.DataFrame:
    """Scores of made customers, as far as plans read them."""
    risk = random.beta(1.2, 1.0, customers)
    spend = (1 - risk) * random.gamma(1.0, 120.0, customers)
    return pd.DataFrame(
        {
            "churn_probability": risk,
            "expected_spend": spend,
            "clv": 0.3 * spend * random.uniform(1.0, 4.0, customers),
            "p_alive": np.maximum(1 - risk, random.uniform(0, 1, customers)),
        }
    )


def made(customers: int, seed: int) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A problem, the risk of each customer, and how many leavers each action keeps."""
    random = np.random.default_rng(seed)
    scores = people(customers, random)
    risk = scores["churn_probability"].to_numpy()
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


def gaps(problems: int) -> Iterator[dict[str, str]]:
    """How far plans of small problems are from the exact ones.

    A plan of fewer than 3,000 pairs is the exact search's own. The other ways are those of large
    problems, where it decides a part or nothing.
    """
    for customers in GAP_SIZES:
        short: dict[str, list[float]] = {way: [] for way in WAYS}
        wrong = 0
        for seed in range(problems):
            problem, *_ = made(customers, 1000 + seed)
            best = exact(problem)
            optimum = 0.0 if best is None else float(problem.profit[best].sum())
            if not optimum:
                continue
            for way, pairs in WAYS.items():
                found = solve(problem, core_pairs=pairs)
                short[way].append(100 * max(0.0, 1 - found.profit / optimum))
                wrong += bool(broken(problem, found.chosen))
        yield {
            "customers": f"{customers:,}",
            "problems": f"{len(short[next(iter(WAYS))])}",
            **{f"{way}, worst %": f"{np.max(values):.4f}" for way, values in short.items()},
            "limits broken": f"{wrong}",
        }


def whole(customers: int, seed: int) -> Iterator[dict[str, str]]:
    """A plan from score rows to assignments with its curve and its holdout, step by step."""
    random = np.random.default_rng(seed)
    scores = people(customers, random)
    day = np.datetime64("2024-07-01", "s").astype(object).date()
    scores = scores.assign(
        customer_id=[f"c{number:07d}" for number in range(customers)],
        as_of=day,
        horizon_days=90,
        return_probability=1 - scores["churn_probability"],
        expected_purchases=scores["expected_spend"] / 40,
        stage=random.choice(["loyal", "at_risk", "lapsed"], customers),
        tier=random.choice(["key", "core", "small"], customers, p=[0.2, 0.4, 0.4]),
    )
    actions = {f"action-{number}": _action(number, customers) for number in range(ACTIONS)}
    rules = PlanSettings(budget=0.2 * customers)
    order = Order(plan_id="p", key=bytes(32), margin=0.3, actions=actions, rules=rules)
    start = time.perf_counter()
    seen = prospect(scores, order)
    looked = time.perf_counter()
    drawn = curve(seen.whole, treated=1 - rules.holdout)
    curved = time.perf_counter()
    plan = settle(seen, order, drawn)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    steps = {
        "what every pair would bring": looked - start,
        "the curve": curved - looked,
        "who gets what, holdout, power, assignments": end - curved,
        "in all": end - start,
    }
    for step, seconds in steps.items():
        yield {"step": step, "s": f"{seconds:.1f}"}
    yield {"step": "peak memory, GiB", "s": f"{peak:.2f}"}
    yield {"step": "assignments", "s": f"{plan.assignments.num_rows:,}"}
    yield {"step": "proven to be missing at most, %", "s": f"{100 * plan.gap:.4f}"}


def _action(number: int, customers: int) -> ActionSettings:
    """One of ten actions: dearer ones keep more, half have a capacity, two are for some only."""
    return ActionSettings.model_validate(
        {
            "channel": "telephone" if number > 6 else "e-mail",
            "cost": 0.2 + 0.5 * number,
            "cost_per_spend": 0.02 * (number % 3),
            "capacity": customers // 20 if number % 2 else None,
            "stages": ["at_risk"] if number in (3, 8) else [],
            "mass": False,
            "owner": "desk",
            "kept": {"mean": 0.02 + 0.03 * number, "sd": 0.02},
            "lift": {"mean": 0.005 * number, "sd": 0.01},
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", default="500,2e3,2e4,1e6", help="as 1e5,1e6")
    parser.add_argument("--whole", default="1e6", help="customers of the whole plan")
    parser.add_argument("--problems", type=int, default=20, help="of each size against the exact")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    # First, as the peak of the memory is that of the process.
    tell(f"a whole plan of {float(asked.whole):,.0f} customers")
    steps = list(whole(int(float(asked.whole)), asked.seed))
    tell("small problems against the exact plan")
    near = list(gaps(asked.problems))
    told: list[dict[str, str]] = []
    for size in asked.customers.split(","):
        tell(f"{float(size):,.0f} customers")
        told += rows(int(float(size)), asked.seed)
    command = options.command("plans", arguments)
    about = (__doc__ or "").partition("--problems 3\n\n")[2]
    print(heading("Plans", about.strip(), command, PACKAGES, date.today()))
    print(table(told))
    print("\n## Against the exact plan\n")
    print(
        "Small problems of the same kind: what is missing of the exact optimum. Below 3,000 pairs\n"
        "the planner is the exact search; the other ways are those of large problems.\n"
    )
    print(table(near))
    print(f"\n## A whole plan: {float(asked.whole):,.0f} customers, {ACTIONS} actions\n")
    print("From score rows in memory to the assignments, with the curve and the holdout.\n")
    print(table(steps))


if __name__ == "__main__":
    main()
