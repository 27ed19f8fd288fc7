"""The study of simulated subscribers tells right from wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import subscribers
from training.subscriptions.hazard import Hazard
from training.subscriptions.retention import Parameters


@pytest.fixture(scope="module")
def seen() -> subscribers.Watched:
    return subscribers.watch(1, 1_500)


def test_totals_and_coverage_come_out(seen):
    """Issue 3: 76 to 84 % on six businesses of 6,000; here one of 1,500, so a wider band."""
    rows = {row["figure"]: row for row in subscribers.judge(seen)}
    assert list(rows) == ["expected_purchases", "expected_spend", "clv", "rates"]
    for name in ("expected_purchases", "expected_spend", "clv"):
        assert abs(rows[name]["bias"]) < 0.12, name
        assert 0.72 < rows[name]["coverage"] < 0.88, name
    assert rows["expected_purchases"]["inside"] > rows["expected_purchases"]["coverage"]


def test_a_model_that_is_wrong_is_seen(seen):
    """Everyone said to leave at every other renewal."""
    plans = seen.scorer.hazard.plans
    half = {key: replace(one, params=Parameters(50.0, 50.0)) for key, one in plans.plans.items()}
    wrong = Hazard(replace(plans, plans=half), 0.0)
    judged = subscribers.judge(replace(seen, scorer=replace(seen.scorer, hazard=wrong)))
    rows = {row["figure"]: row for row in judged}
    assert rows["expected_purchases"]["coverage"] < 0.6
    assert rows["rates"]["bias"] > 1.0 and np.isfinite(rows["rates"]["inside"])
