"""Thresholds: learned once, kept exactly, nonsense refused."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ScoreTableError
from serving.groups import population, tiers
from serving.groups.history import read
from serving.groups.population import Thresholds

AS_OF = date(2024, 7, 1)


def learned(frame, seed: int = 0) -> Thresholds:
    clv = np.random.default_rng(seed).gamma(0.5, 40, len(frame)) - 2
    return population.learn(read(frame), clv, as_of=AS_OF, horizon_days=90)


@given(st.integers(0, 30), st.integers(1, 300))
def test_json_brings_every_number_back_exactly(people, seed, customers):
    thresholds = learned(people(customers, seed=seed), seed)
    assert Thresholds.from_json(thresholds.to_json()) == thresholds


def test_json_brings_absent_parts_back(history):
    nobody = history(days_since_last=[np.nan, np.nan], age=[0, 0])
    thresholds = population.learn(nobody, np.full(2, np.nan), as_of=AS_OF, horizon_days=90)
    parts = (thresholds.rhythm, thresholds.quintiles, thresholds.potential, thresholds.cuts)
    assert parts == (None,) * 4
    assert Thresholds.from_json(thresholds.to_json()) == thresholds


@given(st.integers(0, 10))
def test_the_order_of_the_rows_changes_nothing(people, seed):
    frame = people(400, seed=seed)
    clv = np.random.default_rng(seed).gamma(0.5, 40, 400)
    order = np.random.default_rng(seed + 1).permutation(400)
    straight = population.learn(read(frame), clv, as_of=AS_OF, horizon_days=90)
    mixed = population.learn(read(frame.iloc[order]), clv[order], as_of=AS_OF, horizon_days=90)
    assert straight == mixed


def test_an_empty_population_is_refused(people):
    with pytest.raises(ScoreTableError, match="got no customer"):
        learned(people(5).iloc[:0])


def test_it_cannot_be_changed(people):
    with pytest.raises(AttributeError):
        learned(people(5)).customers = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": None},
        {"cuts": {"key": 1.0}},
        {"cuts": {"key": 1.0, "small": 0.0, "growth_ratio": 3.0, "more": 1}},
        {"as_of": "July"},
        {"rhythm": {"population_gap": "often"}},
    ],
)
def test_json_of_another_kind_is_refused_with_what_to_do(people, change):
    given_ = json.loads(learned(people(50)).to_json()) | change
    with pytest.raises(ScoreTableError, match="run a full scoring again"):
        Thresholds.from_dict(given_)


def test_the_cost_to_serve_survives_as_json(people):
    frame = people(50)
    costs = tiers.Costs(margin=0.25, per_order=1.1, per_contact=2.2)
    learned = population.learn(read(frame), np.ones(50), as_of=AS_OF, horizon_days=90, costs=costs)
    assert Thresholds.from_json(learned.to_json()) == learned
    assert (learned.cuts.margin, learned.cuts.per_order, learned.cuts.per_contact) == (
        0.25,
        1.1,
        2.2,
    )
