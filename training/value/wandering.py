"""BG/NBD for customers whose rates wander: the past counts for no more than some last purchases.

BG/NBD takes a customer's rate for constant. Of someone with a hundred purchases it then knows the
rate to ten per cent, and declares them gone after a holiday; the next purchase shows that they were
not. Here a rate drifts, so that what is known of it is worth no more than `memory` purchases,
however long the history: the posterior Gamma(r + x, alpha + t_x) of the rate at the last purchase
is flattened to

    λ ~ Gamma(k (r + x), k (alpha + t_x)),    k = m / (m + r + x),

with the same mean. It says how likely the silence since is of someone who is there. To those who
are, the purchase that began the silence counts almost in full: their rate now is

    λ ~ Gamma(k (r + x) + (1 − k) c, k (alpha + t_x) + T − t_x)    (x > 0),
    c = 1 / E[1 / (m + ε)] − m,    ε ~ Exp(1).

Flattened as well, that purchase would count less than the silence after it; with this c, just below
one, buyers at a constant rate are expected to buy as they do, whatever the memory: m + c purchases
in m gaps and a silence of ε more. Everything else is BG/NBD, which is the limit m → ∞.
The parameters r, alpha, a, b are BG/NBD's; the memory m cannot be seen in
(frequency, recency, T) of one date and is chosen by what held-out windows say
(`training.families`). On groceries, CDNOW and a wholesaler's log it lowers the log-loss of the
return probability (docs/adr/0002).

References
----------
Harvey & Fernandes (1989), "Time series models for count or qualitative observations", Journal of
Business & Economic Statistics 7 (4), 407-417: a Poisson rate with a Gamma distribution whose shape
and inverse scale are discounted by the same factor, equations 2.6 and 2.7.
Fader, Hardie & Lee (2005), Marketing Science 24 (2), 275-284, for the rest.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exp1, expit

from training.errors import TrainingError
from training.value import bg_nbd
from training.value.counted import spread
from training.value.discounting import discounted
from training.value.histories import columns
from training.value.purchase_fit import Fit
from training.value.quadrature import purchases_while_alive

Floats = NDArray[np.float64]

#: Purchases that the past of a customer is worth, where nothing else is known.
MEMORY = 10.0
# From here on the first two terms of c in 1 / m have four digits, and eᵐ stays finite below.
_LONG = 300.0


@dataclass(frozen=True)
class Parameters:
    """Those of BG/NBD, and the memory.

    Parameters
    ----------
    r, alpha, a, b : float > 0
        As in `training.value.bg_nbd`.
    memory : float > 0
        Purchases that a customer's past is worth at most (m).
    """

    r: float
    alpha: float
    a: float
    b: float
    memory: float = MEMORY


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    memory: float = MEMORY,
) -> Fit[Parameters]:
    """Maximum-likelihood parameters of BG/NBD, and a given memory.

    Parameters
    ----------
    frequency, recency, T : array-like of float
        As in `training.value.bg_nbd.fit`, which also names the errors and warnings.
    weights : array-like of float >= 0, optional
        One when not given.
    memory : float > 0
        In purchases.

    Returns
    -------
    Fit

    Raises
    ------
    TrainingError
        If the memory is not a positive number.
    """
    if not (np.isfinite(memory) and memory > 0):
        raise TrainingError(f"Got memory = {memory}; expected a number of purchases above 0.")
    return remembered(bg_nbd.fit(frequency, recency, T, weights), memory)


def remembered(fit: Fit[Any], memory: float) -> Fit[Parameters]:
    """A fit of BG/NBD with a memory.

    Parameters
    ----------
    fit : Fit
        Of `training.value.bg_nbd`.
    memory : float > 0
        In purchases.

    Returns
    -------
    Fit
    """
    r, alpha, a, b = astuple(fit.params)
    return replace(fit, params=Parameters(r, alpha, a, b, memory))


def p_alive(params: Parameters, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
    """Probability that the customer has not dropped out yet.

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
        One for x = 0.

    Notes
    -----
    1 / (1 + d), d = a / (b + x − 1) (1 + (T − t_x) / (k (alpha + t_x)))^(k (r + x)).
    """
    x, t_x, T = columns(x, t_x, T)
    shape, last = _rate(params, x, t_x)
    odds = np.log(params.a) - np.log(params.b + (np.maximum(x, 1.0) - 1.0))
    return np.where(x > 0, expit(-(odds + shape * np.log1p((T - t_x) / last))), 1.0)


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
    p_alive · (1 − (A / (A + t))^s), s = k (r + x) + (1 − k) c, A = k (alpha + t_x) + T − t_x.
    """
    x, t_x, T = columns(x, t_x, T)
    shape, scale = _rate_now(params, x, t_x, T)
    return p_alive(params, x, t_x, T) * -np.expm1(-shape * np.log1p(np.asarray(t) / scale))


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
    As in BG/NBD, with the rate of those who are there
    (`training.value.quadrature.purchases_while_alive`).
    """
    return discounted_purchases(params, t, 0.0, x, t_x, T)


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
        Continuous discount rate per time unit.
    x, t_x, T : array-like of float
        As in `p_alive`.

    Returns
    -------
    ndarray of float64
        Between 0 and `expected_purchases`.
    """
    x, t_x, T = columns(x, t_x, T)
    chosen, member = spread((x, t_x, T))
    x, t_x, T = x[chosen], t_x[chosen], T[chosen]
    shape, scale = _rate_now(params, x, t_x, T)

    def while_alive(u: float) -> Floats:
        return purchases_while_alive(params.a, params.b + x, shape, u / scale)

    return (p_alive(params, x, t_x, T) * discounted(while_alive, t, rate))[member]


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
    """
    return float(expected_purchases(params, t, 0.0, 0.0, 0.0)[0])


def _kept(params: Parameters, x: Floats) -> Floats:
    """Share of what a history of x purchases tells that still counts (k)."""
    return params.memory / (params.memory + (params.r + x))


def _rate(params: Parameters, x: Floats, t_x: Floats) -> tuple[Floats, Floats]:
    """Shape and inverse scale of the rate at the last purchase."""
    kept = _kept(params, x)
    return kept * (params.r + x), kept * (params.alpha + t_x)


def _rate_now(params: Parameters, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Shape and inverse scale of the rate of those who are there."""
    shape, scale = _rate(params, x, t_x)
    lost = np.where(x > 0, 1.0 - _kept(params, x), 0.0)
    return shape + _last(params.memory) * lost, scale + (T - t_x)


def _last(memory: float) -> float:
    """What the last purchase counts for (c): 1 / (eᵐ E₁(m)) − m."""
    if memory > _LONG:
        return 1.0 - 1.0 / memory
    return float(1.0 / (np.exp(memory) * exp1(memory)) - memory)
