"""The Gamma-Gamma model of what a purchase is worth: Fader & Hardie (2013).

A customer's purchases are worth z ~ Gamma(p, ν) each, and ν ~ Gamma(q, v) over customers,
independently of how often they buy. In: frequency x and mean value of the repeat purchases m.
Out: the parameters (`fit`) and the expected value of a customer's next purchases.

References
----------
FH: Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", brucehardie.com note 025
(there v is written γ).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import NotEnoughData, StatisticalWarning
from training.value import gamma_gamma_likelihood as likelihood
from training.value.maximum import Box, Maximum, Objective, maximise
from training.value.purchase_fit import errors_of, rows_of

Floats = NDArray[np.float64]

# With fewer repeat customers three parameters are guesses, and the plain mean is used.
FEWEST_REPEATERS = 30
# Beyond this the independence of frequency and value, on which the model rests, is in doubt.
CORRELATED = 0.3
# A fitted population mean this many times above or below the observed one is an artefact.
_FAR = 2.0
_SKETCH = 20_000
# Search box in (p, q − 1, population mean over observed mean).
_BOX = Box(np.log([1e-4, 1e-3, 1e-2]), np.log([1e5, 1e5, 1e2]))
_STARTS = np.log([[1.0, 2.0, 1.0], [6.0, 3.0, 1.0], [0.2, 10.0, 1.0]])
# So large that the mean of ten thousand purchases still counts for nothing.
_NO_SPREAD = 1e12
_LIMITS = {
    (0, "low"): "the value of a customer's purchases varies without measure",
    (0, "high"): "each customer's purchases seem to be worth always the same",
    (1, "low"): "values differ so much between customers that they have no finite mean",
    (1, "high"): "all customers seem to spend alike",
    (2, "low"): "the fitted mean is far below the observed one",
    (2, "high"): "the fitted mean is far above the observed one",
}


@dataclass(frozen=True)
class Parameters:
    """The three parameters.

    Parameters
    ----------
    p : float > 0
        Shape of a customer's purchase values; large = always the same.
    q : float > 1
        Shape over customers; large = all alike. The population mean is finite from 1 on.
    v : float > 0
        Scale over customers, in money (γ in the paper). Population mean p v / (q − 1).
    """

    p: float
    q: float
    v: float

    @property
    def mean(self) -> float:
        """Mean value of a purchase over the population, in money."""
        return self.p * (self.v / (self.q - 1.0))


@dataclass(frozen=True)
class Fit:
    """A fitted value model and how sure one can be of it.

    Parameters
    ----------
    params : Parameters
    log_likelihood : float
        At the parameters.
    verdict : {"converged", "boundary", "failed", "mean"}
        A maximum inside the parameter space; parameters at a limit, which the message names; no
        maximum found; or too few customers, so that everybody gets the plain mean.
    message : str
        The verdict in plain words.
    customers : float
        Customers with a repeat purchase of positive value, or their total weight.
    iterations : int
        Steps of the search.
    correlation : float in [-1, 1]
        Spearman's rank correlation of frequency and mean value, which the model takes to be 0.
    relative_errors : tuple of float, or None
        Standard errors of ln p, ln(q − 1) and the log of the population mean; None unless
        converged.
    covariance : tuple of tuple of float, or None
        Covariance of these three.
    """

    params: Parameters
    log_likelihood: float
    verdict: Literal["converged", "boundary", "failed", "mean"]
    message: str
    customers: float
    iterations: int
    correlation: float
    relative_errors: tuple[float, ...] | None
    covariance: tuple[tuple[float, ...], ...] | None = None


def log_likelihood(
    params: Parameters, x: ArrayLike, m: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Log-likelihood of the customers with a repeat purchase of positive value.

    Parameters
    ----------
    params : Parameters
    x : array-like of float >= 0
        Repeat purchases (frequency).
    m : array-like of float
        Their mean value, in money. Rows with x = 0 or m <= 0 are left out.
    weights : array-like of float >= 0, optional
        How many customers each row stands for; one when not given.

    Returns
    -------
    float

    Notes
    -----
    Written out in `training.value.gamma_gamma_likelihood`.

    References
    ----------
    FH, equation 1a.
    """
    rows = likelihood.collect(x, m, weights)
    return likelihood.log_likelihood(rows, params.p, params.q, params.v)[0]


