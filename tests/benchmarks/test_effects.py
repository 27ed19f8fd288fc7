"""Made campaigns: what is said to be true of them is, and coverage is counted as it should be."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import effects

SHAPE = {"holdout": 0.5, "kept": 0.2, "lift": 0.05, "sigma": 0.6}


def test_the_truth_is_the_mean_difference_of_many_customers():
    made = effects.campaign(np.random.default_rng(0), 400_000, **SHAPE)
    arm = made.records.treated
    for name, true in made.truth.items():
        values = made.records.outcomes[name]
        error = (values[arm].var() / arm.sum() + values[~arm].var() / (~arm).sum()) ** 0.5
        assert values[arm].mean() - values[~arm].mean() == pytest.approx(true, abs=4 * error)


def test_the_holdout_has_its_share_up_to_one():
    for seed in range(5):
        made = effects.campaign(np.random.default_rng(seed), 1001, **(SHAPE | {"holdout": 0.1}))
        assert (~made.records.treated).sum() in (100, 101)


def test_only_what_was_concluded_counts():
    assert effects._share([True, None, False, True]) == "66.7"
    assert effects._share([None]) == "too little"


def test_losses_alike_in_both_arms_are_no_alarm_and_others_are():
    rows = {row["lost"]: float(row["nothing concluded, %"]) for row in effects.broken_rows(10)}
    assert rows["nobody"] == rows["5 % of both"] == 0
    assert rows["10 % of the held out"] >= 80
