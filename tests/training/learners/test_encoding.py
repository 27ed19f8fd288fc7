"""The encoder: one matrix from mixed columns, the same for ever after."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from training.learners.encoding import MOST_LEVELS, Encoder


@pytest.fixture
def frame() -> pd.DataFrame:
    """Four customers; every column but `id` has a gap."""
    return pd.DataFrame(
        {
            "orders": [3.0, np.nan, 1.0, 7.0],
            "plan": ["silver", "gold", None, "silver"],
            "paid": [True, False, True, True],
            "region": pd.Categorical(["n", None, "s", "n"]),
        }
    )


def test_levels_are_numbered_in_sorted_order_and_gaps_are_nan(frame):
    expected = [[3, 1, 1, 0], [np.nan, 0, 0, np.nan], [1, np.nan, 1, 1], [7, 1, 1, 0]]
    encoder = Encoder.learn(frame)
    np.testing.assert_array_equal(encoder.transform(frame), expected)
    assert encoder.categorical == (1, 3)


def test_row_order_and_column_order_and_extra_columns_change_nothing(frame):
    encoder = Encoder.learn(frame)
    assert Encoder.learn(frame.iloc[[2, 0, 3, 1]]) == encoder
    turned = frame.assign(extra="x").iloc[::-1, ::-1]
    np.testing.assert_array_equal(encoder.transform(turned), encoder.transform(frame)[::-1])


def test_a_customer_alone_is_encoded_as_in_the_table(frame):
    encoder = Encoder.learn(frame)
    alone = [encoder.transform(frame.iloc[[i]]) for i in range(len(frame))]
    np.testing.assert_array_equal(np.vstack(alone), encoder.transform(frame))


def test_a_level_never_seen_is_missing(frame):
    encoder = Encoder.learn(frame)
    asked = frame.assign(plan="platinum", region=pd.Categorical(["w"] * 4))
    assert np.isnan(encoder.transform(asked)[:, [1, 3]]).all()


@pytest.mark.parametrize("nothing", [[None] * 4, [np.nan] * 4, pd.array([None] * 4, dtype="Int64")])
def test_a_column_without_values_is_missing_whatever_its_type(frame, nothing):
    encoder = Encoder.learn(frame)
    assert np.isnan(encoder.transform(frame.assign(plan=nothing, orders=nothing))[:, :2]).all()


@pytest.mark.parametrize("dtype", [object, "str"])
def test_a_column_that_was_empty_in_training_stays_missing(frame, dtype):
    encoder = Encoder.learn(frame.assign(plan=pd.Series([None] * 4, dtype=dtype)))
    for later in (["gold"] * 4, [1, 2, 3, 4], [None] * 4):
        assert np.isnan(encoder.transform(frame.assign(plan=later))[:, 1]).all()


def test_beyond_64_levels_the_rare_and_the_new_ones_share_a_code():
    # Level i occurs i + 1 times, so that the 64 most frequent of 70 are 06 … 69.
    names = [f"{i:02d}" for i in range(70) for _ in range(i + 1)]
    encoder = Encoder.learn(pd.DataFrame({"city": names}))
    assert encoder.levels["city"] == tuple(f"{i:02d}" for i in range(6, 70))
    asked = pd.DataFrame({"city": ["06", "69", "00", "05", "Utopia", None]})
    shared = MOST_LEVELS
    np.testing.assert_array_equal(
        encoder.transform(asked)[:, 0], [0, 63, shared, shared, shared, np.nan]
    )


def test_which_of_equally_frequent_levels_is_pooled_does_not_depend_on_row_order():
    names = pd.DataFrame({"city": [f"{i:03d}" for i in range(80)]})
    assert Encoder.learn(names) == Encoder.learn(names[::-1])


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 0, 1]),
        pd.Series([1.0, 0.0, 1.0]),
        pd.array([1, 0, 1], dtype="Int64"),
        pd.array([True, False, True], dtype="boolean"),
        pd.Series([Decimal(1), Decimal(0), Decimal(1)], dtype=object),
        pd.Series([1, 0, 1], dtype=object),
    ],
    ids=["int64", "float64", "Int64", "boolean", "decimal", "object"],
)
def test_numbers_are_numbers_in_every_dress(values):
    encoder = Encoder.learn(pd.DataFrame({"x": values}))
    np.testing.assert_array_equal(
        encoder.transform(pd.DataFrame({"x": values}))[:, 0], [1.0, 0.0, 1.0]
    )


def test_the_dictionary_survives_json(frame):
    many = frame.loc[np.arange(100) % 4].assign(code=[f"c{i}" for i in range(100)])
    encoder = Encoder.learn(many)
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again == encoder
    assert again.pooled == ("code",)


def test_a_missing_column_is_named(frame):
    encoder = Encoder.learn(frame)
    with pytest.raises(ValueError, match="Missing column 'plan'"):
        encoder.transform(frame.drop(columns="plan"))
    with pytest.raises(ValueError, match="Missing column 'age'"):
        Encoder.learn(frame, ["orders", "age"])


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("orders", ["1", "two", "3", "4"], "'orders' holds str, but numbers were learned"),
        ("orders", [1.0, np.inf, 2.0, 3.0], "'orders' holds infinite values in 1 rows"),
        ("plan", [1, 2, 3, 4], "'plan' holds int64, but strings were learned, such as 'gold'"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(frame, column, values, complaint):
    encoder = Encoder.learn(frame)
    with pytest.raises(ValueError, match=complaint):
        encoder.transform(frame.assign(**{column: values}))


def test_what_is_neither_numbers_nor_strings_is_refused():
    dates = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    with pytest.raises(ValueError, match="'day' holds datetime64 values"):
        Encoder.learn(dates)
    mixed = pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)})
    with pytest.raises(ValueError, match="'x' holds mixed-integer values"):
        Encoder.learn(mixed)


def test_ambiguous_column_names_are_refused():
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ValueError, match="'a' is there more than once"):
        Encoder.learn(twice)
    with pytest.raises(ValueError, match="column named 0, expected strings"):
        Encoder.learn(pd.DataFrame([[1, 2]]))
