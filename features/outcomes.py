"""What happened after an as-of date: the labels that models learn.

In: the accepted log, or the customers source. Out: for the buyers at as-of, whether they came
back in [as_of, as_of + horizon), how often, and what they spent net of refunds; or the user's own
churn column.

A horizon is over for everybody at the same time: the log is of one business, and its last
observed day ends every customer's window. `is_complete` tells whether it does; an outcome that is
not complete counts customers as lost who may still come. Asking is the caller's matter.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features.errors import FeaturesError
from features.occasions import occasions


def is_complete(as_of: date, horizon_days: int, last_day: date) -> bool:
    """Whether every day of the horizon has been observed.

    Parameters
    ----------
    as_of : date
    horizon_days : int
    last_day : date
        Last observed day of the log (`SourceReport.last_day`).

    Returns
    -------
    bool

    Examples
    --------
    >>> is_complete(date(1998, 4, 1), 91, last_day=date(1998, 6, 30))
    True
    >>> is_complete(date(1998, 4, 2), 91, last_day=date(1998, 6, 30))
    False
    """
    return (last_day - as_of).days + 1 >= horizon_days


def outcomes(transactions: ir.Table, as_of: date, horizon_days: int) -> ir.Table:
    """Outcome of every customer with an occasion before the as-of day.

    Parameters
    ----------
    transactions : ibis table
        Accepted rows: ``customer_id``, ``day``, ``amount`` decimal(18,6).
    as_of : date
    horizon_days : int
        Length of the window [as_of, as_of + horizon_days), 1 or more.

    Returns
    -------
    Table with one row per buyer, in no order: ``customer_id``; ``returned`` int64, 1 with an
    occasion in the window and 0 without; ``occasions`` int64; ``spend`` float64, net of refunds,
    in currency (below zero when refunds exceed purchases).

    Raises
    ------
    FeaturesError
        If the horizon is shorter than a day or ends after the last day that there is.
    """
    if not 1 <= horizon_days <= (date.max - as_of).days:
        raise FeaturesError(
            f"Got horizon_days={horizon_days} from {as_of}, expected 1 or more and an end before "
            f"{date.max}."
        )
    days = occasions(transactions, as_of + timedelta(days=horizon_days))
    past = days.day < ibis.literal(as_of)
    totals = days.group_by("customer_id").aggregate(
        before=days.count(where=days.is_occasion & past),
        occasions=days.count(where=days.is_occasion & ~past),
        spend=days.net.sum(where=~past),
    )
    totals = totals.filter(totals.before > 0)
    return totals.select(
        "customer_id",
        "occasions",
        returned=(totals.occasions > 0).cast("int64"),
        spend=totals.spend.cast("float64").fill_null(0.0),
    ).select("customer_id", "returned", "occasions", "spend")


def labels(customers: ir.Table) -> ir.Table:
    """The user's own churn column, where it says anything.

    Parameters
    ----------
    customers : ibis table
        Accepted rows: ``customer_id``, ``churned`` boolean.

    Returns
    -------
    Table with ``customer_id`` and ``churned`` boolean, one row per customer with a label.
    """
    return customers.filter(customers.churned.notnull()).select("customer_id", "churned")
