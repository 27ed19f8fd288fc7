"""Cohort retention: of those who first bought in a month, who bought how many months later.

In: customer-days before the as-of day (`features.occasions`). Out: a triangle, one row a month of
first purchases, one column a month since. A customer counts once a month; a month is the
calendar's, in business local time. "First" is the first on record: of the first months of a log
nobody can say who is really new. The month that holds the as-of day is not over and is never
averaged.

Null rule: customers without an occasion are in no cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from features import compat

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MONTHS = 12


@dataclass(frozen=True)
class Cohort:
    """Customers of one month of first purchases.

    Parameters
    ----------
    month : date
        Its first day.
    active : tuple of int
        Customers with an occasion k months later, from k = 0 on, up to the month before as-of;
        the first is the size of the cohort.
    spend : tuple of float
        Net spend of the occasions of the same months, in currency.
    finished : int
        How many of these months are over: all of them, or all but the last.
    """

    month: date
    active: tuple[int, ...]
    spend: tuple[float, ...]
    finished: int

    @property
    def customers(self) -> int:
        """Size of the cohort."""
        return self.active[0]

    @property
    def retention(self) -> tuple[float, ...]:
        """Share of the cohort that bought k months later, in [0, 1]."""
        return tuple(number / self.customers for number in self.active)


def cohorts(days: ir.Table, as_of: date) -> tuple[Cohort, ...]:
    """The triangle of a log.

    Parameters
    ----------
    days : ibis table
        ``customer_id``, ``day``, ``net``, ``is_occasion``.
    as_of : date
        Days from this one on are not seen.

    Returns
    -------
    tuple of Cohort
        Oldest first; months in which nobody first bought are left out.

    Notes
    -----
    With N(c) customers whose first occasion lies in month c, and A(c, k) of them with an occasion
    in month c + k: retention(c, k) = A(c, k) / N(c), so retention(c, 0) = 1.
    """
    cells = {
        (row["cohort"], row["since"]): (row["active"], float(row["spend"]))
        for row in compat.arrow(_cells(days, as_of)).to_pylist()
    }
    last = _number(as_of - timedelta(days=1))
    over = last if (as_of - timedelta(days=1)).month != as_of.month else last - 1
    found = []
    for month in sorted({cohort for cohort, _ in cells}):
        row = [cells.get((month, since), (0, 0.0)) for since in range(last - month + 1)]
        active, spend = zip(*row, strict=True)
        found.append(Cohort(_first_day(month), active, spend, over - month + 1))
    return tuple(found)


def average(triangle: Sequence[Cohort]) -> tuple[float, ...]:
    """Retention over all cohorts, by months since.

    Parameters
    ----------
    triangle : sequence of Cohort

    Returns
    -------
    tuple of float
        Σ A(c, k) / Σ N(c) over the cohorts whose month k is over; in [0, 1].
    """
    longest = max((cohort.finished for cohort in triangle), default=0)
    shares = []
    for since in range(longest):
        told = [cohort for cohort in triangle if cohort.finished > since]
        shares.append(sum(c.active[since] for c in told) / sum(c.customers for c in told))
    return tuple(shares)


def _cells(days: ir.Table, as_of: date) -> ir.Table:
    """Customers and spend by month of the first occasion and months since."""
    import ibis

    seen = days.filter(days.is_occasion & (days.day < ibis.literal(as_of)))
    seen = seen.mutate(month=seen.day.year().cast("int64") * _MONTHS + seen.day.month() - 1)
    seen = seen.mutate(cohort=seen.month.min().over(ibis.window(group_by="customer_id")))
    seen = seen.mutate(since=seen.month - seen.cohort)
    return seen.group_by(["cohort", "since"]).aggregate(
        active=seen.customer_id.nunique(), spend=seen.net.sum()
    )


def _number(day: date) -> int:
    return day.year * _MONTHS + day.month - 1


def _first_day(month: int) -> date:
    return date(month // _MONTHS, month % _MONTHS + 1, 1)
