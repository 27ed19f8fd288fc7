"""The power of a holdout, against a simulation and against its own limits."""

from __future__ import annotations

import numpy as np
import pytest

from serving.campaigns.power import POWER, power


def found(returns: float, kept: float, treated: int, holdout: int):
    people = treated + holdout
    held = np.arange(people) < holdout
    return power(np.full(people, returns), np.full(people, kept), held)


def test_the_smallest_effect_is_shown_with_the_power_that_is_said():
    smallest = found(0.3, 0.05, 4_000, 1_000).smallest
    assert found(0.3, smallest, 4_000, 1_000).power == pytest.approx(POWER, abs=1e-6)


@pytest.mark.golden
def test_the_smallest_effect_is_that_of_the_formula_with_equal_groups():
    """385 customers in each arm show a rise from 0.4 to 0.5, and 384 do not.

    By hand: (1.95996 + 0.84162)² (0.4 · 0.6 + 0.5 · 0.5) / 0.1² = 7.84888 · 0.49 / 0.01 = 384.6.
    """
    assert found(0.4, 0.1, 385, 385).power >= POWER > found(0.4, 0.1, 384, 384).power


def test_a_simulation_shows_it_as_often_as_is_said():
    """2,000 campaigns with a rise from 0.3 to 0.35; 4 standard errors of a share are 0.045."""
    random = np.random.default_rng(7)
    treated = random.binomial(3_000, 0.35, 2_000) / 3_000
    held = random.binomial(1_000, 0.30, 2_000) / 1_000
    error = np.sqrt(treated * (1 - treated) / 3_000 + held * (1 - held) / 1_000)
    shown = np.mean((treated - held) / error > 1.959964)
    assert found(0.3, 0.05, 3_000, 1_000).power == pytest.approx(shown, abs=0.045)


def test_scores_that_tell_much_make_smaller_effects_visible():
    """Half return for sure and half never: the scores explain everything."""
    returns = np.tile([0.0, 1.0], 500)
    said = power(returns, np.full(1_000, 0.1), np.arange(1_000) < 200)
    assert said.smallest_adjusted == 0.0 < said.smallest
    alike = found(0.5, 0.1, 800, 200)
    assert alike.smallest_adjusted == pytest.approx(alike.smallest)


def test_too_few_show_nothing():
    assert found(0.3, 0.1, 3, 0).power is None
    assert found(0.9, 0.05, 3, 1).smallest is None
