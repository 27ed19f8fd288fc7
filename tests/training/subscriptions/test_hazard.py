"""Hazards by period: which period an end falls into, and what lies beyond those learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from training.learners.calibration import Sigmoid
from training.learners.churn import ChurnModel
from training.subscriptions import hazard as hazards
from training.subscriptions.hazard import PLAN, RENEWALS, Hazard
from training.subscriptions.periods import DUE as DUE_IN
from training.subscriptions.plans import Plans
from training.subscriptions.retention import Parameters, ending
from training.subscriptions.simulate import cohorts

MONTH, GRACE = 30.4375, 5


def subscribers(**columns):
    size = len(next(iter(columns.values())))
    usual = {
        "subscription_plan": ["basic"] * size,
        "subscription_term_days": [MONTH] * size,
        "subscription_renewals": [0.0] * size,
        "ended_after": [np.nan] * size,
    }
    return pd.DataFrame(usual | columns)


DUE = np.array([[10.0, 41.0, 71.0]])


@pytest.mark.parametrize(
    ("after", "period", "within"),
    [
        (0, 0, True),
        (8, 0, True),
        (9, 0, False),  # the last day that is paid, counted as the end
        (10, 0, False),
        (10 + GRACE, 0, False),
        (10 + GRACE + 1, 1, True),
        (41, 1, False),
        (72, 2, False),
        (90, None, False),
        (np.nan, None, False),
    ],
)
def test_an_end_belongs_to_the_renewal_that_it_comes_up_to(after, period, within):
    ended, asked, between = hazards.fates(subscribers(ended_after=[after]), DUE, 400.0, GRACE)
    there = 3 if period is None else period + 1
    assert asked[0].tolist() == [place < there for place in range(3)]
    assert ended[0].tolist() == [place == period for place in range(3)]
    assert between.sum() == within


def test_a_period_counts_when_its_grace_is_over_whatever_came_of_it():
    both = subscribers(ended_after=[10.0, np.nan])
    due = np.repeat(DUE, 2, axis=0)
    for known, counted in ((10 + 2 * GRACE, False), (10 + 2 * GRACE + 1, True)):
        ended, asked, _ = hazards.fates(both, due, float(known), GRACE)
        assert asked[:, 0].tolist() == [counted, counted]
        assert not asked[:, 1].any()
        assert ended[:, 0].tolist() == [counted, False]


@pytest.fixture(scope="module")
def plans():
    random = np.random.default_rng(1)
    found = cohorts(Parameters(0.8, 7.0), 3_000, np.full(3_000, 12), random)
    return Plans.fit(
        pd.DataFrame(
            {
                "plan": "basic",
                "term_days": MONTH,
                "renewals": found.renewals,
                "active": found.active,
                "customers": found.counts,
            }
        )
    )


@pytest.fixture(scope="module")
def learned(plans):
    """Trees that find that a mark raises the log-odds to end by 2, in three periods."""
    random = np.random.default_rng(2)
    frame = subscribers(mark=random.integers(0, 2, 6_000).astype(float))
    due = np.repeat(DUE, len(frame), axis=0)
    rows = hazards.long(frame, ("mark",), due)
    base = hazards.baseline(plans, frame, 3).ravel()
    chance = 1 / (1 + np.exp(-(base - 1 + 2 * rows["mark"])))
    ended = (random.random(len(rows)) < chance).astype(float)
    trees = ChurnModel().fit(rows, ended, offset=base)
    return Hazard(plans, 0.1, trees, Sigmoid(1.1, 0.1), ("mark",), 3)


def test_without_trees_the_plan_s_retention_speaks(plans):
    frame = subscribers(subscription_renewals=[0.0, 5.0])
    found = Hazard(plans, 0.0).chances(frame, np.zeros((2, 4)))
    fitted = plans.plans["basic", MONTH].params
    for place, made in enumerate((0, 5)):
        np.testing.assert_allclose(found[place], ending(fitted, made + np.arange(4)), rtol=1e-12)


def test_trees_find_what_the_plan_does_not_tell(learned):
    frame = subscribers(mark=[0.0, 1.0])
    low, high = learned.chances(frame, np.repeat(DUE, 2, axis=0))
    assert np.all(logit(high) - logit(low) > 1.0)
    parts = learned.contributions(frame, np.repeat(DUE, 2, axis=0))
    assert parts["mark"].iloc[1] - parts["mark"].iloc[0] > 1.0


def test_what_columns_put_to_the_risk_is_the_risk_but_for_a_constant(learned):
    frame = subscribers(mark=[0.0, 1.0], subscription_renewals=[0.0, 9.0])
    due = np.repeat(DUE, 2, axis=0)
    parts = learned.contributions(frame, due)
    away = logit(learned.chances(frame, due)[:, 0]) - parts.sum(axis=1).to_numpy()
    assert away[0] == pytest.approx(away[1], abs=1e-6)
    # By the columns that people know, not by those of a period.
    assert {"mark", RENEWALS, PLAN, DUE_IN} == set(parts)


def test_the_plan_stands_beside_what_is_usual_for_its_term():
    made = pd.DataFrame(
        {
            "plan": ["basic", "basic", "gold", "gold"],
            "term_days": MONTH,
            "renewals": [0, 6, 0, 6],
            "active": [False, True, False, True],
            "customers": [400, 600, 40, 960],
        }
    )
    hazard = Hazard(Plans.fit(made), 0.0)
    frame = subscribers(subscription_plan=["basic", "gold"])
    parts = hazard.contributions(frame, np.repeat(DUE, 2, axis=0))
    assert parts[PLAN].iloc[0] > 0.1 and parts[PLAN].iloc[1] < -0.1
    assert parts[RENEWALS].nunique() == 1


def test_beyond_the_periods_learned_a_customer_keeps_the_distance_to_the_plan(learned, plans):
    frame = subscribers(mark=[0.0, 1.0])
    due = np.repeat(np.cumsum(np.full(8, 31.0))[None, :], 2, axis=0)
    away = logit(learned.chances(frame, due)) - hazards.baseline(plans, frame, 8)
    np.testing.assert_allclose(away[:, 3:], np.repeat(away[:, 2:3], 5, axis=1), atol=1e-9)
    assert np.all(away[1] > away[0])


def test_fewer_periods_are_the_first_of_many(learned):
    frame = subscribers(mark=[0.0, 1.0])
    due = np.repeat(np.cumsum(np.full(8, 31.0))[None, :], 2, axis=0)
    for ahead in (1, 3, 5):
        np.testing.assert_array_equal(
            learned.chances(frame, due[:, :ahead]), learned.chances(frame, due)[:, :ahead]
        )


def test_saved_and_loaded_it_gives_the_same_bits(learned, plans, tmp_path):
    frame = subscribers(mark=[0.0, 1.0])
    due = np.repeat(DUE, 2, axis=0)
    for place, one in enumerate((learned, Hazard(plans, 0.25))):
        one.save(tmp_path / str(place))
        again = Hazard.load(tmp_path / str(place))
        np.testing.assert_array_equal(again.chances(frame, due), one.chances(frame, due))
        assert (again.within, again.learned, again.plans) == (one.within, one.learned, one.plans)
