"""Snapshots of the past: what was known on a date, and what came of it.

In: accepted tables (``features.inputs.Inputs``) and an as-of date *D*; nothing from *D* on is
read. Out: a schedule of past as-of dates and, for each, a frame with one row per customer:
``customer_id``, ``as_of``, the behaviour columns at that date, and for each horizon h that was
over by then the outcome columns ``returned_in_h``, ``occasions_in_h`` and ``spend_in_h`` of the
window ``[as_of, as_of + h)``.

Time rule: what is tested at *o* learns from windows that ended by *o*. Models learn from windows
of at most 60 days, whatever the horizon: there are more of them, and newer ones; the value model
carries what they say to the horizon (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from training.errors import NotEnoughData

if TYPE_CHECKING:
    import pandas as pd

    from features.inputs import Inputs
    from features.table import Population

OUTCOMES = ("returned", "occasions", "spend")

#: Days of log before the first snapshot: less, and there is no behaviour to learn from.
MIN_HISTORY_DAYS = 60
#: Longest window that models learn from, in days.
WINDOW_DAYS = 60
#: Shortest time between snapshots, in days.
STEP_DAYS = 28
#: Recent snapshots in one fit; the same season a year earlier comes on top.
MAX_SNAPSHOTS = 8
#: Windows tested by the rolling backtest, newest first.
MAX_ORIGINS = 3
#: 52 weeks: the same season on the same weekday.
YEAR_DAYS = 364
#: Horizons that every training answers for besides its own, in days.
ANCHORS = (30, 60, 90, 180, 365)


@dataclass(frozen=True)
class Origin:
    """One fit in time.

    Attributes
    ----------
    at : date
        The as-of date that the fit answers for.
    dates : tuple of date
        Snapshots to learn from, oldest first; their windows end by ``at``.
    """

    at: date
    dates: tuple[date, ...]

    def keeping(self, usable: Container[date]) -> Origin:
        """The origin without the snapshots that are not usable."""
        return Origin(self.at, tuple(day for day in self.dates if day in usable))


@dataclass(frozen=True)
class Schedule:
    """The fits of one training.

    Attributes
    ----------
    production : Origin
        The fit that is registered; ``at`` is the training's as-of date.
    tests : tuple of Origin
        Rolling origins, newest first, each a whole horizon apart, so that no two test windows
        overlap; the windows end by the training's as-of date.
    shorter : tuple of Origin
        The same for the longest of `ANCHORS` that leaves something to learn from before the
        test, where the horizon itself does not; empty otherwise.
    """

    production: Origin
    tests: tuple[Origin, ...]
    shorter: tuple[Origin, ...] = ()

    @property
    def newest_test(self) -> Origin | None:
        """The freshest window with a known outcome: the one that grades and gates."""
        return self.tests[0] if self.tests else None

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Every origin that is tested, newest first."""
        known = {origin.at: origin for origin in (*self.shorter, *self.tests)}
        return tuple(known[at] for at in sorted(known, reverse=True))

    @property
    def dates(self) -> tuple[date, ...]:
        """Every snapshot with an outcome that is needed, oldest first."""
        wanted = set(self.production.dates)
        for origin in self.origins:
            wanted.update(origin.dates, (origin.at,))
        return tuple(sorted(wanted))

    def keeping(self, usable: Container[date]) -> Schedule:
        """The schedule that is left when some snapshots hold too few customers.

        Parameters
        ----------
        usable : container of date
            Snapshots that a value model could be fitted on.

        Returns
        -------
        Schedule
            Without the others.
        """
        tests, shorter = (
            tuple(origin.keeping(usable) for origin in origins if origin.at in usable)
            for origins in (self.tests, self.shorter)
        )
        return Schedule(self.production.keeping(usable), tests, shorter)


def window_days(horizon_days: int) -> int:
    """Length of the windows that models for a horizon learn from, in days."""
    return min(horizon_days, WINDOW_DAYS)


def schedule(first_day: date, as_of: date, horizon_days: int) -> Schedule:
    """Choose the past as-of dates to learn from and to be tested on.

    Parameters
    ----------
    first_day : date
        Day of the first accepted row.
    as_of : date
        Nothing at or after its midnight is used.
    horizon_days : int
        Length of the window that is answered for, in days.

    Returns
    -------
    Schedule
        ``production.dates`` is empty, or ``tests`` is empty, where history does not reach.

    Raises
    ------
    NotEnoughData
        If there is no history at all before ``as_of``.

    Notes
    -----
    All dates but those of last year lie on one lattice, so that origins share snapshots: with
    the horizon h and n = max(1, round(h / 28)), they are as_of − w − h·j/n, j = 0, 1, …, where w
    is the length of the windows.

    Examples
    --------
    >>> plan = schedule(date(2009, 12, 1), date(2011, 12, 10), 90)
    >>> plan.newest_test.at, plan.newest_test.dates[-1]
    (datetime.date(2011, 9, 11), datetime.date(2011, 7, 13))
    >>> plan = schedule(date(1997, 1, 1), date(1997, 10, 1), 273)
    >>> plan.tests, plan.shorter[0].at, len(plan.production.dates)
    ((), datetime.date(1997, 7, 3), 6)
    """
    if as_of <= first_day:
        raise NotEnoughData(
            f"got as-of {as_of}, but the first accepted row is of {first_day}; "
            "choose a later --as-of, or read an older log"
        )
    earliest = first_day + timedelta(days=MIN_HISTORY_DAYS)
    production = _origin(earliest, as_of, horizon_days)
    tests = _tests(earliest, as_of, horizon_days, horizon_days)
    if any(origin.dates for origin in tests):
        return Schedule(production, tests)
    for days in sorted((d for d in ANCHORS if d < horizon_days), reverse=True):
        shorter = _tests(earliest, as_of, horizon_days, days)
        if any(origin.dates for origin in shorter):
            return Schedule(production, tests, shorter)
    return Schedule(production, tests)


