"""Decisions: stage, tier, segment and next purchase of each customer.

In: what a model predicted, and the thresholds of the last full scoring. Out: the columns that are
decided from them. Subscribers have a contract where others have a rhythm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from serving.groups import lifecycle, potential, segments, subscribers, tiers
from serving.groups.population import Thresholds
from serving.predictions import Predicted, Predictor


def decide(
    predicted: Predicted, scorer: Predictor, thresholds: Thresholds, as_of: date
) -> dict[str, Any]:
    """Decide what follows from predictions.

    Parameters
    ----------
    predicted : Predicted
    scorer : Predictor
        Who predicted.
    thresholds : Thresholds
        Of the population.
    as_of : date

    Returns
    -------
    dict of str to array
        ``potential_value`` in currency, ``next_purchase_by`` (datetime64[D]), and ``stage``,
        ``tier`` and ``rfm`` (categories), row for row; null where the population gave nothing to
        decide by.
    """
    past, clv = predicted.past, predicted.columns["clv"]
    rhythm, cuts, room = thresholds.rhythm, thresholds.cuts, thresholds.potential
    nobody = pd.Categorical.from_codes(np.full(len(clv), -1), pd.Index([], dtype="str"))
    days = np.full(len(clv), np.datetime64("NaT", "D"))
    tell = _by_contract if predicted.subscribed else _by_value
    own = {
        "next_purchase_by": lifecycle.due(past, rhythm, as_of) if rhythm else days,
        "stage": lifecycle.stage(past, rhythm) if rhythm else nobody,
    } | tell(predicted, scorer, as_of)
    could = potential.potential_value(past, clv, room) if room else np.full(len(clv), np.nan)
    return {
        "potential_value": could,
        **own,
        "tier": tiers.tier(past, clv, could, own["stage"], cuts) if cuts else nobody,
        "rfm": segments.rfm(past, thresholds.quintiles) if thresholds.quintiles else nobody,
    }


def backed(decided: Mapping[str, Any], predicted: Predicted) -> dict[str, Any]:
    """Keep the stage and the next purchase where what they are told from can be backed.

    Parameters
    ----------
    decided : mapping of str to array
        From `decide`.
    predicted : Predicted
        What they were told from.

    Returns
    -------
    dict of str to array
        The same columns.
    """
    stage, days = decided["stage"], decided["next_purchase_by"]
    codes = np.where(predicted.backed("stage"), stage.codes, -1)
    said = predicted.backed("next_purchase_by")
    return {
        **decided,
        "stage": pd.Categorical.from_codes(codes, stage.categories),
        "next_purchase_by": np.where(said, days, np.datetime64("NaT", "D")),
    }


def _by_contract(predicted: Predicted, scorer: Predictor, as_of: date) -> dict[str, Any]:
    """What a contract tells of subscribers, whatever horizon was asked for."""
    frame = predicted.frame
    usual = scorer.predict(frame) if len(frame) else pd.DataFrame({"churn_probability": []})
    churn = usual["churn_probability"].to_numpy(dtype="float64", na_value=np.nan)
    return {
        "next_purchase_by": subscribers.next_renewal(frame, as_of),
        "stage": subscribers.stage(frame, churn),
    }


def _by_value(predicted: Predicted, scorer: Predictor, as_of: date) -> dict[str, Any]:
    """What the value model tells of the next purchase; nothing where there is none."""
    ask = getattr(scorer, "days_to_next_purchase", None)
    days = None if ask is None or predicted.frame.empty else ask(predicted.frame)
    if days is None:
        return {}
    told = predicted.known & predicted.backed("p_alive") & np.isfinite(days)
    # The first day is the as-of date itself.
    ahead = np.where(told, np.ceil(days) - 1.0, 0.0).astype("timedelta64[D]")
    date_of = np.where(told, np.datetime64(as_of, "D") + ahead, np.datetime64("NaT", "D"))
    return {"next_purchase_by": date_of}
