"""Arms as large as they were meant to be: rarely doubted, and doubted when they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from serving.campaigns.sample_ratio import check

RUNS = 500


def drawn(random: np.random.Generator, lost: float = 0.0) -> tuple[np.ndarray, ...]:
    """Four strata of two treated shares; a share of the treated is lost again."""
    strata = random.integers(0, 4, 2_000)
    shares = np.where(strata < 2, 0.9, 0.5)
    treated = random.random(2_000) < shares
    kept = ~(treated & (random.random(2_000) < lost))
    return treated[kept], strata[kept], shares[kept]


def test_chance_alone_is_doubted_as_rarely_as_said():
    """Within four standard errors of 5 per cent, or below: the exact test is on the safe side."""
    random = np.random.default_rng(11)
    low = np.mean([check(*drawn(random)).probability < 0.05 for _ in range(RUNS)])
    assert 0.01 < low < 0.05 + 4 * np.sqrt(0.05 * 0.95 / RUNS)


def test_three_in_ten_lost_of_two_thousand_are_noticed():
    random = np.random.default_rng(12)
    assert np.mean([check(*drawn(random, lost=0.3)).broken for _ in range(100)]) > 0.95


def test_strata_that_err_against_each_other_are_noticed():
    strata = np.repeat([0, 1], 1_000)
    treated = np.arange(2_000) % 1_000 < np.where(strata == 0, 600, 400)
    found = check(treated, strata, np.full(2_000, 0.5))
    assert found.treated == found.expected == 1_000
    assert found.broken


def test_one_stratum_is_the_exact_binomial_test():
    """2 P(X ≤ 40) for X binomial with 100 draws of one half, which is symmetric."""
    found = check(np.arange(100) < 40, np.zeros(100, int), np.full(100, 0.5))
    assert found.probability == pytest.approx(2 * binom.cdf(40, 100, 0.5))
