"""The chance to end in each renewal period: trees on top of sBG retention, calibrated later.

In: snapshots of subscribers with what became of them. Out: for each subscriber and period ahead
the chance to end in it. One row a subscriber and period, the period's number a feature: a
discrete-time hazard. The trees start from the log-odds that the sBG of the plan gives a renewal
of that number, so with little data they say what it says; a sigmoid learned on later renewals
makes the sum mean what it says. Beyond the periods that were learned, the sBG goes on with the
distance in log-odds that a customer had to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.learners.calibration import Sigmoid
from training.subscriptions import periods
from training.subscriptions.periods import Floats
from training.subscriptions.plans import Plans
from training.terms import by_family

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel

PLAN, RENEWALS = "subscription_plan", "subscription_renewals"
#: Features of a period beside those of the subscriber.
PERIOD = ("period", "period_renewals", "period_days")
# The behaviour columns that these come of; the number of the next period is 1 for all.
_OF_PERIOD = dict(zip(PERIOD, (RENEWALS, RENEWALS, periods.DUE), strict=True))
#: Periods ahead that trees learn at most.
MOST_PERIODS = 12
TREES, FILE = "trees", "hazard.json"


@dataclass(frozen=True)
class Hazard:
    """Chances to end, period by period.

    Parameters
    ----------
    plans : Plans
        sBG retention by plan.
    within : float in [0, 1]
        Share of the ends that come between two renewals rather than at one.
    trees : ChurnModel or None
        What moves a customer away from the plan's retention; None where it was not learned.
    sigmoid : Sigmoid
        Calibration of the log-odds of both together.
    columns : tuple of str
        Behaviour columns that the trees read, `PERIOD` apart.
    learned : int
        Periods ahead that the trees have seen.
    """

    plans: Plans
    within: float
    trees: ChurnModel | None = None
    sigmoid: Sigmoid = field(default_factory=Sigmoid)
    columns: tuple[str, ...] = ()
    learned: int = 0

    def chances(self, frame: pd.DataFrame, due: Floats) -> Floats:
        """Chance to end in each period ahead, given that one is there at its start.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of subscribers.
        due : ndarray of shape (n_customers, n_periods)
            Days to the renewals, as `periods.dues` gives them.

        Returns
        -------
        ndarray of shape (n_customers, n_periods)
            In (0, 1).
        """
        from scipy.special import expit

        base = baseline(self.plans, frame, due.shape[1])
        if self.trees is None:
            return expit(base)
        known = min(self.learned, due.shape[1])
        rows = long(frame, self.columns, due[:, :known])
        margin = base[:, :known] + self.trees.uncalibrated(rows).reshape(-1, known)
        spoken = self.sigmoid(margin)
        beyond = base[:, known:] + (spoken[:, -1:] - base[:, known - 1 : known])
        return expit(np.column_stack([spoken, beyond]))

    def contributions(self, frame: pd.DataFrame, due: Floats) -> pd.DataFrame:
        """What each column adds to the log-odds to end in the next period.

        Parameters
        ----------
        frame : pandas.DataFrame
        due : ndarray of shape (n_customers, n_periods)

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_columns)
            By behaviour column: what a period tells stands under the column that it comes of.
            The retention of all with such a term stands under `RENEWALS`, and how far that of
            the plan lies from it under `PLAN`.
        """
        base = baseline(self.plans, frame, 1)[:, 0]
        usual = baseline(self.plans, frame.assign(**{PLAN: None}), 1)[:, 0]
        told = pd.DataFrame({RENEWALS: usual, PLAN: base - usual}, index=frame.index)
        if self.trees is None:
            return told
        rows = long(frame, self.columns, due[:, :1])
        parts = self.trees.contributions(rows).drop(columns="bias").set_axis(frame.index)
        parts = by_family(parts, {name: _OF_PERIOD.get(name, name) for name in map(str, parts)})
        with_plan = {name: told[name] + parts.get(name, 0.0) for name in (RENEWALS, PLAN)}
        return parts.assign(**with_plan) * self.sigmoid.slope

    def save(self, folder: Path) -> None:
        """Write as text and JSON.

        Parameters
        ----------
        folder : Path
            Made when absent.
        """
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "plans": self.plans.to_dict(),
            "within": self.within,
            "sigmoid": self.sigmoid.to_dict(),
            "columns": list(self.columns),
            "learned": self.learned,
        }
        if self.trees is not None:
            self.trees.save(folder / TREES)
        (folder / FILE).write_text(json.dumps(told, indent=1, allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Hazard:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        Hazard
            Gives the same chances bit for bit.
        """
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        trees: Any = None
        if (folder / TREES).is_dir():
            from training.learners.churn import ChurnModel

            trees = ChurnModel.load(folder / TREES)
        return cls(
            plans=Plans.from_dict(told["plans"]),
            within=told["within"],
            trees=trees,
            sigmoid=Sigmoid.from_dict(told["sigmoid"]),
            columns=tuple(told["columns"]),
            learned=told["learned"],
        )


