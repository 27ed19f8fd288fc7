"""Potential: the best tenth of those with a similar start, never below the own value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ScoreTableError
from serving.groups import potential
from serving.groups.history import read
from serving.groups.potential import ENOUGH, Potential


@pytest.mark.golden
def test_the_potential_is_the_ninetieth_percentile_of_the_profile(history):
    """Small first orders are worth 1 to 100, large ones 1001 to 1100: 90 and 1090 are the cuts."""
    past = history(first_order=[10.0] * 100 + [20.0] * 100, age=[50] * 200)
    clv = np.concatenate([np.arange(1, 101), np.arange(1001, 1101)]).astype(float)
    got = potential.potential_value(past, clv, potential.learn(past, clv))
    np.testing.assert_array_equal(got, np.maximum(clv, np.repeat([90.0, 1090.0], 100)))


def test_a_rare_profile_falls_back_on_everyone(history):
    past = history(first_order=[10.0] * 200 + [999.0] * (ENOUGH - 1), age=[50] * (199 + ENOUGH))
    clv = np.concatenate([np.arange(200.0), np.full(ENOUGH - 1, 5.0)])
    learned = potential.learn(past, clv)
    assert {value for row in learned.best for value in row} == {179.0, None}
    got = potential.potential_value(past, clv, learned)
    assert got[-1] == learned.overall
    assert 10 * np.sum(clv <= learned.overall) >= 9 * len(clv)


@given(st.integers(0, 20))
def test_it_is_never_below_the_own_value_and_null_only_with_it(people, seed):
    past = read(people(300, seed=seed))
    clv = np.random.default_rng(seed).normal(20, 40, 300)
    clv[::7] = np.nan
    got = potential.potential_value(past, clv, potential.learn(past, clv))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(clv))
    assert np.all(got[~np.isnan(clv)] >= clv[~np.isnan(clv)])


def test_an_unknown_first_order_falls_back_on_everyone(history):
    past = history(first_order=[10.0] * 100, age=[50] * 100)
    learned = potential.learn(past, np.arange(100.0))
    lone = history(first_order=[np.nan])
    assert potential.potential_value(lone, np.array([1.0]), learned) == [learned.overall]


def test_nothing_is_learned_without_lifetime_values(history):
    assert potential.learn(history(age=[1, 2]), np.array([np.nan, np.nan])) is None


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(ScoreTableError, match="expected 5 rows of 4"):
        Potential((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0), ((1.0,) * 4,) * 4, 1.0)
