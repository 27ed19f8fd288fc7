"""Customers with known parameters: BG/NBD purchases of Gamma-Gamma value.

For tests and benchmarks. Exact draws in whole columns, no loop over customers or purchases: of a
Poisson number of purchases in the customer's age only those up to the drop-out happen, and the
last of them is an order statistic of uniform times.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from training.value.bg_nbd_forecast import Parameters as Purchases
from training.value.gamma_gamma import Parameters as Values

# Dropping out after more purchases than this is never.
_NEVER = 1e12


@dataclass(frozen=True)
class Truth:
    """Parameters to draw from; CDNOW's in days and dollars unless given.

    Parameters
    ----------
    purchases : training.value.bg_nbd.Parameters
        Fader, Hardie & Lee (2005), table 2: r .243, alpha 4.414 weeks, a .793, b 2.426.
    values : training.value.gamma_gamma.Parameters
        Fader & Hardie (2013): p 6.25, q 3.74, γ 15.44.
    """

    purchases: Purchases = field(default_factory=lambda: Purchases(0.243, 7 * 4.414, 0.793, 2.426))
    values: Values = field(default_factory=lambda: Values(6.25, 3.74, 15.44))


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
    λ ~ Gamma(r, alpha), p ~ Beta(a, b), the purchase K after which the customer leaves is
    geometric with p, and N ~ Poisson(λ T) independently; then x = min(N, K), and given N the x-th
    of N purchases is at T · Beta(x, N + 1 − x). The mean of x purchases of value Gamma(p, ν) is
    Gamma(p x, ν x), with ν ~ Gamma(q, v).
    """
    T = np.asarray(ages, dtype=np.float64)
    model, worth = truth.purchases, truth.values
    rate = random.gamma(model.r, 1.0 / model.alpha, T.size)
    dropout = random.beta(model.a, model.b, T.size)
    last = _geometric(dropout, random)
    chances = random.poisson(rate * T)
    x = np.minimum(chances, last)
    repeat = x > 0
    recency = np.zeros(T.size)
    recency[repeat] = T[repeat] * random.beta(x[repeat], chances[repeat] + 1.0 - x[repeat])
    scale = random.gamma(worth.q, 1.0 / worth.v, T.size)
    value = np.zeros(T.size)
    shape = worth.p * x[repeat]
    value[repeat] = random.gamma(shape, 1.0 / (scale[repeat] * x[repeat]))
    future = np.minimum(random.poisson(rate * horizon), np.maximum(last - chances, 0.0))
    spend = np.zeros(T.size)
    buys = future > 0
    spend[buys] = random.gamma(worth.p * future[buys], 1.0 / scale[buys])
    return pd.DataFrame(
        {
            "frequency": x.astype(np.int64),
            "recency": recency,
            "T": T,
            "monetary_value": value,
            "rate": rate,
            "dropout": dropout,
            "alive": last > chances,
            "mean_value": worth.p / scale,
            "future_purchases": future.astype(np.int64),
            "future_spend": spend,
        }
    )


def _geometric(probability: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Trials up to the first success, as float: none is too rare."""
    with np.errstate(divide="ignore"):
        trials = np.ceil(np.log1p(-random.random(probability.size)) / np.log1p(-probability))
    return np.clip(trials, 1.0, _NEVER)
