"""Stage and next renewal of subscribers, who have a contract where others have a rhythm.

In: behaviour rows of subscribers and their chance to leave. Out: one of ``STAGES`` and the date of
the next renewal.

Null rule: without a running subscription neither is said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from serving.groups.history import History, read
from serving.groups.lifecycle import STAGES

#: Churn rule of the scorers that this is for.
RULE = "subscription"
#: Columns that are null under every other rule.
COLUMNS = ("involuntary_probability", "expected_months")
#: Renewals from which a subscriber is loyal.
LOYAL_RENEWALS = 3
#: Chance to leave within the horizon above which a subscriber is at risk.
MORE_LIKELY_THAN_NOT = 0.5

_DUE = "subscription_days_to_renewal"


def are_scored(scorer: Any) -> bool:
    """Whether a scorer answers for subscribers.

    Parameters
    ----------
    scorer : Predictor

    Returns
    -------
    bool
    """
    return getattr(scorer, "rule", None) == RULE


def known(frame: pd.DataFrame) -> np.ndarray:
    """Where a subscription runs.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.

    Returns
    -------
    numpy.ndarray of bool
    """
    return np.isfinite(_numbers(frame, _DUE))


def history(frame: pd.DataFrame) -> History:
    """Purchases of subscribers besides: who made none cost nobody money by it.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.

    Returns
    -------
    History
        Spend is NaN without a purchase.
    """
    past = read(frame)
    return replace(past, spend=np.where(past.known, past.spend, np.nan))


def stage(frame: pd.DataFrame, churn: np.ndarray) -> pd.Categorical[str]:
    """Stage of each subscriber: the first of the rules below that holds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    churn : numpy.ndarray of float64
        Chance to leave within the horizon that the model was trained for; NaN where it is not
        said.

    Returns
    -------
    pandas.Categorical
        Categories ``STAGES``, of which ``lapsed`` is never given: who has left is no subscriber.

    Notes
    -----
    1. at_risk: the renewal is overdue, or leaving within the horizon is likelier than staying.
    2. won_back: came back after an earlier subscription ended, and has renewed less than 3 times
       since.
    3. new: no renewal yet.
    4. loyal: 3 renewals or more.
    5. growing: everyone else.
    """
    renewals = _numbers(frame, "subscription_renewals")
    with np.errstate(invalid="ignore"):
        rules = {
            "at_risk": (_numbers(frame, _DUE) < 0) | (churn > MORE_LIKELY_THAN_NOT),
            "won_back": (_numbers(frame, "subscription_earlier") > 0) & (renewals < LOYAL_RENEWALS),
            "new": renewals < 1,
            "loyal": renewals >= LOYAL_RENEWALS,
        }
    codes = [STAGES.index(name) for name in rules]
    chosen = np.select(list(rules.values()), codes, default=STAGES.index("growing"))
    return pd.Categorical.from_codes(np.where(known(frame), chosen, -1), pd.Index(STAGES))


def next_renewal(frame: pd.DataFrame, as_of: date) -> np.ndarray:
    """Date of each subscriber's next renewal; before the as-of date where it is overdue.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    as_of : date

    Returns
    -------
    numpy.ndarray of datetime64[D]
        NaT without a running subscription.
    """
    runs = known(frame)
    days = np.where(runs, _numbers(frame, _DUE), 0.0).astype("timedelta64[D]")
    return np.where(runs, np.datetime64(as_of, "D") + days, np.datetime64("NaT", "D"))


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype="float64", na_value=np.nan)
