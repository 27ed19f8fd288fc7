"""Stages: one for everyone, against the own rhythm, never worse for a later purchase."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ScoreTableError
from serving.groups import lifecycle
from serving.groups.history import History, read
from serving.groups.lifecycle import STAGES, Rhythm

MONTHLY = Rhythm(population_gap=30.0)
WORSE = {"lapsed": 2, "at_risk": 1, "new": 0, "growing": 0, "loyal": 0, "won_back": 0}

GAPS = st.lists(st.integers(1, 400), max_size=6)


def of(history, gaps: list[int], since: int) -> History:
    """History of a customer with these gaps, oldest first, whose last purchase is `since` ago."""
    return history(
        days_since_last=[since],
        frequency=[len(gaps)],
        age=[sum(gaps) + since - 1],
        gap_mean=[np.mean(gaps) if gaps else np.nan],
        gap_last=[gaps[-1] if gaps else np.nan],
    )


# With a population gap of 30 days that counts for two gaps of one's own; worked by hand:
# g = (sum of gaps + 2 · 30) / (number of gaps + 2).
@pytest.mark.golden
@pytest.mark.parametrize(
    ("gaps", "since", "expected"),
    [
        ([], 1, "new"),
        ([], 60, "new"),  # g 30: overdue 2.0, not above
        ([], 61, "at_risk"),
        ([], 120, "at_risk"),
        ([], 121, "lapsed"),
        ([3], 2, "new"),  # g 21: the first purchase was 5 days ago
        ([30], 10, "growing"),  # g 30: the first purchase was 40 days ago
        ([30, 30, 30], 29, "growing"),  # three repeats, but 119 days: one short of 4 g
        ([30, 30, 30], 30, "loyal"),  # 120 days: 4 g
        ([30, 30, 30], 61, "at_risk"),
        ([7, 7, 7, 7], 30, "at_risk"),  # g 14.67: a weekly customer silent for a month
        ([10, 130], 5, "won_back"),  # expected (10 + 60) / 3 = 23.3; 4 of them are 93.3
        ([10, 93], 5, "growing"),
        ([10, 130], 101, "at_risk"),  # g 50: silent again
        ([121], 1, "won_back"),  # the first purchase alone had lapsed after 120
    ],
)
def test_each_stage_by_hand(history, gaps, since, expected):
    assert lifecycle.stage(of(history, gaps, since), MONTHLY).tolist() == [expected]


@given(GAPS, st.integers(1, 2000))
def test_every_customer_with_a_purchase_has_exactly_one_stage(history, gaps, since):
    assert lifecycle.stage(of(history, gaps, since), MONTHLY)[0] in STAGES


@given(GAPS.filter(bool), st.integers(2, 2000), st.data())
def test_a_later_last_purchase_never_worsens_the_stage(history, gaps, since, data):
    later = data.draw(st.integers(1, since - 1))
    before = lifecycle.stage(of(history, gaps, since), MONTHLY)[0]
    moved = [*gaps[:-1], gaps[-1] + later]
    after = lifecycle.stage(of(history, moved, since - later), MONTHLY)[0]
    assert WORSE[after] <= WORSE[before]


@given(GAPS, st.integers(1, 2000), st.integers(1, 500))
def test_silence_never_improves_the_stage(history, gaps, since, more):
    before = lifecycle.stage(of(history, gaps, since), MONTHLY)[0]
    after = lifecycle.stage(of(history, gaps, since + more), MONTHLY)[0]
    assert WORSE[after] >= WORSE[before]


@given(GAPS.filter(bool))
def test_won_back_means_lapsed_the_day_before(history, gaps):
    """A customer active today is won back exactly if the stage was lapsed when coming back."""
    was = lifecycle.stage(of(history, gaps[:-1], gaps[-1]), MONTHLY)[0]
    now = lifecycle.stage(of(history, gaps, 1), MONTHLY)[0]
    assert (now == "won_back") == (was == "lapsed")


@given(GAPS)
def test_the_expected_gap_lies_between_the_own_and_the_populations(history, gaps):
    (got,) = lifecycle.expected_gap(of(history, gaps, 1), MONTHLY)
    ends = [30.0, float(np.mean(gaps)) if gaps else 30.0]
    assert min(ends) - 1e-9 <= got <= max(ends) + 1e-9


def test_the_expected_gap_tends_to_the_own_mean(history):
    errors = [
        abs(lifecycle.expected_gap(of(history, [7] * count, 1), MONTHLY)[0] - 7)
        for count in (1, 10, 100, 1000)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == pytest.approx(2 * (30 - 7) / 1002)


@pytest.mark.golden
def test_the_next_purchase_is_due_at_the_last_occasion_plus_the_expected_gap(history):
    """Last purchases on 21 June; g = 30 gives 21 July, g = 14.67 rounds up to 15: 6 July."""
    past = history(
        days_since_last=[10, 10, 100, np.nan],
        frequency=[0, 4, 0, 0],
        age=[9, 37, 99, 0],
        gap_mean=[np.nan, 7, np.nan, np.nan],
        gap_last=[np.nan, 7, np.nan, np.nan],
    )
    got = lifecycle.due(past, MONTHLY, date(2024, 7, 1))
    expected = ["2024-07-21", "2024-07-06", "2024-04-22", "NaT"]
    np.testing.assert_array_equal(got, np.array(expected, dtype="datetime64[D]"))


def test_without_a_purchase_there_is_no_stage(history):
    past = history(days_since_last=[np.nan], age=[0.0])
    assert lifecycle.stage(past, MONTHLY).isna().all()


def test_the_population_gap_is_the_median_over_repeat_customers(people):
    frame = people(501)
    learned = lifecycle.learn(read(frame), horizon_days=90)
    repeats = frame["gap_mean"].dropna()
    below, above = (repeats < learned.population_gap).mean(), (repeats > learned.population_gap)
    assert below <= 0.5
    assert above.mean() <= 0.5


def test_the_horizon_is_the_population_gap_where_nobody_came_back(history):
    assert lifecycle.learn(history(frequency=[0, 0]), horizon_days=90).population_gap == 90.0


@pytest.mark.parametrize(
    "limits",
    [
        {"population_gap": 0.0},
        {"population_gap": float("inf")},
        {"population_gap": 30.0, "population_weight": 0.0},
        {"population_gap": 30.0, "at_risk_after": 5.0},
    ],
)
def test_limits_that_cannot_be_are_refused(limits):
    with pytest.raises(ScoreTableError, match="run a full scoring again"):
        Rhythm(**limits)
