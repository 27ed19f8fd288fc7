"""The season of a business, and what customers buy between any two days ahead.

In: how much was bought on each day of the log. Out: a calendar index, how far each week of the year
lies above or below the year's mean, with growth taken out; where the log holds less than two years
a season cannot be told from growth, and the calendar is flat and says that the season is missing.

With a value model it gives the expected purchases and spend of any days [start, end) ahead, which
add up: those of [a, b) and [b, c) are together those of [a, c).

How it fits with `training.level`: the level already holds the season of one window, the horizon
from as-of on (it is last year's). Whoever moves a forecast to that level says so by `settled_days`:
the index is then taken relative to its mean over the horizon, so that the sum over the horizon
stays what the level made it, and the season is counted once. Within the horizon the calendar then
only says when; beyond it, how much more or less than in the horizon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from training.errors import TrainingError
from training.value.purchase_models import name_of, purchase_model

if TYPE_CHECKING:
    from training.value.model import ValueModel

Floats = NDArray[np.float64]

WEEKS = 52
#: Days of log from which a season can be told from growth.
TWO_YEARS = 730
#: Weights of the week before, the week itself and the week after.
_SMOOTH = (0.25, 0.5, 0.25)
_DAYS_OF_YEAR = 365.0
# Lengths at which the probability to return is computed, between a day and the limit.
_LENGTHS = 64


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
    missing: str = "No log was looked at."

    def at(self, day: date) -> float:
        """The factor of a day."""
        return self.factors[week_of(day)]

    def mean(self, start: date, end: date) -> float:
        """Mean factor of the days [start, end); one where there is none."""
        number = (end - start).days
        if number <= 0:
            return 1.0
        return sum(self.at(start + timedelta(days=day)) for day in range(number)) / number


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
    if counts.size < TWO_YEARS:
        return Calendar(
            years=years,
            missing=f"The log holds {counts.size} days; a season needs {TWO_YEARS} to be told from "
            "growth.",
        )
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


def between(
    model: ValueModel,
    frame: pd.DataFrame,
    as_of: date,
    start: date,
    end: date,
    calendar: Calendar | None = None,
    *,
    settled_days: int = 0,
    annual_discount_rate: float = 0.0,
) -> pd.DataFrame:
    """Expected purchases and spend of the days [start, end).

    Parameters
    ----------
    model : ValueModel
        Fitted.
    frame : DataFrame
        Behaviour rows at `as_of`.
    as_of : date
    start, end : date
        as_of <= start <= end.
    calendar : Calendar, optional
        None is a flat one.
    settled_days : int, default 0
        Days from as-of over which a level that holds the season is set on top
        (`training.level`); the index is relative to its mean over them.
    annual_discount_rate : float >= 0, default 0
        At which what is bought later counts less, from as-of on.

    Returns
    -------
    DataFrame
        Index of `frame`; expected_purchases >= 0 and expected_spend in money, null where the
        history is null.

    Raises
    ------
    TrainingError
        If the days are not in order, or the rate cannot be one.

    Notes
    -----
    Σ over weeks of c_week · (D(u₁) − D(u₀)), with D(u) = ∫₀ᵘ e^(−δ v) dE(v) of the purchases
    model, which is cumulative, so that neighbouring windows add up to rounding.
    """
    _check_days(as_of, start, end, annual_discount_rate)
    history, value, known = model.histories(frame)
    params = model.purchases_.params
    bought = purchase_model(name_of(params))
    rate = math.log1p(annual_discount_rate) / _DAYS_OF_YEAR

    def until(day: date) -> Floats:
        length = float((day - as_of).days)
        found: Floats = bought.discounted_purchases(params, length, rate, *history)
        return found

    purchases = np.zeros(history[0].size)
    before = until(start)
    for knot, factor in _pieces(calendar or Calendar(), as_of, start, end, settled_days):
        after = until(knot)
        # Curves rise; differences of equal numbers may come out as minus their last digit.
        purchases += factor * np.maximum(after - before, 0.0)
        before = after
    result = pd.DataFrame(
        np.nan, index=frame.index, columns=["expected_purchases", "expected_spend"]
    )
    result.loc[known, "expected_purchases"] = purchases
    result.loc[known, "expected_spend"] = purchases * value
    return result


def days_to_next_purchase(
    model: ValueModel, frame: pd.DataFrame, within_days: float, *, given_there: bool = False
) -> Floats:
    """Median time to the next purchase.

    Parameters
    ----------
    model : ValueModel
        Fitted.
    frame : DataFrame
        Behaviour rows.
    within_days : float >= 1
        Limit.
    given_there : bool, default False
        Of those who have not left: as a shop-keeper would say of a customer. Else of all: null
        for whoever is more likely gone, or away for longer than the limit, than back.

    Returns
    -------
    ndarray of float64
        Days from as-of by which a purchase is as likely as not; NaN where it is less likely within
        the limit, and where the history is null.

    Raises
    ------
    TrainingError
        If the limit is below a day.

    Notes
    -----
    The smallest t with P(return within t) >= ½, or ½ P(alive). Between 64 lengths a constant
    hazard is assumed: −ln(1 − P) is interpolated.
    """
    if not (math.isfinite(within_days) and within_days >= 1):
        raise TrainingError(f"Got within_days = {within_days}; expected at least a day.")
    history, _, known = model.histories(frame)
    params = model.purchases_.params
    bought = purchase_model(name_of(params))
    there = bought.p_alive(params, *history) if given_there else np.ones(history[0].size)
    wanted = np.log(2.0)
    days = np.full(there.size, np.nan)
    before, length_before = np.zeros(there.size), 0.0
    for length in np.geomspace(min(0.5, within_days), within_days, _LENGTHS):
        back = bought.return_probability(params, float(length), *history)
        with np.errstate(divide="ignore", invalid="ignore"):
            hazard = np.maximum(-np.log1p(-np.minimum(back / there, 1.0)), before)
            part = np.where(np.isinf(hazard), 1.0, (wanted - before) / (hazard - before))
        here = np.isnan(days) & (hazard >= wanted)
        days[here] = (length_before + part * (length - length_before))[here]
        before, length_before = hazard, float(length)
    result = np.full(len(frame), np.nan)
    result[known] = days
    return result


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


def _pieces(
    calendar: Calendar, as_of: date, start: date, end: date, settled_days: int
) -> list[tuple[date, float]]:
    """Last day and factor of each stretch of [start, end) with one factor."""
    base = calendar.mean(as_of, as_of + timedelta(days=settled_days))
    found: list[tuple[date, float]] = []
    day = start
    while day < end:
        factor, following = calendar.at(day) / base, day + timedelta(days=1)
        if found and found[-1][1] == factor:
            found[-1] = (following, factor)
        else:
            found.append((following, factor))
        day = following
    return found


def _check_days(as_of: date, start: date, end: date, annual_discount_rate: float) -> None:
    """Refuse windows that are not ahead, and rates that mean nothing."""
    if not as_of <= start <= end:
        raise TrainingError(
            f"Got the days from {start} to {end} as of {as_of}; expected as_of <= start <= end."
        )
    if not (math.isfinite(annual_discount_rate) and annual_discount_rate >= 0):
        raise TrainingError(
            f"Got annual_discount_rate = {annual_discount_rate}; expected a number of at least 0."
        )
