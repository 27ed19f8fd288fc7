import doctest
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value import model as value
from training.value.model import HISTORY, OUTPUTS, ValueModel
from training.value.purchase_models import purchase_model


@pytest.fixture(scope="module")
def shop(shoppers):
    """The simulated customers with a column of refunds: a tenth of the positive spend."""
    gross = shoppers["monetary_value"] * shoppers["frequency"]
    return shoppers.assign(spend_total=0.9 * gross, unmatched_refunds=-0.1 * gross)


@pytest.fixture(scope="module")
def model(shop):
    return ValueModel().fit(shop)


def test_forecasts_come_true_for_simulated_customers(shoppers):
    """Spend of the 180 days that follow: the total within 4 %, about three standard errors."""
    plain = ValueModel().fit(shoppers)
    forecast = plain.predict(shoppers, horizon_days=180)
    assert plain.refund_factor_ == 1.0
    assert forecast["expected_spend"].sum() == pytest.approx(
        shoppers["future_spend"].sum(), rel=0.04
    )


def test_table_has_a_row_for_each_customer(shop, model):
    some = shop.set_index(np.arange(len(shop))[::-1]).sample(100, random_state=0)
    forecast = model.predict(some, horizon_days=90)
    assert forecast.index.equals(some.index)
    assert tuple(forecast.columns) == OUTPUTS
    assert (forecast.dtypes == np.float64).all()
    assert np.isfinite(forecast.to_numpy()).all() and (forecast >= 0).all(axis=None)


def test_customer_alone_gets_the_numbers_of_the_table(shop, model):
    together = model.predict(shop, horizon_days=90)
    for row in (0, 17, 4_242):
        alone = model.predict(shop.iloc[[row]], horizon_days=90)
        pd.testing.assert_frame_equal(alone, together.iloc[[row]], check_exact=True)


def test_no_customers_give_the_columns(shop, model):
    forecast = model.predict(shop.head(0), horizon_days=90)
    assert forecast.empty and tuple(forecast.columns) == OUTPUTS


def test_brand_new_customer_is_worth_the_population_mean(model):
    """Bought for the first time yesterday: T = 0, certainly there, value unknown."""
    newcomer = pd.DataFrame([dict.fromkeys(HISTORY, 0.0)])
    forecast = model.predict(newcomer, horizon_days=90).iloc[0]
    assert forecast["p_alive"] == 1.0 and forecast["return_probability"] > 0
    per_purchase = forecast["expected_spend"] / forecast["expected_purchases"]
    assert per_purchase == pytest.approx(model.refund_factor_ * model.spend_.params.mean)


def test_refunds_come_off_spend_and_lifetime_value(shop, model):
    """spend_total / (spend_total − unmatched_refunds) = 0.9 / (0.9 + 0.1)."""
    assert model.refund_factor_ == pytest.approx(0.9)
    without = ValueModel().fit(shop.drop(columns=["spend_total", "unmatched_refunds"]))
    ratio = model.predict(shop.head(50), 90) / without.predict(shop.head(50), 90)
    np.testing.assert_allclose(ratio[["expected_spend", "clv"]], 0.9)
    np.testing.assert_array_equal(ratio["expected_purchases"], 1.0)


def test_refunds_of_everything_leave_nothing_and_are_doubted(shop):
    lost = shop.assign(unmatched_refunds=-2.0, spend_total=-1.0)
    with pytest.warns(StatisticalWarning, match="take 100% of the spend"):
        assert ValueModel().fit(lost).refund_factor_ == 0.0


def test_lifetime_value_is_margin_times_discounted_spend(shop, model):
    """Without discount it is the margin of the spend over the same days; with it, less."""
    some = shop.head(200)
    plain = model.predict(some, 365, 365, margin=0.25, annual_discount_rate=0.0)
    np.testing.assert_allclose(plain["clv"], 0.25 * plain["expected_spend"], rtol=1e-12)
    discounted = model.predict(some, 365, 365, margin=0.25, annual_discount_rate=0.10)
    share = (discounted["clv"] / plain["clv"]).to_numpy()
    assert np.all(share < 1) and np.all(share > 1 / 1.10)


