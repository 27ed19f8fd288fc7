"""Past as-of dates of subscribers: what is trained, what is calibrated later, what is tested.

In: the first day of the subscriptions, an as-of date, and the length of a window: the horizon and
the grace after it, when an end is final. Out: a rolling origin like that of
`training.windows.panel`, in two stages, since a hazard is calibrated on renewals that came up after
those it was learned from.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from training.errors import NotEnoughData
from training.windows.panel import MAX_ORIGINS, MAX_SNAPSHOTS, MIN_HISTORY_DAYS, STEP_DAYS


@dataclass(frozen=True)
class Origin:
    """One fit in time: trained, then calibrated, then asked about ``at``.

    Attributes
    ----------
    at : date
        The as-of date that the fit answers for.
    calibrate : date or None
        The newest snapshot; its window ends by ``at``.
    train : tuple of date
        Training snapshots, oldest first; their windows end by ``calibrate``.
    """

    at: date
    calibrate: date | None
    train: tuple[date, ...]

    @property
    def has_panel(self) -> bool:
        """Whether a hazard can be trained and calibrated here."""
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
class Stages:
    """The fits of one training.

    Attributes
    ----------
    production : Origin
        The fit that is registered; ``at`` is the training's as-of date.
    tests : tuple of Origin
        Rolling origins, newest first, each a whole window apart.
    """

    production: Origin
    tests: tuple[Origin, ...]

    @property
    def dates(self) -> tuple[date, ...]:
        """Every snapshot with an outcome that is needed, oldest first."""
        wanted = set(self.production.dates)
        for origin in self.tests:
            wanted.update(origin.dates, (origin.at,))
        return tuple(sorted(wanted))

    def keeping(self, usable: Container[date]) -> Stages:
        """The fits that are left where some dates have no subscribers.

        Parameters
        ----------
        usable : container of date

        Returns
        -------
        Stages
        """
        tests = tuple(origin.keeping(usable) for origin in self.tests if origin.at in usable)
        return Stages(self.production.keeping(usable), tests)


def stages(first_day: date, as_of: date, window_days: int) -> Stages:
    """Choose the past as-of dates to learn from and to be tested on.

    Parameters
    ----------
    first_day : date
        First day of the first accepted row.
    as_of : date
        Nothing at or after its midnight is used.
    window_days : int
        Horizon and grace, in days.

    Returns
    -------
    Stages
        Without dates where history does not reach.

    Raises
    ------
    NotEnoughData
        If there is no history at all before ``as_of``.

    Examples
    --------
    >>> plan = stages(date(2022, 1, 1), date(2024, 1, 1), 97)
    >>> plan.tests[0].at, plan.tests[0].calibrate, plan.tests[0].train[-1]
    (datetime.date(2023, 9, 26), datetime.date(2023, 6, 21), datetime.date(2023, 3, 16))
    """
    if as_of <= first_day:
        raise NotEnoughData(
            f"got as-of {as_of}, but the first subscription began on {first_day}; choose a later "
            "--as-of, or read an older history"
        )
    earliest = first_day + timedelta(days=MIN_HISTORY_DAYS)
    ends = [as_of - timedelta(days=window_days * (k + 1)) for k in range(MAX_ORIGINS)]
    tests = tuple(_origin(earliest, end, window_days) for end in ends if end >= earliest)
    return Stages(_origin(earliest, as_of, window_days), tests)


def _origin(earliest: date, at: date, window_days: int) -> Origin:
    calibrate = at - timedelta(days=window_days)
    newest = calibrate - timedelta(days=window_days)
    if calibrate < earliest:
        return Origin(at, None, ())
    step = timedelta(days=max(STEP_DAYS, window_days // 3))
    recent = [newest - step * k for k in range(MAX_SNAPSHOTS)]
    return Origin(at, calibrate, tuple(sorted(day for day in recent if day >= earliest)))
