"""Histories: every kind of null and number reads the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serving.errors import ScoringError
from serving.groups.history import COLUMNS, read


@pytest.fixture
def two() -> pd.DataFrame:
    """A repeat customer and one without a purchase, whose numbers are null."""
    return pd.DataFrame({name: [3.0, np.nan] for name in COLUMNS})


@pytest.mark.parametrize("kind", ["float64", "Int64", "int64[pyarrow]", "object"])
def test_the_type_of_the_columns_does_not_matter(two, kind):
    past = read(two.astype(kind))
    for name, values in vars(past).items():
        if name in ("contacts", "earned"):  # not among the columns: nobody asked for them
            continue
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, [3.0, np.nan])


def test_a_purchase_on_record_is_known_by_its_day(two):
    assert read(two).known.tolist() == [True, False]


def test_no_gaps_are_counted_where_none_is_on_record(two):
    assert read(two).gaps.tolist() == [3.0, 0.0]


def test_contacts_are_complaints_and_contacts_where_there_are_events(two):
    asked = two.assign(complaints_total=[2, None], contacts_total=[3, None])
    assert read(asked).contacts.tolist() == [5.0, 0.0]
    assert read(two).contacts.tolist() == [0.0, 0.0]


def test_missing_columns_are_named(two):
    with pytest.raises(ScoringError, match="without gap_mean, first_order; expected every"):
        read(two.drop(columns=["first_order", "gap_mean"]))
