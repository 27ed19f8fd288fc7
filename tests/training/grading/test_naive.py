"""The rules of thumb: honest, learned from the past only, never without a number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.grading.naive import ANSWERS, EDGE, RULES, Inactivity, LastYear, PastRate

H = 90


def snapshot(n: int = 4_000, seed: int = 0) -> pd.DataFrame:
    """Buyers whose chance to return falls with the days away: 0.8 · exp(−days/100)."""
    rng = np.random.default_rng(seed)
    away = rng.integers(1, 365, n)
    returned = (rng.random(n) < 0.8 * np.exp(-away / 100)).astype(int)
    return pd.DataFrame(
        {
            "frequency": rng.poisson(3, n),
            "T": away + rng.integers(0, 400, n),
            "days_since_last": away,
            "spend_total": rng.gamma(2.0, 50.0, n),
            "same_season_occasions": rng.poisson(0.7, n).astype(float),
            "same_season_spend": rng.gamma(1.0, 20.0, n),
            "returned": returned,
            "occasions": returned * 2,
            "spend": returned * 30.0,
        }
    )


@pytest.mark.parametrize("name", RULES)
def test_every_rule_answers_everyone_within_bounds(name):
    frame = snapshot(500, seed=9).set_index(pd.Index(range(1_000, 1_500)))
    answer = RULES[name].fit([snapshot(), snapshot(seed=1)], H).predict(frame)
    assert list(answer.columns) == list(ANSWERS)
    assert answer.index.equals(frame.index)
    assert np.isfinite(answer.to_numpy()).all()
    assert answer["return_probability"].between(EDGE, 1 - EDGE).all()
    assert (answer[["expected_purchases", "expected_spend"]] >= 0).all(axis=None)
    assert RULES[name].name == name
    assert RULES[name].description.endswith(".")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_looks_at_behaviour_only_when_it_predicts(name):
    rule = RULES[name].fit([snapshot()], H)
    frame = snapshot(300, seed=9)
    blind = frame.drop(columns=["returned", "occasions", "spend"])
    pd.testing.assert_frame_equal(rule.predict(frame), rule.predict(blind))


@pytest.mark.parametrize("name", RULES)
def test_fitting_gives_a_new_rule_and_row_order_does_not_matter(name):
    before = RULES[name]
    frame = snapshot(400, seed=9)
    one = before.fit([snapshot()], H).predict(frame)
    other = before.fit([snapshot().sample(frac=1, random_state=1)], H).predict(frame)
    pd.testing.assert_frame_equal(one, other)
    assert RULES[name] == before


@pytest.mark.parametrize("name", RULES)
def test_without_any_past_a_rule_goes_by_the_customers_own_rate(name):
    frame = snapshot(100).drop(columns=["same_season_occasions", "same_season_spend"])
    pd.testing.assert_frame_equal(
        RULES[name].fit([], H).predict(frame), PastRate().fit([], H).predict(frame)
    )


def test_inactivity_never_rises_with_the_days_away():
    answer = (
        Inactivity()
        .fit([snapshot()], H)
        .predict(pd.DataFrame({"days_since_last": np.arange(1, 1_000)}))
    )
    assert (np.diff(answer["return_probability"]) <= 0).all()
    assert answer["return_probability"].nunique() > 5


def test_inactivity_learns_the_rate_of_each_band():
    rule = Inactivity().fit([snapshot(40_000)], H)
    away = np.array([10, 60, 150, 300])
    answer = rule.predict(pd.DataFrame({"days_since_last": away}))
    expected = 0.8 * np.exp(-away / 100)
    # A band spans 18 days, over which the rate moves by up to a sixth of itself.
    np.testing.assert_allclose(answer["return_probability"], expected, atol=0.06)
    np.testing.assert_allclose(answer["expected_purchases"], 2 * expected, atol=0.12)
    np.testing.assert_allclose(answer["expected_spend"], 30 * expected, atol=1.8)


def test_inactivity_of_customers_without_a_log_is_the_base_rate():
    """The label rule without transactions: no days since last, no occasions, no spend."""
    labelled = pd.DataFrame({"returned": [1] * 30 + [0] * 10})
    answer = Inactivity().fit([labelled], H).predict(labelled)
    assert (answer["return_probability"] == 0.75).all()


def test_past_rate_by_hand():
    """Four occasions and 200 in 180 days: over 90 days 2 and 100, and 1 − exp(−2) = 0.8647.

    The newcomer of yesterday is taken to go on at what was seen in one horizon: 1 and 60.
    """
    frame = pd.DataFrame({"frequency": [3, 0], "T": [179, 0], "spend_total": [200.0, 60.0]})
    answer = PastRate().fit([], H).predict(frame)
    np.testing.assert_allclose(answer["expected_purchases"], [2.0, 1.0])
    np.testing.assert_allclose(answer["expected_spend"], [100.0, 60.0])
    np.testing.assert_allclose(answer["return_probability"], [0.864665, 0.632121], atol=1e-6)


def test_nobody_is_expected_to_spend_less_than_nothing():
    frame = pd.DataFrame({"frequency": [0], "T": [10], "spend_total": [-40.0]})
    assert PastRate().fit([], H).predict(frame)["expected_spend"].tolist() == [0.0]


def test_last_year_repeats_itself_and_learns_how_often_its_buyers_return():
    past = snapshot(2_000)
    bought = past["same_season_occasions"] > 0
    rule = LastYear().fit([past], H)
    assert rule.returned == pytest.approx(
        (past["returned"][~bought].mean(), past["returned"][bought].mean())
    )
    frame = snapshot(50, seed=3)
    answer = rule.predict(frame)
    np.testing.assert_array_equal(answer["expected_purchases"], frame["same_season_occasions"])
    np.testing.assert_array_equal(answer["expected_spend"], frame["same_season_spend"])


def test_customers_younger_than_a_year_are_answered_by_the_other_rules():
    past, frame = snapshot(2_000), snapshot(50, seed=3)
    young = frame.assign(same_season_occasions=np.nan, same_season_spend=np.nan)
    answer = LastYear().fit([past], H).predict(young)
    rate = PastRate().fit([past], H).predict(young)
    away = Inactivity().fit([past], H).predict(young)
    pd.testing.assert_series_equal(answer["return_probability"], away["return_probability"])
    pd.testing.assert_series_equal(answer["expected_spend"], rate["expected_spend"])


def test_null_columns_of_every_type_are_read_as_gaps():
    frame = snapshot(20).assign(days_since_last=pd.array([None] * 20, dtype="Int64"))
    answer = Inactivity().fit([snapshot()], H).predict(frame)
    assert answer["return_probability"].nunique() == 1
