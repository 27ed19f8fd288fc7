"""The same time last year, and the days and the month on which a customer buys.

In: the paced customer-days of `features.occasions`. Out: occasions and spend in the outcome
window one year earlier, [as_of − 365, as_of − 365 + horizon). A year is 365 days here whatever
the calendar says: across a 29 February the window opens a calendar day later than a year ago.
A horizon above 365 days would reach past as-of, so the window ends there at the latest.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features import compat

YEAR_DAYS = 365
SATURDAY = 5


def totals(days: ir.Table, horizon_days: int) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.
    horizon_days : int
        Length of the window, 1 or more.

    Returns
    -------
    Name to reduction: ``season_occasions``, ``weekend_occasions`` int64; ``season_spend``
    decimal.
    """
    season = days.ago.between(max(YEAR_DAYS - horizon_days, 0) + 1, YEAR_DAYS)
    weekend = days.day.day_of_week.index() >= SATURDAY
    return {
        "season_occasions": days.count(where=days.is_occasion & season),
        "season_spend": days.net.sum(where=season),
        "weekend_occasions": days.count(where=days.is_occasion & weekend),
    }


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals` and of `features.families.rfm.totals`.

    Returns
    -------
    Name to column: int64 occasions and float64 currency of the same season, null when the
    first occasion is later than as_of − 365 days; float64 share; string month.
    """
    seen = totals.first_ago >= YEAR_DAYS
    spend = totals.season_spend.cast("float64").fill_null(0.0)
    return {
        "same_season_occasions": seen.ifelse(totals.season_occasions, None),
        "same_season_spend": seen.ifelse(spend, None),
        "weekend_share": compat.ratio(totals.weekend_occasions, totals.occasions),
        "first_month": totals.first_day.month().cast("string"),
    }
