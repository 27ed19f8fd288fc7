"""The renewals ahead of a subscriber, and what their chances add up to.

In: when the next renewal is due, how long a term is, and the chance to end in each period (the
days up to a renewal, and that renewal). Out: the chance to stay, payments, time and margin over
any span. Whole arrays: a row a customer, a column a period.

A horizon is never shorter in chances than a shorter one: staying is a product that only falls.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DUE, TERM = "subscription_days_to_renewal", "subscription_term_days"
#: Days of a month on average, as `features.terms` takes a term of months.
MONTH_DAYS = 30.4375
YEAR_DAYS = 365.0


def dues(frame: pd.DataFrame, as_of: date, periods: int) -> Floats:
    """Days from as-of to each of the next renewals.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows with `DUE` and `TERM`.
    as_of : date
        For the lengths of the months ahead.
    periods : int >= 1
        How many renewals.

    Returns
    -------
    ndarray of shape (n_customers, periods)
        Rising along a row; below 0 for a renewal that is overdue; NaN without a subscription.
        Terms of months go by the calendar, the last day of a short month standing in.
    """
    due = frame[DUE].to_numpy(dtype=np.float64, na_value=np.nan)
    term = frame[TERM].to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(due) & np.isfinite(term)
    whole, length = np.where(known, due, 0.0), np.where(known, term, 1.0)
    months = np.rint(length / MONTH_DAYS)
    by_month = np.abs(length - months * MONTH_DAYS) < 1e-6
    steps = np.arange(periods)
    days = whole[:, None] + np.rint(length[:, None] * steps)
    start = np.datetime64(as_of, "D")
    first = start + whole.astype("timedelta64[D]")
    month = first.astype("datetime64[M]")
    place = first - month.astype("datetime64[D]")
    ahead = month[:, None] + (months[:, None] * steps).astype("timedelta64[M]")
    last = (ahead + 1).astype("datetime64[D]") - ahead.astype("datetime64[D]") - 1
    on = ahead.astype("datetime64[D]") + np.minimum(place[:, None], last)
    found = np.where(by_month[:, None], (on - start).astype(np.float64), days)
    return np.where(known[:, None], found, np.nan)


def periods_within(frame: pd.DataFrame, days: float) -> int:
    """Periods that reach beyond a span for every customer, at least 1.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows with `DUE` and `TERM`.
    days : float
        Length of the span.

    Returns
    -------
    int
    """
    term = frame[TERM].to_numpy(dtype=np.float64, na_value=np.nan)
    shortest = np.nanmin(term, initial=np.inf) if len(term) else np.inf
    if not np.isfinite(shortest):
        return 1
    # Overdue ones begin up to a grace earlier, and a month may have 28 days.
    return int(np.ceil((days + 100.0) / max(shortest - 3.0, 1.0))) + 1


def paid(chances: Floats) -> Floats:
    """Chance that each renewal is paid: nobody ended up to it.

    Parameters
    ----------
    chances : ndarray of shape (n_customers, periods)
        To end in a period, given that one was there at its start.

    Returns
    -------
    ndarray of the same shape, falling along a row.
    """
    return np.cumprod(1.0 - chances, axis=1, dtype=np.float64)


def staying(chances: Floats, due: Floats, days: float, within: float) -> Floats:
    """Chance that a subscription has not ended when a span is over.

    Parameters
    ----------
    chances : ndarray of shape (n_customers, periods)
    due : ndarray of the same shape
        Days to each renewal; the last one not before the end of the span.
    days : float
        Length of the span (h).
    within : float in [0, 1]
        Share of the ends that come between two renewals rather than at one (ρ).

    Returns
    -------
    ndarray of shape (n_customers,)
        Π (1 − λⱼ) over the renewals due before h, times 1 − ρ λₖ f for the period k that the span
        ends in, with the part f of it that has passed.
    """
    over = due < days
    through = np.where(over, 1.0 - chances, 1.0).prod(axis=1)
    running = np.minimum(over.sum(axis=1), due.shape[1] - 1)[:, None]
    ends = np.take_along_axis(due, running, axis=1)[:, 0]
    before = np.take_along_axis(due, np.maximum(running - 1, 0), axis=1)[:, 0]
    starts = np.where(running[:, 0] > 0, np.maximum(before, 0.0), 0.0)
    part = np.clip((days - starts) / np.maximum(ends - starts, 1.0), 0.0, 1.0)
    chance = np.take_along_axis(chances, running, axis=1)[:, 0]
    unfinished = ~np.take_along_axis(over, running, axis=1)[:, 0]
    return through * np.where(unfinished, 1.0 - within * chance * part, 1.0)


def payments(chances: Floats, due: Floats, days: float, discount: float = 0.0) -> Floats:
    """Renewals that are expected to be paid within a span, later ones counting less.

    Parameters
    ----------
    chances, due : ndarray of shape (n_customers, periods)
    days : float
        Length of the span.
    discount : float >= 0, default 0
        Rate a year (r).

    Returns
    -------
    ndarray of shape (n_customers,)
        Σ P(paid j) · (1 + r)^(−dⱼ/365) over the renewals j due on day dⱼ of the span.
    """
    return (paid(chances) * weights(due, days, discount)).sum(axis=1)


def months(chances: Floats, due: Floats, days: float) -> Floats:
    """Months that a subscription is expected to run within a span.

    Parameters
    ----------
    chances, due : ndarray of shape (n_customers, periods)
    days : float
        Length of the span.

    Returns
    -------
    ndarray of shape (n_customers,)
        At most ``days`` / 30.4375; each period counts with the chance to have begun it.
    """
    ends = np.clip(due, 0.0, days)
    starts = np.column_stack([np.zeros(len(ends)), ends[:, :-1]])
    begun = np.column_stack([np.ones(len(ends)), paid(chances)[:, :-1]])
    return (begun * (ends - starts)).sum(axis=1) / MONTH_DAYS


def weights(due: Floats, days: float, discount: float = 0.0) -> Floats:
    """What a payment on its day counts within a span.

    Parameters
    ----------
    due : ndarray of shape (n_customers, periods)
    days : float
        Length of the span.
    discount : float >= 0, default 0
        Rate a year (r).

    Returns
    -------
    ndarray of the same shape
        (1 + r)^(−dⱼ/365), above 0; 0 for renewals beyond the span.
    """
    with np.errstate(invalid="ignore"):
        inside = due < days
    return np.where(inside, (1.0 + discount) ** (-np.maximum(due, 0.0) / YEAR_DAYS), 0.0)
