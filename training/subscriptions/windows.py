"""Past windows of subscribers: who was there, what every model said of them, and whether it held.

In: accepted tables and a past date, or a hazard of that date. Out: snapshots with their fates,
predictions by model, and for each customer whether the outcome lay in its intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.grading.reliability import needed
from training.subscriptions import periods
from training.subscriptions.amounts import FIXED, Amounts
from training.subscriptions.hazard import Hazard
from training.subscriptions.prices import Prices
from training.subscriptions.scorer import PRICE, predicted
from training.windows.panel import behaviour_frame
from training.windows.spread import LEVEL
from training.windows.window import Window

if TYPE_CHECKING:
    from features.inputs import Inputs
    from training.backtest import Tested
    from training.terms import Terms


@dataclass(frozen=True)
class Learned:
    """What was learned by a date.

    Parameters
    ----------
    hazard : Hazard
    prices : Prices
    """

    hazard: Hazard
    prices: Prices


def snapshot(inputs: Inputs, as_of: date, horizon_days: int, known_until: date) -> pd.DataFrame:
    """Subscribers on a past date, and what became of them.

    Parameters
    ----------
    inputs : Inputs
    as_of : date
    horizon_days : int
    known_until : date
        Nothing from this day on is read.

    Returns
    -------
    pandas.DataFrame
        Behaviour columns; ``ended_after`` and ``end_reason`` as `features.fates.outcomes` gives
        them; ``returned`` (0 or 1: had not ended in the horizon), ``occasions`` (payments in it)
        and ``spend`` (currency; 0 where no price is known).
    """
    from features.fates import outcomes

    frame = behaviour_frame(inputs, as_of, horizon_days=horizon_days, population="subscribers")
    after = outcomes(inputs.subscriptions, as_of, horizon_days, known_until)
    frame = frame.merge(
        after.to_pyarrow().to_pandas(), on="customer_id", how="left", validate="one_to_one"
    )
    left = frame["ended_after"].to_numpy(dtype=np.float64, na_value=np.nan) < horizon_days
    return frame.assign(returned=(~left).astype("int64"), spend=frame["spend"].fillna(0.0))


def answers(
    learned: Learned, rules: Mapping[str, Any], frame: pd.DataFrame, at: date, terms: Terms
) -> dict[str, pd.DataFrame]:
    """Predictions of every model and rule for the subscribers of a date.

    Parameters
    ----------
    learned : Learned
    rules : mapping of str to `training.subscriptions.curves.Curve`
    frame : pandas.DataFrame
        Behaviour rows at that date.
    at : date
    terms : Terms

    Returns
    -------
    dict of str to pandas.DataFrame
        ``sbg``, ``hazard`` where trees were learned, and the rules.
    """
    ahead = periods.periods_within(frame, max(terms.horizon_days, terms.clv_horizon_days))
    due = periods.dues(frame, at, ahead)
    hazard = learned.hazard
    models: dict[str, Any] = {"sbg": Hazard(hazard.plans, hazard.within)}
    if hazard.trees is not None:
        models["hazard"] = hazard
    models |= rules
    found = {}
    for name, model in models.items():
        chances = model.chances(frame, due)
        answer = predicted(
            chances, due, frame, terms, terms.horizon_days, hazard.within, learned.prices
        )
        # A customer without a price pays 0 in the outcome too.
        found[name] = answer.assign(expected_spend=answer["expected_spend"].fillna(0.0))
    return found


def undecided(one: Tested) -> Window:
    """A tested window without those for whom no renewal came up in it.

    Parameters
    ----------
    one : Tested

    Returns
    -------
    Window
        Of the others nearly all stay. That none of a few hundred left says nothing of the rates
        of those who could, but lies far from any chance on the scale of log-odds.
    """
    due = one.frame[periods.DUE].to_numpy(dtype=np.float64, na_value=np.nan)
    open_ = due < one.horizon_days
    return Window(one.window.predicted[open_], one.window.came[open_])


def held(
    learned: Learned, answer: pd.DataFrame, truth: pd.DataFrame, at: date, horizon_days: int
) -> pd.DataFrame:
    """Whether what came lay in the intervals of what was predicted.

    Parameters
    ----------
    learned : Learned
        What spoke at that date.
    answer : pandas.DataFrame
        Its predictions.
    truth : pandas.DataFrame
        From `snapshot`, row for row.
    at : date
    horizon_days : int

    Returns
    -------
    pandas.DataFrame
        As `training.grading.reliability.by_kind` sums it up. Spend is asked of who pays a price.
    """
    due = periods.dues(truth, at, periods.periods_within(truth, horizon_days))
    chances = learned.hazard.chances(truth, due)
    term = truth[periods.TERM].to_numpy(dtype=np.float64, na_value=np.nan)
    price = truth[PRICE].to_numpy(dtype=np.float64, na_value=np.nan)
    count = truth["occasions"].to_numpy(dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spent = np.where(price > 0, truth["spend"].to_numpy(dtype=np.float64) / price, np.nan)
    told = {
        "predicted": answer["return_probability"].to_numpy(dtype=np.float64),
        "observed": truth["returned"].to_numpy(dtype=np.float64),
    }
    for name, moving, amount in (
        ("purchases", FIXED, count.astype(np.float64)),
        ("spend", learned.prices, spent),
    ):
        amounts = Amounts.of(chances, due, term, horizon_days, prices=moving)
        low, high, level = amounts.interval()
        inside = (amount >= low - 1e-6) & (amount <= high + 1e-6)
        part = needed(amounts.priced(count, amount), (level, level + LEVEL))
        said = np.isfinite(amount)
        told[f"{name}_inside"] = np.where(said, inside, np.nan)
        told[f"{name}_coverage"] = np.where(said, part, np.nan)
    return pd.DataFrame(told)
