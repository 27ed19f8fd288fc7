"""What is expected of all customers together, with the error that a whole window can have.

In: a score frame and what past windows missed (`training.windows.swing`). Out: sums of leaving
customers, purchases, spend and lifetime values, each with its 80 % interval. Intervals of customers
do not add up to it: luck evens out over many of them, a season that nobody has seen does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from training.windows.swing import Swing

#: Columns that are summed up, and the name of their total in a swing.
SUMMED: Mapping[str, str] = {"expected_purchases": "purchases", "expected_spend": "spend"}


def of_all(
    frame: pd.DataFrame, behaviour: pd.DataFrame, scorer: Any
) -> dict[str, dict[str, float]]:
    """Every total of a score frame; as `expected` and `equity`.

    Parameters
    ----------
    frame, behaviour : pandas.DataFrame
        Score rows of a whole population, and the behaviour rows that they are of, row for row.
    scorer : Scorer or SubscriptionScorer
        Who scored them.

    Returns
    -------
    dict of str to dict
        By column.
    """
    from training.windows import swing as swings

    return expected(frame, swings.of(scorer)) | equity(frame, behaviour, scorer)


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
    With the log-odds w within which the level lies (`training.windows.swing`), leave between
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


def equity(
    frame: pd.DataFrame, behaviour: pd.DataFrame, scorer: Any
) -> dict[str, dict[str, float]]:
    """Customer equity of a score frame: the sum of the lifetime values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Score rows of a whole population.
    behaviour : pandas.DataFrame
        The behaviour rows that they are of, row for row.
    scorer : Scorer or SubscriptionScorer
        Who scored them.

    Returns
    -------
    dict of str to dict
        ``clv`` with ``sum``, and ``lower`` and ``upper`` where past windows tell; empty where no
        lifetime value is said.

    Notes
    -----
    No past window is as long as a life, so none backs a level of lifetime values. It is taken from
    the spend of those that come nearest to the span (`training.backtest.Backtest.spread`): with
    their log-level miss s, known with ν degrees of freedom, the equity E lies between
    E · exp(−t₀.₉(ν) s) and E · exp(t₀.₉(ν) s). The level is common to all customers, so it does not
    average out; their own luck does, and what is left of it is in s already, as past totals had
    it. Of subscribers only the level of leaving is known: with the log-odds w within which it lies,
    lifetime values are reckoned again with the chance to end in each period moved by ±w, at
    today's prices.
    """
    from serving.groups import subscribers
    from training.windows import swing as swings

    values = frame["clv"].to_numpy(dtype=float, na_value=np.nan)
    said = np.isfinite(values)
    if not said.any():
        return {}
    total = float(values[said].sum())
    if subscribers.are_scored(scorer):
        swing, ends = swings.of(scorer), None
        if swing is not None:
            shape = getattr(scorer, "shape", None)
            rows = behaviour if shape is None else shape.fitting(behaviour)
            again = (scorer.lifetime_values(rows, m * swing.level_within)[said] for m in (1, -1))
            ends = tuple(float(values.sum()) for values in again)
    else:
        lifetime = getattr(getattr(scorer, "spread", None), "lifetime", None)
        ends = None if lifetime is None else lifetime.total("spend", total)
    # Of a business that loses by its customers more of them is less.
    return {"clv": {"sum": total, **_ends(None if ends is None else (min(ends), max(ends)))}}


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

    from training.windows.level import log_odds

    if swing is None:
        return {}
    odds, within = log_odds(leaves), swing.level_within
    return _ends((float(expit(odds - within).sum()), float(expit(odds + within).sum())))


def _ends(ends: tuple[float, float] | None) -> dict[str, float]:
    return {} if ends is None else {"lower": ends[0], "upper": ends[1]}
