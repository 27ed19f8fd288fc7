"""RFM segments: quintiles, 5 is best, ties together."""

from __future__ import annotations

import numpy as np
import pytest

from serving.errors import ScoreTableError
from serving.groups import segments
from serving.groups.history import read
from serving.groups.segments import Quintiles


def scores_of(categorical) -> np.ndarray:
    return np.array([[int(part) for part in text.split("-")] for text in categorical])


@pytest.mark.golden
def test_ten_customers_by_hand(history):
    """Two customers a quintile; the most recent, most frequent and highest spender is 5-5-5."""
    past = history(
        days_since_last=np.arange(1, 11),
        frequency=np.arange(9, -1, -1),
        spend=np.arange(100, 0, -10),
    )
    expected = ["5-5-5"] * 2 + ["4-4-4"] * 2 + ["3-3-3"] * 2 + ["2-2-2"] * 2 + ["1-1-1"] * 2
    assert segments.rfm(past, segments.learn(past)).tolist() == expected


def test_quintiles_hold_equally_many_without_ties(history):
    rng = np.random.default_rng(2)
    past = history(
        days_since_last=rng.permutation(1003) + 1.0,
        frequency=rng.permutation(1003),
        spend=rng.permutation(1003),
    )
    got = scores_of(segments.rfm(past, segments.learn(past)))
    for column in got.T:
        sizes = np.bincount(column, minlength=6)[1:]
        assert sizes.max() - sizes.min() <= 1


def test_many_one_time_buyers_share_the_lowest_frequency(history):
    past = history(frequency=[0] * 7 + [1, 2, 9], days_since_last=range(1, 11), spend=range(10))
    got = scores_of(segments.rfm(past, segments.learn(past)))
    assert got[:7, 1].tolist() == [1] * 7
    assert got[7:, 1].tolist() == [4, 5, 5]


def test_all_alike_get_one_segment(history):
    past = history(frequency=[0] * 20)
    assert set(segments.rfm(past, segments.learn(past))) == {"5-1-1"}


def test_better_is_never_scored_lower(people):
    past = read(people(800, seed=3))
    got = scores_of(segments.rfm(past, segments.learn(past)))
    for column, better in zip(
        got.T, (-past.days_since_last, past.frequency, past.spend), strict=True
    ):
        assert np.all(np.diff(column[np.argsort(better, kind="stable")]) >= 0)
        assert column[np.argmax(better)] == 5


def test_someone_beyond_the_population_gets_the_end_score(history):
    past = history(days_since_last=range(1, 11), frequency=range(10), spend=range(10))
    beyond = history(days_since_last=[1000, 0.5], frequency=[0, 99], spend=[-5, 1e9])
    assert segments.rfm(beyond, segments.learn(past)).tolist() == ["1-1-1", "5-5-5"]


def test_without_a_purchase_there_is_no_segment(history):
    past = history(days_since_last=[np.nan, 3.0])
    assert segments.rfm(past, segments.learn(past)).isna().tolist() == [True, False]


@pytest.mark.parametrize("edges", [(1.0, 2.0, 3.0), (1.0, 2.0, 4.0, 3.0)])
def test_edges_that_cannot_be_are_refused(edges):
    with pytest.raises(ScoreTableError, match="rising numbers"):
        Quintiles((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0), edges)
