"""Ratios of gamma functions in logarithms, without cancellation at large arguments.

ln Γ(z + n) − ln Γ(z), the logarithm of the rising factorial, and its slope in z. For
z = 10⁹ the two log-gammas agree in their first digits and their difference loses them;
the difference of the two Stirling series does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

# From here the Stirling series below is exact to the last digit of a double.
_STIRLING_FROM = 16.0


def log_rising(z: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Logarithm of the rising factorial: ln Γ(z + n) − ln Γ(z).

    Parameters
    ----------
    z : array-like of float > 0
    n : array-like of float >= 0

    Returns
    -------
    ndarray of float64, shape of `z` and `n` broadcast

    Notes
    -----
    For z >= 16, with S(z) = 1/(12 z) − 1/(360 z³) + 1/(1260 z⁵) − 1/(1680 z⁷):
    (z − ½) log1p(n/z) + n ln(z + n) − n + S(z + n) − S(z).

    References
    ----------
    Abramowitz & Stegun (1964), 6.1.41.
    """
    z, n = np.asarray(z, dtype=np.float64), np.asarray(n, dtype=np.float64)
    large = np.maximum(z, _STIRLING_FROM)
    series = (large - 0.5) * np.log1p(n / large) + n * np.log(large + n) - n
    series += _tail(large + n) - _tail(large)
    return np.where(z < _STIRLING_FROM, gammaln(z + n) - gammaln(z), series)


def log_rising_slope(z: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Derivative of `log_rising` in z: ψ(z + n) − ψ(z).

    Parameters
    ----------
    z : array-like of float > 0
    n : array-like of float >= 0

    Returns
    -------
    ndarray of float64, shape of `z` and `n` broadcast

    References
    ----------
    Abramowitz & Stegun (1964), 6.3.18.
    """
    z, n = np.asarray(z, dtype=np.float64), np.asarray(n, dtype=np.float64)
    large = np.maximum(z, _STIRLING_FROM)
    series = np.log1p(n / large) + 0.5 * n / (large * (large + n))
    series += _slope_tail(large + n) - _slope_tail(large)
    return np.where(z < _STIRLING_FROM, digamma(z + n) - digamma(z), series)


def _tail(z: NDArray[np.float64]) -> NDArray[np.float64]:
    square = 1.0 / (z * z)
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / z


def _slope_tail(z: NDArray[np.float64]) -> NDArray[np.float64]:
    square = 1.0 / (z * z)
    return -square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
