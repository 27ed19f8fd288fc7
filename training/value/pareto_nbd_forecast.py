"""What a Pareto/NBD model says about each customer: Schmittlein, Morrison & Colombo (1987).

In: the parameters and whole columns of frequency x, recency t_x and age T, in one time unit. Out:
the probability to be there still, the probability to come back within a window, the expected
purchases in it, plain and discounted, and the likelihood of the history. Finite for all finite
input.

All rest on one fact: a customer who is still there at age T has λ ~ Gamma(k, A) and μ ~ Gamma(s, B)
independently, with k = r + x, A = alpha + T and B = beta + T.

References
----------
FH: Fader & Hardie (2005), "A note on deriving the Pareto/NBD model and related expressions",
brucehardie.com note 009.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exprel

from training.value.counted import spread
from training.value.discounting import discounted
from training.value.gammas import log_rising
from training.value.histories import columns
from training.value.leaving import leaves_first

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
    s : float > 0
        Shape of the dropout rate over customers; small = very uneven.
    beta : float > 0
        Inverse scale of the dropout rate, in the time unit of the data; mean rate s / beta.
    """

    r: float
    alpha: float
    s: float
    beta: float


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
        One where t_x = T.

    Notes
    -----
    q / (q + h(t_x) − q h(T)), with q = ((alpha + t_x) / (alpha + T))^(r + x)
    ((beta + t_x) / (beta + T))^s the probability that someone there at t_x neither buys nor leaves
    until T, and h(y) that someone there at y leaves before buying (`training.value.leaving`).

    References
    ----------
    FH, equations 36 and 37.
    """
    log_quiet, left = _since(params, *columns(x, t_x, T))
    quiet = np.exp(log_quiet)
    return quiet / (quiet + left)


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
    ln Γ(r + x) / Γ(r) − x ln alpha − (r + x) ln(1 + t_x / alpha) − s ln(1 + t_x / beta)
    + ln(q + h(t_x) − q h(T)), with q and h of `p_alive`.

    References
    ----------
    FH, equation 18.
    """
    x, t_x, T = columns(x, t_x, T)
    log_quiet, left = _since(params, x, t_x, T)
    bought = log_rising(params.r, x) - x * np.log(params.alpha)
    waited = (params.r + x) * np.log1p(t_x / params.alpha) + params.s * np.log1p(t_x / params.beta)
    with np.errstate(divide="ignore"):
        return bought - waited + np.logaddexp(log_quiet, np.log(left))


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
    Given the rates, someone who is there comes back within t with probability
    λ / (λ + μ) (1 − e^(−(λ + μ) t)). Its mean over the rates is exact:
    1 − h(T) − (A / (A + t))^k (B / (B + t))^s (1 − h(T + t)), where h(y) is the probability that
    someone there at age y leaves before buying (`training.value.leaving`). For windows so short
    that this difference loses digits it is held between its bounds: w (B / (B + t))^s below, and w
    and the expected purchases above, with w = 1 − (A / (A + t))^k for someone who never leaves.

    References
    ----------
    One minus the probability of no purchase in Fader & Hardie (2014), "Deriving the conditional
    PMF of the Pareto/NBD model", brucehardie.com note 028, equation 16.
    """
    x, t_x, T = columns(x, t_x, T)
    t = np.broadcast_to(np.asarray(t, dtype=np.float64), x.shape)
    alive = p_alive(params, x, t_x, T)
    chosen, member = spread((x, T, t))
    return alive * _back_while_alive(params, t[chosen], x[chosen], T[chosen])[member]


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
    Someone who is still there buys k/A ∫₀ᵗ (1 + u/B)⁻ˢ du times on average, which is
    k/A · B l · (e^((1−s) l) − 1) / ((1−s) l) with l = ln(1 + t/B); the last factor is one at s = 1.
    E[X(t) | x, t_x, T] = p_alive times that.

    References
    ----------
    FH, equation 41.
    """
    x, t_x, T = columns(x, t_x, T)
    return p_alive(params, x, t_x, T) * _while_alive(params, t, x, T)


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
    the relative error is below 5e-6 at worst and below 1e-6 in 95 of 100 cases of s in
    [0.01, 300] and beta in [0.001, 10000] days.
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
    FH, equation 27.
    """
    return float(expected_purchases(params, t, 0.0, 0.0, 0.0)[0])


def _since(params: Parameters, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Of someone there at t_x who does not buy until T: ln P(also there at T), P(left by T).

    Both of all who were there at t_x: the probability of neither buying nor leaving, and that of
    leaving without buying.
    """
    log_quiet = -(params.r + x) * np.log1p((T - t_x) / (params.alpha + t_x))
    log_quiet -= params.s * np.log1p((T - t_x) / (params.beta + t_x))
    chosen, member = spread((np.append(x, x), np.append(t_x, T)))
    leaves = _leaves_first(params, np.append(x, x)[chosen], np.append(t_x, T)[chosen])[member]
    left = leaves[: x.size] - np.exp(log_quiet) * leaves[x.size :]
    return log_quiet, np.maximum(left, 0.0)


def _leaves_first(params: Parameters, x: Floats, y: Floats) -> Floats:
    """Probability that someone who is there at age y leaves before buying again."""
    return leaves_first(params.r + x, params.s, (params.alpha + y) / (params.beta + y))


def _back_while_alive(params: Parameters, t: Floats, x: Floats, T: Floats) -> Floats:
    """Probability of a purchase in the next `t` of customers who are still there."""
    missed = (params.r + x) * np.log1p(t / (params.alpha + T))
    survived = params.s * np.log1p(t / (params.beta + T))
    now, later = 1.0 - _leaves_first(params, x, T), 1.0 - _leaves_first(params, x, T + t)
    without_leaving = -np.expm1(-missed)
    back = np.maximum(now - np.exp(-missed - survived) * later, without_leaving * np.exp(-survived))
    return np.minimum(back, np.minimum(without_leaving, _while_alive(params, t, x, T)))


def _while_alive(params: Parameters, t: float | Floats, x: Floats, T: Floats) -> Floats:
    """Expected purchases in the next `t` of customers who are still there."""
    scale = params.beta + T
    fold = np.log1p(t / scale)
    stay = scale * fold * exprel((1.0 - params.s) * fold)
    return (params.r + x) / (params.alpha + T) * stay
