"""Retention by the shifted-beta-geometric distribution (sBG): survival, rates, lifetimes.

In: the two parameters. Out: what a cohort does renewal by renewal, and what is to be expected of
a customer who has renewed a number of times. Each customer ends at every renewal with a
probability of their own, which never changes; the probabilities differ by a beta distribution.
So the retention rate of a cohort rises although nobody grows more loyal: those who were going to
leave have left.

Symbols of Fader & Hardie (2007), "How to project customer retention", Journal of Interactive
Marketing 21(1), and (2010), "Customer-base valuation in a contractual setting: the perils of
ignoring heterogeneity", Marketing Science 29(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Beta distribution of the probability θ to end at a renewal.

    Parameters
    ----------
    alpha, beta : float > 0
        θ ~ Beta(α, β), with mean α/(α + β). α + β large: all alike; small: some leave at once and
        the others stay.
    """

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if not (0 < self.alpha < np.inf and 0 < self.beta < np.inf):
            raise ValueError(f"Got {self}; expected two finite numbers above 0.")

    @property
    def churn(self) -> float:
        """Mean probability to end at the first renewal, α/(α + β)."""
        return self.alpha / (self.alpha + self.beta)


def survival(parameters: Parameters, renewals: ArrayLike, survived: ArrayLike = 0) -> Floats:
    """Chance to get through some more renewals.

    Parameters
    ----------
    parameters : Parameters
    renewals : array-like of float >= 0
        Renewals ahead (t).
    survived : array-like of float >= 0, default 0
        Renewals made already (n).

    Returns
    -------
    ndarray in [0, 1]
        S(n + t)/S(n) = B(α, β + n + t)/B(α, β + n), with S of equation 6 (2007).
    """
    from scipy.special import betaln

    a, b = parameters.alpha, parameters.beta + np.asarray(survived, dtype=np.float64)
    ahead = betaln(a, b + np.asarray(renewals, dtype=np.float64)) - betaln(a, b)
    return np.exp(np.minimum(ahead, 0.0))


def ending(parameters: Parameters, survived: ArrayLike) -> Floats:
    """Chance to end at the next renewal: one less the retention rate.

    Parameters
    ----------
    parameters : Parameters
    survived : array-like of float >= 0
        Renewals made already (n).

    Returns
    -------
    ndarray in (0, 1)
        1 − r = α/(α + β + n), with the retention rate r of equation 8 (2007) for t = n + 1.
    """
    n = np.asarray(survived, dtype=np.float64)
    return parameters.alpha / (parameters.alpha + parameters.beta + n)


def expected_renewals(parameters: Parameters, survived: ArrayLike, ahead: int) -> Floats:
    """Renewals that a customer is expected to make out of the next few.

    Parameters
    ----------
    parameters : Parameters
    survived : array-like of float >= 0
        Renewals made already (n).
    ahead : int >= 0
        How many renewals are looked at (J).

    Returns
    -------
    ndarray in [0, J]
        Σ S(n + j)/S(n) over j = 1..J.
    """
    n = np.atleast_1d(np.asarray(survived, dtype=np.float64))
    steps = np.arange(1, ahead + 1, dtype=np.float64)
    return survival(parameters, steps, n[..., None]).sum(axis=-1).reshape(np.shape(survived))


def residual_lifetime(parameters: Parameters, survived: ArrayLike, discount: float) -> Floats:
    """Discounted expected residual lifetime (DERL), in renewals, without an end in time.

    Parameters
    ----------
    parameters : Parameters
    survived : array-like of float >= 0
        Renewals made already (n − 1 in the paper, whose n counts the running period).
    discount : float >= 0
        Rate per period (d): a renewal j periods after the next one counts (1 + d)^−j.

    Returns
    -------
    ndarray >= 0
        Seen right before the next renewal: Σ S(n + j)/S(n) · (1 + d)^−(j − 1) over j = 1, 2, …
        Infinite without discount where α <= 1: some then stay for ever.

    Notes
    -----
    (β + n)/(α + β + n) · ₂F₁(1, β + n + 1; α + β + n + 1; 1/(1 + d)), equation 6 (2010). Without
    discount the sum is (β + n)/(α − 1).
    """
    from scipy.special import hyp2f1

    a, b = parameters.alpha, parameters.beta + np.asarray(survived, dtype=np.float64)
    if discount < 0:
        raise ValueError(f"Got discount={discount}; expected 0 or more.")
    if discount == 0:
        return b / (a - 1.0) if a > 1 else np.full_like(b, np.inf)
    return b / (a + b) * hyp2f1(1.0, b + 1.0, a + b + 1.0, 1.0 / (1.0 + discount))
