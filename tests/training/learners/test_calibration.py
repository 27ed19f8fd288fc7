"""Calibration: probabilities that mean what they say, from customers not trained on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.errors import StatisticalWarning
from training.learners.calibration import LOWEST_SLOPE, Sigmoid


def outcomes(n: int, slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Log-odds from a standard normal, and outcomes whose true log-odds are a line of them."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    return z, (rng.random(n) < expit(slope * z + intercept)).astype(float)


def test_it_changes_nothing_until_it_has_learned():
    z = np.linspace(-5, 5, 11)
    np.testing.assert_array_equal(Sigmoid()(z), z)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 1.0), (1.0, 0.0), (1.7, -2.0)])
def test_it_finds_the_line_that_made_the_outcomes(slope, intercept):
    learned = Sigmoid.learn(*outcomes(100_000, slope, intercept))
    # Standard errors at this size are about 0.01.
    assert learned.slope == pytest.approx(slope, abs=0.05)
    assert learned.intercept == pytest.approx(intercept, abs=0.05)


def test_at_size_it_equals_an_unpenalised_logistic_regression():
    """Oracle: scikit-learn's LogisticRegression without penalty on the log-odds."""
    z, y = outcomes(50_000, 0.8, -1.0)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(z[:, None], y)
    learned = Sigmoid.learn(z, y)
    assert learned.slope == pytest.approx(oracle.coef_[0, 0], abs=1e-3)
    assert learned.intercept == pytest.approx(oracle.intercept_[0], abs=1e-3)


def test_calibrated_probabilities_sum_to_what_came():
    """The score equation of the intercept; the prior on it moves the sum by a part of one."""
    z, y = outcomes(5_000, 2.0, 1.0)
    assert expit(Sigmoid.learn(z, y)(z)).sum() == pytest.approx(y.sum(), abs=1.0)


@pytest.mark.parametrize("y", [np.zeros(40), np.ones(40), np.empty(0)])
def test_one_fate_teaches_nothing_and_says_so(y):
    with pytest.warns(StatisticalWarning, match="Not calibrated"):
        assert Sigmoid.learn(np.linspace(-1, 1, len(y)), y) == Sigmoid()


def test_a_handful_of_customers_moves_it_little():
    # Perfectly separated: without the prior the slope would run to infinity.
    learned = Sigmoid.learn(np.array([-1.0, -0.5, 0.5, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert 1.0 < learned.slope < 1.6
    assert abs(learned.intercept) < 0.1


def test_it_is_the_minimum_of_the_documented_objective():
    """Oracle: Nelder-Mead, which needs no gradient, on the formula of the docstring."""
    z, y = outcomes(40, 3.0, -1.0)

    def objective(line: np.ndarray) -> float:
        margin = line[0] * z + line[1]
        loss = np.sum(np.log1p(np.exp(margin)) - y * margin)
        return float(loss + (line[0] - 1) ** 2 / (2 * 0.5**2) + line[1] ** 2 / (2 * 2.0**2))

    best = minimize(objective, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7}).x
    learned = Sigmoid.learn(z, y)
    np.testing.assert_allclose([learned.slope, learned.intercept], best, atol=1e-3)


def test_the_order_of_customers_is_kept_even_when_the_model_is_upside_down():
    z, y = outcomes(2_000, -1.0, 0.0)
    with pytest.warns(StatisticalWarning, match="does not rank"):
        learned = Sigmoid.learn(z, y)
    assert learned.slope == LOWEST_SLOPE
    assert (np.diff(learned(np.sort(z))) > 0).all()


def test_the_dictionary_holds_every_bit():
    learned = Sigmoid.learn(*outcomes(500, 1.3, 0.2))
    assert Sigmoid.from_dict(learned.to_dict()) == learned
