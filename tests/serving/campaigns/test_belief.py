"""What is believed of an action: bounds, and what a measurement changes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.campaigns.belief import NOTHING, Belief
from serving.errors import CampaignError

number = st.floats(-5, 5)
positive = st.floats(0.01, 5)


@pytest.mark.parametrize(("mean", "sd"), [(math.nan, 1), (0, math.inf), (0, -0.1)])
def test_a_belief_needs_finite_numbers(mean: float, sd: float):
    with pytest.raises(CampaignError, match="expected finite numbers"):
        Belief(mean, sd)


@given(number, positive, number, positive)
def test_a_measurement_draws_the_mean_towards_it_and_makes_one_surer(mean, sd, estimate, error):
    after = Belief(mean, sd).learning(estimate, error)
    assert min(mean, estimate) - 1e-9 <= after.mean <= max(mean, estimate) + 1e-9
    assert after.sd < min(sd, error) + 1e-12


@given(number, positive, number, positive, number, positive)
def test_the_order_of_measurements_does_not_matter(mean, sd, one, error_one, two, error_two):
    start = Belief(mean, sd)
    forth = start.learning(one, error_one).learning(two, error_two)
    back = start.learning(two, error_two).learning(one, error_one)
    assert forth.mean == pytest.approx(back.mean, abs=1e-9)
    assert forth.sd == pytest.approx(back.sd)


def test_what_is_certain_stays():
    assert NOTHING.learning(1.0, 0.1) == NOTHING


def test_distance_is_in_deviations_of_both_together():
    assert Belief(0.3, 0.03).distance(Belief(0.0, 0.04)) == pytest.approx(6)
    assert Belief(0.0, 0.04).distance(Belief(0.3, 0.03)) == pytest.approx(6)
    assert Belief(0.2, 0.0).distance(Belief(0.2, 0.0)) == 0
    assert Belief(0.2, 0.0).distance(Belief(0.3, 0.0)) == math.inf