def _tests(earliest: date, as_of: date, horizon_days: int, days: int) -> tuple[Origin, ...]:
    """Origins a test window apart, newest first."""
    apart = max(days, STEP_DAYS)
    ends = [as_of - timedelta(days=apart * (k + 1)) for k in range(MAX_ORIGINS)]
    return tuple(_origin(earliest, end, horizon_days) for end in ends if end >= earliest)


def _origin(earliest: date, at: date, horizon_days: int) -> Origin:
    window = window_days(horizon_days)
    parts = max(1, round(horizon_days / STEP_DAYS))
    apart = max(horizon_days, STEP_DAYS)
    back = [window + (apart * j) // parts for j in range(MAX_SNAPSHOTS)]
    last_year = at - timedelta(days=YEAR_DAYS)
    wanted = {at - timedelta(days=days) for days in back} | {last_year}
    return Origin(at, tuple(sorted(day for day in wanted if day >= earliest)))


def behaviour_frame(
    inputs: Inputs, as_of: date, *, horizon_days: int, population: Population = "buyers"
) -> pd.DataFrame:
    """Behaviour rows at one date as a data frame, sorted by customer.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables.
    as_of : date
        Nothing at or after its midnight is read.
    horizon_days : int
        Sets the window of the same-season columns, in days.
    population : {"buyers", "customers"}
        As in ``features.table.behaviour``.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``as_of``, the catalogue's columns, then ``attribute_*``.
    """
    from features.table import behaviour

    table = behaviour(inputs, as_of, horizon_days=horizon_days, population=population)
    return table.order_by("customer_id").to_pyarrow().to_pandas()


def snapshot(
    inputs: Inputs,
    as_of: date,
    *,
    horizon_days: int,
    known_until: date,
    others: Sequence[int] = (),
) -> pd.DataFrame:
    """Behaviour at one past date, and what came of it.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables with a transaction log.
    as_of : date
        Date of the snapshot.
    horizon_days : int
        Length of the outcome window, in days.
    known_until : date
        Days from here on are the future; the window must end by it.
    others : sequence of int, optional
        Further lengths; those whose window is not over are left out.

    Returns
    -------
    pandas.DataFrame
        Behaviour columns and, for the horizon h and each of the others, ``returned_in_h`` (0
        or 1), ``occasions_in_h`` (count) and ``spend_in_h`` (currency, net of refunds), one row per
        buyer, sorted by customer.

    Raises
    ------
    NotEnoughData
        If the outcome window is not over by ``known_until``.
    """
    from features.outcomes import windows

    days = (known_until - as_of).days
    if horizon_days > days:
        raise NotEnoughData(
            f"the {horizon_days} days from {as_of} are not over on {known_until}; "
            "choose an earlier snapshot or a shorter horizon"
        )
    frame = behaviour_frame(inputs, as_of, horizon_days=horizon_days)
    over = sorted({horizon_days, *(one for one in others if one <= days)})
    known = windows(inputs.transactions, as_of, over).to_pyarrow().to_pandas()
    return frame.merge(known, on="customer_id", how="left", validate="one_to_one")


def seen(frame: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """A snapshot with the outcome of one window.

    Parameters
    ----------
    frame : pandas.DataFrame
        From `snapshot`.
    horizon_days : int
        One of the lengths that were over.

    Returns
    -------
    pandas.DataFrame
        Behaviour columns, and ``returned``, ``occasions`` and ``spend`` of this window.
    """
    came = {name: frame[f"{name}_in_{horizon_days}"] for name in OUTCOMES}
    return behaviour_of(frame).assign(**came)


def churned(seen: pd.DataFrame) -> pd.Series:
    """1 where the customer did not return in the window, 0 where they did."""
    return (1 - seen["returned"]).astype("int8")


def behaviour_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a snapshot that were known on its date."""
    return frame[[name for name in frame.columns if not _is_outcome(str(name))]]


def _is_outcome(name: str) -> bool:
    stem, _, days = name.rpartition("_in_")
    return stem in OUTCOMES and days.isdigit()
