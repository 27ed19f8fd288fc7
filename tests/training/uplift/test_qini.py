"""Qini: Radcliffe's counting, nothing for a random order, more for a better one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.uplift.qini import qini
from training.uplift.trial import Trial


def made(arm, returned, share=0.5) -> Trial:
    n = len(arm)
    outcomes = {"returned": np.asarray(returned, float), "spend": np.zeros(n)}
    columns = pd.DataFrame({"x": np.arange(n)})
    return Trial(columns, ("none", "a"), np.asarray(arm), np.tile([1 - share, share], (n, 1)),
                 outcomes)  # fmt: skip


@pytest.mark.golden
def test_the_curve_by_hand():
    """Radcliffe (2007): (R_T − R_C N_T/N_C) / N_T, two treated and two control a half.

    First half: 2 of 2 treated and 1 of 2 control return, so 2 − 1 · 2/2 = 1 of 4 treated: 0.25.
    All: 2 of 4 and 2 of 4: 0. The area is ½·½·0.25 + ½·½·0.25 = 0.125, less half of 0.
    """
    trial = made([1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0, 1, 0])
    found = qini(trial, 1, "returned", np.repeat([2.0, 1.0], 4), np.random.default_rng(0), 50)
    np.testing.assert_allclose(found.curve["share"], [0, 0.5, 1])
    np.testing.assert_allclose(found.curve["gain"], [0, 0.25, 0], atol=1e-12)
    assert found.coefficient.estimate == pytest.approx(0.125)


def test_unequal_arms_give_the_same_curve():
    """Each control customer stands for three when three in four are treated."""
    random = np.random.default_rng(1)
    n = 40_000
    score = random.random(n)
    even, uneven = random.random(n) < 0.5, random.random(n) < 0.75

    def gain(arm, share):
        returned = random.random(n) < 0.2 + 0.3 * score * arm
        trial = made(arm.astype(int), returned, share)
        return qini(trial, 1, "returned", score, random, 20)

    one, other = gain(even, 0.5), gain(uneven, 0.75)
    # ∫ φ·0.3·(1 − φ/2) dφ − 0.15/2 = 0.1 − 0.075, with an error of about 0.003.
    assert one.coefficient.estimate == pytest.approx(0.025, abs=0.006)
    assert other.coefficient.estimate == pytest.approx(0.025, abs=0.006)
    np.testing.assert_allclose(one.curve["gain"], other.curve["gain"], atol=0.03)


def test_a_random_order_gains_nothing_and_the_true_one_most(known):
    trial, random = known.trial, np.random.default_rng(0)
    true = known.effects["returned"][:, 1]
    best = qini(trial, 2, "returned", true, random, 200)
    by_lot = qini(trial, 2, "returned", random.random(len(trial)), random, 200)
    worst = qini(trial, 2, "returned", -true, random, 200)
    assert by_lot.coefficient.lower < 0 < by_lot.coefficient.upper
    assert best.coefficient.lower > 0 > worst.coefficient.upper


def test_one_score_for_all_is_one_step(known):
    found = qini(known.trial, 1, "spend", np.zeros(len(known.trial)), np.random.default_rng(0), 20)
    assert len(found.curve) == 2
    assert found.coefficient.estimate == pytest.approx(0, abs=1e-12)


def test_row_order_does_not_matter(known):
    trial = known.trial
    turned = np.arange(len(trial))[::-1]
    score = known.effects["spend"][:, 0]
    one = qini(trial, 1, "spend", score, np.random.default_rng(0), 20)
    other = qini(trial.rows(turned), 1, "spend", score[turned], np.random.default_rng(0), 20)
    np.testing.assert_allclose(one.curve["gain"], other.curve["gain"])
