"""The true share of leavers: predictions and figures of a population, learned on a chosen part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from training.grading import metrics
from training.labels.base_rate import drawn, shift, weights

SHARES = st.floats(0.01, 0.99)


@given(SHARES, SHARES, SHARES)
def test_it_is_the_formula_of_elkan(p, sampled, true):
    """Elkan (2001), theorem 2."""
    numerator = true * (p - p * sampled)
    denominator = sampled - p * sampled + true * p - sampled * true
    assert expit(logit(p) + shift(true, sampled)) == pytest.approx(numerator / denominator)


@given(SHARES, SHARES, SHARES)
def test_it_is_the_formula_of_saerens_latinne_and_decaestecker(p, sampled, true):
    """Saerens and others (2002), equation 2.4: likelihoods times the new priors, normalised."""
    leaves, stays = true / sampled * p, (1 - true) / (1 - sampled) * (1 - p)
    assert expit(logit(p) + shift(true, sampled)) == pytest.approx(leaves / (leaves + stays))


def test_the_true_share_of_a_fair_sample_changes_nothing():
    assert shift(0.3, 0.3) == 0.0
    churned = np.array([1] * 3 + [0] * 7)
    np.testing.assert_allclose(weights(churned, 0.3), 1.0)


def population(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True log-odds of churn, a tenth of whom leave, and who left."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2.7, 1.2, n)
    return z, (rng.random(n) < expit(z)).astype(int)


def halves(z: np.ndarray, churned: np.ndarray, each: int) -> np.ndarray:
    """Rows of as many who left as who stayed."""
    rng = np.random.default_rng(9)
    return np.concatenate([rng.permutation(np.flatnonzero(churned == f))[:each] for f in (1, 0)])


def test_weighted_figures_of_a_chosen_part_are_those_of_the_population():
    z, churned = population(400_000, seed=0)
    true = churned.mean()
    rows = halves(z, churned, 20_000)
    # In the chosen part the log-odds are higher by as much as its odds are; corrected, they are z.
    w = weights(churned[rows], true)
    part = metrics.classification_report(churned[rows], expit(z[rows]), w)
    whole = metrics.classification_report(churned, expit(z))
    for name, figure in whole.items():
        # Standard errors at this size are below 0.005, and those of the lift ten times that.
        assert part[name] == pytest.approx(figure, abs=0.1 if name == "lift_10" else 0.015), name


def test_a_sample_for_charts_has_the_share_and_the_scores_of_the_population():
    z, churned = population(400_000, seed=1)
    true = float(churned.mean())
    rows = halves(z, churned, 5_000)
    taken = rows[drawn(z[rows], churned[rows], true)]
    assert len(taken) == len(rows)
    assert churned[taken].mean() == pytest.approx(true, abs=1e-3)
    assert np.quantile(z[taken], [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(z, [0.1, 0.5, 0.9]), abs=0.05
    )
    np.testing.assert_array_equal(taken, rows[drawn(z[rows], churned[rows], true)])


def test_a_sample_for_charts_never_loses_a_fate():
    churned = np.array([1] * 50 + [0] * 50)
    found = churned[drawn(np.arange(100.0), churned, 0.001)]
    assert found.sum() == 1
