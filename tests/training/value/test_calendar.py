"""The season, value between two days, and the next purchase."""

import itertools
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from training.errors import TrainingError
from training.value import bg_nbd
from training.value.calendar import (
    TWO_YEARS,
    WEEKS,
    Calendar,
    between,
    days_to_next_purchase,
    learn,
    week_of,
)
from training.value.gamma_gamma import Fit as ValueFit
from training.value.gamma_gamma import Parameters as Values
from training.value.model import ValueModel
from training.value.purchase_fit import Fit
from training.value.wandering import Parameters as Wandering

FIRST, AS_OF = date(2021, 3, 1), date(2024, 9, 1)
WINTER = tuple(1.6 if week >= 44 else 1.0 for week in range(WEEKS))
SEASON = Calendar(tuple(f / np.mean(WINTER) for f in WINTER), 3.0, "")


def held(params):
    model = ValueModel()
    model.purchases_ = Fit(params, 0.0, "converged", "", 1, 0, None)
    model.spend_ = ValueFit(Values(6.25, 3.74, 15.44), 0.0, "converged", "", 1, 0, 0.0, None)
    model.refund_factor_ = 0.9
    return model


@pytest.fixture(scope="module", params=["bg_nbd", "wandering"])
def model(request):
    r = (0.7, 30.0, 0.3, 2.4)
    return held(bg_nbd.Parameters(*r) if request.param == "bg_nbd" else Wandering(*r))


@pytest.fixture(scope="module")
def customers():
    columns = {
        "frequency": [0, 0, 2, 30, np.nan],
        "recency": [0.0, 0.0, 100.0, 290.0, np.nan],
        "T": [0.0, 400.0, 150.0, 300.0, np.nan],
        "monetary_value": [0.0, 0.0, 20.0, 90.0, np.nan],
    }
    return pd.DataFrame(columns, index=list("abcde"))


def log(days, growth, season, seed=None):
    """Daily purchases with growth by year and a factor by week, exact or Poisson."""
    time = np.arange(days) / 365
    weeks = [week_of(FIRST + timedelta(days=day)) for day in range(days)]
    mean = 40 * np.exp(growth * time) * np.asarray(season)[weeks]
    return mean if seed is None else np.random.default_rng(seed).poisson(mean)


def test_season_is_told_from_growth():
    """Without noise to the smoothing: exact away from the step at week 44, level and slope gone."""
    found = learn(FIRST, log(3 * 365, 0.8, SEASON.factors))
    assert found.missing == "" and found.years == pytest.approx(3.0)
    assert np.mean(found.factors) == pytest.approx(1.0, rel=1e-12)
    inside = [*range(2, 42), *range(46, 50)]
    np.testing.assert_allclose(
        np.array(found.factors)[inside], np.array(SEASON.factors)[inside], rtol=0.03
    )
    growing = learn(FIRST, log(3 * 365, 0.8, [1.0] * WEEKS))
    np.testing.assert_allclose(growing.factors, 1.0, atol=0.01)


def test_noise_is_not_taken_for_a_season():
    """Of 280 purchases a week each raw factor has an error of 4 per cent; shrunk, half or less."""
    found = learn(FIRST, log(2 * 365 + 10, 0.1, [1.0] * WEEKS, seed=1))
    assert np.std(found.factors) < 0.02
    noisy = learn(FIRST, log(3 * 365, 0.1, SEASON.factors, seed=2))
    assert np.corrcoef(noisy.factors, SEASON.factors)[0, 1] > 0.95


def test_less_than_two_years_have_no_season_and_say_so():
    found = learn(FIRST, np.ones(TWO_YEARS - 1))
    assert set(found.factors) == {1.0} and "needs 730" in found.missing
    assert learn(FIRST, log(TWO_YEARS, 0.1, SEASON.factors)).missing == ""
    with pytest.raises(TrainingError, match="no numbers of at least 0"):
        learn(FIRST, [1.0, -1.0])


def test_days_without_purchases_are_borne():
    closed = log(2 * 365, 0.0, [1.0] * WEEKS)
    closed[[week_of(FIRST + timedelta(days=day)) == 30 for day in range(closed.size)]] = 0
    found = learn(FIRST, closed)
    assert np.isfinite(found.factors).all() and found.factors[30] == min(found.factors)


