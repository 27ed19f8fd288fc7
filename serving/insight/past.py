"""The return probability of one customer through time.

In: the score tables that a store has kept, and the days of its purchases. Out: points by as-of
date. Where no score table was kept, the value model says what the purchases up to then tell: it is
quick, knows nothing else of the customer, and is told apart.

Null rule: no point where nothing was said, nor before the day after the first purchase.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from features.store import Store

if TYPE_CHECKING:
    from serving.desk import Desk
    from training.scorer import Scorer

#: Kept score tables that are looked at, the newest; and steps of the value model before them.
TABLES, STEPS = 8, 18
SCORED, VALUE_MODEL = "scored", "value model"
_LEAST_DAYS = 7

Days = Sequence[tuple[date, float]]


@dataclass(frozen=True)
class Point:
    """What was said of a customer as of a date.

    Parameters
    ----------
    as_of : date
    probability : float
        Of a purchase within the horizon, in [0, 1].
    horizon_days : int
    source : {"scored", "value model"}
        From a kept score table, or by the value model from the purchases up to then.
    """

    as_of: date
    probability: float
    horizon_days: int
    source: str


def course(
    store: Store, desk: Desk, customer_id: str, days: Days, scorer: Scorer | None
) -> tuple[Point, ...]:
    """Return probability through time.

    Parameters
    ----------
    store : Store
    desk : Desk
        The newest score table.
    customer_id : str
    days : sequence of (date, float)
        Days with their net spend in currency, oldest first.
    scorer : Scorer or None
        Its value model speaks of the time before the first kept table.

    Returns
    -------
    tuple of Point
        Oldest first.
    """
    told = kept(store, desk, customer_id)
    first = told[0].as_of if told else None
    return (*recomputed(days, scorer, before=first), *told)


def kept(store: Store, desk: Desk, customer_id: str) -> tuple[Point, ...]:
    """Points of the kept score tables, oldest first; the newest table is at hand already."""
    names = ("as_of", "return_probability", "horizon_days")
    earlier = [day for day in store.dates("scores") if day < desk.meta.as_of][-TABLES:]
    rows: list[tuple[Any, ...]] = []
    if earlier:
        sql = (
            f"SELECT {', '.join(names)} FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608
            "WHERE customer_id = ?"
        )
        paths = [glob.escape(str(store.scores(day))) for day in earlier]
        rows = sorted(desk.cursor().execute(sql, [paths, customer_id]).fetchall())
    rows += [tuple(row[name] for name in names) for row in desk.rows([customer_id], names).values()]
    return tuple(
        Point(when, chance, horizon, SCORED) for when, chance, horizon in rows if chance is not None
    )


def recomputed(days: Days, scorer: Scorer | None, *, before: date | None) -> tuple[Point, ...]:
    """Points by the value model, evenly spaced from the first purchase to the first kept table.

    Parameters
    ----------
    days : sequence of (date, float)
        Oldest first.
    scorer : Scorer or None
    before : date or None
        None gives no point.

    Returns
    -------
    tuple of Point
        Oldest first; none without a value model, of subscribers, or of labels.

    Notes
    -----
    As of a date, only the occasions before it count (Fader, Hardie & Lee 2005): x repeat
    occasions, t_x the age at the last one, T the age on the last observed day.
    """
    from training.value.purchase_models import name_of, purchase_model

    model = getattr(scorer, "value", None)
    bought = [when for when, net in days if net > 0]
    if scorer is None or model is None or scorer.terms.rule != "inactivity":
        return ()
    if not bought or before is None:
        return ()
    span = (before - bought[0]).days
    number = min(STEPS, (span - 1) // _LEAST_DAYS)
    if number < 1:
        return ()
    # The kept table's own date is left to it.
    ages = np.unique(np.linspace(_LEAST_DAYS, span, number + 1)[:-1].astype(int))
    at = np.array([(when - bought[0]).days for when in bought])
    seen = np.searchsorted(at, ages, side="left")
    params, horizon = model.purchases_.params, scorer.horizon_days
    kernel = purchase_model(name_of(params))
    history = seen - 1.0, at[seen - 1].astype(float), ages - 1.0
    told = kernel.return_probability(params, horizon, *history)
    dates = [bought[0] + timedelta(days=int(age)) for age in ages]
    return tuple(
        Point(when, float(chance), horizon, VALUE_MODEL)
        for when, chance in zip(dates, told, strict=True)
        if np.isfinite(chance)
    )