@pytest.mark.parity
def test_lifetime_value_is_near_that_of_lifetimes(shop, model, oracle):
    """There, money is discounted at the end of each of twelve months of 30 days.

    Continuous discounting counts each sale about half a month earlier, so the same rate gives a
    value higher by (1 + d)^(1/24) − 1, which is 0.4 % at ten per cent a year.
    """
    some = shop.head(300)
    purchases, spend = oracle("BetaGeoFitter"), oracle("GammaGammaFitter")
    ours, worth = model.purchases_.params, model.spend_.params
    purchases.params_ = {"r": ours.r, "alpha": ours.alpha, "a": ours.a, "b": ours.b}
    purchases.predict = purchases.conditional_expected_number_of_purchases_up_to_time
    spend.params_ = {"p": worth.p, "q": worth.q, "v": worth.v}
    monthly = 1.1 ** (30 / 365) - 1
    theirs = spend.customer_lifetime_value(
        purchases,
        *(some[name] for name in ("frequency", "recency", "T", "monetary_value")),
        time=12,
        discount_rate=monthly,
        freq="D",
    )
    clv = model.predict(some, 90, 360, margin=1.0, annual_discount_rate=0.1)["clv"]
    later = 0.9 * theirs * (1 + monthly) ** 0.5
    np.testing.assert_allclose(clv, later, rtol=1e-3)


def test_currency_multiplies_money_alone(shop, model):
    money = ["monetary_value", "spend_total", "unmatched_refunds"]
    yen = shop.assign(**{name: 150 * shop[name] for name in money})
    ratio = ValueModel().fit(yen).predict(yen.head(50), 90) / model.predict(shop.head(50), 90)
    np.testing.assert_allclose(ratio[["expected_spend", "clv"]], 150, rtol=1e-6)
    np.testing.assert_allclose(ratio[["return_probability", "p_alive"]], 1, rtol=1e-6)


def test_null_history_gives_null_answers_and_is_not_fitted(shop, model):
    gaps = shop.astype(dict.fromkeys(HISTORY, "Float64")).iloc[:1_000].copy()
    gaps.iloc[3, gaps.columns.get_indexer(list(HISTORY))] = pd.NA
    forecast = model.predict(gaps, 90)
    assert forecast.iloc[3].isna().all() and forecast.drop(index=3).notna().all(axis=None)
    fitted = ValueModel().fit(gaps)
    assert fitted.purchases_.customers == 999


def test_saved_as_json_text_and_read_it_is_the_same_model(shop, model):
    text = json.dumps(model.to_dict(), allow_nan=False)
    again = ValueModel.from_dict(json.loads(text))
    assert again.to_dict() == model.to_dict()
    assert again.purchases_ == model.purchases_ and again.spend_ == model.spend_
    pd.testing.assert_frame_equal(
        again.predict(shop.head(99), 90), model.predict(shop.head(99), 90), check_exact=True
    )


def test_dictionary_of_something_else_is_refused():
    with pytest.raises(TrainingError, match="cannot be read"):
        ValueModel.from_dict({"purchases": {"params": {"r": 1.0}}})
    with pytest.raises(TrainingError, match="Got the purchase model 'nbd'; expected one of bg_nbd"):
        ValueModel.from_dict({"purchase_model": "nbd"})


def test_dictionary_from_before_there_was_a_choice_is_bg_nbd(shop, model):
    saved = model.to_dict()
    assert saved.pop("purchase_model") == "bg_nbd"
    again = ValueModel.from_dict(saved)
    assert again.get_params() == {"purchases": "bg_nbd", "memory": None}
    assert again.purchases_ == model.purchases_


@pytest.fixture(scope="module", params=["mbg_nbd", "pareto_nbd", "wandering"])
def other(request, shop):
    """A value model that holds another purchase model, fitted in whole days."""
    days = shop.assign(recency=np.ceil(shop["recency"]))
    return ValueModel(purchases=request.param).fit(days)


def test_any_purchase_model_can_be_held(shop, model, other):
    """The money is the same, and forecasts are of the same customers: totals within a fifth."""
    held = purchase_model(other.purchases)
    assert isinstance(other.purchases_.params, held.Parameters)
    assert other.spend_ == model.spend_ and other.refund_factor_ == model.refund_factor_
    some = shop.head(2_000)
    forecast, usual = other.predict(some, 180), model.predict(some, 180)
    assert tuple(forecast.columns) == OUTPUTS
    history = tuple(some[name] for name in HISTORY[:3])
    params = other.purchases_.params
    for name in ("return_probability", "expected_purchases"):
        answer = getattr(held, name)(params, 180.0, *history)
        assert np.array_equal(forecast[name], answer)
        assert forecast[name].sum() == pytest.approx(usual[name].sum(), rel=0.2)
    assert np.array_equal(forecast["p_alive"], held.p_alive(params, *history))


