"""The solver: within a thousandth of the exact plan, and never beyond a limit."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.campaigns import solver
from serving.campaigns.exact import exact
from serving.campaigns.problem import Problem, broken
from serving.campaigns.solver import solve
from serving.errors import CampaignError
from tests.serving.campaigns.problems import problem

#: What the issue asks for: a plan within 0.1 % of the exact one.
BAR = 0.001


def best_of_all(given_: Problem) -> float:
    """Profit of the best plan by looking at every one there is."""
    shape = given_.profit.shape
    best = 0.0
    for bits in product((False, True), repeat=given_.profit.size):
        chosen = np.array(bits).reshape(shape)
        if not broken(given_, chosen):
            best = max(best, float(given_.profit[chosen].sum()))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_search_finds_the_best_of_all_plans(seed: int):
    small = problem(4, 3, seed=seed, contacts=1 + seed % 2, tight=0.5)
    found = exact(small)
    assert found is not None and not broken(small, found)
    assert small.profit[found].sum() == pytest.approx(best_of_all(small))


CASES = [
    (customers, seed, 1 + seed % 2, (0.05, 0.3, 0.8)[seed % 3], seed % 4 == 0)
    for customers, seeds in ((10, 8), (60, 6), (300, 3))
    for seed in range(seeds)
]


@pytest.mark.parametrize(("customers", "seed", "contacts", "tight", "alike"), CASES)
def test_a_plan_is_within_a_thousandth_of_the_exact_one(customers, seed, contacts, tight, alike):
    given_ = problem(customers, seed=seed, contacts=contacts, tight=tight, alike=alike)
    optimum = float(given_.profit[exact(given_)].sum())
    found = solve(given_)
    assert found.profit >= optimum * (1 - BAR)
    assert found.bound >= optimum * (1 - 1e-6)


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_of_many_customers_the_prices_alone_prove_a_thousandth(seed: int, alike: bool):
    """Above the size of the exact search: the gap is proven, not compared."""
    found = solve(problem(12_000, seed=seed, alike=alike))
    assert 0 <= found.gap <= BAR


def test_the_prices_decide_where_the_exact_search_is_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(solver, "exact", lambda _: pytest.fail("the search was asked"))
    given_ = problem(2_000, seed=3)
    optimum_at_most = solve(given_, core_pairs=0)
    assert optimum_at_most.gap <= 5 * BAR


values = st.one_of(st.floats(-20, 50), st.just(-np.inf), st.sampled_from([1.0, 2.0, 5.0]))
costs = st.one_of(st.floats(0, 10), st.sampled_from([0.0, 1.0, 2.0]))
limits = st.one_of(st.floats(0, 8), st.just(np.inf))


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 4)))
    return Problem(
        profit=draw(arrays.arrays("float64", shape, elements=values)),
        cost=draw(arrays.arrays("float64", shape, elements=costs)),
        budget=draw(limits),
        capacity=draw(arrays.arrays("float64", shape[1:], elements=limits)),
        contacts=draw(st.integers(1, 4)),
    )


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from([0, 8, 3_000]))
def test_no_limit_is_ever_broken(given_: Problem, core_pairs: int):
    found = solve(given_, core_pairs=core_pairs)
    assert broken(given_, found.chosen) == ""
    assert found.cost <= given_.budget * (1 + 1e-9)
    assert found.bound >= found.profit >= 0


def test_more_budget_never_brings_less_and_is_worth_less_and_less():
    given_ = problem(300, seed=5)
    found = [
        solve(given_.limited(budget=at * given_.budget, capacity=given_.capacity))
        for at in (0.0, 0.2, 0.5, 1.0, 2.0)
    ]
    profits = [one.profit for one in found]
    assert profits == sorted(profits) and profits[0] == 0
    prices = [one.budget_price for one in found[1:]]
    assert prices == sorted(prices, reverse=True)


def test_without_a_limit_everyone_gets_what_pays_best():
    given_ = problem(200, seed=7)
    free = given_.limited(budget=np.inf, capacity=np.full(10, np.inf))
    best = np.where(free.profit > 0, free.profit, 0.0).max(axis=1)
    found = solve(free)
    assert found.profit == pytest.approx(best.sum())
    assert found.budget_price == 0


def test_half_a_place_is_none():
    one = Problem(np.ones((3, 1)), np.ones((3, 1)), 10.0, np.array([1.5]))
    assert solve(one).chosen.sum() == 1


def test_nothing_that_brings_no_profit_is_done():
    lost = Problem(np.array([[-1.0, 0.0]]), np.zeros((1, 2)), 5.0, np.full(2, np.inf))
    assert not solve(lost).chosen.any()


def test_the_search_leaves_standard_output_alone(capfd: pytest.CaptureFixture[str]):
    """SciPy's HiGHS prints debug lines on some problems, of which these have some."""
    for seed in range(3):
        exact(problem(200, seed=seed))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget": -1.0},
        {"capacity": np.array([-1.0])},
        {"contacts": 0},
        {"cost": np.array([[np.nan]])},
        {"cost": np.array([[-1.0]])},
        {"profit": np.array([[np.inf]])},
        {"profit": np.array([[np.nan]])},
        {"profit": np.ones((1, 2))},
    ],
    ids=str,
)
def test_a_problem_that_cannot_be_is_refused(wrong: dict[str, object]):
    right = {"profit": np.ones((1, 1)), "cost": np.ones((1, 1)), "budget": 1.0}
    with pytest.raises(CampaignError, match="expected"):
        Problem(**{**right, "capacity": np.ones(1), **wrong})