def baseline(plans: Plans, frame: pd.DataFrame, ahead: int) -> Floats:
    """Log-odds to end at each of the next renewals, by the sBG of the plan.

    Parameters
    ----------
    plans : Plans
    frame : pandas.DataFrame
        Behaviour rows.
    ahead : int
        Periods.

    Returns
    -------
    ndarray of shape (n_customers, ahead)
        logit λ = log α − log(β + n + j − 1) for the j-th renewal ahead after n made.
    """
    alpha, beta = plans.parameters(frame[PLAN], frame[periods.TERM])
    made = renewals(frame)[:, None] + np.arange(ahead)
    return np.log(alpha)[:, None] - np.log(beta[:, None] + made)


def renewals(frame: pd.DataFrame) -> Floats:
    """Renewals made so far; 0 where none is on record."""
    return np.nan_to_num(frame[RENEWALS].to_numpy(dtype=np.float64, na_value=np.nan))


def long(frame: pd.DataFrame, columns: tuple[str, ...], due: Floats) -> pd.DataFrame:
    """One row a subscriber and period, the periods of a subscriber together.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    columns : tuple of str
        Those to keep.
    due : ndarray of shape (n_customers, n_periods)

    Returns
    -------
    pandas.DataFrame of shape (n_customers · n_periods, n_columns + 3)
        With `PERIOD`: its number from 1, renewals made before it, days to its renewal.
    """
    customers, ahead = due.shape
    numbers = np.tile(np.arange(1.0, ahead + 1.0), customers)
    rows = frame[list(columns)].iloc[np.repeat(np.arange(customers), ahead)].reset_index(drop=True)
    made = np.repeat(renewals(frame), ahead)
    return rows.assign(
        period=numbers, period_renewals=made + numbers - 1.0, period_days=due.ravel()
    )


def fates(snapshot: pd.DataFrame, due: Floats, known_days: float, grace: int) -> tuple:
    """Which period each subscriber ended in, and which periods are wholly known.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        With ``ended_after`` (days, null while it runs).
    due : ndarray of shape (n_customers, n_periods)
    known_days : float
        Days from the snapshot's date to the one from which on nothing is known.
    grace : int
        Days of grace.

    Returns
    -------
    tuple of ndarray
        ``ended`` bool of the shape of `due`; ``asked`` bool: one was there at the period's start,
        and the period and the grace after it are over; ``within`` bool: ended between renewals.

    Notes
    -----
    An end a few days after a renewal belongs to it: the customer was late, or was let go late.
    """
    after = snapshot["ended_after"].to_numpy(dtype=np.float64, na_value=np.nan)
    after = np.where(np.isfinite(after), after, np.inf)[:, None]
    term = snapshot[periods.TERM].to_numpy(dtype=np.float64, na_value=np.nan)[:, None]
    slack = np.minimum(float(grace), term / 4.0)
    reached = after > due + slack
    there = np.column_stack([np.ones(len(due), dtype=bool), reached[:, :-1]])
    ended = there & ~reached
    with np.errstate(invalid="ignore"):
        asked = there & (due + slack + grace < known_days)
    return ended & asked, asked, ended & asked & (after < due - 1.0)
