"""Margins of subscribers: what a row states, else what others on the plan leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.subscriptions.hazard import Hazard
from training.subscriptions.margins import TermMargins
from training.subscriptions.plans import Plans
from training.subscriptions.scorer import SubscriptionScorer
from training.terms import Terms


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two plans with margins, one without, and one who pays nothing."""
    return pd.DataFrame(
        {
            "subscription_plan": ["basic", "basic", "gold", "gold", "free", None, "basic"],
            "subscription_price": [10.0, 20.0, 50.0, 50.0, 8.0, 5.0, 0.0],
            "subscription_margin": [6.0, 3.0, -5.0, np.nan, np.nan, np.nan, 4.0],
            "subscription_term_days": 30.4375,
            "subscription_days_to_renewal": [3, 30, 5, 6, 7, 8, 9],
            "subscription_renewals": 2,
            "subscription_involuntary_ends": 0,
        }
    )


def test_a_stated_margin_stands_and_others_have_that_of_their_plan(frame):
    found = TermMargins.learn(frame)
    assert found is not None
    assert found.rate == pytest.approx(4.0 / 80.0)
    assert found.plans == pytest.approx({"basic": 9.0 / 30.0, "gold": -0.1})
    expected = [0.6, 0.15, -0.1, -0.1, 0.05, 0.05, 0.3]
    assert found.rates(frame) == pytest.approx(expected)
    assert "by plan: basic 30.0%, gold -10.0%" in found.in_words()


def test_where_no_margin_is_stated_there_is_none(frame):
    assert TermMargins.learn(frame.assign(subscription_margin=np.nan)) is None
    assert TermMargins.learn(frame.drop(columns="subscription_margin")) is None


def test_one_customer_alone_has_the_rate_of_the_table(frame):
    found = TermMargins.learn(frame)
    assert found is not None
    alone = [float(found.rates(frame.iloc[[place]])[0]) for place in range(len(frame))]
    np.testing.assert_array_equal(alone, found.rates(frame))


@pytest.fixture
def scorer() -> SubscriptionScorer:
    histories = pd.DataFrame(
        {
            "plan": "basic",
            "term_days": 30.4375,
            "renewals": [0, 1, 2, 3, 12],
            "active": [False, False, False, False, True],
            "customers": [100, 60, 50, 40, 720],
        }
    )
    terms = Terms("subscription", 90, 365, 0.5, 0.1, "2024-07-01", 60)
    return SubscriptionScorer(terms, Hazard(Plans.fit(histories), 0.0))


def test_lifetime_values_go_with_the_margin_and_nothing_else_does(scorer, frame):
    plain = scorer.predict(frame)
    assert (scorer.margin_rates(frame) == 0.5).all()
    own = replace(scorer, margins=TermMargins.learn(frame))
    rates, told = own.margin_rates(frame), own.predict(frame)
    assert told["clv"].to_numpy() == pytest.approx(plain["clv"].to_numpy() * rates / 0.5)
    np.testing.assert_allclose(own.lifetime_values(frame), told["clv"], rtol=1e-12)
    others = [name for name in plain if not name.startswith("clv")]
    pd.testing.assert_frame_equal(told[others], plain[others])


def test_an_interval_below_zero_has_its_ends_in_order(scorer, frame):
    told = replace(scorer, margins=TermMargins.learn(frame)).predict(frame)
    assert (told["clv_lower"] <= told["clv_upper"]).all()
    assert (told["clv"] < 0).any()
    assert (told["clv_lower"][told["clv"] < 0] < 0).all()


def test_saved_and_loaded_margins_are_the_same(scorer, frame, tmp_path):
    from training.scorer import Scorer

    own = replace(scorer, margins=TermMargins.learn(frame))
    own.save(tmp_path / "own")
    scorer.save(tmp_path / "plain")
    assert Scorer.load(tmp_path / "own").margins == own.margins
    assert Scorer.load(tmp_path / "plain").margins is None


def test_no_model_of_behaviour_reads_a_margin(frame):
    from training.fitting import feature_families

    assert "subscription_price" in feature_families(frame.columns)
    assert "subscription_margin" not in feature_families(frame.columns)
