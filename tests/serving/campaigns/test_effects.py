"""Effects by intention to treat: the textbook's figures, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from serving.campaigns.effects import compare
from serving.errors import CampaignError


def drawn(customers: int = 400) -> tuple[np.ndarray, ...]:
    """Outcomes in two columns, half treated in strata of unlike means, and a score that tells."""
    random = np.random.default_rng(4)
    strata = random.integers(0, 3, customers)
    score = random.normal(size=(customers, 1))
    treated = random.random(customers) < 0.5
    first = strata + 2.0 * score[:, 0] + 0.5 * treated + random.normal(size=customers)
    return np.column_stack([first, first > 1]), treated, strata, np.full(customers, 0.5), score


def test_one_stratum_is_the_difference_in_means_with_neymans_variance():
    """Σ s²/n of both arms (Neyman 1923), computed from its definition."""
    outcomes, treated, _, shares, _ = drawn()
    found = compare(outcomes, treated, np.zeros(len(treated), int), shares)
    for arm, rows in ((found.treated, treated), (found.holdout, ~treated)):
        own = outcomes[rows]
        assert arm.means == pytest.approx(own.mean(axis=0))
        assert np.allclose(arm.covariance, np.cov(own.T) / len(own))
        assert arm.freedom == pytest.approx(len(own) - 1)


def test_scores_give_the_regression_with_interactions():
    """Lin (2013): the coefficient of the arm, with centred scores and their interactions."""
    outcomes, treated, _, shares, score = drawn()
    found = compare(outcomes, treated, np.zeros(len(treated), int), shares, score)
    centred = score - score.mean()
    design = np.column_stack([np.ones(len(treated)), treated, centred, treated[:, None] * centred])
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcomes
    errors = outcomes - design @ slopes
    leverage = np.einsum("ip,pq,iq->i", design, inverse, design)
    hc2 = inverse @ (design.T * (errors[:, 0] ** 2 / (1 - leverage))) @ design @ inverse
    assert found.adjusted
    assert found.treated.means - found.holdout.means == pytest.approx(slopes[1])
    variance = found.treated.covariance[0, 0] + found.holdout.covariance[0, 0]
    assert variance == pytest.approx(hc2[1, 1])


def test_a_score_that_tells_makes_one_surer():
    outcomes, treated, strata, shares, score = drawn()
    plain, told = (compare(outcomes, treated, strata, shares, x) for x in (None, score))
    for arm in ("treated", "holdout"):
        before, after = (getattr(found, arm).covariance[0, 0] for found in (plain, told))
        assert after < 0.5 * before


def test_the_order_of_the_rows_changes_nothing():
    given = drawn()
    order = np.random.default_rng(1).permutation(len(given[1]))
    one, other = compare(*given), compare(*(column[order] for column in given))
    assert other.treated.means == pytest.approx(one.treated.means)
    assert np.allclose(other.holdout.covariance, one.holdout.covariance)


def test_a_stratum_without_a_counterpart_is_counted_and_left_out():
    outcomes, treated, strata, shares, _ = drawn()
    shares = np.where(strata == 2, 0.9, shares)
    treated = treated | (strata == 2)
    assert compare(outcomes, treated, strata, shares).left_out == (strata == 2).sum()


def test_without_a_holdout_nothing_is_measured():
    outcomes, treated, strata, shares, _ = drawn()
    with pytest.raises(CampaignError, match="Without a holdout"):
        compare(outcomes, np.ones_like(treated), strata, shares)
