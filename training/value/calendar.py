"""The season of a business: how far each week of the year lies above or below the mean.

In: how much was bought on each day of the log. Out: a calendar index, with growth taken out; where
the log holds less than two years a season cannot be told from growth, and the calendar is flat and
says that the season is missing.

How it fits with `training.windows.level`: the level of a horizon holds its season already (it is
that of last year's same window), and the horizons that have one, the anchors of
`training.windows.carry`, are those that are tested. So the calendar leaves them as they are, and
the season is counted once: between two of them it says on which days the purchases fall, before the
first and beyond the last how much more or less comes in a stretch than in the horizon beside it. It
does so as a clock that runs faster in weeks in which more is bought (`Calendar.aligned`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from training.errors import TrainingError

if TYPE_CHECKING:
    import ibis.expr.types as ir

Floats = NDArray[np.float64]

WEEKS = 52
#: Days of log from which a season can be told from growth.
TWO_YEARS = 730
#: Weights of the week before, the week itself and the week after.
_SMOOTH = (0.25, 0.5, 0.25)
_DAYS_OF_YEAR = 365.0
# Any year that is no leap year, for the months.
_YEAR = 2023


@dataclass(frozen=True)
class Calendar:
    """How far each week of the year lies above or below the mean.

    Attributes
    ----------
    factors : tuple of float > 0, length 52
        Of seven days each from 1 January on, the last of the days that are left too; their mean is
        one.
    years : float
        Length of the log that it was learned from.
    missing : str
        Why there is no season; empty where there is one.
    """

    factors: tuple[float, ...] = (1.0,) * WEEKS
    years: float = 0.0
    missing: str = "no log was looked at."

    def at(self, day: date) -> float:
        """The factor of a day."""
        return self.factors[week_of(day)]

    def days(self, start: date, number: int) -> float:
        """So many days from `start` on, in days of the mean: the sum of their factors."""
        return sum(self.at(start + timedelta(days=day)) for day in range(number))

    def aligned(self, as_of: date, horizon_days: int, anchors: Sequence[int]) -> float:
        """The horizon of a mean year in which as much is bought as in this one of the season.

        Parameters
        ----------
        as_of : date
            First day of the horizon.
        horizon_days : int >= 0
            Its length.
        anchors : sequence of int
            Lengths that hold their season already, rising, in days; at least one.

        Returns
        -------
        float
            Days; `horizon_days` itself at an anchor and without a season. It rises with the
            horizon.

        Notes
        -----
        With C(h) the sum of the factors of the first h days: a + (b − a) · (C(h) − C(a)) /
        (C(b) − C(a)) between the neighbours a < h < b, of which a may be 0; and b · C(h) / C(b)
        beyond the last anchor b.
        """
        if self.missing or horizon_days in anchors:
            return float(horizon_days)
        place = bisect_left(anchors, horizon_days)
        inside = place < len(anchors)
        before = anchors[place - 1] if inside and place else 0
        after = anchors[min(place, len(anchors) - 1)]
        start, here, stop = (self.days(as_of, n) for n in (before, horizon_days, after))
        return before + (after - before) * (here - start) / (stop - start)

    def by_month(self) -> tuple[float, ...]:
        """Mean factor of each month, January first."""
        days = pd.date_range(f"{_YEAR}-01-01", f"{_YEAR}-12-31")
        factors = pd.Series([self.at(day.date()) for day in days], days.month)
        return tuple(factors.groupby(level=0).mean())

    def in_words(self) -> str:
        """Where it comes from, or why there is none, as a sentence for the model card."""
        if self.missing:
            return f"No calendar of the weeks: {self.missing}"
        return (
            f"Purchases by the calendar, learned from {self.years:.1f} years with growth taken "
            "out. Figures over the tested horizons hold the season of last year; it is used for "
            "the days between and beyond them."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, of which `from_dict` makes the same calendar."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Calendar:
        """Read what `to_dict` gave."""
        return cls(tuple(saved["factors"]), float(saved["years"]), str(saved["missing"]))


def week_of(day: date) -> int:
    """Week of the year, 0 to 51; the last has eight or nine days.

    Parameters
    ----------
    day : date

    Returns
    -------
    int
    """
    return min((day.timetuple().tm_yday - 1) // 7, WEEKS - 1)


def too_short(days: int) -> str:
    """Why so many days of log give no calendar, as a sentence; empty where they do.

    Examples
    --------
    >>> too_short(500)
    'the log holds 500 days; a season needs 730 to be told from growth.'
    """
    if days >= TWO_YEARS:
        return ""
    return f"the log holds {days:,} days; a season needs {TWO_YEARS} to be told from growth."


def of_log(transactions: ir.Table, as_of: date) -> Calendar:
    """The calendar of an accepted log.

    Parameters
    ----------
    transactions : ibis Table
        Accepted transactions.
    as_of : date
        Nothing from this day on is looked at.

    Returns
    -------
    Calendar
        As `learn`, of the occasions of each day from the first purchase to the day before.
    """
    from features.occasions import occasions

    bought = occasions(transactions, as_of)
    bought = bought.filter(bought.is_occasion)
    daily = bought.group_by("day").aggregate(number=bought.count()).to_pyarrow().to_pylist()
    if not daily:
        return Calendar(missing=too_short(0))
    first = min(one["day"] for one in daily)
    counts = np.zeros((as_of - first).days)
    counts[[(one["day"] - first).days for one in daily]] = [one["number"] for one in daily]
    return learn(first, counts)


def learn(first_day: date, bought: ArrayLike) -> Calendar:
    """The calendar of a log.

    Parameters
    ----------
    first_day : date
        First day of the log.
    bought : array-like of float >= 0
        Occasions of each day from there on, zero for days without.

    Returns
    -------
    Calendar
        Flat, with the reason, where the log holds less than two years.

    Raises
    ------
    TrainingError
        If a number is negative or not finite.

    Notes
    -----
    Means a day of whole weeks, y, follow ln(y + ½/7) = a + b t + s_week + error, fitted by least
    squares, with t in years, so that growth b is not taken for a season. The s are smoothed over
    neighbouring weeks and shrunk to none by their reliability, 1 − (error variance / years) /
    variance of the s: weeks that differ from year to year are no season.
    """
    counts = np.asarray(bought, dtype=np.float64)
    if not (np.isfinite(counts) & (counts >= 0)).all():
        raise TrainingError("Got daily purchases that are no numbers of at least 0; count them.")
    years = counts.size / _DAYS_OF_YEAR
    if missing := too_short(counts.size):
        return Calendar(years=years, missing=missing)
    week, time, value = _weeks(first_day, counts)
    design = np.column_stack([time, *(week == number for number in range(WEEKS))])
    solved, *_ = np.linalg.lstsq(design.astype(np.float64), value, rcond=None)
    season = solved[1:] - solved[1:].mean()
    spare = value.size - WEEKS - 1
    error = float(np.sum((value - design @ solved) ** 2)) / spare
    spread = float(season @ season) / (WEEKS - 1)
    kept = max(0.0, 1.0 - error * WEEKS / value.size / spread) if spread > 0 else 0.0
    smooth = sum(
        share * np.roll(season, move) for share, move in zip(_SMOOTH, (1, 0, -1), strict=True)
    )
    factors = np.exp(kept * np.asarray(smooth))
    return Calendar(tuple((factors / factors.mean()).tolist()), years, "")


def _weeks(first_day: date, counts: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Week of the year, time in years and log mean a day of each whole week of the log."""
    days = pd.date_range(first_day, periods=counts.size)
    table = pd.DataFrame(
        {
            "year": days.year,
            "week": np.minimum((days.day_of_year - 1) // 7, WEEKS - 1),
            "time": np.arange(counts.size) / _DAYS_OF_YEAR,
            "bought": counts,
        }
    )
    whole = table.groupby(["year", "week"], as_index=False).agg(
        time=("time", "mean"), bought=("bought", "mean"), days=("bought", "size")
    )
    whole = whole[whole["days"] >= 7]
    log = np.log(whole["bought"].to_numpy() + 0.5 / 7.0)
    return whole["week"].to_numpy(np.int64), whole["time"].to_numpy(), log
