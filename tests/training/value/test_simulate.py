import numpy as np
import pytest

from training.value.bg_nbd_forecast import Parameters, expected_purchases_new
from training.value.gamma_gamma import Parameters as Values
from training.value.simulate import Truth, simulate

AGE = 365.0


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


def test_same_seed_draws_the_same_customers():
    draws = [simulate(Truth(), np.full(50, AGE), 9.0, np.random.default_rng(4)) for _ in range(2)]
    assert draws[0].equals(draws[1])
