"""Weights of a blend, learned on windows that its members had not seen.

In: for each past window the members' answers and what came of it. Out: one weight a member. The
level of each window is taken out first, so that a weight says who tells customers apart and not
who was lucky with the season. Without windows the members are equal; with them the weights move
away from that only as far as the evidence carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from training.windows.level import shift_log_odds

#: Pull to equal weights in the risk blend, as log-loss a squared distance: customers of a window
#: share its season, so it is windows that count, and one of them moves the weights a little only.
PULL = 0.3
#: Weights of the spend members are searched in steps of one over this.
STEPS = 8
#: The same in the spend search, as a relative loss at the far end.
SPEND_PULL = 0.02


@dataclass(frozen=True)
class Trial:
    """Members' answers for a window, and what came of it.

    Attributes
    ----------
    answers : numpy.ndarray of shape (n_customers, n_members)
        Log-odds of churn, or expected spend.
    outcome : numpy.ndarray of shape (n_customers,)
        1 where the customer churned, else 0; or the spend.
    """

    answers: np.ndarray
    outcome: np.ndarray


@dataclass(frozen=True)
class Trials:
    """What the windows that were tested so far say of the members.

    Attributes
    ----------
    risk, spend : tuple of Trial
        One a window.
    """

    risk: tuple[Trial, ...] = ()
    spend: tuple[Trial, ...] = ()

    def __add__(self, other: Trials) -> Trials:
        return Trials(self.risk + other.risk, self.spend + other.spend)


def equal(members: int) -> np.ndarray:
    """The weights without any evidence."""
    return np.full(members, 1.0 / members)


def risk_weights(trials: Sequence[Trial], members: int) -> np.ndarray:
    """Weights on the log-odds.

    Minimises Σ_windows log-loss + ½ · 0.3 · |w − 1/m|² over w ≥ 0 and one intercept a window,
    with the mean log-loss of each window and m members. The weights need not add up to 1: their
    sum is the slope that calibrates the blend.

    Parameters
    ----------
    trials : sequence of Trial
        Windows in which customers of both fates were seen; others say nothing.
    members : int

    Returns
    -------
    numpy.ndarray of shape (members,)
        At least 0.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    said = [t for t in trials if 0 < t.outcome.mean() < 1]
    if not said:
        return equal(members)
    start = equal(members)
    levels = [-shift_log_odds(-(t.answers @ start), 1 - t.outcome.mean()) for t in said]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Penalised log-loss and its gradient in the weights and the levels."""
        weights, intercepts = theta[:members], theta[members:]
        away = weights - start
        value = 0.5 * PULL * float(away @ away)
        gradient = np.concatenate([PULL * away, np.zeros(len(said))])
        for place, trial in enumerate(said):
            margin = trial.answers @ weights + intercepts[place]
            value += float(np.mean(np.logaddexp(0.0, margin) - trial.outcome * margin))
            error = (expit(margin) - trial.outcome) / len(margin)
            gradient[:members] += error @ trial.answers
            gradient[members + place] += error.sum()
        return value, gradient

    bounds = [(0.0, None)] * members + [(None, None)] * len(said)
    first = np.concatenate([start, levels])
    best = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds)
    return best.x[:members] if best.x[:members].sum() > 0 else start


def spend_weights(trials: Sequence[Trial], members: int) -> np.ndarray:
    """Weights of a geometric mean of expected spend.

    Searched on a grid of the simplex for the lowest mean over windows of
    ½ [MAE/MAE₀ + (1 − G)/(1 − G₀)], where MAE is taken with the totals set equal, G is the
    normalised Gini and 0 marks equal weights; distance from equal weights costs up to 0.02,
    the less the more windows there are.

    Parameters
    ----------
    trials : sequence of Trial
        Windows with some spend; others say nothing.
    members : int

    Returns
    -------
    numpy.ndarray of shape (members,)
        At least 0, adding up to 1.
    """
    said = [t for t in trials if t.outcome.sum() > 0]
    start = equal(members)
    if not said:
        return start
    base = [_errors(trial, start) for trial in said]

    def loss(weights: np.ndarray) -> float:
        """Mean relative error, with the cost of leaving equal weights."""
        found = [_errors(trial, weights) for trial in said]
        ratios = [np.mean(np.divide(f, b)) for f, b in zip(found, base, strict=True)]
        away = float(np.abs(weights - start).sum()) / 2.0
        return float(np.mean(ratios)) + SPEND_PULL * away / len(said)

    counts = [c for c in product(range(STEPS + 1), repeat=members) if sum(c) == STEPS]
    candidates = [start, *(np.array(c) / STEPS for c in counts)]
    return min(candidates, key=loss)


def geometric(answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted geometric mean of each row; answers are taken for at least a billionth."""
    return np.exp(np.log(np.maximum(answers, 1e-9)) @ weights)


def _errors(trial: Trial, weights: np.ndarray) -> tuple[float, float]:
    """Mean absolute error at the right total, and the distance of the Gini from 1."""
    from training.grading import metrics

    guess = geometric(trial.answers, weights)
    guess *= trial.outcome.sum() / guess.sum()
    away = 1.0 - metrics.normalised_gini(trial.outcome, guess)
    return metrics.mae(trial.outcome, guess), max(away, 1e-6)
