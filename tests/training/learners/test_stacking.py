"""Weights of a blend: equal without evidence, and moved by windows, not by customers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from training.learners.stacking import Trial, Trials, equal, geometric, risk_weights, spend_weights


def risk_trial(seed: int, *, level: float = 0.0, customers: int = 3000) -> Trial:
    """One member knows who churns, one knows half of it, one guesses."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 1.5, customers)
    churned = (random.random(customers) < expit(truth + level)).astype(float)
    noise = random.normal(0, 1.5, (2, customers))
    return Trial(np.column_stack([truth, 0.5 * truth + noise[0], noise[1]]), churned)


def spend_trial(seed: int, *, currency: float = 1.0) -> Trial:
    """One member knows what is spent, one guesses."""
    random = np.random.default_rng(seed)
    expected = random.lognormal(2, 1, 2000)
    spent = expected * random.gamma(0.5, 2.0, 2000)
    guess = random.lognormal(2, 1, 2000)
    return Trial(currency * np.column_stack([expected, guess]), currency * spent)


def test_without_evidence_all_are_equal():
    assert risk_weights([], 3).tolist() == equal(3).tolist() == spend_weights([], 3).tolist()


def test_windows_in_which_all_share_one_fate_say_nothing():
    nobody = Trial(np.zeros((5, 2)), np.ones(5))
    assert risk_weights([nobody], 2).tolist() == [0.5, 0.5]
    assert spend_weights([Trial(np.ones((5, 2)), np.zeros(5))], 2).tolist() == [0.5, 0.5]


def test_who_tells_customers_apart_gets_the_weight():
    weights = risk_weights([risk_trial(k) for k in range(4)], 3)
    assert weights[0] > weights[1] > weights[2] >= 0
    assert weights[0] > 0.6


def test_the_level_of_a_window_has_no_say():
    plain = risk_trial(1)
    moved = Trial(plain.answers + np.array([[3.0, -2.0, 5.0]]), plain.outcome)
    assert risk_weights([moved], 3) == pytest.approx(risk_weights([plain], 3), abs=1e-3)


def test_more_customers_of_one_window_are_no_more_windows():
    one = risk_trial(2)
    twice = Trial(np.vstack([one.answers] * 2), np.concatenate([one.outcome] * 2))
    assert risk_weights([twice], 3) == pytest.approx(risk_weights([one], 3), abs=1e-3)
    assert risk_weights([one] * 5, 3)[0] > risk_weights([one], 3)[0] + 0.05


def test_a_member_that_is_too_sure_is_tempered():
    sure = [Trial(3.0 * t.answers[:, :1], t.outcome) for t in (risk_trial(k) for k in range(20))]
    assert risk_weights(sure, 1)[0] == pytest.approx(1 / 3, abs=0.05)


def test_spend_weights_add_up_and_find_who_knows():
    weights = spend_weights([spend_trial(k) for k in range(3)], 2)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > 0.8


def test_spend_weights_are_the_same_in_any_currency():
    euros, yen = (
        spend_weights([spend_trial(k, currency=c) for k in range(2)], 2) for c in (1.0, 160.0)
    )
    assert euros.tolist() == yen.tolist()


def test_a_geometric_mean_of_equals_is_itself():
    assert geometric(np.full((2, 3), 7.0), equal(3)) == pytest.approx([7.0, 7.0])
    assert geometric(np.zeros((1, 2)), equal(2))[0] > 0


def test_trials_are_added_window_by_window():
    one = Trials((risk_trial(1),), (spend_trial(1),))
    assert len((one + one + Trials()).risk) == 2
