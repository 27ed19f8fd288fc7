"""Two learners as one: weights that calibrate, parts that add up, files that keep every bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from training.learners.churn import ChurnModel
from training.learners.logistic import LogisticModel
from training.learners.pair import Pair, Weights


def margins(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of two learners who both see half of the truth, and who left."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    return z, (rng.random(n) < expit(0.9 * z[:, 0] + 0.6 * z[:, 1] - 1)).astype(float)


def test_at_size_the_weights_are_those_of_a_logistic_regression():
    """Oracle: scikit-learn's LogisticRegression without penalty on both log-odds."""
    z, y = margins(50_000)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(z, y)
    learned = Weights.learn(z, y)
    assert [learned.churn, learned.logistic] == pytest.approx(oracle.coef_[0], abs=1e-3)
    assert learned.intercept == pytest.approx(oracle.intercept_[0], abs=1e-3)


def test_who_is_wrong_has_no_say():
    z, y = margins(5_000)
    assert Weights.learn(np.column_stack([z[:, 0], -z[:, 1]]), y).logistic == 0.0


def test_a_dozen_customers_barely_move_equal_weights():
    z, y = margins(12)
    learned = Weights.learn(z, y)
    assert abs(learned.churn - 0.5) < 0.5
    assert abs(learned.logistic - 0.5) < 0.5


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=800)
    frame = pd.DataFrame({"x": x, "plan": np.where(x + rng.normal(size=800) > 0, "a", "b")})
    return frame, (rng.random(800) < expit(x)).astype(int)


@pytest.fixture(scope="module")
def pair(table: tuple[pd.DataFrame, np.ndarray]) -> Pair:
    """With calibrated members, whose calibration must not be looked at."""
    trees, lines = ChurnModel(rounds=20).fit(*table), LogisticModel().fit(*table)
    for model in (trees, lines):
        model.calibrate(*table)
    return Pair(trees, lines, Weights(0.7, 0.4, -0.2))


def test_its_log_odds_are_the_weighted_sum(pair, table):
    frame, _ = table
    expected = 0.7 * pair.churn.uncalibrated(frame) + 0.4 * pair.logistic.uncalibrated(frame) - 0.2
    np.testing.assert_allclose(pair.decision_function(frame), expected, rtol=1e-12)
    np.testing.assert_allclose(logit(pair.predict_proba(frame)[:, 1]), expected, rtol=1e-9)


def test_contributions_add_up_and_importance_is_shares(pair, table):
    frame, _ = table
    np.testing.assert_allclose(
        pair.contributions(frame).sum(axis=1), pair.decision_function(frame), atol=1e-9
    )
    assert pair.importance().sum() == pytest.approx(1.0)
    assert set(pair.importance().index) == {"x", "plan"}


def test_a_customer_alone_gets_the_same_bits(pair, table):
    frame, _ = table
    alone = [pair.predict_proba(frame.iloc[[place]])[0, 1] for place in range(20)]
    np.testing.assert_array_equal(alone, pair.predict_proba(frame)[:20, 1])


def test_what_is_saved_predicts_bit_for_bit(pair, table, tmp_path: Path):
    pair.save(tmp_path / "pair")
    again = Pair.load(tmp_path / "pair")
    np.testing.assert_array_equal(again.predict_proba(table[0]), pair.predict_proba(table[0]))
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} <= {".json", ".txt"}


def test_a_shift_moves_everybody_alike(pair, table):
    moved = pair.shifted(-1.5).decision_function(table[0]) - pair.decision_function(table[0])
    np.testing.assert_allclose(moved, -1.5)
