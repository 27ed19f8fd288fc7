"""The log-likelihood of the BG/NBD and MBG/NBD models on counted rows, with its gradient.

Customers with the same (frequency, recency, T) count together. What depends on one column alone is
computed once a distinct value of that column, and a row costs two look-ups, an exponential and a
logarithm: a million customers take some 10 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.value.counted import Distinct, Indices
from training.value.gammas import log_rising, log_rising_slope
from training.value.histories import Levels, levels

Floats = NDArray[np.float64]

# Rows at once: the working columns stay in the processor's cache, and dot products below the
# 10,000 numbers from which OpenBLAS shares them among threads, which beside a busy process makes
# each of them a hundred times slower.
_BLOCK = 1 << 13


@dataclass(frozen=True)
class Counts(Levels):
    """Counted customers, laid out for the likelihood: also the rows of those who could have left.

    Parameters
    ----------
    chances : ndarray
        For each of `x`, the purchases after which the customer could have left.
    t_x : ndarray
        Distinct recencies of the customers who could have left.
    row_weight, row_x, x_index, T_index, t_x_index : ndarray of shape (rows,)
        The distinct rows of customers who could have left: weight, frequency, and the places of
        the three values in the columns above.
    """

    chances: Floats
    t_x: Floats
    row_weight: Floats
    row_x: Floats
    x_index: Indices
    T_index: Indices
    t_x_index: Indices


def lay_out(rows: Distinct, first: float = 0.0) -> Counts:
    """Arrange distinct rows of (frequency, T, recency) for `log_likelihood`.

    Parameters
    ----------
    rows : Distinct
        Columns frequency, T and recency, in that order.
    first : {0, 1}
        One where the customer can leave after the first purchase too (MBG/NBD).

    Returns
    -------
    Counts
    """
    x, _, t_x = rows.columns
    common, x_index, T_index = levels(rows)
    repeat = x + first > 0
    levels_t_x, index_t_x = np.unique(t_x[repeat], return_inverse=True)
    return Counts(
        **vars(common),
        chances=common.x + first,
        t_x=levels_t_x,
        row_weight=rows.counts[repeat],
        row_x=x[repeat],
        x_index=x_index[repeat],
        T_index=T_index[repeat],
        t_x_index=index_t_x,
    )


def log_likelihood(
    counts: Counts, r: float, alpha: float, a: float, b: float
) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in ln r, ln alpha, ln a, ln b.

    Parameters
    ----------
    counts : Counts
    r, alpha, a, b : float > 0

    Returns
    -------
    value : float
        Of all customers together.
    gradient : ndarray of shape (4,)

    Notes
    -----
    After n purchases the customer could have left: n = x, or x + 1 where the first one counts
    (MBG/NBD). A customer adds ln Γ(r + x) / Γ(r) + ln B(a, b + n) / B(a, b) + r ln alpha
    − (r + x) ln(alpha + T) + ln(1 + d), where d, for n > 0, is the odds of having dropped out,
    a / (b + n − 1) ((alpha + T) / (alpha + t_x))^(r + x), and zero for n = 0. ln(1 + d) is taken
    from ln d, so that nothing overflows. With σ = d / (1 + d) and L = ln((alpha + T) /
    (alpha + t_x)), ln(1 + d) has the slopes σ L in r, σ (r + x) ∂L/∂alpha in alpha, σ / a in a,
    and −σ / (b + n − 1) in b. Logarithms are of 1 + T / alpha, which stay exact when r and alpha
    grow together to the limit of equal rates.

    References
    ----------
    FHL, equation 6, in the form of their section 7 for large x; Batislam, Denizel & Filiztekin
    (2007), appendix A, for n = x + 1.
    """
    log_T, log_t_x = np.log1p(counts.T / alpha), np.log1p(counts.t_x / alpha)
    gone_T, gone_t_x = counts.T / (alpha + counts.T), counts.t_x / (alpha + counts.t_x)
    n = counts.chances
    after_x = b + (np.maximum(n, 1.0) - 1.0)
    odds_x = np.log(a) - np.log(after_x)
    dropped_x = np.zeros(counts.x.size)
    softplus = slope_r = slope_alpha = 0.0
    for start in range(0, counts.row_x.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        x_index, T_index = counts.x_index[rows], counts.T_index[rows]
        t_x_index, weight = counts.t_x_index[rows], counts.row_weight[rows]
        shape = counts.row_x[rows] + r
        wait = log_T[T_index] - log_t_x[t_x_index]
        log_odds = shape * wait + odds_x[x_index]
        small = np.exp(-np.abs(log_odds))
        softplus += float(weight @ (np.maximum(log_odds, 0.0) + np.log(1.0 + small)))
        dropped = weight * (np.where(log_odds > 0, 1.0, small) / (1.0 + small))
        slope_r += float(dropped @ wait)
        slope_alpha += float((dropped * shape) @ (gone_t_x[t_x_index] - gone_T[T_index]))
        dropped_x += np.bincount(x_index, dropped, counts.x.size)

    exposure = r * counts.age_weight + counts.age_purchases
    value = (
        counts.x_weight @ (log_rising(r, counts.x) + log_rising(b, n) - log_rising(a + b, n))
        - exposure @ log_T
        - counts.purchases * np.log(alpha)
        + softplus
    )
    slope_r += float(counts.x_weight @ log_rising_slope(r, counts.x) - counts.age_weight @ log_T)
    slope_alpha += float(exposure @ gone_T) - counts.purchases
    both = counts.x_weight @ log_rising_slope(a + b, n)
    slope_a = dropped_x.sum() - a * both
    slope_b = counts.x_weight @ log_rising_slope(b, n) - both - dropped_x @ (1.0 / after_x)
    return float(value), np.array([r * slope_r, slope_alpha, slope_a, b * slope_b])
