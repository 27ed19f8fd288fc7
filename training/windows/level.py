"""How high a whole window lies: the season and the drift that the value model does not know.

In: past snapshots with what came of them, and the value model's answers for them. Out: how much
more the customers returned, bought and spent than it said, and from that what to expect of the
window ahead. Who buys is one question, how much all buy together another: this is the other.

Rule: the same window one year earlier speaks, when at least half a year of log lies behind it;
it knows the season. Else the newest finished window speaks, for a part of what it says: levels
fade, the longer the windows the less of one is left in the next. Else nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from training.windows.panel import YEAR_DAYS

if TYPE_CHECKING:
    import pandas as pd

    from training.windows.known import Known

#: Days of log that a year-old window needs behind it.
HISTORY_DAYS = 180
#: Days in which what lifts a day has faded to 1/e. Of 10 to 90 days, 20 was best on the whole on
#: what came before the test windows of CDNOW, Complete Journey and Online Retail II.
MEMORY_DAYS = 20.0
#: No window is taken to lie further off than this, as a factor or its inverse.
FURTHEST = 4.0

_EDGE = 1e-9


@dataclass(frozen=True)
class Level:
    """How far a window lies above the value model.

    Attributes
    ----------
    returns : float
        Log-odds that all return probabilities move by.
    purchases, spend : float
        Log of the factor on the total.
    source : {"last year", "newest window", "none"}
        Where it is known from.
    """

    returns: float = 0.0
    purchases: float = 0.0
    spend: float = 0.0
    source: str = "none"

    def part(self, share: float, source: str) -> Level:
        """A share of the deviation, named by its source."""
        return Level(self.returns * share, self.purchases * share, self.spend * share, source)

    def in_words(self) -> str:
        """The level as a sentence for the model card."""
        if self.source == "none":
            return "No finished window tells the season: totals are the value model's own."
        told = ", ".join(
            f"{name} {np.expm1(getattr(self, name)):+.0%}" for name in ("purchases", "spend")
        )
        where = {
            "last year": "the same window a year earlier",
            "newest window": "the part that lasts of what the newest window showed",
        }[self.source]
        return f"Totals against the value model alone, from {where}: {told}."


def of_window(seen: pd.DataFrame, valued: pd.DataFrame) -> Level:
    """How far a finished window lay above the value model.

    Parameters
    ----------
    seen : pandas.DataFrame
        ``returned``, ``occasions`` and ``spend`` of the window.
    valued : pandas.DataFrame
        The value model's answers for the same customers and the same length.

    Returns
    -------
    Level
        With the source "newest window"; no deviation where nothing can be compared.
    """
    return Level(
        shift(valued["return_probability"].to_numpy(float), float(seen["returned"].mean())),
        _log_ratio(seen["occasions"].sum(), valued["expected_purchases"].sum()),
        _log_ratio(seen["spend"].sum(), valued["expected_spend"].sum()),
        "newest window",
    )


def ahead(at: date, horizon_days: int, past: Mapping[date, Known]) -> Level:
    """What to expect of the window that begins at a date.

    Parameters
    ----------
    at : date
        First day of the window.
    horizon_days : int
        Its length.
    past : mapping of date to Known
        Snapshots with outcomes; those whose window is not over by ``at`` are not looked at.

    Returns
    -------
    Level
    """
    ended = [day for day in past if day + timedelta(days=horizon_days) <= at]
    last_year = at - timedelta(days=YEAR_DAYS)
    if last_year in ended and past[last_year].over(horizon_days):
        known = past[last_year]
        if known.frame["T"].max() >= HISTORY_DAYS:
            return _of(known, horizon_days).part(1.0, "last year")
    # Newest first and no further than needed: a snapshot may be fitted when it is looked at.
    for day in sorted(ended, reverse=True):
        if past[day].over(horizon_days):
            return _of(past[day], horizon_days).part(lasting(horizon_days), "newest window")
    return Level()


def lasting(horizon_days: int) -> float:
    """Part of a window's deviation that the next one of the same length is expected to show.

    Parameters
    ----------
    horizon_days : int
        Length of both, in days; > 0.

    Returns
    -------
    float
        In (0, 1): 0.42 for 30 days, 0.14 for 90, 0.06 for 180.

    Notes
    -----
    What lifts a day is taken for an Ornstein-Uhlenbeck process with the memory τ, a window for its
    mean over h days. With x = h / τ the regression of one mean on that of the h days before is
    (1 − e⁻ˣ)² / (2 (x − 1 + e⁻ˣ)), from the covariance function e^(−|s − t| / τ) (Rasmussen &
    Williams 2006, "Gaussian Processes for Machine Learning", section 4.2.1, exponential).
    """
    x = horizon_days / MEMORY_DAYS
    faded = -np.expm1(-x)
    return float(faded**2 / (2.0 * (x - faded)))


def _of(known: Known, horizon_days: int) -> Level:
    return of_window(known.seen(horizon_days), known.forecast(horizon_days))


def shift(probability: np.ndarray, mean: float) -> float:
    """Log-odds by which probabilities have to move to have a given mean.

    Solves Σᵢ σ(logit pᵢ + s) / n = mean for s.

    Parameters
    ----------
    probability : numpy.ndarray of shape (n,)
        In [0, 1].
    mean : float
        In [0, 1]; 0 and 1 are taken for half a customer from there.

    Returns
    -------
    float
        0 without rows.
    """
    if not len(probability):
        return 0.0
    return shift_log_odds(log_odds(probability), mean)


def shift_log_odds(values: np.ndarray, mean: float) -> float:
    """The same for log-odds: s with Σᵢ σ(zᵢ + s) / n = mean."""
    from scipy.optimize import brentq
    from scipy.special import expit

    half = 0.5 / len(values)
    wanted = min(max(mean, half), 1.0 - half)
    bound = float(np.abs(values).max()) + 40.0
    found = brentq(lambda s: float(expit(values + s).mean()) - wanted, -bound, bound, xtol=1e-12)
    return float(found)


def mean_after(probability: pd.Series, moved: float) -> float:
    """Mean of probabilities after all of them have moved by so many log-odds."""
    from scipy.special import expit

    return float(expit(log_odds(probability.to_numpy(float)) + moved).mean())


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Logit, finite where a model is certain."""
    kept = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.log(kept) - np.log1p(-kept)


def _log_ratio(actual: float, expected: float) -> float:
    if actual <= 0 or expected <= 0:
        return 0.0
    bound = float(np.log(FURTHEST))
    return float(np.clip(np.log(actual / expected), -bound, bound))
