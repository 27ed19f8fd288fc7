"""The blend and its spend model: explained to the last bit, and read back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.learners.blend import MEMBERS, Blend
from training.learners.spend import SpendModel
from training.pipeline import Training
from training.windows.level import log_odds


@pytest.fixture(scope="module")
def blend(trained: Training) -> Blend:
    """The shop's blend."""
    found = trained.evidence.fitted.blend
    assert found is not None
    return found


@pytest.fixture(scope="module")
def spend(trained: Training) -> SpendModel:
    """The shop's spend model."""
    found = trained.evidence.fitted.spend
    assert found is not None
    return found


@pytest.fixture(scope="module")
def window(trained: Training) -> pd.DataFrame:
    """The newest finished window, with the value model's answers and what came."""
    found = trained.evidence.test
    assert found is not None
    return found


def test_the_members_are_weighed_and_nobody_is_lost(blend: Blend):
    assert list(blend.weights) == list(MEMBERS)
    assert min(blend.weights.values()) > 0


def test_contributions_add_up_to_the_log_odds(blend: Blend, window: pd.DataFrame):
    parts = blend.contributions(window)
    assert parts.sum(axis=1).to_numpy() == pytest.approx(blend.decision_function(window), abs=1e-9)
    assert "value_return_probability" in parts


def test_trees_on_the_value_model_follow_it(blend: Blend, window: pd.DataFrame):
    """What the value model says is in the margin whole: the trees only add to it."""
    surer = window.assign(
        value_return_probability=window["value_return_probability"].clip(0.01, 0.99)
    )
    place = MEMBERS.index("on_value")
    added = blend.margins(surer)[:, place] + log_odds(surer["value_return_probability"].to_numpy())
    assert added == pytest.approx(blend.members["on_value"].uncalibrated(surer), abs=1e-12)


def test_a_saved_blend_predicts_bit_for_bit(blend, spend, window, tmp_path: Path):
    blend.save(tmp_path / "blend")
    spend.save(tmp_path / "spend")
    read, paid = Blend.load(tmp_path / "blend"), SpendModel.load(tmp_path / "spend")
    np.testing.assert_array_equal(read.decision_function(window), blend.decision_function(window))
    stays = np.linspace(0.1, 0.9, len(window))
    np.testing.assert_array_equal(paid.predict(window, stays), spend.predict(window, stays))


def test_importance_is_a_share(blend: Blend):
    shares = blend.importance()
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert shares.is_monotonic_decreasing


def test_who_returns_surely_is_expected_to_spend_more(spend, window):
    value_only = replace(spend, weights={"value": 1.0, "on_value": 0.0, "trees": 0.0})
    half, whole = (value_only.predict(window, np.full(len(window), p)) for p in (0.4, 0.8))
    assert whole == pytest.approx(2 * half)


def test_windows_without_spend_teach_nothing(blend, trained: Training, window):
    columns = list(trained.evidence.fitted.families)
    weights = dict.fromkeys(("value", "on_value", "trees"), 1 / 3)
    trees = blend.members["trees"]
    assert SpendModel.fit([window.assign(spend=0.0)], columns, trees, weights) is None


def test_nobody_is_an_empty_answer(blend: Blend, spend: SpendModel, window: pd.DataFrame):
    nobody = window.head(0)
    assert blend.decision_function(nobody).shape == (0,)
    assert spend.predict(nobody, np.empty(0)).shape == (0,)
