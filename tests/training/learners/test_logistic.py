"""The logistic regression: what is its own beside the shared interface."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.learners.logistic import LogisticModel


def table(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Spend with a heavy tail and gaps, a plan with gaps, and a churn that depends on both."""
    rng = np.random.default_rng(seed)
    spend = np.where(rng.random(n) < 0.2, np.nan, rng.lognormal(3.0, 1.5, n) - 5.0)
    plan = rng.choice(np.array(["a", "b", None], dtype=object), n)
    risk = expit(0.5 - 0.4 * np.nan_to_num(np.log1p(np.abs(spend)) - 3) + (plan == "a"))
    frame = pd.DataFrame({"spend": spend, "plan": plan})
    return frame, (rng.random(n) < risk).astype(int)


def by_hand(frame: pd.DataFrame) -> np.ndarray:
    """The terms as the docstring says, made with pandas: number, missing, one-hot; centred."""
    known = frame["spend"].dropna().sort_values()
    filled = frame["spend"].fillna(known.iloc[(len(known) - 1) // 2])
    logs = np.sign(filled) * np.log1p(filled.abs())
    terms = pd.DataFrame(
        {
            "spend": (logs - logs.mean()) / logs.std(ddof=0),
            "missing": frame["spend"].isna().astype(float),
            "a": (frame["plan"] == "a").astype(float),
            "b": (frame["plan"] == "b").astype(float),
        }
    )
    return (terms - terms.mean()).to_numpy()


def test_it_is_scikit_learns_regression_on_the_documented_terms():
    """Oracle: LogisticRegression with C = 1/(λ n) on terms made by hand."""
    frame, churned = table(2_000)
    model = LogisticModel(shrinkage=0.05).fit(frame, churned)
    oracle = LogisticRegression(C=1 / (0.05 * 2_000), tol=1e-10, max_iter=5_000)
    oracle.fit(by_hand(frame), churned)
    np.testing.assert_allclose(model.weights_, oracle.coef_[0], atol=1e-4)
    np.testing.assert_allclose(
        model.predict_proba(frame), oracle.predict_proba(by_hand(frame)), atol=1e-4
    )


def test_seeing_everyone_twice_changes_nothing():
    frame, churned = table(800)
    once = LogisticModel().fit(frame, churned)
    twice = LogisticModel().fit(pd.concat([frame, frame]), np.r_[churned, churned])
    np.testing.assert_allclose(twice.weights_, once.weights_, atol=1e-4)


def test_a_weight_of_three_is_three_customers():
    frame, churned = table(400)
    weights = np.where(np.arange(400) < 100, 3.0, 1.0)
    rows = np.r_[np.arange(400), np.arange(100), np.arange(100)]
    weighted = LogisticModel().fit(frame, churned, weights)
    repeated = LogisticModel().fit(frame.iloc[rows], churned[rows])
    np.testing.assert_allclose(weighted.weights_, repeated.weights_, atol=1e-4)
    np.testing.assert_allclose(weighted.numbers_["median"], repeated.numbers_["median"])


def test_more_shrinkage_gives_smaller_weights_and_the_base_rate_in_the_end():
    frame, churned = table(1_000)
    sizes = [
        np.linalg.norm(LogisticModel(shrinkage=s).fit(frame, churned).weights_)
        for s in (0.001, 0.1, 10.0, 1000.0)
    ]
    assert (np.diff(sizes) < 0).all()
    flat = LogisticModel(shrinkage=1000.0).fit(frame, churned).predict_proba(frame)[:, 1]
    assert np.ptp(flat) < 0.01
    assert flat.mean() == pytest.approx(churned.mean(), abs=1e-3)


def test_the_bias_is_the_customer_with_average_terms():
    frame, churned = table(1_000)
    model = LogisticModel().fit(frame, churned)
    parts = model.contributions(frame)
    assert parts["bias"].nunique() == 1
    np.testing.assert_allclose(parts.drop(columns="bias").mean(), 0.0, atol=1e-12)


def test_one_great_outlier_does_not_drown_the_rest():
    frame, churned = table(1_000)
    shaken = frame.copy()
    shaken.loc[0, "spend"] = 1e9
    plain, moved = (LogisticModel().fit(f, churned).predict_proba(frame) for f in (frame, shaken))
    assert np.abs(plain - moved)[1:].max() < 0.03


def test_a_gap_that_was_never_seen_in_training_is_filled_with_the_median():
    frame, churned = table(500)
    full = frame.assign(spend=frame["spend"].fillna(7.0))
    model = LogisticModel().fit(full, churned)
    median = float(np.quantile(full["spend"], 0.5, method="inverted_cdf"))
    np.testing.assert_array_equal(
        model.predict_proba(full.assign(spend=np.nan)),
        model.predict_proba(full.assign(spend=median)),
    )