@pytest.mark.parametrize("settled", [0, 90])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_neighbouring_windows_add_up(model, customers, settled, rate):
    terms = {"settled_days": settled, "annual_discount_rate": rate}
    days = [AS_OF + timedelta(days=n) for n in (0, 17, 120, 121, 500)]
    parts = [
        between(model, customers, AS_OF, a, b, SEASON, **terms) for a, b in itertools.pairwise(days)
    ]
    whole = between(model, customers, AS_OF, days[0], days[-1], SEASON, **terms)
    pd.testing.assert_frame_equal(sum(parts[1:], parts[0]), whole, rtol=1e-10)
    assert (whole.dropna() > 0).all(axis=None) and whole.loc["e"].isna().all()
    nothing = between(model, customers, AS_OF, days[1], days[1], SEASON, **terms)
    assert (nothing.dropna() == 0).all(axis=None)


def test_without_a_season_the_forecast_is_the_models_own(model, customers):
    end = AS_OF + timedelta(days=90)
    told = model.predict(customers, 90, clv_horizon_days=90, margin=1.0)
    ours = between(model, customers, AS_OF, AS_OF, end)
    for name in ours:
        np.testing.assert_allclose(ours[name], told[name], rtol=1e-12)
    later = between(model, customers, AS_OF, AS_OF, end, annual_discount_rate=0.1)
    np.testing.assert_allclose(later["expected_spend"], told["clv"], rtol=1e-12)


def test_season_moves_what_is_bought(model, customers):
    """Seven weeks of winter: as without a season, times the factor."""
    start, end = date(2024, 11, 10), date(2024, 12, 20)
    flat = between(model, customers, AS_OF, start, end)
    cold = between(model, customers, AS_OF, start, end, SEASON)
    np.testing.assert_allclose(cold, flat * SEASON.factors[50], rtol=1e-9)


def test_a_level_that_holds_the_season_is_not_multiplied_by_it_again(model, customers):
    """The horizon's total stays; its winter part grows at the cost of the rest."""
    end = AS_OF + timedelta(days=120)
    flat = between(model, customers, AS_OF, AS_OF, end)
    settled = between(model, customers, AS_OF, AS_OF, end, SEASON, settled_days=120)
    counted_twice = between(model, customers, AS_OF, AS_OF, end, SEASON)
    # The index has mean one over the days; purchases fall off over them, by a few per cent.
    np.testing.assert_allclose(settled.dropna(), flat.dropna(), rtol=0.12)
    base = SEASON.mean(AS_OF, end)
    np.testing.assert_allclose(settled * base, counted_twice, rtol=1e-12)
    autumn = between(model, customers, AS_OF, AS_OF, date(2024, 10, 1), SEASON, settled_days=120)
    assert (
        autumn.dropna() < between(model, customers, AS_OF, AS_OF, date(2024, 10, 1)).dropna()
    ).all(axis=None)


def test_windows_have_to_lie_ahead(model, customers):
    with pytest.raises(TrainingError, match="as_of <= start <= end"):
        between(model, customers, AS_OF, AS_OF - timedelta(days=1), AS_OF)
    with pytest.raises(TrainingError, match="annual_discount_rate = -1"):
        between(model, customers, AS_OF, AS_OF, AS_OF, annual_discount_rate=-1)


def test_next_purchase_is_as_likely_before_as_after(model, customers):
    """By the model's own return probability at that day, to a thousandth."""
    days = days_to_next_purchase(model, customers, 2_000)
    assert np.isnan(days[-1])
    seen = 0
    for row, length in zip(range(4), days, strict=False):
        one = customers.iloc[[row]]
        if np.isnan(length):
            assert model.predict(one, 2_000)["return_probability"].item() < 0.5
        else:
            back = model.predict(one, float(length))["return_probability"].item()
            assert back == pytest.approx(0.5, abs=0.001)
            seen += 1
    assert seen >= 2


def test_next_purchase_of_those_who_are_there_comes_earlier(model, customers):
    everyone = days_to_next_purchase(model, customers, 400)
    there = days_to_next_purchase(model, customers, 400, given_there=True)
    both = ~np.isnan(everyone)
    assert both.any() and (there[both] <= everyone[both] + 1e-9).all()
    assert there[3] < there[2]


def test_who_is_more_likely_gone_has_no_next_purchase(model):
    gone = pd.DataFrame(
        {"frequency": [9], "recency": [60.0], "T": [900.0], "monetary_value": [5.0]}
    )
    assert np.isnan(days_to_next_purchase(model, gone, 3_650)[0])
    assert days_to_next_purchase(model, gone, 3_650, given_there=True)[0] > 10
    with pytest.raises(TrainingError, match="within_days = 0"):
        days_to_next_purchase(model, gone, 0)
