"""What an order is worth: how much of the outcome the best-scored customers hold.

In: what came of each customer (0 or 1, or an amount) and a score. Out: gain, lift, Gini, deciles.
Customers with equal scores are never told apart: the outcome is averaged within each tie, so
that row order changes nothing. Doubts and errors as in `training.grading.metrics`.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from training.errors import StatisticalWarning


def gain_curve(outcome: np.ndarray, score: np.ndarray, points: int = 100) -> pd.DataFrame:
    """How much of the outcome the best-scored customers hold.

    Parameters
    ----------
    outcome : ndarray of shape (n,)
        0 or 1, or an amount.
    score : ndarray of shape (n,)
        Higher comes first.
    points : int, at least 1, default=100
        Steps of the curve.

    Returns
    -------
    DataFrame of shape (points + 1, 3)
        ``share`` of customers, ``captured`` share of the outcome by score, ``perfect`` by the
        outcome itself. NaN when the outcome sums to zero.
    """
    outcome, score = paired(outcome, score)
    share = np.linspace(0.0, 1.0, points + 1)
    total = outcome.sum()
    if total == 0:
        captured = perfect = np.full(points + 1, undefined("The gain", "the outcome sums to 0"))
    else:
        captured = _held(outcome, score, share) / total
        perfect = _held(outcome, outcome, share) / total
    return pd.DataFrame({"share": share, "captured": captured, "perfect": perfect})


def lift_at(
    outcome: np.ndarray,
    score: np.ndarray,
    share: float = 0.1,
    weights: np.ndarray | None = None,
) -> float:
    """How many times the average outcome the best-scored share has.

    Parameters
    ----------
    outcome, score : ndarray of shape (n,)
        As in `gain_curve`.
    share : float in (0, 1], default=0.1
        Of the customers; a part of a customer counts in part.
    weights : ndarray of shape (n,), optional
        How many customers each one stands for; one when not given.

    Returns
    -------
    float
        1 for a constant score; NaN when the outcome sums to zero.
    """
    outcome, score = paired(outcome, score)
    if not 0 < share <= 1:
        raise ValueError(f"Got share={share}, expected a share of customers in (0, 1].")
    mass = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=np.float64)
    total = float(outcome @ mass)
    if total == 0:
        return undefined("The lift", "the outcome sums to 0")
    held = _held(outcome, score, np.array([share]), mass)[0]
    return float(held / total / share)


def spearman(true: np.ndarray, predicted: np.ndarray) -> float:
    """Rank correlation, ties at their mean rank.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Amounts in one unit.

    Returns
    -------
    float in [-1, 1]
        0 for a constant prediction, which ranks nobody; NaN when the truth is constant.
    """
    true, predicted = paired(true, predicted)
    if true.min() == true.max():
        return undefined("Spearman's correlation", "all true amounts are equal")
    if predicted.min() == predicted.max():
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(true, predicted).statistic)


def normalised_gini(true: np.ndarray, predicted: np.ndarray) -> float:
    """Gini of the true amounts in predicted order, over the one in their own order.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)

    Returns
    -------
    float, at most 1
        1 for the perfect order, 0 for a constant prediction, below 0 when upside down. NaN when
        all true amounts are equal or they do not sum to more than zero.

    Notes
    -----
    G(s) = Σₖ Lₖ(s)/n − (n + 1)/(2n), where Lₖ(s) is the share of the true amount that the k
    customers with the highest s hold; the figure is G(predicted)/G(true).
    """
    true, predicted = paired(true, predicted)
    if true.min() == true.max() or true.sum() <= 0:
        return undefined("Gini", "the true amounts are all equal, or sum to 0 or less")
    return _gini(true, predicted) / _gini(true, true)


def decile_table(true: np.ndarray, predicted: np.ndarray, groups: int = 10) -> pd.DataFrame:
    """Predicted against true amounts, from the highest predicted tenth to the lowest.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
    groups : int, at least 1, default=10
        Groups of equal count (fewer where there are fewer customers).

    Returns
    -------
    DataFrame
        ``decile`` (1 is the highest), ``customers``, ``predicted`` and ``actual`` (means),
        ``predicted_total``, ``actual_total``, ``actual_share`` of the whole.
    """
    true, predicted = paired(true, predicted)
    groups = min(groups, len(true))
    order = np.argsort(-predicted, kind="stable")
    starts = np.arange(groups) * len(true) // groups
    n = np.diff([*starts, len(true)])
    guess = np.add.reduceat(predicted[order], starts)
    actual = np.add.reduceat(_tie_means(true, predicted)[order], starts)
    total = actual.sum()
    return pd.DataFrame(
        {
            "decile": np.arange(1, groups + 1),
            "customers": n,
            "predicted": guess / n,
            "actual": actual / n,
            "predicted_total": guess,
            "actual_total": actual,
            "actual_share": actual / total if total else np.full(groups, np.nan),
        }
    )


def paired(true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and predictions as two float columns of one length, without gaps.

    Parameters
    ----------
    true, predicted : array of shape (n,), n at least 1

    Returns
    -------
    tuple of two ndarrays of shape (n,), float64

    Raises
    ------
    ValueError
        When they are not.
    """
    true = np.asarray(true, dtype=np.float64)
    predicted = np.asarray(predicted, dtype=np.float64)
    if true.ndim != 1 or true.shape != predicted.shape or not len(true):
        raise ValueError(
            f"Got outcomes of shape {true.shape} and predictions of shape {predicted.shape}; "
            "expected two columns of one length, with at least one customer."
        )
    for what, values in (("outcomes", true), ("predictions", predicted)):
        if not np.isfinite(values).all():
            raise ValueError(
                f"Got {int((~np.isfinite(values)).sum())} {what} that are missing or infinite; "
                "leave those customers out and say how many."
            )
    return true, predicted


def undefined(figure: str, why: str) -> float:
    """NaN, said aloud by a `StatisticalWarning`.

    Parameters
    ----------
    figure : str
        What is not defined.
    why : str
        Half a sentence.
    """
    warnings.warn(f"{figure} is not defined here: {why}.", StatisticalWarning, stacklevel=3)
    return float("nan")


def _tie_means(
    outcome: np.ndarray, score: np.ndarray, mass: np.ndarray | None = None
) -> np.ndarray:
    """Each customer's outcome, averaged over those with the same score."""
    _, tie = np.unique(score, return_inverse=True)
    mass = np.ones(len(score)) if mass is None else mass
    return (np.bincount(tie, outcome * mass) / np.bincount(tie, mass))[tie]


def _cumulated(
    outcome: np.ndarray, score: np.ndarray, mass: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The weight of the k best-scored customers, k = 0 … n, and the outcome that they hold."""
    mass = np.ones(len(score)) if mass is None else mass
    order = np.argsort(-score, kind="stable")
    held = (_tie_means(outcome, score, mass) * mass)[order]
    return np.concatenate([[0.0], np.cumsum(mass[order])]), np.concatenate([[0.0], np.cumsum(held)])


def _held(
    outcome: np.ndarray, score: np.ndarray, share: np.ndarray, mass: np.ndarray | None = None
) -> np.ndarray:
    taken, held = _cumulated(outcome, score, mass)
    return np.interp(share * taken[-1], taken, held)


def _gini(true: np.ndarray, score: np.ndarray) -> float:
    n = len(true)
    lorenz = _cumulated(true, score)[1][1:] / true.sum()
    return float(lorenz.sum() / n - (n + 1) / (2 * n))
