"""The search for hyperparameters: seeded, never worse than the defaults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from training.grading.metrics import log_loss
from training.learners.churn import ChurnModel
from training.tune import SEARCHED, search


def snapshot(n: int, seed: int) -> pd.DataFrame:
    """Catalogue columns with a return that two of them drive, beside identity and outcomes."""
    rng = np.random.default_rng(seed)
    away, orders = rng.gamma(2.0, 40.0, n), rng.poisson(4.0, n)
    chance = expit(2.0 - 0.03 * away + 0.2 * orders)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "as_of": pd.Timestamp("2011-01-01"),
            "frequency": orders,
            "days_since_last": away,
            "gap_mean": np.where(rng.random(n) < 0.3, np.nan, rng.normal(30, 5, n)),
            "returned": (rng.random(n) < chance).astype(int),
            "occasions": 1,
            "spend": 1.0,
        }
    )


TRAIN = [snapshot(400, 0), snapshot(400, 1)]
LATER = snapshot(400, 2)


def run(trials: int, seed: int = 0) -> tuple[dict, list]:
    """A search and the story of its trials."""
    story: list = []
    best = search(
        TRAIN, LATER, trials=trials, seed=seed, on_trial=lambda *trial: story.append(trial)
    )
    return best, story


@pytest.fixture(scope="module")
def searched() -> tuple[dict, list]:
    """Six trials."""
    return run(6)


def test_every_trial_is_told_in_order(searched):
    _, story = searched
    assert [number for number, _, _ in story] == list(range(6))
    assert all(set(parameters) == set(SEARCHED) for _, parameters, _ in story)
    assert all(np.isfinite(loss) for _, _, loss in story)


def test_the_best_trial_is_returned_and_no_worse_than_the_defaults(searched):
    best, story = searched
    losses = [loss for _, _, loss in story]
    assert best == story[int(np.argmin(losses))][1]
    assert min(losses) <= losses[0]


def test_the_first_trial_is_the_defaults(searched):
    _, story = searched
    defaults = ChurnModel().get_params()
    # 800 rows: half of isqrt(800) = 28.
    expected = {name: defaults[name] for name in SEARCHED} | {"min_data_in_leaf": 14}
    assert story[0][1] == expected


def test_a_trial_is_judged_on_the_later_snapshot_after_calibration(searched):
    _, story = searched
    columns = ["frequency", "days_since_last", "gap_mean"]
    known = pd.concat(TRAIN)
    model = ChurnModel(**story[3][1]).fit(known[columns], 1 - known["returned"])
    model.calibrate(LATER[columns], 1 - LATER["returned"])
    risk = model.predict_proba(LATER[columns])[:, 1]
    assert story[3][2] == pytest.approx(log_loss(1 - LATER["returned"].to_numpy(), risk))


def test_what_is_found_is_accepted_by_the_model(searched):
    best, _ = searched
    assert ChurnModel(**best).get_params()["rounds"] == best["rounds"]


def test_the_seed_decides_the_search(searched):
    assert run(4)[1] == searched[1][:4]
    tried = [[parameters for _, parameters, _ in story] for story in (run(4, 1)[1], searched[1])]
    assert tried[0][0] == tried[1][0]
    assert all(one != other for one, other in zip(tried[0][1:], tried[1][1:4], strict=True))


@pytest.mark.parametrize(("trials", "train"), [(0, TRAIN), (3, [])])
def test_a_search_over_nothing_is_refused(trials, train):
    with pytest.raises(ValueError, match="expected at least one of each"):
        search(train, LATER, trials=trials)
