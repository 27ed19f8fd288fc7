"""Figures that say how good predictions are: of probabilities, and of amounts.

In: what came of each customer and what was predicted, as arrays of one length. Out: numbers, or
small tables. Row order changes nothing: customers with equal predictions are never told apart. What
needs an order (lift, gain, Gini, deciles) is in `training.grading.ranking` and listed here too.

Where a figure is not defined (one class only, nothing spent), it is NaN with a
`StatisticalWarning`; wrong input (lengths, missing values) raises `ValueError`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.grading.ranking import (
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


def roc_auc(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Chance that a random 1 has a higher score than a random 0 (ties count half).

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Score; any increasing scale.
    weights : ndarray of shape (n,), optional
        How much each customer counts, above 0; alike when not given.

    Returns
    -------
    float in [0, 1]
        0.5 for a constant score; NaN when y has one class.
    """
    y, p = _binary(y, p)
    if y.min() == y.max():
        return undefined("ROC AUC", "all customers share one fate")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p, sample_weight=weights))


def pr_auc(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Average precision: Σ (recallₖ − recallₖ₋₁) · precisionₖ over falling thresholds.

    Parameters
    ----------
    y, p, weights : ndarray of shape (n,)
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

    return float(average_precision_score(y, p, sample_weight=weights))


def log_loss(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean −log of the probability given to what happened.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Probability of 1; 0 and 1 are moved inwards by 2.2e-16.
    weights : ndarray of shape (n,), optional
        As in `roc_auc`.

    Returns
    -------
    float, at least 0
    """
    y, p = _binary(y, _probability(p))
    from sklearn.metrics import log_loss as sklearn_log_loss

    return float(sklearn_log_loss(y, p, labels=[0, 1], sample_weight=weights))


def brier(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean squared distance of probability and outcome, (1/n) Σ (pᵢ − yᵢ)².

    Parameters
    ----------
    y, p, weights : ndarray of shape (n,)
        As in `log_loss`.

    Returns
    -------
    float in [0, 1]
    """
    y, p = _binary(y, _probability(p))
    return float(np.average((p - y) ** 2, weights=weights))


def calibration_table(
    y: np.ndarray, p: np.ndarray, bins: int = 10, weights: np.ndarray | None = None
) -> pd.DataFrame:
    """Predicted probability and observed rate in bins of equal count.

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `log_loss`.
    bins : int, at least 1, default=10
        Most bins; customers with one probability stay together, so there can be fewer, and
        their counts can differ.
    weights : ndarray of shape (n,), optional
        As in `log_loss`; bins are then of equal weight.

    Returns
    -------
    DataFrame
        One row a bin, rising: ``customers``, ``predicted`` (mean probability), ``observed``
        (rate), ``lower`` and ``upper`` (Wilson's 90 % interval of the rate). With weights
        w the interval is that of (Σw)²/Σw² customers.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    return _bins(y, p, bins, weights).drop(columns="weight")


def _bins(y: np.ndarray, p: np.ndarray, bins: int, weights: np.ndarray | None) -> pd.DataFrame:
    """The calibration table, with the weight of each bin."""
    y, p = _binary(y, _probability(p))
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    _, tie = np.unique(p, return_inverse=True)
    mass = np.bincount(tie, w)
    # A tie goes to the bin in which its middle customer falls.
    middle = (np.cumsum(mass) - mass / 2) / w.sum()
    _, group = np.unique(np.floor(middle * bins)[tie], return_inverse=True)
    total = np.bincount(group, w)
    n = total**2 / np.bincount(group, w**2)
    predicted, observed = np.bincount(group, p * w) / total, np.bincount(group, y * w) / total
    centre = (observed + _Z90**2 / (2 * n)) / (1 + _Z90**2 / n)
    spread = observed * (1 - observed) / n + _Z90**2 / (4 * n**2)
    half = _Z90 * np.sqrt(spread) / (1 + _Z90**2 / n)
    return pd.DataFrame(
        {
            "weight": total,
            "customers": np.bincount(group),
            "predicted": predicted,
            "observed": observed,
            "lower": np.clip(centre - half, 0.0, 1.0),
            "upper": np.clip(centre + half, 0.0, 1.0),
        }
    )


def calibration_error(
    y: np.ndarray, p: np.ndarray, bins: int = 10, weights: np.ndarray | None = None
) -> float:
    """Expected calibration error: mean |observed − predicted| of the bins, by customers.

    Parameters
    ----------
    y, p : ndarray of shape (n,)
        As in `log_loss`.
    bins : int, at least 1, default=10
        Bins of equal count, as in `calibration_table`.
    weights : ndarray of shape (n,), optional
        As in `calibration_table`; the bins then count by weight.

    Returns
    -------
    float in [0, 1]
        0 is perfect; a few customers a bin make it positive by chance alone.

    References
    ----------
    Naeini, Cooper & Hauskrecht (2015), eq. 4, there with bins of equal width.
    """
    table = _bins(y, p, bins, weights)
    gap = (table["observed"] - table["predicted"]).abs()
    return float(np.average(gap, weights=table["weight"]))


def calibration_luck(p: np.ndarray, bins: int = 10) -> float:
    """Calibration error to expect of probabilities that are right, by the luck of few customers.

    Parameters
    ----------
    p : ndarray of shape (n,)
        As in `log_loss`.
    bins : int, at least 1, default=10
        As in `calibration_error`.

    Returns
    -------
    float in [0, 1]

    Notes
    -----
    A bin of m customers misses its mean by √(2 / π) σ on the average, σ² = Σ pᵢ(1 − pᵢ) / m²: the
    mean of a half-normal distribution (Johnson, Kotz & Balakrishnan 1994, "Continuous Univariate
    Distributions" 1, chapter 13), which the miss is near to where some leave and some stay.
    """
    parts = np.array_split(np.sort(p), min(bins, len(p)))
    missed = sum(np.sqrt((part * (1.0 - part)).sum()) for part in parts)
    return float(np.sqrt(2.0 / np.pi) * missed / len(p))


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


def classification_report(
    y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, float]:
    """All figures of a probability by name.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Probability of 1.
    weights : ndarray of shape (n,), optional
        How much each customer counts, above 0; alike when not given.

    Returns
    -------
    dict of str to float
        ``roc_auc``, ``pr_auc``, ``log_loss``, ``brier``, ``calibration_error``, ``lift_10``
        (lift at a tenth), ``total_bias`` (Σp against Σy).
    """
    mass = 1.0 if weights is None else weights
    return {
        "roc_auc": roc_auc(y, p, weights),
        "pr_auc": pr_auc(y, p, weights),
        "log_loss": log_loss(y, p, weights),
        "brier": brier(y, p, weights),
        "calibration_error": calibration_error(y, p, weights=weights),
        "lift_10": lift_at(y, p, weights=weights),
        "total_bias": total_bias(np.multiply(y, mass), np.multiply(p, mass)),
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
