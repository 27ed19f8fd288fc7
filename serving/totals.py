"""What is expected of all customers together, with the error that a whole window can have.

In: a score frame and what past windows missed (`training.swing`). Out: sums of leaving customers,
purchases and spend, each with its 80 % interval. Intervals of customers do not add up to it:
luck evens out over many of them, a season that nobody has seen does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from training.swing import Swing

#: Columns that are summed up, and the name of their total in a swing.
SUMMED: Mapping[str, str] = {"expected_purchases": "purchases", "expected_spend": "spend"}


def expected(frame: pd.DataFrame, swing: Swing | None) -> dict[str, dict[str, float]]:
    """Totals of a score frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Score rows of a whole population.
    swing : Swing or None
        How far past windows lay from what was expected; None leaves the ends out.

    Returns
    -------
    dict of str to dict
        By column (``churn_probability``, ``expected_purchases``, ``expected_spend``): ``sum``
        over the customers of whom it is said, and ``lower`` and ``upper`` end of its 80 %
        interval. A column that is said of nobody is not there.

    Notes
    -----
    With the log-odds w within which the level lies (`training.swing`), leave between
    Σ σ(logit pᵢ − w) and Σ σ(logit pᵢ + w).
    """
    found = {}
    leaves = frame["churn_probability"].dropna().to_numpy(dtype=float)
    if len(leaves):
        found["churn_probability"] = {"sum": float(leaves.sum()), **_leaving(leaves, swing)}
    for column, name in SUMMED.items():
        said = frame[column].dropna().to_numpy(dtype=float)
        if len(said):
            total = float(said.sum())
            ends = None if swing is None else swing.total(name, total)
            found[column] = {"sum": total, **_ends(ends)}
    return found


def in_words(totals: Mapping[str, Mapping[str, float]], currency: str, days: int) -> str:
    """Totals of purchases and spend as a sentence; empty where neither is said."""
    units = {"expected_purchases": "purchases", "expected_spend": currency}
    told = [
        f"{one['sum']:,.0f} {units[column]}{_between(one)}"
        for column, one in totals.items()
        if column in units
    ]
    return f"Expected of all within {days} days: {' and '.join(told)}." if told else ""


def _between(one: Mapping[str, float]) -> str:
    return f" (80 %: {one['lower']:,.0f} to {one['upper']:,.0f})" if "lower" in one else ""


def _leaving(leaves: np.ndarray, swing: Swing | None) -> dict[str, float]:
    from scipy.special import expit

    from training.level import log_odds

    if swing is None:
        return {}
    odds, within = log_odds(leaves), swing.level_within
    return _ends((float(expit(odds - within).sum()), float(expit(odds + within).sum())))


def _ends(ends: tuple[float, float] | None) -> dict[str, float]:
    return {} if ends is None else {"lower": ends[0], "upper": ends[1]}
