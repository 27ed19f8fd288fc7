"""The gate compares only on rows that neither side has seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.runs import gate
from training.runs.registry import Champion
from training.scorer import Scorer
from training.terms import Terms
from training.value.model import ValueModel
from training.value.simulate import Truth, simulate

WINDOW = date(2024, 1, 1)
HORIZON = 90


@pytest.fixture(scope="module")
def test_rows() -> pd.DataFrame:
    """2,000 simulated customers with what they did in the window."""
    ages = np.full(2000, 300.0)
    rows = simulate(Truth(), ages, HORIZON, np.random.default_rng(5))
    rows["returned"] = (rows["future_purchases"] > 0).astype(int)
    return rows.rename(columns={"future_spend": "spend"})


@pytest.fixture(scope="module")
def good(test_rows: pd.DataFrame) -> Scorer:
    """A value model fitted as of the window's first day."""
    terms = Terms("inactivity", HORIZON, 365, 0.3, 0.1, WINDOW.isoformat(), 60)
    return Scorer(terms, "value", ValueModel().fit(test_rows), None)


def _champion(scorer: Scorer, folder: Path, *, twin: Scorer | None = None) -> Champion:
    scorer.save(folder / "scorer")
    if twin is not None:
        twin.save(folder / "twin")
    return Champion("7", folder / "scorer", folder / "twin" if twin else None, "run")


def _trained_at(scorer: Scorer, day: str) -> Scorer:
    return replace(scorer, terms=replace(scorer.terms, trained_as_of=day))


def _judge(predictions: pd.DataFrame, rows: pd.DataFrame, champion: Champion) -> gate.Verdict:
    return gate.judge(
        predictions, rows, horizon_days=HORIZON, window_from=WINDOW, champion=champion
    )


def _worse(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.assign(return_probability=0.5)


def test_the_first_model_passes() -> None:
    assert gate.judge(None, None, horizon_days=90, window_from=None, champion=None).passed


def test_without_a_window_the_champion_stays(good: Scorer, tmp_path: Path) -> None:
    verdict = gate.judge(
        None, None, horizon_days=90, window_from=None, champion=_champion(good, tmp_path)
    )
    assert not verdict.passed
    assert "too short for a test window" in verdict.why


def test_the_better_one_passes_and_the_worse_one_does_not(
    good: Scorer, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    champion = _champion(good, tmp_path)
    same = good.predict(test_rows)
    assert not _judge(_worse(same), test_rows, champion).passed
    assert not _judge(same, test_rows, champion).passed
    certain = same.assign(return_probability=np.where(test_rows["returned"] == 1, 0.9, 0.1))
    verdict = _judge(certain, test_rows, champion)
    assert verdict.passed
    assert verdict.figures["challenger_log_loss"] < verdict.figures["champion_log_loss"]


def test_a_better_probability_does_not_buy_a_worse_forecast_of_spend(
    good: Scorer, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    certain = good.predict(test_rows).assign(
        return_probability=np.where(test_rows["returned"] == 1, 0.9, 0.1)
    )
    dear = certain.assign(expected_spend=certain["expected_spend"] + 1000)
    assert not _judge(dear, test_rows, _champion(good, tmp_path)).passed


def test_a_champion_that_saw_the_window_sends_its_twin(
    good: Scorer, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    late = _trained_at(good, "2024-04-01")
    without = _judge(good.predict(test_rows), test_rows, _champion(late, tmp_path / "a"))
    assert not without.passed
    assert "has seen the test window" in without.why
    twin = _champion(late, tmp_path / "b", twin=good)
    assert "log-loss" in _judge(good.predict(test_rows), test_rows, twin).why


def test_a_champion_that_cannot_score_the_rows_is_not_beaten_silently(
    good: Scorer, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    verdict = _judge(
        good.predict(test_rows), test_rows.drop(columns="recency"), _champion(good, tmp_path)
    )
    assert not verdict.passed
    assert "cannot score this data" in verdict.why


def test_labelled_models_are_compared_out_of_fold_on_the_same_data(
    good: Scorer, tmp_path: Path
) -> None:
    tags = {gate.HELD_OUT: "0.5", gate.FINGERPRINT: "abc"}
    champion = replace(_champion(good, tmp_path), tags=tags)
    assert gate.judge_held_out(0.4, "abc", champion).passed
    assert not gate.judge_held_out(0.5, "abc", champion).passed
    assert "other data" in gate.judge_held_out(0.1, "xyz", champion).why


def test_a_champion_that_this_version_cannot_read_is_no_rival(
    good: Scorer, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    """After a change of the format there has to be a way on: whoever is trained now passes."""
    champion = _champion(good, tmp_path)
    head = champion.path / "scorer.json"
    head.write_text(head.read_text().replace('"format": ', '"format": 9'))
    verdict = _judge(_worse(good.predict(test_rows)), test_rows, champion)
    assert verdict.passed
    assert "cannot be read any more" in verdict.why
