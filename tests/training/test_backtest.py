"""The backtest measures every model and every rule on every window."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from tests.training.conftest import AS_OF, HORIZON
from training.backtest import QUESTIONS, measure
from training.naive import RULES
from training.pipeline import Training


def test_a_perfect_forecast_has_no_error_and_no_bias() -> None:
    truth = pd.DataFrame({"returned": [0, 1, 1], "occasions": [0, 1, 3], "spend": [0.0, 5.0, 9.0]})
    perfect = pd.DataFrame(
        {
            "return_probability": truth["returned"].astype(float),
            "expected_purchases": truth["occasions"].astype(float),
            "expected_spend": truth["spend"],
        }
    )
    figures = measure(date(2024, 1, 1), 90, {"oracle": perfect}, truth)
    found = figures.set_index(["question", "metric"])["figure"]
    assert found["spend", "mae"] == found["purchases", "total_bias"] == 0
    assert found["risk", "roc_auc"] == 1
    assert found["risk", "log_loss"] < 1e-6


def test_every_model_and_rule_answers_every_question_in_every_window(trained: Training) -> None:
    figures = trained.evidence.tested.figures
    models = set(figures["model"])
    assert set(RULES) <= models
    assert {"value", "blend"} <= models
    for _, window in figures.groupby(["origin", "horizon_days"]):
        assert set(window["question"]) == set(QUESTIONS)
        assert set(RULES) <= set(window["model"])
    assert np.isfinite(figures["figure"]).all()


def test_every_horizon_that_is_over_is_tested(trained: Training) -> None:
    tested = trained.evidence.tested
    lengths = {(one.at, one.horizon_days) for one in tested.tested}
    newest = AS_OF - timedelta(days=HORIZON)
    assert {(newest, days) for days in (30, 60, 90)} <= lengths
    assert all(at + timedelta(days=days) <= AS_OF for at, days in lengths)
    assert (AS_OF - timedelta(days=2 * HORIZON), 180) in lengths


def test_the_spread_is_of_the_horizon_or_of_the_longest_that_was_tested(trained: Training) -> None:
    tested = trained.evidence.tested
    blended = [t for t in tested.tested if t.speaker == "blend"]
    spread = tested.spread(HORIZON)
    assert spread is not None
    assert spread.windows == sum(t.horizon_days == HORIZON for t in blended)
    assert tested.spread(365) == tested.spread(max(t.horizon_days for t in tested.tested))
