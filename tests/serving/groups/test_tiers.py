"""Tiers: one for everyone, and key is the fewest who hold four fifths of the profit."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ScoreTableError
from serving.groups import tiers
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS, Cuts

# Whole numbers, so that sums are exact.
WORTHS = st.lists(st.integers(-50, 1000), min_size=1, max_size=40).map(
    lambda items: np.array(items, dtype=float)
)


def tier_of(history, clv, *, potential=None, stage="growing", spend=None, cuts=None) -> list[str]:
    clv = np.asarray(clv, dtype=float)
    past = history(spend=np.full(len(clv), 50.0) if spend is None else spend)
    could = clv if potential is None else np.asarray(potential, dtype=float)
    stages = pd.Categorical([stage] * len(clv), categories=list(STAGES))
    return tiers.tier(past, clv, could, stages, cuts or tiers.learn(past, clv)).tolist()


# Key from 100 up, small up to 10, growth from three times the own value.
CUTS = Cuts(key=100.0, small=10.0)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("clv", "potential", "stage", "spend", "expected"),
    [
        (100, 100, "loyal", 500, "key"),
        (100, 900, "lapsed", 500, "key"),
        (99, 200, "loyal", 500, "core"),  # potential is no three times the own value
        (30, 100, "growing", 500, "growth"),
        (30, 99, "growing", 500, "core"),  # the best of similar customers are not key
        (30, 100, "lapsed", 500, "core"),
        (10, 29, "growing", 500, "small"),
        (5, 100, "new", 500, "growth"),
        (0, 0, "lapsed", 500, "small"),
        (-1, 900, "growing", 500, "costly"),
        (500, 500, "loyal", 0, "costly"),  # all of it refunded
        (500, 500, "loyal", -20, "costly"),
    ],
)
def test_each_tier_by_hand(history, clv, potential, stage, spend, expected):
    got = tier_of(history, [clv], potential=[potential], stage=stage, spend=[spend], cuts=CUTS)
    assert got == [expected]


@given(WORTHS)
def test_every_customer_with_a_lifetime_value_has_exactly_one_tier(history, clv):
    assert set(tier_of(history, clv)) <= set(TIERS)


@given(WORTHS)
def test_key_holds_four_fifths_and_not_without_its_smallest(history, clv):
    """Customers tied at the cut come and go together."""
    got = np.array(tier_of(history, clv))
    total = clv[clv > 0].sum()
    key = clv[got == "key"]
    assert 5 * key.sum() >= 4 * total
    if total:
        assert 5 * key[key > key.min()].sum() < 4 * total


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8, unique=True))
def test_no_smaller_set_holds_four_fifths(history, worths):
    """Against every set of customers there is."""
    key = tier_of(history, worths).count("key")
    total = sum(worths)
    smaller = itertools.combinations(worths, key - 1)
    assert all(5 * sum(chosen) < 4 * total for chosen in smaller)


@given(WORTHS)
def test_the_small_hold_at_most_a_twentieth(history, clv):
    got = np.array(tier_of(history, clv))
    assert 20 * clv[got == "small"].sum() <= clv[clv > 0].sum()


@given(WORTHS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_cut(history, clv, random):
    shuffled = clv.copy()
    random.shuffle(shuffled)
    past = history(spend=np.full(len(clv), 50.0))
    assert tiers.learn(past, clv) == tiers.learn(past, shuffled)


def test_the_costly_hold_none_of_the_profit(history):
    """The refunded customer's 1000 is not counted: four fifths of 100 are in the 80."""
    got = tier_of(history, [1000, 80, 20], spend=[-5, 50, 50])
    assert got == ["costly", "key", "core"]


@pytest.mark.golden
def test_whose_margin_does_not_cover_the_cost_to_serve_is_costly(history):
    """A margin of 0.3 · 100 = 30, against 5 an order and 4 a contact: 25 + 4 do, 25 + 8 do not."""
    costs = tiers.Costs(margin=0.3, per_order=5.0, per_contact=4.0)
    past = history(spend=[100, 100, 100], frequency=[4, 4, 5], contacts=[1, 2, 0])
    clv = np.full(3, 500.0)
    stages = pd.Categorical(["loyal"] * 3, categories=list(STAGES))
    cuts = tiers.learn(past, clv, costs)
    assert tiers.tier(past, clv, clv, stages, cuts).tolist() == ["key", "costly", "key"]
    assert cuts.key == 500.0
    free = tiers.learn(past, clv)
    assert tiers.tier(past, clv, clv, stages, free).tolist() == ["key"] * 3


def test_without_expected_profit_nobody_is_key(history):
    assert tier_of(history, [0, 0, -3]) == ["small", "small", "costly"]


def test_without_a_lifetime_value_there_is_no_tier(history):
    got = tiers.tier(
        history(age=[1, 2]),
        np.array([np.nan, 5.0]),
        np.array([np.nan, 5.0]),
        pd.Categorical(["new", "new"], categories=list(STAGES)),
        CUTS,
    )
    assert got.isna().tolist() == [True, False]


@pytest.mark.parametrize("cuts", [(5.0, 5.0, 3.0), (5.0, -1.0, 3.0), (5.0, 1.0, 1.0)])
def test_cuts_that_cannot_be_are_refused(cuts):
    with pytest.raises(ScoreTableError, match="0 <= small < key"):
        Cuts(*cuts)
