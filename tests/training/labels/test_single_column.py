"""One column alone: like values together, counted without the customer who is asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.labels.single_column import (
    MOST_VALUES,
    PRIOR,
    area,
    groups,
    held_out_rates,
    separation,
)


def test_rare_values_are_together_and_missing_ones_are():
    group = groups(pd.Series(["a"] * 9 + ["b", "c", None, None]))
    assert len(set(group[:9])) == 1
    assert group[9] == group[10]
    assert group[11] == group[12]
    assert len(set(group)) == 3


def test_many_numbers_are_cut_into_groups_of_equal_count():
    group = groups(pd.Series(np.random.default_rng(0).normal(size=5_000)))
    counts = np.bincount(group)
    assert len(counts) == MOST_VALUES
    assert np.ptp(counts) <= 1


def test_the_rate_is_that_of_the_others():
    """Group 0 outside fold 0 holds 3 customers of whom 2 left; the base there is 2 in 4."""
    group = np.array([0, 0, 0, 0, 1])
    churned = np.array([1, 1, 1, 0, 0])
    fold = np.array([0, 1, 1, 1, 1])
    assert held_out_rates(group, churned, fold)[0] == (2 + PRIOR * 0.5) / (3 + PRIOR)


def test_no_rate_depends_on_the_fates_of_its_own_fold():
    rng = np.random.default_rng(1)
    group, fold = rng.integers(0, 6, 300), rng.integers(0, 5, 300)
    churned = rng.integers(0, 2, 300)
    other = np.where(fold == 2, 1 - churned, churned)
    before, after = (held_out_rates(group, y, fold) for y in (churned, other))
    np.testing.assert_array_equal(before[fold == 2], after[fold == 2])
    assert (before != after).any()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=2, max_size=40))
def test_the_area_is_that_of_scikit_learn(pairs):
    score, churned = map(np.array, zip(*pairs, strict=True))
    if churned.min() < churned.max():
        assert area(score, churned) == pytest.approx(roc_auc_score(churned, score))


def test_texts_that_are_all_different_tell_nothing():
    rng = np.random.default_rng(2)
    churned, fold = rng.integers(0, 2, 2_000), rng.integers(0, 5, 2_000)
    names = pd.Series([f"n{i}" for i in range(2_000)])
    # The standard error of the AUC of noise at this size is 0.013; in-sample it would be 1.
    assert separation(names, churned, fold) == pytest.approx(0.5, abs=0.05)


def test_a_number_counts_downwards_too_and_among_those_who_have_it():
    rng = np.random.default_rng(3)
    churned, fold = rng.integers(0, 2, 1_000), rng.integers(0, 5, 1_000)
    few = pd.Series(np.where(rng.random(1_000) < 0.1, -churned + 0.1 * rng.random(1_000), np.nan))
    assert separation(few, churned, fold) == 1.0
