"""The luck in a lead: none where model and rule agree, more with fewer customers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.grading import metrics
from training.grading.skill import _gini, draws

AT = date(2024, 1, 1)


def window(customers: int, seed: int = 0) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    random = np.random.default_rng(seed)
    chance = random.uniform(0.05, 0.95, customers)
    back = (random.random(customers) < chance).astype(int)
    truth = pd.DataFrame({"returned": back, "occasions": 2.0 * back, "spend": 30.0 * back})
    good = pd.DataFrame(
        {
            "return_probability": chance,
            "expected_purchases": 2 * chance,
            "expected_spend": 30 * chance,
        }
    )
    flat = good * 0 + good.mean()
    return {"blend": good, "inactivity": flat, "past_rate": good, "other": flat}, truth


def test_against_an_equal_rule_nothing_is_luck() -> None:
    found = {(d.question, d.rule): d.luck for d in draws(AT, 90, "blend", *window(500))}
    assert set(found) == {
        (q, r) for q in ("risk", "purchases", "spend") for r in ("inactivity", "past_rate")
    }
    for question in ("risk", "purchases", "spend"):
        assert found[question, "past_rate"] == pytest.approx(0, abs=1e-12)
        assert found[question, "inactivity"].std() > 0
        assert found[question, "inactivity"].mean() == pytest.approx(0, abs=1e-12)


def test_luck_shrinks_with_the_root_of_the_customers() -> None:
    """Also beyond the number that a draw is made of."""
    spread = {
        n: draws(AT, 90, "blend", *window(n))[0].luck.std() for n in (1_000, 4_000, 16_000, 64_000)
    }
    assert spread[1_000] / spread[4_000] == pytest.approx(2, rel=0.25)
    assert spread[16_000] / spread[64_000] == pytest.approx(2, rel=0.25)


def test_the_gini_of_whole_customers_is_the_metric() -> None:
    random = np.random.default_rng(2)
    paid, guess = random.gamma(1, 10, 300), random.integers(0, 20, 300).astype(float)
    once = np.ones((1, 300))
    share = _gini(paid, guess, once) / _gini(paid, paid, once)
    assert share[0] == pytest.approx(metrics.normalised_gini(paid, guess))


def test_the_same_window_gives_the_same_draws() -> None:
    one, other = (draws(AT, 90, "blend", *window(400)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.luck, b.luck)
