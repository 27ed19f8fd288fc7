"""Breaks in what a purchase costs: amounts that came in another unit from some day on.

In: accepted transactions. Out: the days from which on the median purchase amount is a different
one by a factor that no trade has, such as cents that came for euros. Nothing is corrected: which
side is right is not in the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np

from features.compat import arrow
from features.occasions import before

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Factor between two medians beyond which the unit is doubted; prices and mixes move by less.
FACTOR = 20.0
#: Purchases that a median rests on at the least, and stretches that a log is cut into at the most.
LEAST, MOST_STRETCHES = 100, 24


@dataclass(frozen=True)
class Break:
    """A day from which on purchases cost something else altogether.

    Parameters
    ----------
    since : date
        First day of the stretch of the log in which it shows.
    earlier, later : float
        Median purchase amount of the stretch before, and of the one after; above 0, in currency.
    """

    since: date
    earlier: float
    later: float

    @property
    def factor(self) -> float:
        """The greater of both medians by the lesser; 1 or more."""
        return max(self.earlier, self.later) / min(self.earlier, self.later)

    def in_words(self) -> str:
        """The break, without a full stop."""
        side = "higher" if self.later > self.earlier else "lower"
        return (
            f"from about {self.since} on the median purchase amount is {self.factor:,.0f} times "
            f"{side} than before ({self.later:,.2f} against {self.earlier:,.2f})"
        )


def find(transactions: ir.Table | None, as_of: date) -> tuple[Break, ...]:
    """Find the breaks in the amounts of a log.

    Parameters
    ----------
    transactions : ibis table or None
        Accepted rows with ``day`` and ``amount``.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    tuple of Break
        By day; none of a log with fewer than twice `LEAST` purchases.

    Notes
    -----
    The log is cut into stretches of whole days with about as many purchases each, at least
    `LEAST`. A stretch with the change within it is mixed, and its median may lie between the two:
    so each stretch is held against the one before it and against the one before that.
    """
    if transactions is None:
        return ()
    log = before(transactions, as_of)
    paid = log.filter(log.amount > 0)
    starts = _starts(paid)
    return _breaks(_medians(paid, starts)) if len(starts) > 1 else ()


def sentences(transactions: ir.Table | None, as_of: date) -> tuple[str, ...]:
    """Say where amounts seem to change their unit, and what to look at.

    Parameters
    ----------
    transactions : ibis table or None
    as_of : date
        As `find`.

    Returns
    -------
    tuple of str
        One sentence after another as one text, or nothing.
    """
    found = find(transactions, as_of)
    if not found:
        return ()
    return (
        f"Amounts seem to change their unit: {'; '.join(one.in_words() for one in found)}. Look at "
        "`amount` in [sources.transactions] on both sides of that day (cents for whole units, "
        "another currency, a decimal sign) and bring all to one unit: every figure in money is "
        "learned from both.",
    )


def _starts(paid: ir.Table) -> list[date]:
    """First days of the stretches, in order."""
    found = arrow(paid.group_by("day").aggregate(rows=paid.count()).order_by("day"))
    days, rows = found["day"].to_pylist(), found["rows"].to_numpy()
    stretches = min(MOST_STRETCHES, int(rows.sum()) // LEAST)
    if stretches < 2:
        return []
    starts: list[date] = []
    size, held = rows.sum() / stretches, 0
    for day, count in zip(days, np.asarray(rows), strict=True):
        if not starts or held >= max(size, LEAST):
            starts.append(day)
            held = 0
        held += int(count)
    # What is left at the end goes with the stretch before it where it is too little.
    return starts[:-1] if held < LEAST else starts


def _medians(paid: ir.Table, starts: Sequence[date]) -> list[tuple[date, float]]:
    """Median purchase amount of each stretch."""
    number = ibis.cases(
        *((paid.day >= ibis.literal(day), place) for place, day in reversed([*enumerate(starts)])),
        else_=0,
    )
    numbered = paid.select(stretch=number, amount=paid.amount.cast("float64"))
    middle = numbered.group_by("stretch").aggregate(median=numbered.amount.median())
    found = arrow(middle.order_by("stretch"))
    told = zip(found["stretch"].to_pylist(), found["median"].to_pylist(), strict=True)
    return [(starts[place], float(median)) for place, median in told]


def _breaks(medians: Sequence[tuple[date, float]]) -> tuple[Break, ...]:
    """Where a median lies too far from the one before it, or from the one before that."""
    found: list[Break] = []
    # First stretch of the unit that holds now.
    start = 0
    for place in range(1, len(medians)):
        now = medians[place][1]
        past = [median for _, median in medians[max(start, place - 2) : place]]
        far = [median for median in past if _is_far(median, now)]
        if not far:
            continue
        is_up = now > far[0]
        # A stretch with the change within it lies between; the clean ones say by how much.
        following = [median for _, median in medians[place : place + 2]]
        earlier, later = (min(past), max(following)) if is_up else (max(past), min(following))
        since = place if _is_far(past[-1], now) else place - 1
        found.append(Break(medians[since][0], earlier, later))
        start = place + 1 if later != now else place
    return tuple(found)


def _is_far(one: float, other: float) -> bool:
    return max(one, other) > FACTOR * min(one, other)
