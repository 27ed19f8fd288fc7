"""What a BG/NBD or MBG/NBD model says about each customer: Fader, Hardie & Lee (2005).

In: the parameters and whole columns of frequency x, recency t_x and age T, in one time unit. Out:
the probability to be there still, the probability to come back within a window, the expected
purchases in it, plain and discounted, and the likelihood of the history. Finite for all finite
input.

The two models differ in n, the number of purchases after which the customer could have left:
n = x repeat purchases in BG/NBD, and n = x + 1 in MBG/NBD, where the first one counts too. The
class of the parameters says which.

References
----------
FHL: Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24 (2), 275-284.
BDF: Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for
customer base analysis", International Journal of Research in Marketing 24 (3), 201-209.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from training.value.counted import spread
from training.value.discounting import discounted
from training.value.gammas import log_rising
from training.value.histories import columns
from training.value.quadrature import purchases_while_alive

Floats = NDArray[np.float64]


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

    # One where the customer can leave after the first purchase too.
    first: ClassVar[float] = 0.0

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
        In BG/NBD one for x = 0: only a repeat purchase can be the last.

    Notes
    -----
    1 / (1 + d), d = a / (b + n − 1) ((alpha + T) / (alpha + t_x))^(r + x), computed as the
    logistic function of −ln d, so that 10,000 purchases do not overflow; d = 0 for n = 0.

    References
    ----------
    Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model", brucehardie.com
    note 021, equation 1; BDF, appendix A, equation 5.
    """
    x, t_x, T = columns(x, t_x, T)
    return np.where(x + params.first > 0, expit(-_log_odds(params, x, t_x, T)), 1.0)


def log_likelihoods(params: Parameters, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Log-likelihood of each customer's history.

    Parameters
    ----------
    params : Parameters
    x, t_x, T : array-like of float
        As in `p_alive`.

    Returns
    -------
    ndarray of float64
        Of the whole path of purchases up to T, one row a customer.

    Notes
    -----
    ln Γ(r + x) / Γ(r) + ln B(a, b + n) / B(a, b) − x ln alpha − (r + x) ln(1 + T / alpha)
    + ln(1 + d), with d of `p_alive`.

    References
    ----------
    FHL, equation 6; BDF, appendix A.
    """
    x, t_x, T = columns(x, t_x, T)
    n = x + params.first
    bought = log_rising(params.r, x) - x * np.log(params.alpha)
    stayed = log_rising(params.b, n) - log_rising(params.a + params.b, n)
    waited = (params.r + x) * np.log1p(T / params.alpha)
    left = np.where(n > 0, np.logaddexp(0.0, _log_odds(params, x, t_x, T)), 0.0)
    return bought + stayed - waited + left


def return_probability(
    params: Parameters, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
) -> Floats:
    """Probability of at least one purchase in the next `t`.

    Parameters
    ----------
    params : Parameters
    t : array-like of float >= 0
        Length of the window, in the time unit of the parameters; one for all or each their own.
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
    x, t_x, T = columns(x, t_x, T)
    missed = -(params.r + x) * np.log1p(np.asarray(t) / (params.alpha + T))
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
    p ~ Beta(a, b + n), independently. Given both, the purchases up to dropout or t are on average
    (1 − e^(−λ p t)) / p, since the stay is exponential with rate λ p. The mean over λ is
    (1 − (β / (β + p t))^s) / p, the mean over p a Gauss-Jacobi sum
    (`training.value.quadrature.purchases_while_alive`, relative error below 2e-12), and
    E[X(t) | x, t_x, T] = p_alive times that. It equals FHL's closed form, without the pole at
    a = 1 and without overflow for large x.

    References
    ----------
    FHL, equation 10.
    """
    x, t_x, T = columns(x, t_x, T)
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
    `training.value.discounting` of the expected purchases. At ten per cent a year and five years
    the relative error is below 3e-6 at worst and below 1e-9 in 95 of 100 cases of the grid of
    `training.value.quadrature`.
    """
    x, t_x, T = columns(x, t_x, T)
    alive = p_alive(params, x, t_x, T)
    chosen, member = spread((x, T))
    x, T = x[chosen], T[chosen]
    return alive * discounted(lambda u: _while_alive(params, u, x, T), t, rate)[member]


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
    FHL, equation 9; in MBG/NBD the first purchase itself may have been the last.
    """
    return float(expected_purchases(params, t, 0.0, 0.0, 0.0)[0])


def _log_odds(params: Parameters, x: Floats, t_x: Floats, T: Floats) -> Floats:
    """Logarithm of the odds of having left, where the customer could have."""
    n = np.maximum(x + params.first, 1.0)
    log_odds = np.log(params.a) - np.log(params.b + (n - 1.0))
    return log_odds + (params.r + x) * np.log1p((T - t_x) / (params.alpha + t_x))


def _while_alive(params: Parameters, t: float, x: Floats, T: Floats) -> Floats:
    """Expected purchases in the next `t` of customers who are still there."""
    scaled = t / (params.alpha + T)
    return purchases_while_alive(params.a, params.b + (x + params.first), params.r + x, scaled)
