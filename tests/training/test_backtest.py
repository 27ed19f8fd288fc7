"""The backtest measures every model and every rule on every window."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.training.conftest import AS_OF, HORIZON
from tests.training.windows.test_spread import drawn
from training import backtest
from training.backtest import QUESTIONS, Backtest, measure, no_figures
from training.grading.naive import RULES
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


def test_rates_are_taken_to_swing_as_where_as_much_was_known_of_the_level() -> None:
    calm, wild = drawn(4_000, 1), drawn(4_000, 2)
    wild.predicted["return_probability"] = 1 - wild.predicted["return_probability"]
    tested = tuple(
        backtest.Tested(date(2024, month, 1), 90, "blend", window, window.came, level)
        for month, window, level in ((6, calm, "last year"), (3, wild, "newest window"))
    )
    found = Backtest(no_figures(), None, {}, tested=tested)
    known, young = found.spread(90, "last year"), found.spread(90, "newest window")
    other = found.spread(90, "none")
    assert known is not None and young is not None and other is not None
    assert known.swing.purchases == pytest.approx(young.swing.purchases, rel=0.1)
    assert known.swing.returns < other.swing.returns < young.swing.returns
    assert known.swing.kinds == young.swing.kinds == other.swing.kinds
    assert known.ratios == young.ratios == other.ratios


def test_lifetime_values_are_taken_to_miss_as_the_windows_nearest_to_their_span() -> None:
    tested = tuple(
        backtest.Tested(date(2024, month, 1), days, "blend", window, window.came, level)
        for month, days, level, window in (
            (6, 90, "none", drawn(2_000, 1)),
            (3, 90, "none", drawn(2_000, 2)),
            (1, 180, "last year", drawn(2_000, 3, level=2.0)),
            (2, 180, "newest window", drawn(2_000, 4, level=3.0)),
        )
    )
    found = Backtest(no_figures(), None, {}, tested=tested)
    spread = found.spread(90, "last year", 365)
    assert spread is not None and spread.lifetime is not None
    longest = found.spread(180, "last year")
    assert longest is not None
    assert spread.lifetime == longest.swing
    assert spread.lifetime.spend > 2 * spread.swing.spend
    same = found.spread(90, "last year", 90)
    assert same is not None and same.lifetime == same.swing
    bare = found.spread(90, "last year")
    assert bare is not None and bare.lifetime is None
