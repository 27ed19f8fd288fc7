"""Snapshots of the past: what was known on a date, and what came of it.

In: accepted tables (``features.inputs.Inputs``) and an as-of date *D*; nothing from *D* on is
read. Out: a schedule of past as-of dates and, for each, a frame with one row per customer:
``customer_id``, ``as_of``, the behaviour columns at that date, and the outcome columns
``returned``, ``occasions`` and ``spend`` of the window ``[as_of, as_of + horizon)``.

Time rule: the blend that is tested at *o* learns from snapshots whose windows end by *o*, so the
gap is the horizon itself. A learner alone is trained on those whose windows end by the newest of
them, on which it is calibrated.
"""

from __future__ import annotations

from collections.abc import Container
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
#: Recent training snapshots in one fit; the same season a year earlier comes on top.
MAX_SNAPSHOTS = 8
#: Windows tested by the rolling backtest, newest first.
MAX_ORIGINS = 3
#: 52 weeks: the same season on the same weekday.
YEAR_DAYS = 364


@dataclass(frozen=True)
class Origin:
    """One fit in time: trained, then calibrated, then asked about ``at``.

    Attributes
    ----------
    at : date
        The as-of date that the fit answers for.
    calibrate : date or None
        The newest snapshot; its window ends by ``at``. A learner alone is calibrated on it; the
        blend and the naive rules learn from it as from the others.
    train : tuple of date
        Training snapshots, oldest first; their windows end by ``calibrate``. Empty when history
        is too short to train and calibrate a learner alone.
    """

    at: date
    calibrate: date | None
    train: tuple[date, ...]

    @property
    def has_panel(self) -> bool:
        """Whether a learner alone can be trained and calibrated here."""
        return bool(self.train) and self.calibrate is not None

    @property
    def dates(self) -> tuple[date, ...]:
        """Snapshots that this fit reads, besides ``at`` itself."""
        return (*self.train, self.calibrate) if self.calibrate else self.train

    def keeping(self, usable: Container[date]) -> Origin:
        """The origin without the snapshots that are not usable."""
        calibrate = self.calibrate if self.calibrate in usable else None
        return Origin(self.at, calibrate, tuple(day for day in self.train if day in usable))


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
    """

    production: Origin
    tests: tuple[Origin, ...]

    @property
    def newest_test(self) -> Origin | None:
        """The freshest window with a known outcome: the one that grades and gates."""
        return self.tests[0] if self.tests else None

    @property
    def dates(self) -> tuple[date, ...]:
        """Every snapshot with an outcome that is needed, oldest first."""
        wanted = set(self.production.dates)
        for origin in self.tests:
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
            Without the others; an origin whose calibration snapshot fell out has no panel.
        """
        tests = tuple(origin.keeping(usable) for origin in self.tests if origin.at in usable)
        return Schedule(self.production.keeping(usable), tests)


def schedule(first_day: date, as_of: date, horizon_days: int) -> Schedule:
    """Choose the past as-of dates to learn from and to be tested on.

    Parameters
    ----------
    first_day : date
        Day of the first accepted row.
    as_of : date
        Nothing at or after its midnight is used.
    horizon_days : int
        Length of every outcome window, in days.

    Returns
    -------
    Schedule
        ``production.train`` is empty, or ``tests`` is empty, where history does not reach.

    Raises
    ------
    NotEnoughData
        If there is no history at all before ``as_of``.

    Examples
    --------
    >>> plan = schedule(date(2009, 12, 1), date(2011, 12, 10), 90)
    >>> plan.newest_test.at, plan.newest_test.calibrate, plan.newest_test.train[-1]
    (datetime.date(2011, 9, 11), datetime.date(2011, 6, 13), datetime.date(2011, 3, 15))
    >>> schedule(date(1997, 1, 1), date(1997, 10, 1), 273).production.has_panel
    False
    """
    if as_of <= first_day:
        raise NotEnoughData(
            f"got as-of {as_of}, but the first accepted row is of {first_day}; "
            "choose a later --as-of, or read an older log"
        )
    ends = [as_of - timedelta(days=horizon_days * (k + 1)) for k in range(MAX_ORIGINS)]
    earliest = first_day + timedelta(days=MIN_HISTORY_DAYS)
    tests = tuple(_origin(earliest, end, horizon_days) for end in ends if end >= earliest)
    return Schedule(_origin(earliest, as_of, horizon_days), tests)


def _origin(earliest: date, at: date, horizon_days: int) -> Origin:
    calibrate = at - timedelta(days=horizon_days)
    newest = calibrate - timedelta(days=horizon_days)
    if calibrate < earliest:
        return Origin(at, None, ())
    step = timedelta(days=max(28, horizon_days // 3))
    recent = [newest - step * k for k in range(MAX_SNAPSHOTS)]
    last_year = at - timedelta(days=YEAR_DAYS)
    wanted = {day for day in recent if day >= earliest}
    if earliest <= last_year <= newest:
        wanted.add(last_year)
    return Origin(at, calibrate, tuple(sorted(wanted)))


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


def snapshot(inputs: Inputs, as_of: date, *, horizon_days: int, known_until: date) -> pd.DataFrame:
    """Behaviour and outcome at one past date.

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

    Returns
    -------
    pandas.DataFrame
        Behaviour columns and ``returned`` (0 or 1), ``occasions`` (count), ``spend`` (currency,
        net of refunds), one row per buyer, sorted by customer.

    Raises
    ------
    NotEnoughData
        If the outcome window is not over by ``known_until``.
    """
    from features.outcomes import outcomes

    if as_of + timedelta(days=horizon_days) > known_until:
        raise NotEnoughData(
            f"the {horizon_days} days from {as_of} are not over on {known_until}; "
            "choose an earlier snapshot or a shorter horizon"
        )
    frame = behaviour_frame(inputs, as_of, horizon_days=horizon_days)
    after = outcomes(inputs.transactions, as_of, horizon_days)
    known = after.select("customer_id", *OUTCOMES).to_pyarrow().to_pandas()
    return frame.merge(known, on="customer_id", how="left", validate="one_to_one")
