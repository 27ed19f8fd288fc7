"""RFM segment of each customer: three scores from 1 to 5, as "5-4-5"; 5 is best.

In: purchase histories. Out: the quintile of the days since the last purchase (R, fewer is
better), of the occasions (F) and of the net spend (M) within the population that the edges were
learned from.

Null rule: no purchase on record, no segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.errors import ScoreTableError
from serving.groups.history import History
from serving.groups.quantiles import band, edges

QUINTILES = 5
SEGMENTS = tuple(f"{r}-{f}-{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6))


@dataclass(frozen=True)
class Quintiles:
    """Inner edges of the quintiles of a population, four each, rising.

    Parameters
    ----------
    recency : tuple of float
        Days since the last occasion.
    frequency : tuple of float
        Repeat occasions.
    spend : tuple of float
        Net spend to date, in currency.

    Raises
    ------
    ScoreTableError
        If there are not four edges each, or they do not rise.
    """

    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    spend: tuple[float, ...]

    def __post_init__(self) -> None:
        for given in (self.recency, self.frequency, self.spend):
            if len(given) != QUINTILES - 1 or not np.all(np.diff(given) >= 0):
                raise ScoreTableError(
                    f"got quintile edges {given}; expected {QUINTILES - 1} rising numbers: run a "
                    "full scoring again"
                )


def learn(history: History) -> Quintiles:
    """Learn the quintile edges of a population.

    Parameters
    ----------
    history : History
        At least one customer with a purchase on record.

    Returns
    -------
    Quintiles
    """
    known = history.known
    columns = (history.days_since_last, history.frequency, history.spend)
    return Quintiles(*(edges(_finite(values[known]), QUINTILES) for values in columns))


def rfm(history: History, quintiles: Quintiles) -> pd.Categorical[str]:
    """RFM segment of each customer.

    Parameters
    ----------
    history : History
    quintiles : Quintiles

    Returns
    -------
    pandas.Categorical
        "R-F-M" with each from 1 to 5; null without a purchase on record.

    Notes
    -----
    Tied customers share a score. A value that equals an edge is in the band below it, so the
    many who bought once share the lowest F that they straddle, and the many who bought on the
    same last day share the highest R.
    """
    recency = QUINTILES + 1 - band(history.days_since_last, quintiles.recency)
    frequency = band(history.frequency, quintiles.frequency)
    spend = band(history.spend, quintiles.spend)
    codes = (recency - 1) * QUINTILES**2 + (frequency - 1) * QUINTILES + spend - 1
    complete = history.known & (frequency > 0) & (spend > 0)
    given = np.where(complete, codes, -1)
    return pd.Categorical.from_codes(given, pd.Index(SEGMENTS))


def _finite(values: np.ndarray) -> np.ndarray:
    kept = values[np.isfinite(values)]
    if not len(kept):
        raise ScoreTableError(
            "got purchases without a spend or a number of occasions; expected behaviour rows "
            "with both: build the behaviour table again"
        )
    return kept
