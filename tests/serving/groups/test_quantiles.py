"""Quantiles: observed values, exact ranks, tied values together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.groups.quantiles import band, edges, quantile

NUMBERS = st.lists(st.integers(-1000, 1000), min_size=1, max_size=60).map(
    lambda items: np.array(items, dtype=float)
)


@given(NUMBERS, st.integers(1, 10))
def test_a_quantile_is_the_smallest_value_with_the_share_at_or_below(values, part):
    got = quantile(values, part, 10)
    assert got in values
    assert 10 * np.sum(values <= got) >= part * len(values)
    assert 10 * np.sum(values < got) < part * len(values)


@pytest.mark.parametrize("size", [5, 15, 35, 55, 100, 1003])
def test_bands_of_distinct_values_hold_equally_many(size):
    """35 · 0.2 is 7.000000000000001 in floating point: ranks must come from whole numbers."""
    values = np.random.default_rng(0).permutation(size).astype(float)
    sizes = np.bincount(band(values, edges(values, 5)), minlength=6)[1:]
    assert sizes.sum() == size
    assert sizes.max() - sizes.min() <= 1


@given(NUMBERS)
def test_tied_values_share_a_band_and_bands_rise_with_the_value(values):
    bands = band(values, edges(values, 5))
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(bands[order]) >= 0)
    assert pd.Series(bands).groupby(values).nunique().max() == 1
    assert set(bands) <= {1, 2, 3, 4, 5}


def test_bands_are_closed_on_the_right_as_in_pandas_qcut():
    values = np.random.default_rng(1).integers(0, 50, 400).astype(float)
    inner = edges(values, 4)
    ours = band(values, inner)
    theirs = pd.cut(values, [-np.inf, *inner, np.inf], labels=False) + 1
    np.testing.assert_array_equal(ours, theirs)


def test_a_null_is_in_no_band():
    assert band(np.array([np.nan, 3.0]), (1.0, 2.0)).tolist() == [0, 3]
