"""The log-likelihood of the Gamma-Gamma model on repeat customers, with its gradient.

A row costs two logarithms and a division; gamma functions are computed once a distinct frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from training.errors import TrainingError
from training.value.gammas import log_rising, log_rising_slope

Floats = NDArray[np.float64]

# Rows at once: the working columns stay in the processor's cache, and dot products below the
# 10,000 numbers from which OpenBLAS shares them among threads, which beside a busy process makes
# each of them a hundred times slower.
_BLOCK = 1 << 13


@dataclass(frozen=True)
class Rows:
    """Customers with a repeat purchase of positive value.

    Parameters
    ----------
    x, m, weight : ndarray of shape (rows,)
        Repeat purchases, their mean value in money, and how many customers the row stands for.
    total, weighted_x : ndarray of shape (rows,)
        x m, and weight times x.
    levels, level_weight : ndarray
        Distinct frequencies, and the weight of the customers with each.
    customers : float
        Total weight.
    values_log : float
        Weighted sum of ln m.
    """

    x: Floats
    m: Floats
    weight: Floats
    total: Floats
    weighted_x: Floats
    levels: Floats
    level_weight: Floats
    customers: float
    values_log: float

    @property
    def mean(self) -> float:
        """Mean over customers of the mean value, in money."""
        return float(self.weight @ self.m) / self.customers


def collect(x: ArrayLike, m: ArrayLike, weights: ArrayLike | None) -> Rows:
    """Keep the customers whose purchases can speak, after a check that all are numbers.

    Parameters
    ----------
    x : array-like of float
        Repeat purchases.
    m : array-like of float
        Their mean value, in money.
    weights : array-like of float >= 0, optional
        One when not given.

    Returns
    -------
    Rows
        Those with x > 0, m > 0 and positive weight.

    Raises
    ------
    TrainingError
        If a frequency, value or weight is not a finite number.
    """
    x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    weight = np.ones(x.size) if weights is None else np.asarray(weights, dtype=np.float64)
    broken = ~(np.isfinite(x) & np.isfinite(m) & np.isfinite(weight)) | (weight < 0)
    if broken.any():
        raise TrainingError(
            f"Got {int(broken.sum())} of {broken.size} rows whose frequency, value or weight is "
            "not a finite number (or the weight is negative); expected numbers. Build the "
            "behaviour table again."
        )
    keep = (x > 0) & (m > 0) & (weight > 0)
    return _arranged(x[keep], m[keep], weight[keep])


def thinned(rows: Rows, most: int) -> Rows:
    """Keep every k-th customer, so that about `most` are left.

    Parameters
    ----------
    rows : Rows
    most : int > 0

    Returns
    -------
    Rows
    """
    every = slice(None, None, max(1, rows.x.size // most))
    return _arranged(rows.x[every], rows.m[every], rows.weight[every])


def in_units(rows: Rows, unit: float) -> Rows:
    """Express money in another unit.

    Parameters
    ----------
    rows : Rows
    unit : float > 0
        What counts as one, in the money of `rows`.

    Returns
    -------
    Rows
    """
    return _arranged(rows.x, rows.m / unit, rows.weight)


def log_likelihood(rows: Rows, p: float, q: float, v: float) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in p, q, v.

    Parameters
    ----------
    rows : Rows
    p, q, v : float > 0

    Returns
    -------
    value : float
        Of all customers together.
    gradient : ndarray of shape (3,)

    Notes
    -----
    A customer adds ln Γ(p x + q) − ln Γ(p x) − ln Γ(q) + q ln v + (p x − 1) ln m + p x ln x
    − (p x + q) ln(x m + v). The three gamma functions are taken as a rising factorial of the
    larger of p x and q less the log-gamma of the smaller, and the other logarithms of 1 + v / (x m)
    and 1 + x m / v: so the limits p → ∞ (always the same) and q → ∞ (all alike) keep their digits.

    References
    ----------
    Fader & Hardie (2013), note 025, equation 1a.
    """
    own = others = slope_v = 0.0
    for start in range(0, rows.total.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        weight, x, total = rows.weight[part], rows.weighted_x[part], rows.total[part]
        own -= float(x @ np.log1p(v / total))
        others -= float(weight @ np.log1p(total / v))
        slope_v -= float((p * x + q * weight) @ (1.0 / (total + v)))

    shape = p * rows.levels
    small, large = np.minimum(shape, q), np.maximum(shape, q)
    gammas = rows.level_weight @ (log_rising(large, small) - gammaln(small))
    value = gammas + p * own + q * others - rows.values_log

    slope_p = (rows.level_weight * rows.levels) @ log_rising_slope(shape, q) + own
    slope_q = rows.level_weight @ log_rising_slope(q, shape) + others
    slope_v += rows.customers * q / v
    return float(value), np.array([slope_p, slope_q, slope_v])


def rank_correlation(rows: Rows) -> float:
    """Spearman's correlation of frequency and mean value, ties at their mean rank.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    float in [-1, 1]
        Zero where one of the two is the same for all.
    """
    ranks = []
    for column in (rows.x, rows.m):
        levels, place = np.unique(column, return_inverse=True)
        weight = np.bincount(place, rows.weight, levels.size)
        ranks.append((np.cumsum(weight) - weight / 2.0)[place])
    first, second = (rank - rows.weight @ rank / rows.customers for rank in ranks)
    spread = np.sqrt((rows.weight @ first**2) * (rows.weight @ second**2))
    return float(rows.weight @ (first * second) / spread) if spread > 0 else 0.0


def _arranged(x: Floats, m: Floats, weight: Floats) -> Rows:
    levels, place = np.unique(x, return_inverse=True)
    total, weighted_x = x * m, weight * x
    return Rows(
        x=x,
        m=m,
        weight=weight,
        total=total,
        weighted_x=weighted_x,
        levels=levels,
        level_weight=np.bincount(place, weight, levels.size).astype(np.float64),
        customers=float(weight.sum()),
        values_log=float(weight @ np.log(m)),
    )
