"""From past plans to individual effects: joined right, only where learned, exact both ways."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.individual import (
    IndividualEffects,
    effects_of,
    incremental_profit,
    trial_of,
)
from serving.errors import CampaignError
from training.uplift.model import learn
from training.uplift.policy import Money
from training.uplift.simulate import simulate

DAY = date(2025, 3, 1)
CUSTOMERS = 4_000


@pytest.fixture(scope="module")
def past() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Assignments, behaviour and outcomes of one plan: letters for even customers, calls for odd.

    A customer whom the simulated trial gave the other action is in neither table.
    """
    made = simulate(2 * CUSTOMERS, np.random.default_rng(2), shares=(0.4, 0.3, 0.3)).trial
    meant = np.arange(len(made)) % 2 + 1
    rows = np.flatnonzero((made.arm == 0) | (made.arm == meant))
    ids = [f"c{row}" for row in rows]
    assignments = pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": DAY,
            "action": np.array(made.arms)[meant[rows]],
            "arm": np.where(made.arm[rows] > 0, "treated", "holdout"),
            "treated_share": 3 / 7,
        }
    )
    key = {"customer_id": ids, "as_of": DAY}
    behaviour = made.columns.iloc[rows].assign(**key).reset_index(drop=True)
    outcomes = pd.DataFrame({name: values[rows] for name, values in made.outcomes.items()} | key)
    return assignments, behaviour, outcomes


COLUMNS = ["recency", "frequency", "kind"]


def test_rows_are_joined_by_customer_and_day_in_any_order(past):
    assignments, behaviour, outcomes = past
    trial = trial_of(assignments, behaviour.iloc[::-1], outcomes.sample(frac=1, random_state=0),
                     COLUMNS)  # fmt: skip
    assert trial.arms == ("nothing", "call", "letter")
    pd.testing.assert_frame_equal(trial.columns, behaviour[COLUMNS])
    np.testing.assert_array_equal(trial.outcomes["spend"], outcomes["spend"])
    assert (trial.arm == 0).sum() == (assignments["arm"] == "holdout").sum()


def test_only_the_action_that_was_meant_is_open(past):
    trial = trial_of(*past, COLUMNS)
    assert (trial.open.sum(axis=1) == 2).all()
    np.testing.assert_allclose(trial.propensity.max(axis=1), 4 / 7)


def test_what_is_missing_or_doubled_is_refused(past):
    assignments, behaviour, outcomes = past
    with pytest.raises(CampaignError, match="behaviour that lack 1 of"):
        trial_of(assignments, behaviour.iloc[1:], outcomes, COLUMNS)
    with pytest.raises(CampaignError, match="outcomes that name 1 twice"):
        trial_of(assignments, behaviour, pd.concat([outcomes, outcomes.iloc[:1]]), COLUMNS)
    with pytest.raises(CampaignError, match="a holdout in every plan"):
        trial_of(assignments.assign(treated_share=1.0), behaviour, outcomes, COLUMNS)
    with pytest.raises(CampaignError, match="the arms"):
        trial_of(assignments.assign(arm="control"), behaviour, outcomes, COLUMNS)


def test_a_model_of_past_plans_answers_for_the_next(past):
    trial = trial_of(*past, COLUMNS)
    model, _ = learn(trial, Money(0.3, (0.2, 0.2)), repeats=1)
    effects = effects_of(model, past[1], ("visit", "letter", "call"))
    assert effects.learned.tolist() == [False, True, True]
    assert np.isnan(effects.spend[:, 0]).all()
    # The plan's order, not the model's.
    np.testing.assert_array_equal(
        effects.returned[:, 1], model.effect(past[1], "returned")[0][:, 1]
    )
    assert effects.chooses == model.verdict.passed
    average = np.full(effects.spend.shape, 7.0)
    profit = incremental_profit(effects, average, np.array([1.0, 0.0, 0.0]), 0.3)
    np.testing.assert_allclose(profit[:, 0], 0.3 * 7.0 - 1.0)
    np.testing.assert_allclose(profit[:, 2], 0.3 * effects.spend[:, 2])


def given_effects(returned, spend) -> IndividualEffects:
    returned, spend = np.atleast_2d(returned), np.atleast_2d(spend)
    zeros, yes = np.zeros_like(spend), np.ones(spend.shape[1], dtype=bool)
    names = tuple(f"a{k}" for k in range(spend.shape[1]))
    return IndividualEffects(names, returned, zeros, spend, zeros, yes, True, "")


def test_kept_and_lift_give_back_the_changes():
    """P' = p + kept (1 − p); spend = p' · (s / p) · (1 + lift)."""
    random = np.random.default_rng(0)
    p, s = random.uniform(0.1, 0.8, 50), random.uniform(1, 90, 50)
    returned, spend = random.uniform(-0.05, 0.15, (50, 2)), random.uniform(-0.5, 9, (50, 2))
    effects = given_effects(returned, spend)
    after = p[:, None] + effects.kept(p) * (1 - p[:, None])
    np.testing.assert_allclose(after, p[:, None] + returned)
    whole = after * (s / p)[:, None] * (1 + effects.lift(p, s))
    np.testing.assert_allclose(whole, s[:, None] + spend)


def test_those_who_return_anyway_cannot_be_kept():
    effects = given_effects([[0.1], [0.3]], [[1.0], [1.0]])
    np.testing.assert_array_equal(effects.kept(np.array([1.0, 0.9]))[:, 0], [0.0, 1.0])
    np.testing.assert_array_equal(effects.lift(np.array([0.0, 0.5]), np.zeros(2)), 0.0)


def test_gaps_in_a_learned_effect_are_refused():
    with pytest.raises(CampaignError, match="or with gaps"):
        given_effects([[0.1]], [[np.nan]])
