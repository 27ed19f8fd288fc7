"""How fresh a source is at an as-of date, by the pace of its own past.

In: the accepted rows of every source. Out: of each source that a business feeds day by day, its
newest day, its usual pace and its longest silence so far, and whether the silence before the
as-of date is longer than that past makes believable. Nothing from the as-of day on is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import comb
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import arrow, days_between
from features.occasions import before

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.inputs import Inputs

#: Sources that are fed day by day; treatments come with campaigns, customers have no days.
FED = ("transactions", "events", "subscriptions")
#: A silence of a week is never too long: feeds are late, shops close.
SHORT_DAYS = 7
#: How seldom a source with gaps of pure chance may be called stale, and the least factor, since
#: closed weeks are not of chance.
SELDOM, LEAST = 0.001, 2


@dataclass(frozen=True)
class Freshness:
    """One source at an as-of date.

    Parameters
    ----------
    source : str
        One of `FED`.
    last_day : date
        Newest day with a row.
    silent_days : int
        Whole days without a row between it and the as-of date; 0 or more.
    days : int
        Days with a row.
    usual_gap : float
        Mean days from one such day to the next; 0 with a single one.
    longest_gap : int
        Most days from one such day to the next; 0 with a single one.
    limit_days : int or None
        Silence up to which the source is believed; None where a single day tells nothing.
    """

    source: str
    last_day: date
    silent_days: int
    days: int
    usual_gap: float
    longest_gap: int
    limit_days: int | None

    @property
    def is_stale(self) -> bool:
        """Whether the silence is longer than the source's past makes believable."""
        return self.limit_days is not None and self.silent_days > self.limit_days

    def seen(self) -> str:
        """What the source does now, in words."""
        return f"no row for {self.silent_days:,} days, the last one of {self.last_day}"

    def expected(self) -> str:
        """What its own past lets one expect, in words."""
        if self.limit_days is None:
            return "rows on more than one day"
        return (
            f"a row every {self.usual_gap:.1f} days; the longest gap so far is of "
            f"{self.longest_gap:,} days, and {self.limit_days:,} are believed"
        )


def of(inputs: Inputs, as_of: date) -> tuple[Freshness, ...]:
    """Freshness of every source that is fed day by day.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    tuple of Freshness
        In the order of `FED`; without sources that are missing or have no row before `as_of`.
    """
    found = []
    for source in FED:
        table = getattr(inputs, source)
        if table is None:
            continue
        told = _paced(_days(table, as_of), as_of)
        if told["days"]:
            found.append(_freshness(source, told))
    return tuple(found)


def limit(days: int, longest_gap: int) -> int | None:
    """Silence up to which a source is believed.

    Parameters
    ----------
    days : int
        Days with a row.
    longest_gap : int
        Most days from one to the next.

    Returns
    -------
    int or None
        Days, `SHORT_DAYS` at least; None below two days with a row.

    Notes
    -----
    With n gaps, exponential as those of events of pure chance are, the next one is longer than k
    times the longest so far with the probability E[exp(−k M)] = k! n! / (n + k)! = 1 / C(n + k, k)
    (M in units of the mean gap; exp(−M) is the least of n uniform numbers, Beta(1, n)). The limit
    is k times the longest gap with the least k >= `LEAST` that makes this at most `SELDOM`: 2 from
    44 gaps on, more where the past is short.
    """
    gaps = days - 1
    if gaps < 1:
        return None
    factor = LEAST
    while comb(gaps + factor, factor) * SELDOM < 1:
        factor += 1
    return max(SHORT_DAYS, factor * longest_gap)


def _freshness(source: str, told: dict[str, Any]) -> Freshness:
    longest = told["longest"] or 0
    return Freshness(
        source=source,
        last_day=told["last"],
        silent_days=told["silent"] - 1,
        days=told["days"],
        usual_gap=float(told["usual"] or 0.0),
        longest_gap=longest,
        limit_days=limit(told["days"], longest),
    )


def _days(table: ir.Table, as_of: date) -> ir.Table:
    """Days on which the source says that something happened."""
    days = before(table, as_of).select("day")
    if "repeats" in table.columns:
        # The end of a paid period is known when it begins: it is no sign of life.
        ends = table.filter(table.repeats & (table.end < ibis.literal(as_of)))
        days = days.union(ends.select(day=ends.end))
    return days.distinct()


def _paced(days: ir.Table, as_of: date) -> dict[str, Any]:
    """Count of days, the last one, and the gaps between them."""
    paced = days.mutate(previous=days.day.lag().over(ibis.window(order_by="day")))
    gap = days_between(paced.day, paced.previous)
    told = paced.aggregate(
        days=paced.count(), last=paced.day.max(), longest=gap.max(), usual=gap.mean()
    )
    told = told.mutate(silent=days_between(ibis.literal(as_of), told.last))
    found: dict[str, Any] = arrow(told).to_pylist()[0]
    return found