def test_any_purchase_model_gives_a_customer_alone_the_numbers_of_the_table(shop, other):
    together = other.predict(shop.head(3_000), horizon_days=90)
    for row in (0, 17, 2_424):
        alone = other.predict(shop.iloc[[row]], horizon_days=90)
        pd.testing.assert_frame_equal(alone, together.iloc[[row]], check_exact=True)


def test_any_purchase_model_is_the_same_after_json_text(shop, other):
    again = ValueModel.from_dict(json.loads(json.dumps(other.to_dict(), allow_nan=False)))
    assert again.to_dict() == other.to_dict() and again.purchases == other.purchases
    assert again.purchases_ == other.purchases_
    pd.testing.assert_frame_equal(
        again.predict(shop.head(99), 90), other.predict(shop.head(99), 90), check_exact=True
    )


def test_fitted_model_keeps_its_purchase_model_when_the_parameter_is_set_anew(shop, model):
    changed = ValueModel.from_dict(model.to_dict()).set_params(purchases="pareto_nbd")
    assert changed.to_dict()["purchase_model"] == "bg_nbd"
    pd.testing.assert_frame_equal(
        changed.predict(shop.head(9), 90), model.predict(shop.head(9), 90)
    )


def test_unknown_purchase_model_is_refused(shop):
    with pytest.raises(TrainingError, match="Got the purchase model 'nbd'"):
        ValueModel(purchases="nbd").fit(shop)


def test_follows_the_conventions_of_an_estimator(shop, model):
    """Its parameter can be read; a clone is unfitted; predicting before fitting is refused."""
    assert model.get_params() == {"purchases": "bg_nbd", "memory": None}
    assert clone(ValueModel(purchases="mbg_nbd")).purchases == "mbg_nbd"
    with pytest.raises(NotFittedError):
        clone(model).predict(shop, 90)
    with pytest.raises(NotFittedError):
        ValueModel().to_dict()


def test_missing_columns_are_named(shop, model):
    with pytest.raises(TrainingError, match="without recency, T"):
        model.predict(shop.drop(columns=["recency", "T"]), 90)


@pytest.mark.parametrize(
    "terms",
    [
        {"horizon_days": -1},
        {"horizon_days": 90, "clv_horizon_days": np.inf},
        {"horizon_days": 90, "annual_discount_rate": -0.1},
        {"horizon_days": 90, "margin": np.nan},
    ],
)
def test_terms_that_mean_nothing_are_refused(shop, model, terms):
    with pytest.raises(TrainingError, match="expected a number"):
        model.predict(shop.head(2), **terms)


def test_impossible_history_is_refused(shop, model):
    with pytest.raises(TrainingError, match="recency between 0 and T"):
        model.predict(shop.head(3).assign(recency=9_999.0), 90)


def test_too_little_history_says_what_is_missing(shop):
    once = shop[shop["frequency"] == 0].head(200)
    with pytest.raises(NotEnoughData, match="at least 10"):
        ValueModel().fit(once)


@settings(max_examples=60, deadline=None)
@given(
    x=st.integers(0, 10_000),
    share=st.floats(0, 1),
    T=st.floats(0, 20_000),
    m=st.floats(0, 1e12),
    horizon=st.floats(0, 3_650),
)
def test_any_customer_gets_finite_answers(model, x, share, T, m, horizon):
    row = {"frequency": x, "recency": share * T if x else 0.0, "T": T, "monetary_value": m}
    forecast = model.predict(pd.DataFrame([row]), horizon, clv_horizon_days=horizon)
    assert np.isfinite(forecast.to_numpy()).all()
    assert (forecast[["return_probability", "p_alive"]] <= 1).all(axis=None)


def test_examples_in_the_docstrings_hold():
    assert doctest.testmod(value).failed == 0


def test_another_purchase_model_is_held_with_the_same_values(shop, model, other):
    """As if fitted from the start; the wandering kind needs no second search."""
    days = shop.assign(recency=np.ceil(shop["recency"]))
    plain = ValueModel().fit(days) if other.purchases == "wandering" else model
    held = plain.holding(days, other.purchases, other.memory)
    assert held.purchases_ == other.purchases_
    assert held.spend_ == model.spend_ and held.refund_factor_ == model.refund_factor_
