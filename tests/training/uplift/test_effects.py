"""Doubly robust scores are right on average, and lines read predictions as far as they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.uplift.calibration import uplift_table
from training.uplift.effects import Line, scores


def test_scores_with_zeros_are_inverse_propensity_weights(known):
    """Horvitz & Thompson: Y / e for the arm that was given, 0 for others."""
    trial = known.trial
    found = scores(trial, "spend", np.zeros((len(trial), 3)))
    rows = np.arange(len(trial))
    expected = trial.outcomes["spend"] / trial.propensity[rows, trial.arm]
    np.testing.assert_allclose(found[rows, trial.arm], expected)
    assert (found[rows, (trial.arm + 1) % 3] == 0).all()


def test_a_model_makes_scores_steadier_and_no_other(known, held):
    plain = scores(known.trial, "returned", np.zeros((len(known.trial), 3)))
    robust = held.scores("returned")
    assert (robust.std(axis=0) < plain.std(axis=0)).all()
    error = (robust - plain).std(axis=0) / np.sqrt(len(plain))
    assert (np.abs(robust.mean(axis=0) - plain.mean(axis=0)) < 3 * error).all()


@given(st.floats(-3, 3), st.floats(-2, 2))
def test_a_line_without_noise_is_found_exactly(mean, slope):
    x = np.linspace(-1, 1, 50)
    line = Line.learn(x + 4.0, mean + slope * x)
    assert line.mean == pytest.approx(mean, abs=1e-9)
    assert line.slope == pytest.approx(slope, abs=1e-9)
    assert 0 <= line.believed <= 1
    assert line.effect(x + 4.0).mean() == pytest.approx(mean, abs=1e-9)


def test_one_prediction_for_all_has_no_slope():
    line = Line.learn(np.full(9, 0.2), np.arange(9.0))
    assert (line.slope, line.slope_error) == (0.0, 0.0)
    np.testing.assert_array_equal(line.effect(np.array([0.2, 5.0])), [4.0, 4.0])


def test_the_error_of_a_line_is_the_scatter_of_its_slopes():
    """Standard error against the deviation of the slope over 300 samples with unequal variances."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(300):
        x = random.normal(size=400)
        lines.append(Line.learn(x, 0.5 * x + random.normal(size=400) * (1 + np.abs(x))))
    slopes = np.array([line.slope for line in lines])
    said = np.mean([line.slope_error for line in lines])
    assert slopes.std() == pytest.approx(said, rel=0.15)


def test_tenths_of_a_calibrated_effect_come_true(held):
    """Nine in ten of the 95 % intervals hold what was predicted."""
    table = uplift_table(held, 2, "returned")
    assert table["customers"].sum() == len(held.trial)
    assert (table["predicted"].diff().dropna() < 0).all()
    inside = table["predicted"].between(table["lower"], table["upper"])
    assert inside.sum() >= 9
    assert table["observed"].iloc[:3].mean() > table["observed"].iloc[-3:].mean()
