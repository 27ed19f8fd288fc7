"""The backtest chooses without looking at the window that grades."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.backtest import QUESTIONS, choose, measure
from training.fitting import Fitted
from training.naive import RULES
from training.panel import Schedule, schedule
from training.pipeline import Training

PLAN = schedule(date(2020, 1, 1), date(2022, 12, 31), 90)


def _figures(losses: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        (origin.at, model, "risk", "log_loss", loss)
        for model, series in losses.items()
        for origin, loss in zip(PLAN.tests, series, strict=True)
    ]
    return pd.DataFrame(rows, columns=["origin", "model", "question", "metric", "figure"])


@pytest.fixture
def newest() -> Fitted:
    """Stands for an origin at which every model was fitted."""
    return Fitted(PLAN.tests[0].at, object(), object(), object(), {})  # type: ignore[arg-type]


def _chosen(losses: dict[str, list[float]], newest: Fitted | None, plan: Schedule = PLAN) -> str:
    return choose(_figures(losses), plan, newest, {}, None)  # type: ignore[arg-type]


def test_the_newest_window_has_no_say(newest: Fitted) -> None:
    older = {"value": [0.5, 0.5], "logistic": [0.6, 0.6], "churn": [0.4, 0.4]}
    for first in (0.01, 9.0):
        losses = {m: [first if m == "value" else 0.5, *rest] for m, rest in older.items()}
        assert _chosen(losses, newest) == "churn"


def test_a_tie_goes_to_the_simpler_model(newest: Fitted) -> None:
    losses = {"value": [0.5] * 3, "logistic": [0.5] * 3, "churn": [0.5] * 3}
    assert _chosen(losses, newest) == "value"


def test_naive_rules_never_speak(newest: Fitted) -> None:
    losses = {"value": [0.5] * 3, "churn": [0.6] * 3, "logistic": [0.6] * 3, "last_year": [0.1] * 3}
    assert _chosen(losses, newest) == "value"


def test_without_a_panel_the_value_model_speaks() -> None:
    assert _chosen({"value": [0.5] * 3, "churn": [0.1] * 3}, None) == "value"


def test_a_perfect_forecast_has_no_error_and_no_bias() -> None:
    truth = pd.DataFrame({"returned": [0, 1, 1], "occasions": [0, 1, 3], "spend": [0.0, 5.0, 9.0]})
    perfect = pd.DataFrame(
        {
            "return_probability": truth["returned"].astype(float),
            "expected_purchases": truth["occasions"].astype(float),
            "expected_spend": truth["spend"],
        }
    )
    figures = measure(date(2024, 1, 1), {"oracle": perfect}, truth)
    found = figures.set_index(["question", "metric"])["figure"]
    assert found["spend", "mae"] == found["purchases", "total_bias"] == 0
    assert found["risk", "roc_auc"] == 1
    assert found["risk", "log_loss"] < 1e-6


def test_every_model_and_rule_answers_every_question_in_every_window(trained: Training) -> None:
    figures = trained.evidence.tested.figures
    models = set(figures["model"])
    assert set(RULES) <= models
    assert {"value", "churn", "logistic"} <= models
    for _, window in figures.groupby("origin"):
        assert set(window["question"]) == set(QUESTIONS)
        assert set(RULES) <= set(window["model"])
    assert np.isfinite(figures["figure"]).all()
