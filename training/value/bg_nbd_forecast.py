"""What a BG/NBD model says about each customer: Fader, Hardie & Lee (2005).

In: the parameters and whole columns of frequency x, recency t_x and age T, in one time unit. Out:
the probability to be there still, the probability to come back within a window, and the expected
purchases in it, plain and discounted. Finite for all finite input.

References
----------
FHL: Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from training.value.counted import spread
from training.value.quadrature import purchases_while_alive

Floats = NDArray[np.float64]

# Gauss-Legendre points in time of the discounting integral.
_MOMENTS = 16


@dataclass(frozen=True)
class Parameters:
    """The four parameters.

    Parameters
    ----------
    r : float > 0
        Shape of the purchase rate over customers; small = very uneven.
    alpha : float > 0
        Inverse scale of the purchase rate, in the time unit of the data; mean rate r / alpha.
    a, b : float > 0
        Shapes of the dropout probability over customers; mean a / (a + b).
    """

    r: float
    alpha: float
    a: float
    b: float


def p_alive(params: Parameters, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Probability that the customer has not dropped out yet.

    It is not the probability to come back: see `return_probability`.

    Parameters
    ----------
    params : Parameters
    x : array-like of float >= 0
        Repeat purchases (frequency).
    t_x : array-like of float in [0, T]
        Age at the last of them (recency).
    T : array-like of float >= 0
        Age now.

    Returns
    -------
    ndarray of float64 in [0, 1]
        One for x = 0: only a repeat purchase can be the last.

    Notes
    -----
    1 / (1 + d), d = a / (b + x − 1) ((alpha + T) / (alpha + t_x))^(r + x), computed as the
    logistic function of −ln d, so that 10,000 purchases do not overflow.

    References
    ----------
    Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model", brucehardie.com
    note 021, equation 1.
    """
    x, t_x, T = _histories(x, t_x, T)
    log_odds = np.log(params.a) - np.log(params.b + (np.maximum(x, 1.0) - 1.0))
    log_odds = log_odds + (params.r + x) * np.log1p((T - t_x) / (params.alpha + t_x))
    return np.where(x > 0, expit(-log_odds), 1.0)


def return_probability(
    params: Parameters, t: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
) -> Floats:
    """Probability of at least one purchase in the next `t`.

    Parameters
    ----------
    params : Parameters
    t : float >= 0
        Length of the window, in the time unit of the parameters.
    x, t_x, T : array-like of float
        As in `p_alive`.

    Returns
    -------
    ndarray of float64 in [0, p_alive]

    Notes
    -----
    p_alive · (1 − ((alpha + T) / (alpha + T + t))^(r + x)): a customer who is still there has
    rate λ ~ Gamma(r + x, alpha + T), and dropping out comes only after buying. Exact.

    References
    ----------
    FHL, section 3: the posterior of λ given x, t_x, T and being active.
    """
    x, t_x, T = _histories(x, t_x, T)
    missed = -(params.r + x) * np.log1p(t / (params.alpha + T))
    return p_alive(params, x, t_x, T) * -np.expm1(missed)


def expected_purchases(
    params: Parameters, t: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
) -> Floats:
    """Expected number of purchases in the next `t`.

    Parameters
    ----------
    params : Parameters
    t : float >= 0
        Length of the window, in the time unit of the parameters.
    x, t_x, T : array-like of float
        As in `p_alive`.

    Returns
    -------
    ndarray of float64 >= 0

    Notes
    -----
    A customer who is still there has λ ~ Gamma(s, β), s = r + x, β = alpha + T, and
    p ~ Beta(a, b + x), independently. Given both, the purchases up to dropout or t are on average
    (1 − e^(−λ p t)) / p, since the stay is exponential with rate λ p. The mean over λ is
    (1 − (β / (β + p t))^s) / p, the mean over p a Gauss-Jacobi sum
    (`training.value.quadrature.purchases_while_alive`, relative error below 2e-12), and
    E[X(t) | x, t_x, T] = p_alive times that. It equals FHL's closed form, without the pole at
    a = 1 and without overflow for large x.

    References
    ----------
    FHL, equation 10.
    """
    x, t_x, T = _histories(x, t_x, T)
    alive = p_alive(params, x, t_x, T)
    chosen, member = spread((x, T))
    return alive * _while_alive(params, t, x[chosen], T[chosen])[member]


def discounted_purchases(
    params: Parameters,
    t: float,
    rate: float,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
) -> Floats:
    """Expected purchases in the next `t`, each worth e^(−rate · time until it).

    Parameters
    ----------
    params : Parameters
    t : float >= 0
        Length of the window, in the time unit of the parameters.
    rate : float >= 0
        Continuous discount rate per time unit; a yearly rate d is ln(1 + d) / 365 per day.
    x, t_x, T : array-like of float
        As in `p_alive`.

    Returns
    -------
    ndarray of float64
        Between 0 and `expected_purchases`.

    Notes
    -----
    With E(u) the expected purchases up to u, integration by parts of ∫ e^(−δu) dE(u) gives
    e^(−δt) E(t) + δ ∫₀ᵗ e^(−δu) E(u) du; the second term is small and smooth, and u = t w³ puts
    the 16 Gauss-Legendre points where a new customer's E rises. At ten per cent a year and five
    years the relative error is below 3e-6 at worst and below 1e-9 in 95 of 100 cases of the
    grid of `training.value.quadrature`.

    References
    ----------
    Fader, Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42, 415-430, for
    discounted expected transactions.
    """
    x, t_x, T = _histories(x, t_x, T)
    alive = p_alive(params, x, t_x, T)
    chosen, member = spread((x, T))
    x, T = x[chosen], T[chosen]
    total = np.exp(-rate * t) * _while_alive(params, t, x, T)
    points, weights = np.polynomial.legendre.leggauss(_MOMENTS)
    points, weights = (points + 1.0) / 2.0, weights / 2.0
    for point, weight in zip(points, weights, strict=True):
        moment = t * point**3
        share = rate * np.exp(-rate * moment) * 3.0 * t * point**2 * weight
        if share > 0:
            total += share * _while_alive(params, moment, x, T)
    return alive * total[member]


def expected_purchases_new(params: Parameters, t: float) -> float:
    """Expected repeat purchases of someone who has just bought for the first time.

    Parameters
    ----------
    params : Parameters
    t : float >= 0
        Time since the first purchase, in the time unit of the parameters.

    Returns
    -------
    float

    References
    ----------
    FHL, equation 9.
    """
    nothing = np.zeros(1)
    return float(_while_alive(params, t, nothing, nothing)[0])


def _histories(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Three float columns of one length; a single customer is a column of one."""
    columns = (np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (x, t_x, T))
    first, second, third = np.broadcast_arrays(*columns)
    return first, second, third


def _while_alive(params: Parameters, t: float, x: Floats, T: Floats) -> Floats:
    """Expected purchases in the next `t` of customers who are still there."""
    scaled = t / (params.alpha + T)
    return purchases_while_alive(params.a, params.b + x, params.r + x, scaled)
