"""Simulated subscribers leave as often as they are told to, in either shape."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.subscriptions import simulate
from training.subscriptions.retention import Parameters, survival

FIRST, DAYS = date(2023, 1, 31), 500


@pytest.fixture(scope="module")
def paid():
    random = np.random.default_rng(9)
    return simulate.periods(simulate.Business(), 4_000, FIRST, DAYS, random)


def test_renewals_before_the_end_are_those_of_the_distribution():
    random = np.random.default_rng(1)
    truth = Parameters(0.8, 3.0)
    made = simulate.lifetimes(truth, 200_000, random)
    steps = np.arange(1, 9)
    np.testing.assert_allclose(
        [(made >= t).mean() for t in steps], survival(truth, steps), atol=0.004
    )


def test_a_customer_who_never_ends_never_does():
    random = np.random.default_rng(1)
    assert simulate.renewals_before_end(np.array([0.0, 1.0]), random).tolist() == [1e9, 0.0]


def test_as_many_end_as_the_hidden_chances_say(paid):
    ended = paid["end_reason"].notna()
    spread = np.sqrt((paid["chance"] * (1 - paid["chance"])).sum())
    assert abs(ended.sum() - paid["chance"].sum()) < 4 * spread
    later = paid["price"] > paid.groupby("spell")["price"].transform("min")
    assert paid["chance"][later].mean() > paid["chance"][~later].mean()


def test_periods_follow_one_another_and_nothing_begins_after_the_last_day(paid):
    rows = paid.sort_values(["spell", "start"])
    gap = (rows["start"] - rows.groupby("spell")["end"].shift()).dt.days.dropna()
    assert gap.between(0, 4).all() and (gap > 0).mean() > 0.05
    assert (rows["start"] < np.datetime64(FIRST) + DAYS).all()
    assert (rows["end"] > rows["start"]).all()


def test_subscriptions_are_the_same_customers_with_a_row_a_price(paid):
    rows = simulate.subscriptions(paid)
    assert set(rows["customer_id"]) == set(paid["customer_id"])
    assert rows["start"].min() == paid["start"].min()
    running = paid.sort_values("start").groupby("spell")["end_reason"].last().isna().sum()
    assert rows["end"].isna().sum() == running
    prices = paid.groupby("spell")["price"].nunique().sum()
    assert len(rows) == prices
    closed = rows[rows["end"].notna()]
    assert (closed["end"] > closed["start"]).all()
    assert rows["end_reason"].notna().sum() == paid["end_reason"].notna().sum()


def test_the_same_draws_give_the_same_customers():
    one, two = (
        simulate.periods(simulate.Business(), 50, FIRST, DAYS, np.random.default_rng(5))
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, two)
