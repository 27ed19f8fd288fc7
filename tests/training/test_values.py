"""Whether values go with the frequency: decided by what past windows say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.value.model import ValueModel
from training.value.simulate import Truth, simulate
from training.value.value_by_frequency import scale
from training.values import ValueChoice, choose_values, values_of
from training.windows.known import Known

# What plain Gamma-Gamma says of such values is what this module is for.
pytestmark = pytest.mark.filterwarnings("ignore:Frequency and value of purchases")


def window(slope, seed=2):
    """A snapshot of customers whose values go with the frequency, and what they did after it."""
    random = np.random.default_rng(seed)
    drawn = simulate(Truth(), np.full(3_000, 400.0), 120.0, random)
    by = scale(drawn["frequency"], slope)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(len(drawn)).astype(str),
            **{name: drawn[name] for name in ("frequency", "recency", "T")},
            "monetary_value": drawn["monetary_value"] * by,
        }
    )
    came = pd.DataFrame(
        {
            "returned_in_120": (drawn["future_purchases"] > 0).astype(int),
            "occasions_in_120": drawn["future_purchases"],
            "spend_in_120": drawn["future_spend"] * by,
        }
    )
    return Known(frame, came, ValueModel().fit(frame), {}), values_of(frame)


@pytest.fixture(scope="module")
def leaning():
    return window(0.3)


def test_dependence_that_forecasts_better_is_held(leaning):
    found = choose_values([leaning], 120)
    assert found.leaning and found.gain > 2 * found.error > 0
    assert found.slope == leaning[1].slope and found.p_value < 0.01
    assert "value goes with frequency to the power of 0." in found.in_words()
    assert "forecast better with it" in found.in_words()
    model = found.applied(leaning[0].value, leaning[0].frame)
    assert model.slope_ == leaning[1].slope and model.spend_ == leaning[1].values


def test_independent_values_stay_plain():
    found = choose_values([window(0.0)], 120)
    assert not found.leaning
    assert "Gamma-Gamma stays plain" in found.in_words()
    model = window(0.0)[0].value
    assert found.applied(model, pd.DataFrame()) is model


def test_significance_alone_does_not_decide(leaning):
    """In the window after newcomers spend three times as much, against the slope."""
    known, values = leaning
    more = np.where(known.frame["frequency"] == 0, 3.0, 1.0)
    turned = known.came.assign(spend_in_120=known.came["spend_in_120"] * more)
    found = choose_values([(replace(known, came=turned), values)], 120)
    assert found.p_value < 0.01 and not found.leaning and found.gain < 0


def test_windows_without_purchases_or_net_spend_say_nothing(leaning):
    known, values = leaning
    silent = replace(known, came=known.came.assign(occasions_in_120=0, spend_in_120=0.0))
    refunded = replace(known, came=known.came.assign(spend_in_120=-5.0))
    for frame in (silent, refunded):
        found = choose_values([(frame, values)], 120)
        assert not found.leaning and found.gain == 0 and found.figures()["slope"] == values.slope
    assert (
        choose_values([(silent, values), leaning], 120).gain == choose_values([leaning], 120).gain
    )


def test_nothing_is_said_without_a_window():
    found = choose_values([], 120)
    assert found == ValueChoice() or np.isnan(found.slope)
    assert found.figures() == {} and "no finished window" in found.in_words()
