"""Rules of thumb for renewals, which a model has to beat: a constant rate, and Kaplan-Meier.

In: histories by plan and term. Out: the chance to end in each period ahead, the same shape that
`training.subscriptions.hazard.Hazard` gives. Each knows the term, as anyone would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.subscriptions.hazard import renewals
from training.subscriptions.periods import TERM, Floats

#: A renewal that fewer customers have reached goes by the ones before it.
ENOUGH = 30
#: No rule is surer than this of a renewal.
EDGE = 0.001
#: What each rule says, in plain words; the grade's sentence uses them.
WORDS = {
    "constant_rate": "at every renewal the same share leaves",
    "kaplan_meier": "as many leave at a renewal as left at it in the past",
}


@dataclass(frozen=True)
class Curve:
    """Chance to end at a renewal by its number.

    Parameters
    ----------
    by_term : mapping of float to tuple of float
        Chances at renewal 1, 2, …; the last holds for all later ones.
    otherwise : tuple of float
        The same for a term that is not known.
    """

    by_term: Mapping[float, tuple[float, ...]]
    otherwise: tuple[float, ...]

    def chances(self, frame: pd.DataFrame, due: Floats) -> Floats:
        """Chance to end in each period ahead.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of subscribers.
        due : ndarray of shape (n_customers, n_periods)

        Returns
        -------
        ndarray of shape (n_customers, n_periods)
        """
        made = renewals(frame)[:, None].astype(np.int64) + np.arange(due.shape[1])
        term = frame[TERM].to_numpy(dtype=np.float64, na_value=np.nan)
        found = _at(self.otherwise, made)
        for length, curve in self.by_term.items():
            found = np.where((term == length)[:, None], _at(curve, made), found)
        return found


def rules(histories: pd.DataFrame) -> dict[str, Curve]:
    """Both rules, learned from histories.

    Parameters
    ----------
    histories : pandas.DataFrame
        As `features.fates.histories` gives them.

    Returns
    -------
    dict of str to Curve
        ``constant_rate`` and ``kaplan_meier``.
    """
    made = {"constant_rate": _constant, "kaplan_meier": _kaplan_meier}
    return {
        name: Curve(
            {
                float(term): learn(histories[histories["term_days"] == term])
                for term in histories["term_days"].unique()
            },
            learn(histories),
        )
        for name, learn in made.items()
    }


def _constant(rows: pd.DataFrame) -> tuple[float, ...]:
    left = float(rows["customers"][~rows["active"]].sum())
    came_up = float((rows["customers"] * rows["renewals"]).sum()) + left
    return (float(np.clip(left / max(came_up, 1.0), EDGE, 1.0 - EDGE)),)


def _kaplan_meier(rows: pd.DataFrame) -> tuple[float, ...]:
    """Ends / those who came up for it, renewal by renewal; the tail as one where few got there."""
    number = rows["renewals"].to_numpy(dtype=np.int64)
    count = rows["customers"].to_numpy(dtype=np.float64)
    ended = np.where(rows["active"], 0.0, count)
    left = np.bincount(number, ended)
    passed = np.bincount(number, count)
    # Renewal n + 1 came up for those who ended at it and for all who made more than n.
    beyond = passed[::-1].cumsum()[::-1] - passed
    came_up = beyond + left
    kept = int((came_up >= ENOUGH).sum())
    if kept == 0:
        return _constant(rows)
    curve = left[:kept] / came_up[:kept]
    tail = came_up[kept:].sum()
    if tail >= ENOUGH:
        curve = np.append(curve, left[kept:].sum() / tail)
    return tuple(np.clip(curve, EDGE, 1.0 - EDGE).tolist())


def _at(curve: tuple[float, ...], made: np.ndarray) -> Floats:
    return np.array(curve)[np.minimum(made, len(curve) - 1)]