def fit(frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None) -> Fit:
    """Maximum-likelihood parameters.

    Parameters
    ----------
    frequency : array-like of float >= 0
        Repeat purchases (x).
    monetary_value : array-like of float
        Mean value of the repeat purchases (m), in money. Rows without a repeat purchase or with
        a value of 0 or less are left out.
    weights : array-like of float >= 0, optional
        How many customers each row stands for; one when not given.

    Returns
    -------
    Fit

    Raises
    ------
    TrainingError
        If a value is not a finite number.
    NotEnoughData
        If no customer has a repeat purchase of positive value.

    Warns
    -----
    StatisticalWarning
        If the verdict is not "converged", or frequency and value are correlated by more than
        `CORRELATED`.

    Notes
    -----
    The search works in ln p, ln(q − 1) and the log of the population mean μ = p v / (q − 1), with
    money in units of the observed mean: q > 1 always, so that μ is finite. Where the best q is at
    1, or μ comes out more than twice or less than half the observed mean (whose expectation it
    is), values have too heavy a tail for the model to know its own mean; then μ is held at the
    observed mean and the verdict is "boundary". The plain mean for fewer than `FEWEST_REPEATERS`
    customers is the model's own limit q → ∞ at that mean.
    """
    rows = likelihood.collect(frequency, monetary_value, weights)
    if rows.customers <= 0:
        raise NotEnoughData(
            "Got no customer with a repeat purchase of positive value; expected at least one to "
            "say what a purchase is worth. Give a longer history."
        )
    correlation = likelihood.rank_correlation(rows)
    if rows.customers < FEWEST_REPEATERS:
        return _plain_mean(rows, correlation)
    if abs(correlation) > CORRELATED:
        warnings.warn(
            f"Frequency and value of purchases have a rank correlation of {correlation:.2f}; the "
            "value model takes them to be independent. Read values by frequency with care.",
            StatisticalWarning,
            stacklevel=2,
        )
    found, pinned = _search(rows)
    return _judged(found, pinned, rows, correlation)


def expected_value(params: Parameters, x: ArrayLike, m: ArrayLike) -> Floats:
    """Expected value of a customer's next purchases.

    Parameters
    ----------
    params : Parameters
    x : array-like of float >= 0
        Repeat purchases (frequency).
    m : array-like of float
        Their mean value, in money.

    Returns
    -------
    ndarray of float64 > 0
        In money: between the customer's own mean and the population's; the population's where
        x = 0 or m <= 0.

    Notes
    -----
    w m + (1 − w) μ with w = p x / (p x + q − 1) and μ = p v / (q − 1).

    References
    ----------
    FH, equation 5.
    """
    x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    own = np.where((x > 0) & (m > 0), params.p * x, 0.0)
    weight = own / (own + (params.q - 1.0))
    return weight * np.where(own > 0, m, 0.0) + (1.0 - weight) * params.mean


def _parameters(at: Floats) -> tuple[float, float, float]:
    """(ln p, ln(q − 1), ln μ) -> p, q, v."""
    p, beyond_one, mean = np.exp(at)
    return float(p), float(1.0 + beyond_one), float(mean * beyond_one / p)


def _objective(rows: likelihood.Rows) -> Objective:
    """The log-likelihood in the coordinates of the search."""

    def objective(at: Floats) -> tuple[float, Floats]:
        p, q, v = _parameters(at)
        value, (slope_p, slope_q, slope_v) = likelihood.log_likelihood(rows, p, q, v)
        scale = v * slope_v
        return value, np.array([p * slope_p - scale, (q - 1.0) * slope_q + scale, scale])

    return objective


def _search(rows: likelihood.Rows) -> tuple[Maximum, bool]:
    """Find the maximum with money in units of the mean; again with that mean if it strays."""
    rows = likelihood.in_units(rows, rows.mean)
    objective, sketch = _objective(rows), _objective(likelihood.thinned(rows, _SKETCH))
    found = maximise(objective, _STARTS, _BOX, rows.customers, sketch)
    astray = abs(found.at[2]) > np.log(_FAR) or (1, "low") in found.limits
    if not astray:
        return found, False
    pinned = Box(_BOX.low * [1, 1, 0], _BOX.high * [1, 1, 0])
    return maximise(objective, _STARTS, pinned, rows.customers, sketch), True


def _judged(found: Maximum, pinned: bool, rows: likelihood.Rows, correlation: float) -> Fit:
    """The maximum in the data's own money, with its verdict in words."""
    p, q, v = _parameters(found.at)
    verdict = found.verdict
    said = [_LIMITS[limit] for limit in found.limits]
    if pinned:
        said = ["values are too uneven to know their own mean, which is held at the observed one"]
        verdict = "failed" if verdict == "failed" else "boundary"
    message = {
        "converged": "The value model converged.",
        "boundary": f"The value model is at a limit of what it can say: {'; '.join(said)}.",
        "failed": "The value model did not converge; its values may be far off.",
    }[verdict]
    if verdict != "converged":
        warnings.warn(message, StatisticalWarning, stacklevel=3)
    spread = found.covariance if verdict == "converged" else None
    params = Parameters(p, q, v * rows.mean)
    return Fit(
        params=params,
        log_likelihood=likelihood.log_likelihood(rows, params.p, params.q, params.v)[0],
        verdict=verdict,
        message=message,
        customers=rows.customers,
        iterations=found.iterations,
        correlation=correlation,
        relative_errors=errors_of(spread),
        covariance=rows_of(spread),
    )


def _plain_mean(rows: likelihood.Rows, correlation: float) -> Fit:
    """Everybody's value is the mean: the model with no spread between customers."""
    message = (
        f"Only {rows.customers:g} customers have a repeat purchase of positive value, and the "
        f"value model needs {FEWEST_REPEATERS}: every purchase is taken to be worth the mean."
    )
    warnings.warn(message, StatisticalWarning, stacklevel=3)
    params = Parameters(1.0, 1.0 + _NO_SPREAD, rows.mean * _NO_SPREAD)
    return Fit(
        params=params,
        log_likelihood=likelihood.log_likelihood(rows, params.p, params.q, params.v)[0],
        verdict="mean",
        message=message,
        customers=rows.customers,
        iterations=0,
        correlation=correlation,
        relative_errors=None,
    )
