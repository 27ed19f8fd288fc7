"""What-ifs of subscribers: the changed rows of the store are those of a log changed alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from serving.errors import ScoringError
from serving.insight.supposed import Change
from tests.serving.insight.businesses import (
    AS_OF,
    RENEWAL,
    SHAPES,
    Business,
    alike,
    before,
    behave,
    changed,
    latest,
    paid_last,
    read,
)
from training.subscriptions.margins import TermMargins


@pytest.mark.parity
@pytest.mark.parametrize("shape", SHAPES)
def test_a_complaint_leaves_the_contract_bit_for_bit(making, shape):
    business = making(shape)
    found = changed(business, Change("complaint"))
    alike(found, before(business))
    assert (found["complaints_total"] - before(business)["complaints_total"]).unique() == [1]


def with_other(business: Business, known: pd.DataFrame, **other: Any) -> pd.DataFrame:
    """The rows with the latest payment otherwise."""
    rows, last = business.rows.copy(), latest(business, known)
    if business.kept["rows"] == "period":
        return rows.assign(**{c: rows[c].mask(rows.index.isin(last), v) for c, v in other.items()})
    day = paid_last(business, known)
    parted = rows.loc[last].set_index("customer_id")
    renewed = pd.to_datetime(parted["start"]) < day
    first = parted[renewed].assign(end=day[renewed].dt.strftime("%Y-%m-%d"), end_reason=None)
    second = parted.assign(start=day.dt.strftime("%Y-%m-%d"))
    second = second.assign(
        **{c: v.set_axis(last.index) if isinstance(v, pd.Series) else v for c, v in other.items()}
    )
    return pd.concat([rows.drop(last), first.reset_index(), second.reset_index()])


@pytest.mark.parity
@pytest.mark.parametrize("shape", SHAPES)
def test_a_discount_is_the_latest_payment_at_another_price(making, shape, tmp_path):
    business = making(shape)
    known = before(business)
    last = business.rows.loc[latest(business, known)]
    price = last["price"].astype(float) * 0.75
    margin = (last["margin"].astype(float) - price / 3).round(6)
    rows = with_other(business, known, price=price, margin=margin)
    expected = behave(read(tmp_path, rows, business.kept)).set_index("customer_id")
    found = changed(business, Change("price_change", percent=-25.0))
    alike(found, expected, but=(RENEWAL,))
    pd.testing.assert_series_equal(found[RENEWAL], known[RENEWAL])
    assert (found["subscription_price"] / known["subscription_price"]).to_numpy() == pytest.approx(
        0.75
    )
    renewed = known["subscription_renewals"] > 0
    assert renewed.any()
    assert found.loc[renewed, "subscription_price_ratio"].notna().mean() > 0.9


@pytest.mark.parity
def test_another_plan_is_the_latest_payment_for_it(making, tmp_path):
    business = making("subscription")
    known = before(business)
    rows = with_other(business, known, plan="annual", price=50.0, margin=None)
    expected = behave(read(tmp_path, rows, business.kept)).set_index("customer_id")
    found = changed(business, Change("plan_change", amount=50.0, plan="annual"))
    alike(found, expected)
    assert set(found["subscription_plan"]) == {"annual"}
    was = known["subscription_plan"] != "annual"
    assert found.loc[was, RENEWAL].min() > 300


def test_a_plan_costs_what_its_subscribers_pay(making):
    business = making("period")
    known = before(business)
    found = changed(business, Change("plan_change", plan="annual"))
    usual = known.loc[known["subscription_plan"] == "annual", "subscription_price"].median()
    was = known["subscription_plan"] != "annual"
    assert set(found.loc[was, "subscription_price"]) == {usual}
    assert found.loc[was, "subscription_term_days"].unique() == [365.25]
    # Who has the plan already has it as it was.
    assert (~was).any()
    assert found.loc[~was, "subscription_price"].equals(known.loc[~was, "subscription_price"])


def test_a_year_that_is_cheaper_by_the_month_is_no_rise_of_the_price(making):
    business = making("subscription")
    known = before(business)
    monthly = known[known["subscription_plan"] != "annual"]
    price = 0.6 * 12 * monthly["subscription_price"].min()
    found = changed(business, Change("plan_change", amount=price, plan="annual")).loc[monthly.index]
    # Who paid for the first time has nothing to compare with: the payment itself is another one.
    told = found[found["subscription_plan_changes"] > monthly["subscription_plan_changes"]]
    assert len(told) > 50
    assert (told["subscription_price_ratio"] <= 0.6 + 1e-6).all()


def test_a_plan_that_nobody_has_is_refused_with_those_there_are(making):
    with pytest.raises(ScoringError, match=r"platinum.*annual"):
        changed(making("period"), Change("plan_change", plan="platinum"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_payment_that_failed_is_late_and_an_end_that_nobody_wanted(making, shape):
    business = making(shape)
    known = before(business)
    found = changed(business, Change("failed_payment"))
    renewed = known["subscription_renewals"] > 0
    assert 100 < renewed.sum() < len(known)
    assert found.index.tolist() == known.index[renewed].tolist()
    known = known[renewed]
    moved = found["subscription_involuntary_ends"] - known["subscription_involuntary_ends"]
    assert moved.unique() == [1]
    late = found["subscription_late_renewals"] - known["subscription_late_renewals"]
    assert set(late) <= {0, 1}
    assert late.mean() > 0.8  # all but those who had been late, or paid on the day before
    same = ["tenure_days", "renewals", "days_to_renewal", "plan", "price", "earlier"]
    for name in (f"subscription_{name}" for name in same):
        pd.testing.assert_series_equal(found[name], known[name])


@pytest.mark.parity
def test_days_later_the_rows_are_those_of_a_later_date(making, tmp_path):
    business = making("subscription")
    later = AS_OF + timedelta(days=40)
    expected = behave(read(tmp_path, business.rows, business.kept), later)
    found = changed(business, Change("silence", days=40))
    alike(found, expected.set_index("customer_id"))
    assert set(found["as_of"]) == {later}


def test_days_later_paid_periods_have_gone_on(making):
    business = making("period")
    known, found = before(business), changed(making("period"), Change("silence", days=40))
    assert found.index.tolist() == known.index.tolist()
    assert (found["subscription_tenure_days"] - known["subscription_tenure_days"]).unique() == [40]
    made = found["subscription_renewals"] - known["subscription_renewals"]
    monthly = known["subscription_plan"] != "annual"
    assert set(made[monthly]) == {1, 2}
    assert set(made[~monthly]) == {0, 1}
    assert found[RENEWAL].min() >= 0


def test_margins_of_the_rows_are_the_rates_of_the_subscribers(making):
    """A third of the price, to the cent, is stated for half of them; plans tell the others."""
    rows = making("period").behaviour
    found = TermMargins.learn(rows)
    assert found is not None
    stated = rows["subscription_margin"].notna().to_numpy()
    assert 0.3 < stated.mean() < 0.7
    assert found.rates(rows) == pytest.approx(1 / 3, abs=0.001)
    assert set(found.plans) == set(rows["subscription_plan"].dropna())
