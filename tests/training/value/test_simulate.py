import numpy as np
import pytest

from training.value import mbg_nbd, pareto_nbd
from training.value.bg_nbd_forecast import Parameters, expected_purchases_new
from training.value.gamma_gamma import Parameters as Values
from training.value.purchase_models import name_of, purchase_model
from training.value.simulate import Truth, simulate

AGE = 365.0
OTHERS = [
    mbg_nbd.Parameters(0.7, 60.0, 0.5, 1.5),
    pareto_nbd.Parameters(0.7, 60.0, 0.6, 200.0),
]


@pytest.fixture(scope="module")
def drawn():
    """100,000 customers of one year."""
    truth = Truth(Parameters(0.7, 60.0, 0.5, 3.0), Values(4.0, 6.0, 50.0))
    return truth, simulate(truth, np.full(100_000, AGE), 90.0, np.random.default_rng(11))


def test_mean_purchases_are_the_papers(drawn):
    """Fader, Hardie & Lee (2005), equation 9; within four standard errors."""
    truth, customers = drawn
    error = customers["frequency"].std() / np.sqrt(len(customers))
    expected = expected_purchases_new(truth.purchases, AGE)
    assert abs(customers["frequency"].mean() - expected) < 4 * error


def test_share_without_repeat_purchase_is_the_gamma_mixture(drawn):
    """P(no purchase by T) = (alpha / (alpha + T))^r: Fader, Hardie & Lee (2005), equation 8."""
    truth, customers = drawn
    share = (truth.purchases.alpha / (truth.purchases.alpha + AGE)) ** truth.purchases.r
    error = np.sqrt(share * (1 - share) / len(customers))
    assert abs((customers["frequency"] == 0).mean() - share) < 4 * error


def test_last_purchase_of_those_who_stay_is_late(drawn):
    """Given x purchases all within T and no drop-out the last is at T x / (x + 1) on average."""
    _, customers = drawn
    stayed = customers[customers["alive"] & (customers["frequency"] == 3)]
    error = stayed["recency"].std() / np.sqrt(len(stayed))
    assert abs(stayed["recency"].mean() - AGE * 3 / 4) < 4 * error


def test_mean_value_is_the_populations(drawn):
    """E[Z] = p v / (q − 1) = 40: Fader & Hardie (2013), equation 3."""
    truth, customers = drawn
    assert truth.values.mean == pytest.approx(40.0)
    repeat = customers.loc[customers["frequency"] > 0, "monetary_value"]
    assert abs(repeat.mean() - 40.0) < 4 * repeat.std() / np.sqrt(len(repeat))
    bought = customers["future_spend"].sum() / customers["future_purchases"].sum()
    assert bought == pytest.approx(40.0, rel=0.02)


def test_histories_are_possible(drawn):
    _, customers = drawn
    repeat = customers["frequency"] > 0
    assert (customers.loc[~repeat, ["recency", "monetary_value"]] == 0).all(axis=None)
    assert customers.loc[repeat, "recency"].between(0, AGE).all()
    assert (customers.loc[repeat, "monetary_value"] > 0).all()
    assert (customers.loc[~customers["alive"], "future_purchases"] == 0).all()


@pytest.mark.parametrize("truth", OTHERS, ids=name_of)
def test_other_processes_buy_as_often_as_their_papers_say(truth):
    """E[X(T)]: Fader & Hardie (2005), note 009, equation 27; Wagner & Hoppe (2008)."""
    customers = simulate(Truth(truth), np.full(100_000, AGE), 90.0, np.random.default_rng(12))
    expected = purchase_model(name_of(truth)).expected_purchases_new(truth, AGE)
    error = customers["frequency"].std() / np.sqrt(len(customers))
    assert abs(customers["frequency"].mean() - expected) < 4 * error
    repeat = customers["frequency"] > 0
    assert (customers.loc[~repeat, "recency"] == 0).all()
    assert customers.loc[repeat, "recency"].between(0, AGE).all()
    assert (customers.loc[~customers["alive"], "future_purchases"] == 0).all()


def test_share_that_never_returns_is_that_of_mbg_nbd():
    """P(x = 0) = a/(a + b) + b/(a + b) (alpha / (alpha + T))^r: gone at once, or not yet back."""
    truth = OTHERS[0]
    customers = simulate(Truth(truth), np.full(100_000, AGE), 0.0, np.random.default_rng(13))
    gone = truth.a / (truth.a + truth.b)
    share = gone + (1 - gone) * (truth.alpha / (truth.alpha + AGE)) ** truth.r
    error = np.sqrt(share * (1 - share) / len(customers))
    assert abs((customers["frequency"] == 0).mean() - share) < 4 * error


def test_share_that_stays_is_that_of_pareto_nbd():
    """P(there at T) = (beta / (beta + T))^s: Schmittlein, Morrison & Colombo (1987)."""
    truth = OTHERS[1]
    customers = simulate(Truth(truth), np.full(100_000, AGE), 0.0, np.random.default_rng(14))
    share = (truth.beta / (truth.beta + AGE)) ** truth.s
    error = np.sqrt(share * (1 - share) / len(customers))
    assert abs(customers["alive"].mean() - share) < 4 * error


@pytest.mark.parametrize("truth", [None, *OTHERS], ids=["default", *map(name_of, OTHERS)])
def test_same_seed_draws_the_same_customers(truth):
    world = Truth() if truth is None else Truth(truth)
    draws = [simulate(world, np.full(50, AGE), 9.0, np.random.default_rng(4)) for _ in range(2)]
    assert draws[0].equals(draws[1])
