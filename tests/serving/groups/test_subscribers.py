"""Score rows of subscribers: what a contract tells, and what is not said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from serving.groups import subscribers as contracts
from serving.groups.lifecycle import STAGES
from training.subscriptions.failures import Failures
from training.subscriptions.scorer import SubscriptionScorer
from training.windows.spread import Spread
from training.windows.swing import Swing


@pytest.fixture(scope="module")
def scorer(retention) -> SubscriptionScorer:
    return retention


@pytest.fixture(scope="module")
def rows(subscribers) -> pd.DataFrame:
    return subscribers


@pytest.fixture(scope="module")
def table(rows, scored, scorer) -> pd.DataFrame:
    frame, _ = scored(rows, scorer=scorer)
    return frame.set_index("customer_id")


def test_the_stage_is_that_of_the_contract(table):
    found = table["stage"].to_dict()
    assert pd.isna(found.pop("gone"))
    assert found == {
        "new": "new",
        "growing": "growing",
        "loyal": "loyal",
        "back": "won_back",
        "late": "at_risk",
    }


def test_the_next_purchase_is_the_next_renewal(table, as_of):
    days = {"new": 20, "growing": 0, "loyal": 7, "back": 3, "late": -2}
    for name, ahead in days.items():
        assert table.loc[name, "next_purchase_by"] == as_of + timedelta(days=ahead)


def test_what_is_not_said_is_named_with_its_reason(table):
    always = "not asked of subscriptions: p_alive, potential_value, rfm"
    parts = {name: sorted(text.split("; ")) for name, text in table["abstained"].items()}
    assert parts["loyal"] == [always]
    assert parts["back"] == ["no price on record: expected_spend, clv, tier", always]
    (none,) = [part for part in parts["gone"] if part != always]
    assert none.startswith("no running subscription: churn_probability, return_probability")
    assert "stage" in none and "tier" in none and "next_purchase_by" in none


def test_months_and_failed_payments_are_said_of_subscribers_alone(table, rows, scored, scorer):
    months = table["expected_months"]
    assert pd.isna(months.pop("gone"))
    assert months.between(0, 12).all() and months["loyal"] > months["new"]
    # No end with a reason was seen by this model.
    assert table["involuntary_probability"].isna().all()
    failing = replace(scorer, failures=Failures(0.2, 0.5))
    told = scored(rows.assign(subscription_involuntary_ends=[0, 1, 0, 3, 0, 1]), scorer=failing)
    share = (told[0]["involuntary_probability"] / told[0]["churn_probability"]).tolist()
    assert share[:5] == pytest.approx([0.2, 0.5, 0.2, 0.5, 0.2]) and pd.isna(share[5])


def test_nobody_costs_money_by_not_buying_besides(table):
    assert not table["tier"].isin(["costly"]).any()
    assert table["tier"].notna().sum() == 4


def test_longer_subscribers_and_fewer_renewals_ahead_are_safer(table):
    stays = table["return_probability"]
    assert stays["loyal"] > stays["growing"] > 0.5
    assert table.loc["loyal", "expected_purchases"] > table.loc["growing", "expected_purchases"] - 1
    assert table.loc["loyal", "clv_lower"] <= table.loc["loyal", "clv_upper"]


@pytest.mark.parametrize("horizon", [30, 365])
def test_another_horizon_moves_neither_stage_nor_tier_nor_value(
    table, rows, scored, scorer, horizon
):
    learned = scored(rows, scorer=scorer)[1]
    other, _ = scored(rows, scorer=scorer, thresholds=learned, horizon_days=horizon)
    other = other.set_index("customer_id")
    for name in ("stage", "tier", "clv", "next_purchase_by"):
        assert other[name].equals(table[name]), name
    both = other["return_probability"].dropna() - table["return_probability"].dropna()
    assert (both * (90 - horizon) >= 0).all() and both.abs().max() > 0.01


def test_who_is_likelier_to_leave_than_to_stay_is_at_risk(rows):
    churn = np.array([0.2, 0.51, 0.5, 0.1, 0.1, np.nan])
    found = list(contracts.stage(rows, churn))
    assert found[:3] == ["new", "at_risk", "loyal"]
    assert set(found[:5]) <= set(STAGES) and pd.isna(found[5])


def test_with_nobody_to_score_there_is_nobody_scored(rows, scored, scorer):
    learned = scored(rows, scorer=scorer)[1]
    frame, _ = scored(rows.head(0), scorer=scorer, thresholds=learned)
    assert frame.empty


def test_what_cannot_end_within_the_horizon_has_no_reason_and_no_doubt(rows, scored, scorer):
    """A term of a year that was begun twenty days ago, where nobody ends between renewals."""
    yearly = {"subscription_term_days": 365.25, "subscription_days_to_renewal": 345.0}
    due = replace(scorer, spread=Spread(Swing(0.2, None, None, 5.0), 3))
    others = rows["customer_id"] != "loyal"
    one = rows.assign(**{name: rows[name].where(others, of) for name, of in yearly.items()})
    told = scored(one, scorer=due)[0].set_index("customer_id")
    assert told.loc["loyal", "churn_probability"] == 0
    ends = ["churn_probability_lower", "churn_probability_upper"]
    assert told.loc["loyal", ends].tolist() == [0, 0]
    assert len(told.loc["loyal", "reasons"]) == 0
    assert len(told.loc["new", "reasons"]) == 1
    assert (told.loc[["new", "late"], ends[0]] < told.loc[["new", "late"], ends[1]]).all()
    asked = scored(one, scorer=due, horizon_days=365)[0].set_index("customer_id")
    assert asked.loc["loyal", "churn_probability"] > 0
    assert len(asked.loc["loyal", "reasons"]) == 1
