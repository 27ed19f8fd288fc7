"""Gain, lift, Gini and deciles: what an order of customers is worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from training.errors import StatisticalWarning
from training.grading.ranking import decile_table, gain_curve, lift_at, normalised_gini, spearman

SPEND = np.array([0.0, 0.0, 0.0, 10.0, 20.0, 30.0, 40.0, 0.0, 0.0, 100.0])


@pytest.fixture(scope="module")
def skewed() -> tuple[np.ndarray, np.ndarray]:
    """5,000 customers, most of whom spend nothing, and a noisy prediction of it."""
    rng = np.random.default_rng(0)
    latent = rng.gamma(0.5, 50.0, 5_000)
    return np.where(rng.random(5_000) < 0.4, latent, 0.0), latent * rng.lognormal(0, 1, 5_000)


def test_the_perfect_order():
    assert normalised_gini(SPEND, SPEND) == pytest.approx(1.0)
    assert spearman(SPEND, SPEND) == pytest.approx(1.0)
    # The best of ten customers holds 100 of 200: five times the average.
    assert lift_at(SPEND, SPEND, 0.1) == pytest.approx(5.0)
    curve = gain_curve(SPEND, SPEND, points=10)
    np.testing.assert_allclose(curve["captured"][:6], [0, 0.5, 0.7, 0.85, 0.95, 1.0])
    np.testing.assert_array_equal(curve["captured"], curve["perfect"])


def test_a_constant_ranks_nobody():
    constant = np.full(10, 3.0)
    assert normalised_gini(SPEND, constant) == pytest.approx(0.0)
    assert spearman(SPEND, constant) == 0.0
    for share in (0.05, 0.1, 0.37, 1.0):
        assert lift_at(SPEND, constant, share) == pytest.approx(1.0)
    curve = gain_curve(SPEND, constant)
    np.testing.assert_allclose(curve["captured"], curve["share"], atol=1e-12)


def test_the_order_upside_down_is_as_bad_as_the_right_one_is_good():
    assert normalised_gini(SPEND, -SPEND) == pytest.approx(-1.0)
    assert spearman(SPEND, -SPEND) == pytest.approx(-1.0)
    assert lift_at(SPEND, -SPEND, 0.5) == pytest.approx(0.0)


@pytest.mark.golden
def test_gini_by_hand():
    """Amounts 1, 2, 3 in the order 3, 1, 2: shares held 1/2, 4/6, 1, sum 13/6.

    G = 13/18 − 4/6 = 1/18; in the perfect order 1/2, 5/6, 1, sum 14/6, G = 14/18 − 12/18 = 1/9.
    """
    assert normalised_gini(np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 9.0])) == pytest.approx(
        0.5
    )


def test_a_tenth_that_cuts_through_a_tie_gets_the_ties_average():
    """Four customers share the top score and hold 2 of 3; the first tenth of ten is one of them."""
    outcome = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    score = np.array([9.0, 9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert lift_at(outcome, score, 0.1) == pytest.approx((2 / 4) / (3 / 10))
    np.testing.assert_allclose(gain_curve(outcome, score, 10)["captured"][4], 2 / 3)


def test_only_the_order_of_the_scores_matters(skewed):
    true, guess = skewed
    for metric in (normalised_gini, spearman, lift_at):
        assert metric(true, np.log(guess) * 3 + 7) == pytest.approx(metric(true, guess))


def test_row_order_changes_nothing_even_with_ties(skewed):
    true, guess = skewed
    guess = guess.round(-1)
    order = np.random.default_rng(1).permutation(len(true))
    assert normalised_gini(true[order], guess[order]) == pytest.approx(normalised_gini(true, guess))
    assert lift_at(true[order], guess[order]) == pytest.approx(lift_at(true, guess))
    shuffled, table = decile_table(true[order], guess[order]), decile_table(true, guess)
    np.testing.assert_allclose(shuffled.to_numpy(), table.to_numpy())


def test_the_gain_curve_rises_from_nothing_to_all_and_stays_below_the_perfect_one(skewed):
    curve = gain_curve(*skewed)
    assert curve["captured"].iloc[[0, -1]].tolist() == pytest.approx([0.0, 1.0])
    assert (np.diff(curve["captured"]) >= 0).all()
    assert (curve["captured"] <= curve["perfect"] + 1e-12).all()
    assert lift_at(*skewed, share=0.2) == pytest.approx(curve["captured"][20] / 0.2)


def test_spearman_is_scipys(skewed):
    assert spearman(*skewed) == pytest.approx(spearmanr(*skewed).statistic)


def test_deciles_add_up_to_everyone(skewed):
    true, guess = skewed
    table = decile_table(true, guess)
    assert table["decile"].tolist() == list(range(1, 11))
    assert table["customers"].tolist() == [500] * 10
    assert table["actual_total"].sum() == pytest.approx(true.sum())
    assert table["predicted_total"].sum() == pytest.approx(guess.sum())
    assert table["actual_share"].sum() == pytest.approx(1.0)
    assert table["predicted"].is_monotonic_decreasing


def test_deciles_of_a_perfect_and_of_a_constant_prediction(skewed):
    true, _ = skewed
    perfect = decile_table(true, true)
    np.testing.assert_allclose(perfect["predicted"], perfect["actual"])
    constant = decile_table(true, np.full(len(true), 7.0))
    np.testing.assert_allclose(constant["actual"], true.mean())


def test_counts_that_do_not_divide_differ_by_one():
    table = decile_table(np.arange(23.0), np.arange(23.0))
    assert table["customers"].sum() == 23
    assert set(table["customers"]) == {2, 3}
    assert len(decile_table(np.arange(4.0), np.arange(4.0))) == 4


def test_what_nobody_did_cannot_be_ranked():
    nothing, score = np.zeros(4), np.arange(4.0)
    for metric in (normalised_gini, lift_at, spearman):
        with pytest.warns(StatisticalWarning, match="not defined"):
            assert np.isnan(metric(nothing, score))
    with pytest.warns(StatisticalWarning, match="outcome sums to 0"):
        assert gain_curve(nothing, score)["captured"].isna().all()
    assert decile_table(nothing, score)["actual_share"].isna().all()


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_a_share_outside_of_0_and_1_is_refused(share):
    with pytest.raises(ValueError, match="expected a share"):
        lift_at(SPEND, SPEND, share)
