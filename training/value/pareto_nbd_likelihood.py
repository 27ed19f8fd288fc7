"""The log-likelihood of the Pareto/NBD model on counted rows, with its gradient.

Customers with the same (frequency, recency, T) count together. The chance to leave before buying
again (`training.value.leaving`) is needed for every distinct (frequency, recency) and
(frequency, T); it is computed at a few ages for each frequency and interpolated, to rounding, at
the others. A row then costs three look-ups, an exponential and a logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.value.counted import Distinct, Indices, spread
from training.value.gammas import log_rising, log_rising_slope
from training.value.histories import Levels, levels
from training.value.interpolation import scale
from training.value.leaving import leaves_first_slopes

Floats = NDArray[np.float64]

# Rows at once, and columns of a matrix product: below the sizes from which OpenBLAS shares them
# among threads, which beside a busy process makes each of them a hundred times slower.
_BLOCK, _COLUMNS = 1 << 13, 1 << 10
# Leaving first is never quite certain.
_CERTAIN = -1e-16


@dataclass(frozen=True)
class Counts(Levels):
    """Counted customers, laid out for the likelihood: also by frequency and age together.

    Parameters
    ----------
    span : tuple of float
        Least and greatest age above zero, among recencies and ages now.
    pair_x, pair_age : ndarray of shape (pairs,)
        Distinct (frequency, age) among recencies and ages now, by rising frequency: place of the
        frequency in `x`, and the age.
    row_weight, then_pair, now_pair : ndarray of shape (rows,)
        The distinct rows: weight, and the pairs of (frequency, recency) and (frequency, T).
    """

    span: tuple[float, float]
    pair_x: Indices
    pair_age: Floats
    row_weight: Floats
    then_pair: Indices
    now_pair: Indices


def lay_out(rows: Distinct) -> Counts:
    """Arrange distinct rows of (frequency, T, recency) for `log_likelihood`.

    Parameters
    ----------
    rows : Distinct
        Columns frequency, T and recency, in that order.

    Returns
    -------
    Counts
    """
    x, T, t_x = rows.columns
    common, x_index, _ = levels(rows)
    chosen, member = spread((np.append(x, x), np.append(t_x, T)))
    pair_x, pair_age = np.append(x_index, x_index)[chosen], np.append(t_x, T)[chosen]
    some = pair_age[pair_age > 0]
    return Counts(
        **vars(common),
        span=(float(some.min()), float(some.max())) if some.size else (1.0, 1.0),
        pair_x=pair_x,
        pair_age=pair_age,
        row_weight=rows.counts,
        then_pair=member[: x.size],
        now_pair=member[x.size :],
    )


def log_likelihood(
    counts: Counts, r: float, alpha: float, s: float, beta: float
) -> tuple[float, Floats]:
    """Log-likelihood and its gradient in ln r, ln alpha, ln s, ln beta.

    Parameters
    ----------
    counts : Counts
    r, alpha, s, beta : float > 0

    Returns
    -------
    value : float
        Of all customers together.
    gradient : ndarray of shape (4,)

    Notes
    -----
    With h(y) = E[μ / (λ + μ)] for a customer who is there at age y after x repeat purchases, so
    λ ~ Gamma(r + x, alpha + y) and μ ~ Gamma(s, beta + y), a customer adds ln Γ(r + x) / Γ(r)
    − x ln alpha − n(T) + ln(1 + d), n(y) = (r + x) ln(1 + y / alpha) + s ln(1 + y / beta), where
    1 + d = 1 − h(T) + h(t_x) e^(n(T) − n(t_x)) is one over the probability to be there still. Its
    logarithm is taken from the two logarithms, so that nothing overflows, and as 1 + d >= 1 and
    h <= 1, nothing is lost in the difference either. The slopes of ln(1 + d) are the means of
    those of ln(1 − h(T)) and of ln h(t_x) + n(T) − n(t_x), weighted by the shares of the two.

    References
    ----------
    Fader & Hardie (2005), "A note on deriving the Pareto/NBD model and related expressions",
    brucehardie.com note 009, equation 18; d is there the second term over the first.
    """
    log_h, h_slopes, spent, spent_slopes = _pairs(counts, r, alpha, s, beta)
    stays = np.log(-np.expm1(log_h))
    total, share = 0.0, np.empty(counts.row_weight.size)
    for start in range(0, counts.row_weight.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        at_T, at_t_x = counts.now_pair[rows], counts.then_pair[rows]
        stay, gone = stays[at_T], log_h[at_t_x] + (spent[at_T] - spent[at_t_x])
        apart = gone - stay
        small, weight = np.exp(-np.abs(apart)), counts.row_weight[rows]
        total += float(weight @ (np.maximum(stay, gone) + np.log(1.0 + small)))
        share[rows] = weight * (np.where(apart > 0, 1.0, small) / (1.0 + small))
    now = np.bincount(counts.now_pair, share, log_h.size)
    then = np.bincount(counts.then_pair, share, log_h.size)
    here = np.bincount(counts.now_pair, counts.row_weight, log_h.size) - now
    from_h = then + here * (np.exp(log_h) / np.expm1(log_h))
    slopes = np.einsum("ij,j->i", h_slopes, from_h)
    slopes += np.einsum("ij,j->i", spent_slopes, now - then)

    value, plain = _plain(counts, r, alpha, s, beta)
    return value + total, slopes + plain


def _plain(counts: Counts, r: float, alpha: float, s: float, beta: float) -> tuple[float, Floats]:
    """The part that depends on frequency and age alone, and its gradient."""
    by_alpha, by_beta = np.log1p(counts.T / alpha), np.log1p(counts.T / beta)
    exposure = r * counts.age_weight + counts.age_purchases
    value = (
        counts.x_weight @ log_rising(r, counts.x)
        - exposure @ by_alpha
        - counts.purchases * np.log(alpha)
        - s * (counts.age_weight @ by_beta)
    )
    slope_r = counts.x_weight @ log_rising_slope(r, counts.x) - counts.age_weight @ by_alpha
    slope_alpha = exposure @ (counts.T / (alpha + counts.T)) - counts.purchases
    slope_s = -(counts.age_weight @ by_beta)
    slope_beta = counts.age_weight @ (counts.T / (beta + counts.T))
    return float(value), np.array([r * slope_r, slope_alpha, s * slope_s, s * slope_beta])


def _pairs(
    counts: Counts, r: float, alpha: float, s: float, beta: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """The logarithm of h, its four slopes, n and its four slopes, for each pair."""
    y = counts.pair_age
    log_h, in_k, in_s, in_ratio = _leaving(counts, r, alpha, s, beta)
    k = r + counts.x[counts.pair_x]
    by_alpha, by_beta = np.log1p(y / alpha), np.log1p(y / beta)
    h_slopes = np.array(
        [r * in_k, in_ratio * (alpha / (alpha + y)), s * in_s, -in_ratio * (beta / (beta + y))]
    )
    spent_slopes = np.array(
        [r * by_alpha, -k * (y / (alpha + y)), s * by_beta, -s * (y / (beta + y))]
    )
    return np.minimum(log_h, _CERTAIN), h_slopes, k * by_alpha + s * by_beta, spent_slopes


def _leaving(counts: Counts, r: float, alpha: float, s: float, beta: float) -> Floats:
    """Logarithm of h and its slopes in k, s and ln(A / B) at each pair, shape (4, pairs).

    As a function of age h is analytic but for ages from −alpha to −beta, some 25 points for days
    in years. Age zero, which may be far off in the logarithm, is a point of its own.
    """
    scaled = scale(*counts.span, offset=min(alpha, beta))
    ages = np.append(scaled.points, 0.0)
    table = _table(counts.x + r, s, (alpha + ages) / (beta + ages))
    table[:, :, :-1] = table[:, :, :-1] @ scaled.series()
    out = np.empty((4, counts.pair_x.size))
    for start in range(0, counts.pair_x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        level, age = counts.pair_x[block], counts.pair_age[block]
        zero = age == 0
        basis = np.vstack((scaled.basis(np.where(zero, counts.span[0], age)), zero))
        basis[:-1, zero] = 0.0
        for begin, end in _runs(level):
            out[:, start + begin : start + end] = table[level[begin]] @ basis[:, begin:end]
    return out


def _table(k: Floats, s: float, ratio: Floats) -> Floats:
    """Logarithm of h and its slopes for each k and ratio A / B: shape (frequencies, 4, ratios)."""
    shape = (k.size, ratio.size)
    h, *slopes = leaves_first_slopes(
        np.broadcast_to(k[:, None], shape).ravel(), s, np.broadcast_to(ratio, shape).ravel()
    )
    table = np.array([np.log(h), *(slope / h for slope in slopes)]).reshape(4, *shape)
    return table.transpose(1, 0, 2).copy()


def _runs(level: Indices) -> list[tuple[int, int]]:
    """Stretches of one level, at most `_COLUMNS` long."""
    edges = np.flatnonzero(np.diff(level)) + 1
    bounds = [0, *edges.tolist(), level.size]
    return [
        (low, min(low + _COLUMNS, end))
        for begin, end in pairwise(bounds)
        for low in range(begin, end, _COLUMNS)
    ]
