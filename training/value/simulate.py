"""Customers with known parameters: BG/NBD, MBG/NBD or Pareto/NBD purchases of Gamma-Gamma value.

For tests and benchmarks. Exact draws in whole columns, no loop over customers or purchases: of a
Poisson number of purchases in the customer's age only those up to the drop-out happen, and the
last of them is an order statistic of uniform times.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from training.value.bg_nbd_forecast import Parameters as Purchases
from training.value.gamma_gamma import Parameters as Values
from training.value.pareto_nbd_forecast import Parameters as ParetoPurchases

Floats = NDArray[np.float64]

# Dropping out after more purchases than this is never.
_NEVER = 1e12


@dataclass(frozen=True)
class Truth:
    """Parameters to draw from; CDNOW's in days and dollars unless given.

    Parameters
    ----------
    purchases : Parameters of training.value.bg_nbd, mbg_nbd or pareto_nbd
        Fader, Hardie & Lee (2005), table 2: r .243, alpha 4.414 weeks, a .793, b 2.426. Their class
        says which process is drawn.
    values : training.value.gamma_gamma.Parameters
        Fader & Hardie (2013): p 6.25, q 3.74, γ 15.44.
    """

    purchases: Purchases | ParetoPurchases = field(
        default_factory=lambda: Purchases(0.243, 7 * 4.414, 0.793, 2.426)
    )
    values: Values = field(default_factory=lambda: Values(6.25, 3.74, 15.44))


@dataclass(frozen=True)
class _Drawn:
    """Histories, and what bounds the purchases ahead.

    Parameters
    ----------
    rate, dropout : ndarray
        The hidden rate of buying, and the probability or rate of leaving.
    x, recency : ndarray
        Repeat purchases and the age at the last.
    alive : ndarray of bool
    time_left, purchases_left : ndarray
        How much of the horizon the customer is there for, and how many purchases they have left.
    """

    rate: Floats
    dropout: Floats
    x: NDArray[np.int64]
    recency: Floats
    alive: NDArray[np.bool_]
    time_left: Floats
    purchases_left: Floats


def simulate(
    truth: Truth, ages: ArrayLike, horizon: float, random: np.random.Generator
) -> pd.DataFrame:
    """Draw customers, their history and what they do next.

    Parameters
    ----------
    truth : Truth
    ages : array-like of float >= 0, shape (customers,)
        Time since the first purchase (T), in days.
    horizon : float >= 0
        Length of the window ahead, in days.
    random : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    DataFrame
        One row a customer: frequency, recency, T, monetary_value (0 without repeat purchase); the
        hidden rate, dropout, alive (bool) and mean_value; future_purchases and future_spend in the
        horizon. Times are in fractions of a day.

    Notes
    -----
    λ ~ Gamma(r, alpha) and N ~ Poisson of purchases at that rate. In BG/NBD, p ~ Beta(a, b), the
    repeat purchase K after which the customer leaves is geometric with p (one less in MBG/NBD,
    where the first purchase counts), N is of the whole age T, x = min(N, K), and given N the x-th
    of N purchases is at T · Beta(x, N + 1 − x). In Pareto/NBD, μ ~ Gamma(s, beta), the stay is
    exponential with μ, N = x is of the time both stayed and observed, and the last of them at
    that time · Beta(x, 1). The mean of x purchases of value Gamma(p, ν) is Gamma(p x, ν x), with
    ν ~ Gamma(q, v).
    """
    T = np.asarray(ages, dtype=np.float64)
    drawn = _drawn(truth.purchases, T, horizon, random)
    worth, x = truth.values, drawn.x
    repeat = x > 0
    scale = random.gamma(worth.q, 1.0 / worth.v, T.size)
    value = np.zeros(T.size)
    shape = worth.p * x[repeat]
    value[repeat] = random.gamma(shape, 1.0 / (scale[repeat] * x[repeat]))
    future = np.minimum(random.poisson(drawn.rate * drawn.time_left), drawn.purchases_left)
    spend = np.zeros(T.size)
    buys = future > 0
    spend[buys] = random.gamma(worth.p * future[buys], 1.0 / scale[buys])
    return pd.DataFrame(
        {
            "frequency": x.astype(np.int64),
            "recency": drawn.recency,
            "T": T,
            "monetary_value": value,
            "rate": drawn.rate,
            "dropout": drawn.dropout,
            "alive": drawn.alive,
            "mean_value": worth.p / scale,
            "future_purchases": future.astype(np.int64),
            "future_spend": spend,
        }
    )


def _drawn(
    model: Purchases | ParetoPurchases, T: Floats, horizon: float, random: np.random.Generator
) -> _Drawn:
    """Histories of the process that the parameters are of."""
    rate = random.gamma(model.r, 1.0 / model.alpha, T.size)
    recency = np.zeros(T.size)
    if isinstance(model, ParetoPurchases):
        dropout = random.gamma(model.s, 1.0 / model.beta, T.size)
        with np.errstate(divide="ignore"):
            stay = random.exponential(1.0, T.size) / dropout
        seen = np.minimum(stay, T)
        x = random.poisson(rate * seen)
        repeat = x > 0
        recency[repeat] = seen[repeat] * random.beta(x[repeat], 1.0)
        time_left, purchases_left = np.clip(stay - T, 0.0, horizon), np.full(T.size, np.inf)
        return _Drawn(rate, dropout, x, recency, stay > T, time_left, purchases_left)
    dropout = random.beta(model.a, model.b, T.size)
    last = _geometric(dropout, random) - model.first
    chances = random.poisson(rate * T)
    x = np.minimum(chances, last)
    repeat = x > 0
    recency[repeat] = T[repeat] * random.beta(x[repeat], chances[repeat] + 1.0 - x[repeat])
    purchases_left = np.maximum(last - chances, 0.0)
    time_left = np.full(T.size, horizon)
    return _Drawn(rate, dropout, x, recency, last > chances, time_left, purchases_left)


def _geometric(probability: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Trials up to the first success, as float: none is too rare."""
    with np.errstate(divide="ignore"):
        trials = np.ceil(np.log1p(-random.random(probability.size)) / np.log1p(-probability))
    return np.clip(trials, 1.0, _NEVER)
