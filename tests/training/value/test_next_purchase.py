"""When the next purchase comes."""

import numpy as np
import pandas as pd
import pytest

from training.errors import TrainingError
from training.value import bg_nbd
from training.value.gamma_gamma import Fit as ValueFit
from training.value.gamma_gamma import Parameters as Values
from training.value.model import ValueModel
from training.value.next_purchase import days_to_next_purchase
from training.value.purchase_fit import Fit
from training.value.wandering import Parameters as Wandering


@pytest.fixture(scope="module", params=[bg_nbd.Parameters, Wandering])
def model(request):
    found = ValueModel()
    found.purchases_ = Fit(request.param(0.7, 30.0, 0.3, 2.4), 0.0, "converged", "", 1, 0, None)
    found.spend_ = ValueFit(Values(6.25, 3.74, 15.44), 0.0, "converged", "", 1, 0, 0.0, None)
    found.refund_factor_ = 1.0
    return found


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


@pytest.mark.parametrize("horizon", [1, 30, 365])
def test_half_of_the_returns_have_come_by_then(model, customers, horizon):
    """By the model's own return probability at that day, to two hundredths."""
    days = days_to_next_purchase(model, customers, horizon)
    assert np.isnan(days[-1])
    assert (days[:-1] > 0).all() and (days[:-1] < horizon).all()
    for place, length in enumerate(days[:4]):
        one = customers.iloc[[place]]
        half = model.predict(one, float(length))["return_probability"].item()
        whole = model.predict(one, horizon)["return_probability"].item()
        assert half / whole == pytest.approx(0.5, abs=0.02)


def test_who_buys_often_comes_sooner(model, customers):
    days = days_to_next_purchase(model, customers, 365)
    assert days[3] < days[2] < days[1]


def test_a_horizon_below_a_day_is_refused(model, customers):
    with pytest.raises(TrainingError, match="within_days = 0"):
        days_to_next_purchase(model, customers, 0)
