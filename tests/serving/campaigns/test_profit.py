"""Incremental profit: its formula on paper, its limits, and no fortune in lost causes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.campaigns.belief import Belief, Effect
from serving.campaigns.profit import FLOOR, increment, outlook
from serving.errors import CampaignError


def scores(**columns: list[float]) -> pd.DataFrame:
    given_ = {
        "churn_probability": [0.4],
        "expected_spend": [60.0],
        "clv": [48.0],
        "p_alive": [0.8],
        **columns,
    }
    return pd.DataFrame(given_)


def test_what_keeping_a_customer_is_worth_is_as_on_paper():
    """With p = 0.4, so r = 0.6; E = 60, m = 0.3, V = 48, a = 0.8.

    S = 60 / 0.6 = 100; L = 48 − 18 = 30; L / a = 37.5; who does not return is a customer still
    with (0.8 − 0.6) / 0.4 = 0.5; G = 0.3 · 100 + 37.5 · (1 − 0.5) = 48.75.
    """
    found = outlook(scores(), margin=0.3)
    assert found.spend_if_back == pytest.approx([100.0])
    assert found.worth == pytest.approx([48.75])


def test_without_a_chance_to_be_alive_it_is_the_value_given_return():
    """V / r = 48 / 0.6 = 80: who does not return is lost."""
    assert outlook(scores(p_alive=[np.nan]), margin=0.3).worth == pytest.approx([80.0])


def test_where_everyone_stays_a_customer_only_this_horizon_is_at_stake():
    """With P(alive) = 1 it is m S = 30: later purchases come all the same."""
    assert outlook(scores(p_alive=[1.0]), margin=0.3).worth == pytest.approx([30.0])


def test_profit_and_cost_are_as_on_paper():
    """With k = 0.1, l = 0.05, c = 2, s = 0.1 on the customer above.

    Cost 2 + 0.1 · (1.05 · 60 + 0.1 · 0.4 · 100) = 8.7; profit 0.1 · 0.4 · 48.75 + 0.05 · 0.3 · 60
    − 8.7 = 1.95 + 0.9 − 8.7 = −5.85.
    """
    effect = Effect(Belief(0.1, 0.05), Belief(0.05, 0.02))
    found = increment(outlook(scores(), margin=0.3), effect, cost=2.0, cost_per_spend=0.1)
    assert found.cost == pytest.approx([8.7])
    assert found.profit == pytest.approx([-5.85])


probability = st.floats(0, 1)
money = st.floats(0, 1e6)


@given(probability, probability, money, money, st.floats(0.01, 1))
def test_keeping_a_customer_who_is_sold_to_at_a_loss_loses_what_one_with_a_gain_would_bring(
    churn, alive, spend, clv, margin
):
    told = {"churn_probability": [churn, churn], "p_alive": [alive, alive]}
    both = scores(**told, expected_spend=[spend, spend], clv=[clv, -clv])
    found = outlook(both, margin=np.array([margin, -margin]))
    assert found.worth[1] == -found.worth[0]
    loss = increment(
        found, Effect(Belief(0.2, 0.0), Belief(0.1, 0.0)), cost=0.0, cost_per_spend=0.0
    )
    assert loss.profit[1] == -loss.profit[0] <= 0


@given(probability, probability, money, money, st.floats(0.01, 1))
def test_keeping_a_customer_is_never_worth_a_fortune(churn, alive, spend, clv, margin):
    one = scores(churn_probability=[churn], p_alive=[alive], expected_spend=[spend], clv=[clv])
    worth = outlook(one, margin=margin).worth[0]
    assert 0 <= worth <= max(clv, margin * spend) / FLOOR * (1 + 1e-9)


@given(probability, money, money)
def test_an_action_that_does_nothing_costs_what_it_costs(churn, spend, clv):
    one = outlook(scores(churn_probability=[churn], expected_spend=[spend], clv=[clv]), margin=0.3)
    found = increment(one, Effect(), cost=3.0, cost_per_spend=0.0)
    assert found.profit == pytest.approx([-3.0]) and found.cost == pytest.approx([3.0])


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_the_profit_is_linear_in_the_effects(kept, lift, per_spend):
    """As the band of a plan relies on."""
    one = outlook(scores(), margin=0.3)
    found = increment(
        one, Effect(Belief(kept, 0), Belief(lift, 0)), cost=1.0, cost_per_spend=per_spend
    )
    linear = kept * found.per_kept + lift * found.per_lift - found.fixed
    assert found.profit == pytest.approx(linear)
    assert (found.cost >= 0).all()


def test_who_surely_stays_is_not_kept():
    one = outlook(scores(churn_probability=[0.0]), margin=0.3)
    assert increment(one, Effect(Belief(1, 0)), cost=0, cost_per_spend=0).profit == [0.0]


def test_scores_that_are_not_said_are_refused():
    with pytest.raises(CampaignError, match="leave the others out"):
        outlook(scores(clv=[np.nan]), margin=0.3)
    with pytest.raises(CampaignError, match="margins that are no numbers"):
        outlook(scores(), margin=np.nan)
