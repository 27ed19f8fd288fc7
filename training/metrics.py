"""Figures that say how good predictions are: of probabilities, and of amounts.

In: what came of each customer and what was predicted, as arrays of one length. Out: numbers, or
small tables. Row order changes nothing: customers with equal predictions are never told apart.
What needs an order (lift, gain, Gini, deciles) is in `training.ranking` and listed here too.

Where a figure is not defined (one class only, nothing spent), it is NaN with a
`StatisticalWarning`; wrong input (lengths, missing values) raises `ValueError`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.ranking import (
    decile_table,
    gain_curve,
    lift_at,
    normalised_gini,
    paired,
    spearman,
    undefined,
)

__all__ = [
    "brier",
    "calibration_error",
    "calibration_table",
    "classification_report",
    "decile_table",
    "gain_curve",
    "lift_at",
    "log_loss",
    "mae",
    "normalised_gini",
    "pr_auc",
    "rmse",
    "roc_auc",
    "spearman",
    "spend_report",
    "total_bias",
]

#: Two-sided 90 % normal quantile, for the bands of the calibration table.
_Z90 = 1.6448536269514722


def roc_auc(y: np.ndarray, p: np.ndarray) -> float:
    """Chance that a random 1 has a higher score than a random 0 (ties count half).

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Score; any increasing scale.

    Returns
    -------
    float in [0, 1]
        0.5 for a constant score; NaN when y has one class.
    """
    y, p = _binary(y, p)
    if y.min() == y.max():
        return undefined("ROC AUC", "all customers share one fate")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p))


def pr_auc(y: np.ndarray, p: np.ndarray) -> float:
    """Average precision: Σ (recallₖ − recallₖ₋₁) · precisionₖ over falling thresholds.

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `roc_auc`.

    Returns
    -------
    float in [0, 1]
        The base rate for a constant score; NaN when there is no 1.
    """
    y, p = _binary(y, p)
    if y.max() == 0:
        return undefined("PR AUC", "no customer has outcome 1")
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y, p))


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Mean −log of the probability given to what happened.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Probability of 1; 0 and 1 are moved inwards by 2.2e-16.

    Returns
    -------
    float, at least 0
    """
    y, p = _binary(y, _probability(p))
    from sklearn.metrics import log_loss as sklearn_log_loss

    return float(sklearn_log_loss(y, p, labels=[0, 1]))


def brier(y: np.ndarray, p: np.ndarray) -> float:
    """Mean squared distance of probability and outcome, (1/n) Σ (pᵢ − yᵢ)².

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `log_loss`.

    Returns
    -------
    float in [0, 1]
    """
    y, p = _binary(y, _probability(p))
    return float(np.mean((p - y) ** 2))


def calibration_table(y: np.ndarray, p: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Predicted probability and observed rate in bins of equal count.

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `log_loss`.
    bins : int, at least 1, default=10
        Most bins; customers with one probability stay together, so there can be fewer, and
        their counts can differ.

    Returns
    -------
    DataFrame
        One row a bin, rising: ``customers``, ``predicted`` (mean probability), ``observed``
        (rate), ``lower`` and ``upper`` (Wilson's 90 % interval of the rate).

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    y, p = _binary(y, _probability(p))
    _, tie, counts = np.unique(p, return_inverse=True, return_counts=True)
    # A tie goes to the bin in which its middle customer falls.
    middle = (np.cumsum(counts) - counts / 2) / len(p)
    _, group = np.unique(np.floor(middle * bins)[tie], return_inverse=True)
    n = np.bincount(group)
    predicted, observed = np.bincount(group, p) / n, np.bincount(group, y) / n
    centre = (observed + _Z90**2 / (2 * n)) / (1 + _Z90**2 / n)
    spread = observed * (1 - observed) / n + _Z90**2 / (4 * n**2)
    half = _Z90 * np.sqrt(spread) / (1 + _Z90**2 / n)
    return pd.DataFrame(
        {
            "customers": n,
            "predicted": predicted,
            "observed": observed,
            "lower": np.clip(centre - half, 0.0, 1.0),
            "upper": np.clip(centre + half, 0.0, 1.0),
        }
    )


def calibration_error(y: np.ndarray, p: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean |observed − predicted| of the bins, by customers.

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `log_loss`.
    bins : int, at least 1, default=10
        Bins of equal count, as in `calibration_table`.

    Returns
    -------
    float in [0, 1]
        0 is perfect; a few customers a bin make it positive by chance alone.

    References
    ----------
    Naeini, Cooper & Hauskrecht (2015), eq. 4, there with bins of equal width.
    """
    table = calibration_table(y, p, bins)
    gap = (table["observed"] - table["predicted"]).abs()
    return float(np.average(gap, weights=table["customers"]))


def mae(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error, (1/n) Σ |predictedᵢ − trueᵢ|.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Amounts in one unit.

    Returns
    -------
    float, at least 0
        In the unit of the amounts.
    """
    true, predicted = paired(true, predicted)
    return float(np.mean(np.abs(predicted - true)))


def rmse(true: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error, sqrt((1/n) Σ (predictedᵢ − trueᵢ)²).

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Amounts in one unit.

    Returns
    -------
    float, at least 0
        In the unit of the amounts; never below the mean absolute error.
    """
    true, predicted = paired(true, predicted)
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def total_bias(true: np.ndarray, predicted: np.ndarray) -> float:
    """Relative error of the total, (Σ predicted − Σ true) / |Σ true|.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Amounts in one unit.

    Returns
    -------
    float
        0.10 means ten per cent too much; NaN when the true amounts sum to zero.
    """
    true, predicted = paired(true, predicted)
    if true.sum() == 0:
        return undefined("The total bias", "the true amounts sum to 0")
    return float((predicted.sum() - true.sum()) / abs(true.sum()))


def classification_report(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """All figures of a probability by name.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Probability of 1.

    Returns
    -------
    dict of str to float
        ``roc_auc``, ``pr_auc``, ``log_loss``, ``brier``, ``calibration_error``, ``lift_10``
        (lift at a tenth), ``total_bias`` (Σp against Σy).
    """
    return {
        "roc_auc": roc_auc(y, p),
        "pr_auc": pr_auc(y, p),
        "log_loss": log_loss(y, p),
        "brier": brier(y, p),
        "calibration_error": calibration_error(y, p),
        "lift_10": lift_at(y, p),
        "total_bias": total_bias(y, p),
    }


def spend_report(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """All figures of a predicted amount (spend or number of purchases) by name.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)

    Returns
    -------
    dict of str to float
        ``mae``, ``rmse``, ``total_bias``, ``spearman``, ``normalised_gini``.
    """
    return {
        "mae": mae(true, predicted),
        "rmse": rmse(true, predicted),
        "total_bias": total_bias(true, predicted),
        "spearman": spearman(true, predicted),
        "normalised_gini": normalised_gini(true, predicted),
    }


def _binary(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, p = paired(y, p)
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(f"Got outcomes from {y.min()} to {y.max()}, expected 0 and 1 only.")
    return y, p


def _probability(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    if len(p) and (np.nanmin(p) < 0 or np.nanmax(p) > 1):
        raise ValueError(f"Got values from {p.min()} to {p.max()}, expected probabilities.")
    return p
