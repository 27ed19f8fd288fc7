"""Stage and tier of customers of the past, so that training can hold its figures to them.

In: behaviour rows and what a model predicted for them. Out: the stage and the tier that a full
scoring would have given, as text.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from serving.groups import lifecycle, population, potential, subscribers, tiers
from serving.groups.history import History, read
from serving.groups.population import Thresholds


def of_scores(frame: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Stage and tier.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows of a whole population.
    predicted : pandas.DataFrame
        ``clv``, row for row.

    Returns
    -------
    pandas.DataFrame
        Text columns ``stage`` and ``tier`` under the index of `frame`; "none" where there is none.
    """
    past, clv = read(frame), predicted["clv"].to_numpy(float)
    found = _learn(past, clv)
    nobody = pd.Categorical.from_codes(np.full(len(frame), -1), pd.Index([], dtype="str"))
    stage = lifecycle.stage(past, found.rhythm) if found.rhythm else nobody
    return _kinds(frame, past, clv, found, stage)


def of_subscribers(frame: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Stage and tier of subscribers.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows of all whose subscription runs.
    predicted : pandas.DataFrame
        ``churn_probability`` over the trained horizon and ``clv``, row for row.

    Returns
    -------
    pandas.DataFrame
        As `of_scores`.
    """
    past, clv = subscribers.history(frame), predicted["clv"].to_numpy(float)
    stage = subscribers.stage(frame, predicted["churn_probability"].to_numpy(float))
    return _kinds(frame, past, clv, _learn(past, clv), stage)


def _learn(past: History, clv: np.ndarray) -> Thresholds:
    # Neither the date nor the horizon moves a threshold of customers with purchases on record.
    return population.learn(past, clv, as_of=date.min, horizon_days=1)


def _kinds(
    frame: pd.DataFrame,
    past: History,
    clv: np.ndarray,
    found: Thresholds,
    stage: pd.Categorical[str],
) -> pd.DataFrame:
    tier = pd.Categorical.from_codes(np.full(len(frame), -1), pd.Index([], dtype="str"))
    if found.cuts:
        room = found.potential
        could = clv if room is None else potential.potential_value(past, clv, room)
        tier = tiers.tier(past, clv, could, stage, found.cuts)
    words = {"stage": stage, "tier": tier}
    return pd.DataFrame(
        {name: np.where(kind.codes < 0, "none", np.asarray(kind)) for name, kind in words.items()},
        index=frame.index,
    )
