"""Learners find known effects again, are the same each time, and read known columns only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from training.uplift.held_out import hold_out
from training.uplift.learners import Learner
from training.uplift.model import trees_for


@pytest.mark.parametrize("kind", ["T", "X"])
def test_the_order_of_known_effects_is_found_again_out_of_fold(known, held, kind):
    told = held if kind == "X" else hold_out(known.trial, "T", trees_for(len(known.trial)))
    for action in (0, 1):
        pair = told.predicted["returned"][:, action], known.effects["returned"][:, action]
        assert spearmanr(*pair)[0] > 0.5


def test_the_known_effects_are_found_in_size(held):
    """The true slope is within three standard errors: 1 would be effects taken at their word."""
    for action in (1, 2):
        line = held.line("returned", action)
        assert line.slope > 2 * line.slope_error
        assert abs(line.slope - 1) < 3 * line.slope_error


@pytest.mark.parametrize("kind", ["T", "X"])
def test_the_same_seed_gives_the_same_effects(known, kind):
    part = known.trial.rows(np.arange(2_000))
    once, again = (Learner.fit(part, kind, trees_for(2_000)) for _ in range(2))
    for outcome in ("returned", "spend"):
        np.testing.assert_array_equal(
            once.effect(part.columns, outcome), again.effect(part.columns, outcome)
        )


def test_an_x_learner_weighs_by_the_share_of_treated(known):
    """Künzel et al. (2019): τ = g τ₀ + (1 − g) τ₁; so g of 1 is the effect on the untreated."""
    part = known.trial.rows(np.arange(2_000))
    learner = Learner.fit(part, "X", trees_for(2_000))
    ends = [
        replace(learner, shares=(share, share)).effect(part.columns, "spend") for share in (0, 1)
    ]
    g = np.array(learner.shares)
    np.testing.assert_allclose(
        learner.effect(part.columns, "spend"), g * ends[1] + (1 - g) * ends[0]
    )
    # 0.3 / (0.3 + 0.4), by the probabilities of the arms.
    np.testing.assert_allclose(g, 3 / 7, atol=0.04)


def test_a_t_learner_is_a_difference_of_two_answers(known):
    part = known.trial.rows(np.arange(2_000))
    learner = Learner.fit(part, "T", trees_for(2_000))
    response = learner.response(part.columns, "returned")
    assert (response > 0).all()
    assert (response < 1).all()
    np.testing.assert_array_equal(
        learner.effect(part.columns, "returned"), response[:, 1:] - response[:, :1]
    )


def test_a_fold_learns_nothing_from_its_own_outcomes(known):
    """Other outcomes of one fold change no answer for it."""
    part = known.trial.rows(np.arange(2_400))
    before = hold_out(part, "X", trees_for(2_400))
    fold = before.fold == 2
    spend = np.where(fold, part.outcomes["spend"] * 10, part.outcomes["spend"])
    after = hold_out(
        replace(part, outcomes={**part.outcomes, "spend": spend}), "X", trees_for(2_400)
    )
    np.testing.assert_array_equal(before.fold, after.fold)
    np.testing.assert_array_equal(before.predicted["spend"][fold], after.predicted["spend"][fold])
    assert (before.predicted["spend"][~fold] != after.predicted["spend"][~fold]).any()


def test_rows_of_one_customer_stay_in_one_fold(known):
    part = known.trial.rows(np.arange(2_400))
    group = np.arange(2_400) // 4
    fold = hold_out(replace(part, group=group), "T", trees_for(2_400)).fold
    assert (np.bincount(group, fold) / 4 == fold[::4]).all()


def test_an_unknown_learner_is_refused(known):
    with pytest.raises(ValueError, match="expected one of"):
        Learner.fit(known.trial, "S", trees_for(10))  # type: ignore[arg-type]


def test_nothing_sold_can_be_learned_from(known):
    part = known.trial.rows(np.arange(2_000))
    free = replace(part, outcomes={**part.outcomes, "spend": np.zeros(2_000)})
    learner = Learner.fit(free, "X", trees_for(2_000))
    assert (learner.effect(part.columns, "spend") == 0).all()
