"""Whether a customer leaves before buying again, when both rates are Gamma-distributed.

The Pareto/NBD model needs one function. A customer who is there buys at rate λ ~ Gamma(k, A) and
leaves at rate μ ~ Gamma(s, B), independently; the chance that leaving comes first is

    h(k, s, A / B) = E[μ / (λ + μ)]
                   = ∫₀^∞ (1 + u/A)⁻ᵏ (1 + u/B)⁻ˢ⁻¹ s/B du
                   = s/(s + k) · A/B · 2F1(1, s + 1; s + k + 1; 1 − A/B).

The hypergeometric function of scipy loses all digits for large parameters and its transformations
have poles at whole k; the integrand of the middle line is positive and analytic, and a plain sum
over the logarithm of u gives it to rounding for any k, s and A / B.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.value.counted import Indices

Floats = NDArray[np.float64]

# Step in ln u. The integrand is analytic for |Im ln u| < π, and stays bounded for large k and s up
# to π/2, which leaves e^(−π²/step), some 1e-16.
_STEP = 0.26
# The sum begins e^(−12.5) below the shorter mean wait, where the integrand is a parabola in u to
# the cube of that.
_BELOW = 12.5
# What lies beyond its end is e⁻³⁸ of the whole, or a power of u whose sum is known.
_DROP = 38.0
# Rows with the same number of steps, rounded up to a multiple of this, are summed together.
_ROUND = 8
# Numbers held at once in each working array: 128 kB.
_BLOCK = 1 << 14
_LARGEST = 700.0
# Σ e^(−jδ) and Σ e^(−2jδ) over j = 1, 2, … of the steps before the first, and their sum for u −
# u² in units of the mean wait.
_LINEAR, _SQUARE = 1.0 / np.expm1(_STEP), 1.0 / np.expm1(2.0 * _STEP)
_HEAD = _LINEAR + np.exp(-_BELOW) * (_LINEAR - _SQUARE)


def leaves_first(k: Floats, s: float, ratio: Floats) -> Floats:
    """Probability that leaving comes before the next purchase, E[μ / (λ + μ)].

    Parameters
    ----------
    k : ndarray of float > 0, shape (rows,)
        Shape of the purchase rate.
    s : float > 0
        Shape of the dropout rate, the same for all rows.
    ratio : ndarray of float > 0, shape (rows,)
        Inverse scale of the purchase rate over that of the dropout rate, A / B.

    Returns
    -------
    ndarray of shape (rows,)
        In (0, 1].

    Notes
    -----
    A trapezoidal sum in ln u over the part that counts. To the left the integrand is a parabola in
    u, to the right the power u^(−k−s), and both remainders are geometric series. Against 50-digit
    arithmetic over k in [0.003, 1e7], s in [0.005, 1e7] and A / B in [1e-8, 1e8] the largest
    relative error is 1e-15.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), "Counting your customers: who are they and what will
    they do next?", Management Science 33 (1), 1-24. In Fader & Hardie (2005), "A note on deriving
    the Pareto/NBD model and related expressions", brucehardie.com note 009, equations 19 and 20,
    A₀ is the difference of two such functions.
    """
    value = np.empty(k.size)
    for rows, low, number in _parts(k, s, ratio):
        _, _, _, f = _integrand(k[rows], s, ratio[rows], low, number)
        tail, _ = _remainders(k[rows], s)
        # Not `@`: BLAS rounds a row differently depending on how many are beside it, and a
        # customer alone has the same numbers as in a table.
        total = f.sum(axis=1) + f[:, 0] * _HEAD + f[:, -1] * tail
        value[rows] = np.minimum(_STEP * s * total, 1.0)
    return value


def leaves_first_slopes(
    k: Floats, s: float, ratio: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """`leaves_first` and its slopes.

    Parameters
    ----------
    k : ndarray of float > 0, shape (rows,)
    s : float > 0
    ratio : ndarray of float > 0, shape (rows,)
        As in `leaves_first`.

    Returns
    -------
    value, in_k, in_s, in_log_ratio : ndarray of shape (rows,)
        h, and its derivatives in k, s and ln(A / B).

    Notes
    -----
    Under the integral, of f = (1 + u/A)⁻ᵏ (1 + u/B)⁻ˢ⁻¹ s/B: −f ln(1 + u/A), f/s − f ln(1 + u/B)
    and f k u / (A + u). Beyond the end the logarithms grow by a step each time, and the remainder
    is an arithmetic-geometric series.
    """
    out = np.empty((4, k.size))
    for rows, low, number in _parts(k, s, ratio):
        u, by_a, by_b, f = _integrand(k[rows], s, ratio[rows], low, number)
        tail, growing = _remainders(k[rows], s)
        u /= u + ratio[rows][:, None]
        first, last = f[:, 0], f[:, -1]
        sums = [f.sum(axis=1) + first * _HEAD + last * tail]
        for factor in (by_a, by_b, u):
            inner = np.einsum("ij,ij->i", f, factor)
            sums.append(inner + first * factor[:, 0] * _SQUARE + last * factor[:, -1] * tail)
        value, bought, left, moved = _STEP * s * np.array(sums)
        more = _STEP * s * _STEP * last * growing
        out[:, rows] = value, -bought - more, value / s - left - more, k[rows] * moved
    return out[0], out[1], out[2], out[3]


def _parts(k: Floats, s: float, ratio: Floats) -> Iterator[tuple[Indices, Floats, int]]:
    """Blocks of rows with equally many steps: their numbers, where each begins, and the steps."""
    low, high = _window(k, s, ratio)
    steps = _ROUND * np.ceil((high - low) / (_STEP * _ROUND))
    for number in np.unique(steps).astype(int):
        alike = np.flatnonzero(steps == number)
        size = max(1, _BLOCK // number)
        for start in range(0, alike.size, size):
            rows = alike[start : start + size]
            yield rows, low[rows], int(number)


def _window(k: Floats, s: float, ratio: Floats) -> tuple[Floats, Floats]:
    """Where the sum begins and ends in ln u, in units of B."""
    low = -np.log(k / ratio + (s + 1.0)) - _BELOW
    both, large = k + s, np.log(np.maximum(ratio, 1.0))
    # Past the larger of A and B the integrand is a power of u, up to a share (k + s + 1) / u of it,
    # and what is left itself falls with the power k + s; before, it falls at least with k − 1 past
    # A and with s past B.
    power = large + _DROP / (1.0 + both) + np.log(2.0 + both)
    spent = np.minimum(large + _log_fold(both), np.log(ratio) + _log_fold(k - 1.0))
    return low, np.minimum(np.minimum(power, spent), _log_fold(np.array(s)))


def _log_fold(power: Floats) -> Floats:
    """Logarithm of the u at which (1 + u)^(−power) has fallen to e^(−_DROP)."""
    return np.log(np.expm1(_DROP / np.maximum(power, _DROP / _LARGEST)))


def _integrand(
    k: Floats, s: float, ratio: Floats, low: Floats, number: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """u, ln(1 + u/A), ln(1 + u/B), u (1 + u/A)⁻ᵏ (1 + u/B)⁻ˢ⁻¹ in units of B; by rows and steps."""
    u = np.exp(low)[:, None] * np.exp(_STEP * np.arange(number + 1.0))
    by_a, by_b = np.log1p(u / ratio[:, None]), np.log1p(u)
    f = by_a * -k[:, None]
    f -= (s + 1.0) * by_b
    np.exp(f, out=f)
    f *= u
    return u, by_a, by_b, f


def _remainders(k: Floats, s: float) -> tuple[Floats, Floats]:
    """Σ Qʲ and Σ j Qʲ over the steps j = 1, 2, … after the last, with Q = e^(−(k + s) δ)."""
    tail = 1.0 / np.expm1(np.minimum((k + s) * _STEP, _LARGEST))
    return tail, tail * (1.0 + tail)
