"""Maximum likelihood of the shifted-beta-geometric distribution, with an honest verdict.

In: how many renewals customers have made and whether they still run, with counts. Out: α and β,
their uncertainty, and whether the data can tell them at all. A prior draws a small group to the
parameters of all (`training.subscriptions.plans`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import NotEnoughData
from training.subscriptions.retention import Parameters
from training.value.maximum import Box, maximise

Floats = NDArray[np.float64]
Verdict = Literal["converged", "boundary", "failed"]

# In logit of the mean probability to end, and log of α + β: beyond, no data could tell.
_BOX = Box(np.array([-12.0, -5.0]), np.array([12.0, 12.0]))
_STARTS = np.array([[m, s] for m in (-2.5, -0.5) for s in (-0.5, 1.5, 4.0)])
_LIMITS = {
    (0, "low"): "nobody seems to leave",
    (0, "high"): "everyone seems to leave at the first renewal",
    (1, "low"): "some seem to leave at once and the others never",
    (1, "high"): "all customers seem to leave at one and the same rate",
}


@dataclass(frozen=True)
class Histories:
    """Customers by what is known of their renewals.

    Parameters
    ----------
    renewals : ndarray of shape (k,)
        Renewals made (n >= 0).
    active : ndarray of bool of shape (k,)
        Whether they still run; the others ended at renewal n + 1.
    counts : ndarray of shape (k,)
        How many customers each row stands for, above 0.
    """

    renewals: Floats
    active: NDArray[np.bool_]
    counts: Floats

    @classmethod
    def of(
        cls, renewals: ArrayLike, active: ArrayLike, counts: ArrayLike | None = None
    ) -> Histories:
        """Check and keep; a count of one each where none is given.

        Raises
        ------
        ValueError
            If a number of renewals is negative or no number, or lengths differ.
        """
        n = np.asarray(renewals, dtype=np.float64)
        runs = np.asarray(active, dtype=bool)
        weight = np.ones_like(n) if counts is None else np.asarray(counts, dtype=np.float64)
        if not (n.ndim == 1 and n.shape == runs.shape == weight.shape):
            raise ValueError(f"Got shapes {n.shape}, {runs.shape}, {weight.shape}; expected one.")
        if not (np.all(n >= 0) and np.all(np.isfinite(n)) and np.all(weight >= 0)):
            raise ValueError("Got negative or missing renewals or counts; expected 0 or more.")
        kept = weight > 0
        return cls(n[kept], runs[kept], weight[kept])

    @property
    def size(self) -> float:
        """Number of customers."""
        return float(self.counts.sum())

    @property
    def ended(self) -> float:
        """Customers who left."""
        return float(self.counts[~self.active].sum())

    @property
    def opportunities(self) -> float:
        """Renewals that came up: those made, and one more of each who left."""
        return float(self.counts @ self.renewals) + self.ended


@dataclass(frozen=True)
class Prior:
    """Where a group's parameters are expected, in the coordinates of the search.

    Parameters
    ----------
    logit_churn, log_spread : float
        Centre: logit of α/(α + β), and log of α + β.
    sd : float > 0
        Standard deviation in both.
    """

    logit_churn: float
    log_spread: float
    sd: float


@dataclass(frozen=True)
class Fit:
    """What the data say of the two parameters.

    Parameters
    ----------
    params : Parameters
    log_likelihood : float
        Of the data, without a prior.
    verdict : {"converged", "boundary", "failed"}
        ``boundary``: the data cannot tell a parameter from its limit; what the model says of
        customers is still right.
    message : str
        The verdict in words.
    errors : tuple of float, or None
        Standard errors of logit α/(α + β) and of log(α + β); None unless converged.
    customers : float
        Customers it rests on.
    """

    params: Parameters
    log_likelihood: float
    verdict: Verdict
    message: str
    errors: tuple[float, float] | None
    customers: float

    @property
    def coordinates(self) -> tuple[float, float]:
        """Logit of the mean probability to end, and log of α + β."""
        a, b = self.params.alpha, self.params.beta
        return float(np.log(a / b)), float(np.log(a + b))


def cohort(survivors: ArrayLike) -> Histories:
    """Histories of one cohort from how many were left after each renewal.

    Parameters
    ----------
    survivors : array-like of shape (periods + 1,)
        Customers at the start, then those left after the first renewal, the second, …

    Returns
    -------
    Histories

    Raises
    ------
    ValueError
        If the numbers rise or are negative.
    """
    left = np.asarray(survivors, dtype=np.float64)
    lost = -np.diff(left)
    if left.ndim != 1 or left.size < 2 or np.any(lost < 0) or left[-1] < 0:
        shown = ", ".join(f"{number:g}" for number in np.ravel(left))
        raise ValueError(f"Got survivors {shown}; expected two or more numbers that never rise.")
    periods = lost.size
    renewals = np.append(np.arange(periods), periods)
    return Histories.of(renewals, np.arange(periods + 1) == periods, np.append(lost, left[-1]))


def fit(histories: Histories, prior: Prior | None = None) -> Fit:
    """Find the most likely parameters.

    Parameters
    ----------
    histories : Histories
    prior : Prior, optional
        Draws to its centre what the histories leave open.

    Returns
    -------
    Fit

    Raises
    ------
    NotEnoughData
        If no renewal has come up yet, and no prior is given.

    Notes
    -----
    Maximises Σ cᵢ ln P(T = nᵢ + 1) over those who left plus Σ cᵢ ln S(nᵢ) over those who run
    (equations 5 and 6 of Fader & Hardie 2007), in logit α/(α + β) and log(α + β), which hang
    together far less than α and β.
    """
    if histories.opportunities <= 0 and prior is None:
        raise NotEnoughData(
            "no renewal has come up yet, so nothing is known of who renews; read a longer history"
        )

    def objective(at: Floats) -> tuple[float, Floats]:
        value, slope = _log_likelihood(at, histories)
        if prior is not None:
            away = (at - (prior.logit_churn, prior.log_spread)) / prior.sd
            value, slope = value - 0.5 * float(away @ away), slope - away / prior.sd
        return value, slope

    found = maximise(objective, _STARTS, _BOX, max(histories.size, 1.0))
    params = _parameters(found.at)
    errors = None
    if found.covariance is not None:
        spread = np.sqrt(np.diag(found.covariance))
        errors = (float(spread[0]), float(spread[1]))
    return Fit(
        params=params,
        log_likelihood=log_likelihood(params, histories),
        verdict=found.verdict,
        message="; ".join(_LIMITS[limit] for limit in found.limits) or found.verdict,
        errors=errors,
        customers=histories.size,
    )


def log_likelihood(parameters: Parameters, histories: Histories) -> float:
    """Log-likelihood of the histories.

    Parameters
    ----------
    parameters : Parameters
    histories : Histories

    Returns
    -------
    float
    """
    a, b = parameters.alpha, parameters.beta
    at = np.array([np.log(a / b), np.log(a + b)])
    return _log_likelihood(at, histories)[0]


def _parameters(at: Floats) -> Parameters:
    from scipy.special import expit

    spread = np.exp(at[1])
    return Parameters(float(expit(at[0]) * spread), float(expit(-at[0]) * spread))


def _log_likelihood(at: Floats, histories: Histories) -> tuple[float, Floats]:
    """Value, and slope in logit α/(α + β) and log(α + β)."""
    from scipy.special import betaln, digamma, expit

    params = _parameters(at)
    a, b, n = params.alpha, params.beta, histories.renewals
    left = (~histories.active).astype(np.float64)
    values = betaln(a + left, b + n) - betaln(a, b)
    total, after = digamma(a + b), digamma(a + b + n + left)
    # ψ(α + 1) − ψ(α) is 1/α, where somebody left.
    by_alpha = histories.counts @ (total - after + left / a)
    by_beta = histories.counts @ (digamma(b + n) - digamma(b) + total - after)
    share = expit(at[0])
    turn = np.exp(at[1]) * share * (1.0 - share)
    slope = np.array([turn * (by_alpha - by_beta), a * by_alpha + b * by_beta])
    return float(histories.counts @ values), slope
