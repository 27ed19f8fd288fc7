"""A trial refuses what cannot have been drawn by lot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.errors import NotEnoughData


def test_an_arm_of_probability_zero_cannot_have_been_given(known):
    trial = known.trial
    closed = trial.propensity.copy()
    closed[:, 2] += closed[:, 1]
    closed[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"customers in an arm of probability 0"):
        replace(trial, propensity=closed)


def test_probabilities_add_up_to_one(known):
    with pytest.raises(ValueError, match=r"add up to 0\.9000 for a customer; expected 1"):
        replace(known.trial, propensity=known.trial.propensity * 0.9)


@pytest.mark.parametrize("arm", [-1, 3])
def test_an_arm_is_one_of_the_arms(known, arm):
    with pytest.raises(ValueError, match="Got an arm numbered"):
        replace(known.trial, arm=np.full(len(known.trial), arm))


def test_outcomes_are_whole(known):
    outcomes = dict(known.trial.outcomes)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        replace(known.trial, outcomes=outcomes | {"returned": outcomes["spend"]})
    with pytest.raises(ValueError, match="missing values"):
        replace(known.trial, outcomes=outcomes | {"spend": outcomes["spend"] * np.nan})
    with pytest.raises(ValueError, match="Missing the outcome 'spend'"):
        replace(known.trial, outcomes={"returned": outcomes["returned"]})


def test_shapes_and_names_are_checked(known):
    with pytest.raises(ValueError, match=r"expected \(6000,\) and \(6000, 2\)"):
        replace(known.trial, arms=("nothing", "letter"))
    with pytest.raises(ValueError, match="two or more different names"):
        replace(known.trial, arms=("nothing", "call", "call"))


def test_a_small_trial_teaches_nothing(known):
    with pytest.raises(NotEnoughData, match="at least 200 customers and 10 returns in each arm"):
        known.trial.rows(np.arange(300)).require_enough()


def test_a_trial_by_lot_has_the_true_average_effect_within_three_errors(known):
    """Difference of means against the mean of the simulated effects."""
    trial = known.trial
    for action in (1, 2):
        rows = trial.against_nothing(action)
        y, given = trial.outcomes["returned"][rows], trial.arm[rows] == action
        error = np.sqrt(y[given].var() / given.sum() + y[~given].var() / (~given).sum())
        difference = y[given].mean() - y[~given].mean()
        assert abs(difference - known.effects["returned"][:, action - 1].mean()) < 3 * error
