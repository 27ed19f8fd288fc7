"""Terms of subscriptions: how long until the next renewal, in months of the calendar or in days.

In: words of the settings ("month", "28 days"). Out: a `Term`, and expressions that count
renewals. A subscription that began on the 31st renews on the last day of shorter months.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Months of the terms that have a name of their own; a week has days.
MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
WORDS = ("week", *MONTHS)
#: Days of a month on average: 365.25 / 12.
MONTH_DAYS = 30.4375
_DAYS = re.compile(r"^([1-9][0-9]{0,3}) days?$")
#: Days that a paid period of so many months can have, its last day counted or not.
LENGTHS = {1: (27, 31), 3: (88, 92), 6: (180, 184), 12: (364, 366)}


@dataclass(frozen=True)
class Term:
    """Time between two renewals: one of the two is zero.

    Parameters
    ----------
    months, days : int >= 0
    """

    months: int
    days: int


def term(words: str) -> Term:
    """Read a term.

    Parameters
    ----------
    words : str
        ``week``, ``month``, ``quarter``, ``half-year``, ``year``, or days as ``28 days``.

    Returns
    -------
    Term

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> term("quarter"), term("28 days")
    (Term(months=3, days=0), Term(months=0, days=28))
    """
    plain = words.strip().lower()
    if plain == "week":
        return Term(0, 7)
    if plain in MONTHS:
        return Term(MONTHS[plain], 0)
    if found := _DAYS.match(plain):
        return Term(0, int(found[1]))
    raise ValueError(f'got {words!r}; expected {", ".join(WORDS)}, or days as "28 days".')


def of_length(days: ir.IntegerValue) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """Term of a paid period by its length: a month's, a quarter's, …, else so many days.

    Parameters
    ----------
    days : int64 column
        From the first day of the period to its end, above 0.

    Returns
    -------
    tuple of int64 columns
        Months and days, of which one is zero.
    """
    import ibis

    spans = [(days.between(*span), months) for months, span in LENGTHS.items()]
    months = ibis.cases(*spans, else_=0).cast("int64")
    return months, ibis.cases((months > 0, 0), else_=days).cast("int64")


def term_days(rows: ir.Table) -> ir.FloatingValue:
    """Days of a term, months taken at their average.

    Parameters
    ----------
    rows : ibis table
        ``term_months``, ``term_days``.

    Returns
    -------
    float64 column, above 0.
    """
    from features import compat

    # DuckDB takes the number for a decimal, Ibis for a float.
    return compat.exactly(rows.term_months * MONTH_DAYS + rows.term_days, "float64")


def payments_before(rows: ir.Table, end: ir.DateValue) -> ir.IntegerValue:
    """How often a row had been paid for before a day: at its start, and at each renewal since.

    Parameters
    ----------
    rows : ibis table
        ``day`` (its first), ``repeats`` (renews until it ends; else it is one paid period),
        ``term_months``, ``term_days``.
    end : date column
        A renewal on this day itself does not count.

    Returns
    -------
    int64 column, 0 or more.
    """
    import ibis

    from features import compat

    since = compat.days_between(end, rows.day)
    months = 12 * (end.year() - rows.day.year()) + end.month() - rows.day.month()
    # A day of the month that is behind us; on the last day of a short one nothing is.
    whole = months.cast("int64") - (end.day() > rows.day.day()).ifelse(0, 1)
    renewed = ibis.cases(
        (rows.term_months > 0, _times(whole, rows.term_months)),
        else_=_times(since - 1, rows.term_days),
    )
    again = rows.repeats.ifelse(renewed, 0)
    return (since > 0).ifelse(1 + again, 0).cast("int64")


def days_to_renewal(rows: ir.Table, as_of: date) -> ir.IntegerValue:
    """Days from a date to the next renewal of a row that renews; 0 where it is due that day.

    Parameters
    ----------
    rows : ibis table
        As for `payments_before`, begun before `as_of`.
    as_of : date

    Returns
    -------
    int64 column, 0 or more.
    """
    import ibis

    from features import compat

    made = payments_before(rows, ibis.literal(as_of))
    begun = 12 * rows.day.year() + rows.day.month()
    month = (begun + made * rows.term_months - (12 * as_of.year + as_of.month)).cast("int64")
    by_month = ibis.cases(
        *((month == later, _in_month(rows.day.day(), as_of, later)) for later in range(13)),
        else_=compat.missing("int64"),
    )
    since = compat.days_between(ibis.literal(as_of), rows.day)
    by_days = made * rows.term_days - since
    return ibis.cases((rows.term_months > 0, by_month), else_=by_days).cast("int64")


def _times(span: ir.IntegerValue, length: ir.IntegerValue) -> ir.IntegerValue:
    """How often a length goes into a span; 0 for a span below zero, null for no length."""
    import ibis

    return (ibis.greatest(span, 0) // length.nullif(0)).cast("int64")


def _in_month(day: ir.IntegerValue, as_of: date, later: int) -> ir.IntegerValue:
    """Days from a date to a day of a month some months later, its last where it is shorter."""
    import ibis

    year, month = divmod(as_of.year * 12 + as_of.month - 1 + later, 12)
    first, last = date(year, month + 1, 1), monthrange(year, month + 1)[1]
    return (ibis.least(day, last) + ((first - as_of).days - 1)).cast("int64")
