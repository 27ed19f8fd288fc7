import numpy as np
import pandas as pd
import pytest

from training.value.counted import count, spread

WHOLE = "whole numbers"
FRACTIONS = "fractions"
WIDE = "wider than a key of 64 bits"


@pytest.fixture(params=[WHOLE, FRACTIONS, WIDE])
def columns(request):
    """600 rows of three columns with many repeats, of numbers that are coded in different ways."""
    random = np.random.default_rng(3)
    raw = [random.integers(-3, 9, 600).astype(float) for _ in range(3)]
    if request.param == FRACTIONS:
        return tuple(column / 7 for column in raw)
    if request.param == WIDE:
        return tuple(np.append(column, [column.max() + 1e6, 0.0]) for column in [*raw, *raw])
    return tuple(raw)


def grouped(columns, weights=None):
    frame = pd.DataFrame(dict(enumerate(columns)))
    weights = np.ones(len(frame)) if weights is None else weights
    return frame.assign(n=weights).groupby(list(range(len(columns))))["n"].sum().reset_index()


def test_counts_equal_a_grouping(columns):
    expected = grouped(columns)
    rows = count(columns)
    np.testing.assert_array_equal(rows.counts, expected["n"])
    for index, column in enumerate(rows.columns):
        np.testing.assert_array_equal(column, expected[index])


def test_weights_are_added_up(columns):
    weights = np.random.default_rng(4).integers(0, 5, columns[0].size).astype(float)
    np.testing.assert_array_equal(count(columns, weights).counts, grouped(columns, weights)["n"])


def test_spread_gives_every_row_back(columns):
    chosen, member = spread(columns)
    assert chosen.size == len(grouped(columns))
    for column in columns:
        np.testing.assert_array_equal(column[chosen][member], column)


def test_nothing_spreads_to_nothing():
    chosen, member = spread((np.zeros(0), np.zeros(0)))
    assert chosen.size == member.size == 0
