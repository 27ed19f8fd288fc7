"""Stage of each customer, measured against the customer's own rhythm.

In: purchase histories. Out: one of ``STAGES`` for every customer with a purchase on record, and
the date at which the own rhythm has the next purchase due. No fixed number of days decides:
every limit is a multiple of the expected gap, which is the customer's own mean gap, drawn to
the population's where there are few gaps to judge by.

Null rule: no purchase on record, no stage and no date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from serving.errors import ScoreTableError
from serving.groups.history import History
from serving.groups.quantiles import quantile

STAGES = ("new", "growing", "loyal", "at_risk", "lapsed", "won_back")


@dataclass(frozen=True)
class Rhythm:
    """The population's rhythm and the limits that stages are drawn with.

    Parameters
    ----------
    population_gap : float
        Median over repeat customers of their mean gap, in days; > 0 (G).
    population_weight : float
        How many gaps of one's own the population's gap counts for; > 0 (k).
    at_risk_after, lapsed_after : float
        Limits of the overdue ratio, in expected gaps; 0 < at_risk_after < lapsed_after.
    loyal_repeats : int
        Repeat occasions from which a customer can be loyal.

    Raises
    ------
    ScoreTableError
        If a limit is out of its range.

    Notes
    -----
    Someone who buys at random at a steady rate, once per gap g on average, is silent for longer
    than 2 g with probability exp(-2) = 13.5 %, and for longer than 4 g with exp(-4) = 1.8 %.
    """

    population_gap: float
    population_weight: float = 2.0
    at_risk_after: float = 2.0
    lapsed_after: float = 4.0
    loyal_repeats: int = 3

    def __post_init__(self) -> None:
        positive = 0 < self.population_gap < np.inf and self.population_weight > 0
        if not (positive and 0 < self.at_risk_after < self.lapsed_after):
            raise ScoreTableError(
                f"got {self}; expected positive gaps and weights, and at_risk_after below "
                "lapsed_after: run a full scoring again"
            )


def learn(history: History, *, horizon_days: int) -> Rhythm:
    """Learn the population's rhythm.

    Parameters
    ----------
    history : History
        A whole population.
    horizon_days : int
        Takes the place of the population's gap when nobody has bought twice, in days.

    Returns
    -------
    Rhythm
    """
    gaps = history.gap_mean[np.isfinite(history.gap_mean) & history.known]
    return Rhythm(quantile(gaps, 1, 2) if len(gaps) else float(horizon_days))


def expected_gap(history: History, rhythm: Rhythm) -> np.ndarray:
    """Days that are expected between two occasions of each customer.

    Parameters
    ----------
    history : History
    rhythm : Rhythm

    Returns
    -------
    numpy.ndarray of float64
        Days, > 0; NaN without a purchase on record.

    Notes
    -----
    g = (n · gap_mean + k · G) / (n + k), with n gaps of mean gap_mean, the population's gap G
    and its weight k. It is G for one-time customers and tends to the own mean gap.
    """
    own = history.gaps * np.where(np.isnan(history.gap_mean), 0.0, history.gap_mean)
    return _shrunk(own, history.gaps, history, rhythm)


def stage(history: History, rhythm: Rhythm) -> pd.Categorical[str]:
    """Stage of each customer: the first of the rules below that holds.

    Parameters
    ----------
    history : History
    rhythm : Rhythm

    Returns
    -------
    pandas.Categorical
        Categories ``STAGES``; null without a purchase on record.

    Notes
    -----
    With the expected gap g and the overdue ratio o = days_since_last / g:

    1. lapsed: o > 4.
    2. at_risk: o > 2.
    3. won_back: the latest gap was longer than 4 times the gap that had been expected before
       it, so the customer had lapsed by rule 1 and came back.
    4. new: one occasion only, or the first one lies within one expected gap.
    5. loyal: 3 repeat occasions or more, and the first occasion lies 4 expected gaps back, the
       time after which silence would have meant lapsed.
    6. growing: everyone else, so repeat customers in rhythm who are not loyal yet.
    """
    gap = expected_gap(history, rhythm)
    with np.errstate(invalid="ignore"):
        overdue = history.days_since_last / gap
        rules = {
            "lapsed": overdue > rhythm.lapsed_after,
            "at_risk": overdue > rhythm.at_risk_after,
            "won_back": history.gap_last > rhythm.lapsed_after * _gap_before(history, rhythm),
            "new": (history.frequency < 1) | (history.days_since_first <= gap),
            "loyal": (history.frequency >= rhythm.loyal_repeats)
            & (history.days_since_first >= rhythm.lapsed_after * gap),
        }
    codes = [STAGES.index(name) for name in rules]
    chosen = np.select(list(rules.values()), codes, default=STAGES.index("growing"))
    given = np.where(history.known, chosen, -1)
    return pd.Categorical.from_codes(given, pd.Index(STAGES))


def due(history: History, rhythm: Rhythm, as_of: date) -> np.ndarray:
    """Date at which the next purchase is due by the customer's own rhythm.

    Parameters
    ----------
    history : History
    rhythm : Rhythm
    as_of : date

    Returns
    -------
    numpy.ndarray of datetime64[D]
        Last occasion + expected gap, the part of a day counted as a day; NaT without a purchase
        on record. It lies before the as-of date when the customer is overdue: it says when the
        purchase was due, not when it will come.
    """
    days = np.ceil(expected_gap(history, rhythm)) - history.days_since_last
    whole = np.where(history.known, days, 0.0).astype("timedelta64[D]")
    return np.where(history.known, np.datetime64(as_of, "D") + whole, np.datetime64("NaT", "D"))


def _gap_before(history: History, rhythm: Rhythm) -> np.ndarray:
    """Gap that had been expected before the latest one: the same formula without it."""
    earlier = np.maximum(history.gaps - 1.0, 0.0)
    own = np.where(earlier > 0, history.gaps * history.gap_mean - history.gap_last, 0.0)
    return _shrunk(own, earlier, history, rhythm)


def _shrunk(total: np.ndarray, gaps: np.ndarray, history: History, rhythm: Rhythm) -> np.ndarray:
    weight = rhythm.population_weight
    mean = (total + weight * rhythm.population_gap) / (gaps + weight)
    return np.where(history.known, mean, np.nan)
