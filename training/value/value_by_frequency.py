"""Gamma-Gamma for when value and frequency go together.

Gamma-Gamma takes the value of a purchase to be independent of how often a customer buys. Where it
is not (wholesalers who come often and take much), values are first divided by

    g(x) = max(x, 1)^s,

and Gamma-Gamma holds for what is left; s = 0 is independence. In: frequency x and mean value of the
repeat purchases m. Out: the slope s with the parameters, and a likelihood-ratio test of s = 0.
Nothing is extrapolated to customers without a repeat purchase: they are taken for such with one.

References
----------
Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", brucehardie.com note 025, which
asks for the check of independence.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

from training.errors import StatisticalWarning
from training.value import gamma_gamma
from training.value.gamma_gamma_likelihood import collect

Floats = NDArray[np.float64]

#: No slope is steeper: value cannot grow faster than frequency for long.
STEEPEST = 1.0
_TOLERANCE = 5e-3


@dataclass(frozen=True)
class Fit:
    """Values by frequency, and whether they need it.

    Parameters
    ----------
    values : training.value.gamma_gamma.Fit
        Of the values divided by g(x).
    slope : float in [-1, 1]
        s; the maximum-likelihood one.
    statistic : float >= 0
        Twice the gain in log-likelihood over s = 0.
    p_value : float in [0, 1]
        Of that, were value and frequency independent: chi-square with one degree of freedom.
    """

    values: gamma_gamma.Fit
    slope: float
    statistic: float
    p_value: float


def fit(frequency: ArrayLike, monetary_value: ArrayLike) -> Fit:
    """Maximum-likelihood slope and parameters.

    Parameters
    ----------
    frequency : array-like of float >= 0
        Repeat purchases (x).
    monetary_value : array-like of float
        Mean value of the repeat purchases (m), in money; rows that Gamma-Gamma leaves out are left
        out here.

    Returns
    -------
    Fit
        With slope 0 where there are too few customers for Gamma-Gamma itself.

    Raises
    ------
    TrainingError, NotEnoughData
        As `training.value.gamma_gamma.fit`.

    Notes
    -----
    A density of m / g(x) is one of m times 1 / g(x), so that the log-likelihood at s is that of
    Gamma-Gamma for m / g(x) less Σ ln g(x); it is maximised over s by golden section.
    """
    rows = collect(frequency, monetary_value, None)
    with warnings.catch_warnings():
        # What the warnings are about is tested here.
        warnings.simplefilter("ignore", StatisticalWarning)
        plain = gamma_gamma.fit(frequency, monetary_value)
        if plain.verdict in ("mean", "failed"):
            return Fit(plain, 0.0, 0.0, 1.0)
        logs = float(np.log(rows.x).sum())

        def loss(slope: float) -> float:
            leaned = gamma_gamma.fit(rows.x, rows.m / scale(rows.x, slope))
            return slope * logs - leaned.log_likelihood

        bounds = (-STEEPEST, STEEPEST)
        found = minimize_scalar(loss, bounds=bounds, options={"xatol": _TOLERANCE})
        slope = float(found.x)
        leaned = gamma_gamma.fit(rows.x, rows.m / scale(rows.x, slope))
    statistic = max(0.0, -2.0 * (float(found.fun) + plain.log_likelihood))
    return Fit(leaned, slope, statistic, float(chi2.sf(statistic, 1)))


def scale(x: ArrayLike, slope: float) -> Floats:
    """What a value is divided by, g(x).

    Parameters
    ----------
    x : array-like of float >= 0
        Repeat purchases.
    slope : float

    Returns
    -------
    ndarray of float64 > 0
    """
    return np.asarray(np.maximum(np.asarray(x, dtype=np.float64), 1.0) ** slope)


def expected_value(
    params: gamma_gamma.Parameters, slope: float, x: ArrayLike, m: ArrayLike
) -> Floats:
    """Expected value of a customer's next purchases.

    Parameters
    ----------
    params : training.value.gamma_gamma.Parameters
        Of the values divided by g(x).
    slope : float
        s; at 0 the answer is Gamma-Gamma's, to the last bit.
    x : array-like of float >= 0
        Repeat purchases (frequency).
    m : array-like of float
        Their mean value, in money.

    Returns
    -------
    ndarray of float64 > 0
        In money.

    Notes
    -----
    g(x) times Gamma-Gamma's expectation for m / g(x).
    """
    by = scale(x, slope)
    return by * gamma_gamma.expected_value(params, x, np.asarray(m, dtype=np.float64) / by)
