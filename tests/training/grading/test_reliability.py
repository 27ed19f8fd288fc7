"""Calibration and coverage by kind: every customer counts once, small groups are not told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.training.windows.test_spread import drawn
from training.grading import groups, reliability
from training.pipeline import Training
from training.windows.spread import learn


def test_groups_of_a_kind_add_up_to_the_whole() -> None:
    window = drawn(3_000, 1)
    kinds = pd.DataFrame({"half": np.where(np.arange(3_000) % 2, "odd", "even")})
    told = reliability.table([window], [kinds], [learn([window])]).set_index(["kind", "group"])
    whole, parts = told.loc[("all", "all")], told.loc["half"]
    assert parts["customers"].sum() == whole["customers"] == 3_000
    for figure in ("predicted", "observed", "spend_inside", "purchases_coverage"):
        assert np.average(parts[figure], weights=parts["customers"]) == pytest.approx(whole[figure])
    assert whole["observed"] == pytest.approx(window.came["returned"].mean())


def test_a_group_of_a_few_is_not_told() -> None:
    window = drawn(200, 1)
    kinds = pd.DataFrame({"kind": ["few"] * 49 + ["many"] * 151})
    assert list(reliability.table([window], [kinds], [None])["group"]) == ["all", "many"]


def test_nothing_tested_is_an_empty_table() -> None:
    assert reliability.table([], [], []).empty


@pytest.mark.parametrize(
    ("frequency", "age", "words"),
    [
        (0, 0, ("1", "up to a month")),
        (2, 91, ("3 to 4", "up to half a year")),
        (50, 4000, ("9 and more", "longer")),
        (np.nan, np.nan, ("none", "none")),
    ],
)
def test_customers_fall_into_bands(frequency, age, words) -> None:
    told = groups.of_behaviour(pd.DataFrame({"frequency": [frequency], "T": [age]}))
    assert (told["occasions"].iloc[0], told["tenure"].iloc[0]) == words


def test_a_training_holds_its_figures_to_kinds(trained: Training) -> None:
    told = trained.evidence.reliability
    assert told is not None
    assert {"all", "tenure", "occasions"} <= set(told["kind"])
    assert told["predicted"].between(0, 1).all()
    assert told["spend_coverage"].between(0.5, 1).all()
