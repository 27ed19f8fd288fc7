"""Hazards of one origin, fitted on nothing that was unknown on its date.

In: snapshots of subscribers with their fates, histories of retention as known at the origin, and
an ``Origin``. Out: the `Hazard` of that date.

Time rule: a period of a snapshot is learned from when it, and the grace after it, were over by
the date on which the learner is calibrated; the sigmoid is learned on periods that were over by
the origin. Whoever survived a period and whoever did not are taken by the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.asked import Asked
from training.learners.calibration import Sigmoid
from training.subscriptions import hazard as hazards
from training.subscriptions import periods
from training.subscriptions.hazard import Hazard
from training.subscriptions.plans import Plans
from training.subscriptions.stages import Origin

if TYPE_CHECKING:
    pass

#: Fewer ends than this, or fewer survivals, teach trees nothing.
MIN_PER_FATE = 50
#: A later window of fewer is nothing to calibrate on.
MIN_TO_CALIBRATE = 20
#: Where no end has been seen yet, this share is taken to come between two renewals.
WITHIN = 0.0


@dataclass(frozen=True)
class Panel:
    """Rows of subscribers and periods with what came of them.

    Parameters
    ----------
    rows : pandas.DataFrame
        Behaviour columns and those of a period.
    base : ndarray
        Log-odds to end by the plan's retention.
    ended : ndarray of 0 and 1
    within : float
        Share of the ends that came between two renewals; NaN without an end.
    """

    rows: pd.DataFrame
    base: np.ndarray
    ended: np.ndarray
    within: float

    def holds(self, each: int) -> bool:
        """Whether there are so many of either fate."""
        left = float(self.ended.sum())
        return min(left, len(self.ended) - left) >= each


def fit_origin(
    origin: Origin,
    past: Mapping[date, pd.DataFrame],
    histories: pd.DataFrame,
    asked: Asked,
    columns: tuple[str, ...],
    grace: int,
) -> Hazard:
    """Fit what history before an origin allows.

    Parameters
    ----------
    origin : Origin
    past : mapping of date to pandas.DataFrame
        Snapshots with ``ended_after``; those of ``origin.dates`` are read.
    histories : pandas.DataFrame
        As known at the origin.
    asked : Asked
        Settings of the training.
    columns : tuple of str
        Behaviour columns to learn from.
    grace : int
        Days of grace.

    Returns
    -------
    Hazard
        The plans' retention alone where no panel can be learned from.

    Raises
    ------
    NotEnoughData
        If hardly a renewal has come up, or nobody has left yet.
    """
    from training.subscriptions.plans import require_renewals

    require_renewals(histories)
    plans = Plans.fit(histories)
    seen = [past[day] for day in origin.dates]
    within = _within(seen, origin, grace)
    alone = Hazard(plans, within)
    if not origin.has_panel or origin.calibrate is None:
        return alone
    ahead = _ahead(seen, asked.churn.horizon_days)
    useful = _varying(pd.concat(seen, ignore_index=True), columns)
    train = _together(
        [panel(past[day], plans, useful, ahead, origin.calibrate, grace) for day in origin.train]
    )
    later = panel(past[origin.calibrate], plans, useful, ahead, origin.at, grace)
    if not (train.holds(MIN_PER_FATE) and later.holds(MIN_TO_CALIBRATE)):
        return alone
    trees = asked.trees().fit(train.rows, train.ended, offset=train.base)
    sigmoid = Sigmoid.learn(later.base + trees.uncalibrated(later.rows), later.ended)
    learned = int(train.rows["period"].max())
    return Hazard(plans, within, trees, sigmoid, useful, learned)


def panel(
    snapshot: pd.DataFrame,
    plans: Plans,
    columns: tuple[str, ...],
    ahead: int,
    until: date,
    grace: int,
) -> Panel:
    """Rows of one snapshot whose periods, and the grace after them, were over by a date.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        Of one ``as_of``, with ``ended_after``.
    plans : Plans
    columns : tuple of str
    ahead : int
        Periods to look at.
    until : date
        Nothing from this day on is known.
    grace : int
        Days of grace.

    Returns
    -------
    Panel
    """
    as_of = pd.Timestamp(snapshot["as_of"].iloc[0]).date()
    due = periods.dues(snapshot, as_of, ahead)
    ended, asked, within = hazards.fates(snapshot, due, float((until - as_of).days), grace)
    base = hazards.baseline(plans, snapshot, ahead)
    picked = asked.ravel()
    rows = hazards.long(snapshot, columns, due)[picked].reset_index(drop=True)
    left = float(ended.sum())
    return Panel(
        rows,
        base.ravel()[picked],
        ended.ravel()[picked].astype(np.float64),
        float(within.sum()) / left if left else float("nan"),
    )


def _together(panels: list[Panel]) -> Panel:
    return Panel(
        pd.concat([one.rows for one in panels], ignore_index=True),
        np.concatenate([one.base for one in panels]),
        np.concatenate([one.ended for one in panels]),
        float("nan"),
    )


def _within(seen: list[pd.DataFrame], origin: Origin, grace: int) -> float:
    """Share of the ends known at the origin that came between two renewals."""
    ends = between = 0.0
    for snapshot in seen:
        as_of = pd.Timestamp(snapshot["as_of"].iloc[0]).date()
        due = periods.dues(snapshot, as_of, 1)
        ended, _, within = hazards.fates(snapshot, due, float((origin.at - as_of).days), grace)
        ends, between = ends + float(ended.sum()), between + float(within.sum())
    return between / ends if ends else WITHIN


def _ahead(seen: list[pd.DataFrame], horizon_days: int) -> int:
    """Periods that the horizon holds for the usual term, and the one that it ends in."""
    term = float(pd.concat([one[periods.TERM] for one in seen]).median())
    return int(np.clip(np.ceil(horizon_days / term) + 1, 1, hazards.MOST_PERIODS))


def _varying(frame: pd.DataFrame, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that tell subscribers apart; those of absent sources do not."""
    return tuple(name for name in columns if frame[name].nunique(dropna=False) > 1)
