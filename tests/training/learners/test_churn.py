"""The LightGBM churn model: what is its own beside the shared interface."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from training.learners.churn import ChurnModel, smallest_leaf


def stairs(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Risk 0.9 where exactly one of two flags is set, else 0.1: no line can tell them apart."""
    rng = np.random.default_rng(seed)
    flags = rng.integers(0, 2, (n, 2))
    risk = np.where(flags[:, 0] != flags[:, 1], 0.9, 0.1)
    frame = pd.DataFrame(flags + rng.normal(0, 0.1, (n, 2)), columns=["a", "b"])
    return frame, (rng.random(n) < risk).astype(int)


def test_it_learns_what_only_two_columns_together_tell():
    frame, churned = stairs(4_000)
    later, fate = stairs(4_000, seed=1)
    risk = ChurnModel(feature_fraction=1.0).fit(frame, churned).predict_proba(later)[:, 1]
    # The best possible ranking has two levels of risk and an AUC of 0.9.
    assert roc_auc_score(fate, risk) > 0.88


def test_that_a_value_is_missing_can_be_the_signal():
    rng = np.random.default_rng(0)
    known = rng.random(2_000) < 0.5
    frame = pd.DataFrame({"x": np.where(known, rng.normal(size=2_000), np.nan)})
    model = ChurnModel().fit(frame, (~known).astype(int))
    risk = model.predict_proba(frame)[:, 1]
    assert risk[~known].min() > 0.9 > 0.1 > risk[known].max()


def test_a_later_snapshot_decides_the_rounds():
    rng = np.random.default_rng(0)
    frame, churned = stairs(2_000)
    noise = pd.DataFrame(rng.normal(size=(2_000, 2)), columns=["a", "b"])
    patient = {"max_rounds": 400, "patience": 30, "feature_fraction": 1.0}
    useful = ChurnModel(**patient).fit(frame, churned, eval_set=stairs(2_000, seed=1))
    useless = ChurnModel(**patient).fit(frame, churned, eval_set=(noise, 1 - churned))
    assert useless.rounds_ < 10 < useful.rounds_ <= 400
    # Rows that the trees have seen always gain, so only the limit stops them.
    own = ChurnModel(rounds=5, max_rounds=40).fit(frame, churned, eval_set=(frame, churned))
    assert 35 < own.rounds_ <= 40
    assert useful.booster_.num_trees() == useful.rounds_


def test_early_stopping_keeps_the_best_of_the_rounds_on_the_later_snapshot():
    frame, churned = stairs(1_500)
    later, fate = stairs(1_500, seed=1)
    stopped = ChurnModel(max_rounds=300, patience=300).fit(frame, churned, eval_set=(later, fate))
    best = log_loss(fate, stopped.predict_proba(later)[:, 1])
    for rounds in (10, 40, 120, 300):
        fixed = ChurnModel(rounds=rounds).fit(frame, churned)
        assert best <= log_loss(fate, fixed.predict_proba(later)[:, 1]) + 1e-12


def test_without_a_later_snapshot_the_rounds_are_as_asked():
    assert ChurnModel(rounds=17).fit(*stairs(500)).rounds_ == 17


def test_the_seed_decides_the_draws():
    frame, churned = stairs(1_000)
    first, again, other = (
        ChurnModel(seed=seed).fit(frame, churned).uncalibrated(frame) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("rows", "leaf"), [(50, 5), (5_000, 35), (500_000, 353)])
def test_leaves_grow_with_the_square_root_of_the_rows(rows, leaf):
    """The figures of the docstring of ChurnModel."""
    assert smallest_leaf(rows) == leaf


def test_column_names_may_hold_any_sign():
    """LightGBM refuses names with signs of JSON; ours never reach it."""
    frame, churned = stairs(500)
    odd = frame.set_axis(['spend [£] "net"', "größe: {x}, y"], axis=1)
    np.testing.assert_array_equal(
        ChurnModel().fit(odd, churned).predict_proba(odd),
        ChurnModel().fit(frame, churned).predict_proba(frame),
    )


def test_levels_have_no_order():
    """One split tells a, c, e, g from b, d, f, h; on codes in order it would take seven."""
    rng = np.random.default_rng(0)
    plan = rng.integers(0, 8, 4_000)
    churned = (rng.random(4_000) < np.where(plan % 2 == 0, 0.9, 0.1)).astype(int)
    frame = pd.DataFrame({"plan": np.array(list("abcdefgh"))[plan]})
    model = ChurnModel(rounds=1, num_leaves=2).fit(frame, churned)
    assert roc_auc_score(churned, model.predict_proba(frame)[:, 1]) > 0.88


def test_columns_with_hundreds_of_levels_work(tmp_path):
    rng = np.random.default_rng(0)
    city = rng.integers(0, 300, 3_000)
    frame = pd.DataFrame({"city": [f"city {i}" for i in city], "x": rng.normal(size=3_000)})
    model = ChurnModel().fit(frame, (rng.random(3_000) < 0.2 + 0.6 * (city < 30)).astype(int))
    model.save(tmp_path)
    again = ChurnModel.load(tmp_path)
    asked = pd.DataFrame({"city": ["city 3", "city 299", "nowhere", None], "x": 0.0})
    np.testing.assert_array_equal(again.predict_proba(asked), model.predict_proba(asked))
