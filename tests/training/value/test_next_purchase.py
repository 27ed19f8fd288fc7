"""When the next purchase comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import TrainingError
from training.value import bg_nbd, mbg_nbd, pareto_nbd
from training.value.gamma_gamma import Fit as ValueFit
from training.value.gamma_gamma import Parameters as Values
from training.value.model import ValueModel
from training.value.next_purchase import days_to_next_purchase
from training.value.purchase_fit import Fit
from training.value.simulate import Truth, simulate
from training.value.wandering import Parameters as Wandering


def holding(params: object) -> ValueModel:
    """A value model with these purchases."""
    found = ValueModel()
    found.purchases_ = Fit(params, 0.0, "converged", "", 1, 0, None)
    found.spend_ = ValueFit(Values(6.25, 3.74, 15.44), 0.0, "converged", "", 1, 0, 0.0, None)
    found.refund_factor_ = 1.0
    return found


KINDS = (bg_nbd.Parameters, mbg_nbd.Parameters, pareto_nbd.Parameters, Wandering)


@pytest.fixture(scope="module", params=KINDS, ids=["bg", "mbg", "pareto", "wandering"])
def model(request):
    return holding(request.param(0.7, 30.0, 0.3, 2.4))


@pytest.fixture(scope="module")
def customers():
    """Bought yesterday for the first time, once long ago, again, often, gone, and nobody."""
    columns = {
        "frequency": [0, 0, 2, 30, 300, np.nan],
        "recency": [0.0, 0.0, 100.0, 290.0, 300.0, np.nan],
        "T": [0.0, 400.0, 150.0, 300.0, 4000.0, np.nan],
        "monetary_value": [0.0, 0.0, 20.0, 90.0, 5.0, np.nan],
    }
    return pd.DataFrame(columns, index=list("abcdef"))


@pytest.mark.parametrize("horizon", [1, 30, 365, 730])
def test_half_of_the_returns_have_come_by_then(model, customers, horizon):
    """By the model's own return probability at that day."""
    days = days_to_next_purchase(model, customers, horizon)
    assert np.isnan(days[-1])
    assert (days[:4] > 0).all() and (days[:4] < horizon).all()
    for place, length in enumerate(days[:4]):
        one = customers.iloc[[place]]
        half = model.predict(one, float(length))["return_probability"].item()
        whole = model.predict(one, horizon)["return_probability"].item()
        assert half / whole == pytest.approx(0.5, abs=2e-3)


def test_who_buys_often_comes_sooner(model, customers):
    days = days_to_next_purchase(model, customers, 365)
    assert days[3] < days[2] < days[1]


def test_no_day_is_told_where_no_return_has_a_chance(model, customers):
    """300 purchases and ten years of silence: 0, or 1e-22 where the past fades."""
    days = days_to_next_purchase(model, customers, 365)
    chance = model.predict(customers, 365)["return_probability"]
    assert (np.isnan(days) == ~(chance > 0)).all()
    assert np.isnan(days[4]) == (not isinstance(model.purchases_.params, Wandering))


@settings(max_examples=30)
@given(
    st.integers(0, 200),
    st.floats(0, 1),
    st.integers(0, 800),
    st.integers(0, 90),
)
def test_a_later_day_without_a_purchase_moves_the_date_on(model, x, share, age, later):
    recency = float(round(share * age)) if x else 0.0
    rows = pd.DataFrame(
        {"frequency": x, "recency": recency, "T": [age, age + later], "monetary_value": 9.0}
    )
    before, after = days_to_next_purchase(model, rows, 365)
    if not np.isnan(after):
        assert after + later >= before - 1e-3


def test_order_and_company_change_nothing_and_equal_histories_have_equal_days(model, customers):
    twice = pd.concat([customers.iloc[::-1], customers.assign(monetary_value=1.0)])
    days = pd.Series(days_to_next_purchase(model, twice, 365), twice.index)
    alone = [days_to_next_purchase(model, customers.loc[[one]], 365).item() for one in days.index]
    np.testing.assert_array_equal(days, alone)


@pytest.mark.parametrize("truth", [bg_nbd, mbg_nbd, pareto_nbd])
def test_half_of_simulated_customers_who_return_come_before_the_day(truth):
    """In all, and of those who bought once, a few times and often; to four standard errors.

    Who is there buys at the own rate, so that the first purchase ahead is exponential; a
    Pareto/NBD customer may leave before it, at a rate of its own.
    """
    random = np.random.default_rng(20)
    ages = random.integers(100, 600, 12_000)
    params = truth.Parameters(0.5, 30.0, 0.6, 120.0 if truth is pareto_nbd else 2.4)
    rows = simulate(Truth(params), ages, 0.0, random)
    first = random.exponential(1.0 / rows["rate"])
    back = rows["alive"] & (first < 365)
    if truth is pareto_nbd:
        back &= first < random.exponential(1.0 / rows["dropout"])
    early = first <= days_to_next_purchase(holding(params), rows, 365)
    for chosen in (rows["frequency"] >= 0, rows["frequency"] == 0, rows["frequency"] > 4):
        here = early[back & chosen]
        assert len(here) > 150
        assert here.mean() == pytest.approx(0.5, abs=2.0 / np.sqrt(len(here)))


def test_nobody_has_no_day(model, customers):
    assert days_to_next_purchase(model, customers.iloc[:0], 365).shape == (0,)


def test_a_horizon_below_a_day_is_refused(model, customers):
    with pytest.raises(TrainingError, match="within_days = 0"):
        days_to_next_purchase(model, customers, 0)
