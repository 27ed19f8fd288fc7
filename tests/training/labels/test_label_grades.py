"""The grade of a label rule: above the rules of thumb beyond the luck of the table, or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from training.grading.metrics import log_loss
from training.labels.label_grades import best_single_column, grade, losses

TOLD = {"base_rate": "the average", "single_column": "others of the same plan"}


def case(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities of churn, and who left."""
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(-1, 1, n))
    return p, (rng.random(n) < p).astype(int)


def graded(p: np.ndarray, y: np.ndarray, **changes: np.ndarray):
    rules = {
        "base_rate": losses(np.full(len(y), y.mean()), y),
        "single_column": losses(0.5 * p + 0.5 * y.mean(), y),
    }
    given = {"weights": np.ones(len(y)), "group": np.arange(len(y))} | changes
    return grade(losses(p, y), rules, TOLD, **given)


def test_the_losses_are_those_of_the_log_loss():
    p, y = case(500)
    assert losses(p, y).mean() == pytest.approx(log_loss(y, p))


def test_clearly_better_is_a_b_against_the_hardest_rule():
    p, y = case(20_000)
    found = graded(p, y)
    hardest = log_loss(y, 0.5 * p + 0.5 * y.mean())
    assert found.letter == "B"
    assert found.best_rule == "single_column"
    assert found.skill == pytest.approx(1 - log_loss(y, p) / hardest)
    assert TOLD["single_column"] in found.sentence
    assert "no other season" in found.sentence


def test_inside_the_noise_is_a_c_however_good_it_looks():
    """Over many small tables a model that is no better earns a B about once in forty."""
    better = 0
    for seed in range(200):
        p, y = case(200, seed)
        shaken = expit(
            np.log(p / (1 - p)) + np.random.default_rng(seed + 1_000).normal(0, 0.4, 200)
        )
        other = expit(np.log(p / (1 - p)) + np.random.default_rng(seed + 2_000).normal(0, 0.4, 200))
        found = grade(
            losses(shaken, y),
            {"single_column": losses(other, y)},
            TOLD,
            weights=np.ones(200),
            group=np.arange(200),
        )
        better += found.letter == "B"
    # Binomial with 0.025: more than 14 of 200 has a chance below one in a thousand.
    assert better <= 14


def test_customers_who_are_listed_again_prove_nothing_more():
    p, y = case(300)
    twice = graded(np.tile(p, 2), np.tile(y, 2), group=np.tile(np.arange(300), 2))
    once = graded(p, y)
    assert twice.sentence == once.sentence


def test_weights_count_customers_as_often():
    p, y = case(300)
    many = 1 + np.arange(300) % 3
    rows = np.repeat(np.arange(300), many)
    rules = {"base_rate": losses(np.full(300, 0.3), y)}
    weighted = grade(losses(p, y), rules, TOLD, weights=many.astype(float), group=np.arange(300))
    repeated = grade(
        losses(p, y)[rows],
        {"base_rate": rules["base_rate"][rows]},
        TOLD,
        weights=np.ones(len(rows)),
        group=rows,
    )
    assert weighted.skill == pytest.approx(repeated.skill)
    assert weighted.sentence == repeated.sentence


def test_the_best_column_is_the_one_that_tells_most():
    rng = np.random.default_rng(5)
    plan = rng.choice(["a", "b"], 2_000)
    y = (rng.random(2_000) < np.where(plan == "a", 0.5, 0.1)).astype(int)
    frame = pd.DataFrame({"noise": rng.normal(size=2_000), "plan": plan})
    name, rates = best_single_column(frame, y, rng.integers(0, 5, 2_000))
    assert name == "plan"
    assert rates[plan == "a"].mean() == pytest.approx(0.5, abs=0.05)
