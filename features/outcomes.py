"""What happened after an as-of date: the labels that models learn.

In: the accepted log, or the customers source. Out: for the buyers at as-of, whether they came
back in [as_of, as_of + horizon), how often, and what they spent net of refunds; or the user's own
churn column.

A horizon is over for everybody at the same time: the log is of one business, and its last
observed day ends every customer's window. `is_complete` tells whether it does; an outcome that is
not complete counts customers as lost who may still come. Asking is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features.errors import FeaturesError
from features.occasions import occasions

OUTCOMES = ("returned", "occasions", "spend")


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
    whole = windows(transactions, as_of, (horizon_days,))
    return whole.rename({name: f"{name}_in_{horizon_days}" for name in OUTCOMES})


def windows(transactions: ir.Table, as_of: date, horizons: Sequence[int]) -> ir.Table:
    """The same for windows of several lengths that begin on the same day, in one pass.

    Parameters
    ----------
    transactions : ibis table
        Accepted rows, as for `outcomes`.
    as_of : date
    horizons : sequence of int
        Lengths, at least one, each once.

    Returns
    -------
    Table with one row per buyer, in no order: ``customer_id``, then for each length h
    ``returned_in_h``, ``occasions_in_h`` and ``spend_in_h``.

    Raises
    ------
    FeaturesError
        As `outcomes`.
    """
    for days in horizons:
        if not 1 <= days <= (date.max - as_of).days:
            raise FeaturesError(
                f"Got horizon_days={days} from {as_of}, expected 1 or more and an end before "
                f"{date.max}."
            )
    days = occasions(transactions, as_of + timedelta(days=max(horizons)))
    past = days.day < ibis.literal(as_of)
    sums = {"before": days.count(where=days.is_occasion & past)}
    for length in horizons:
        inside = ~past & (days.day < ibis.literal(as_of + timedelta(days=length)))
        sums[f"occasions_in_{length}"] = days.count(where=days.is_occasion & inside)
        sums[f"spend_in_{length}"] = days.net.sum(where=inside)
    totals = days.group_by("customer_id").aggregate(**sums)
    totals = totals.filter(totals.before > 0)
    columns = [totals.customer_id]
    for length in horizons:
        came, spent = totals[f"occasions_in_{length}"], totals[f"spend_in_{length}"]
        columns += [
            (came > 0).cast("int64").name(f"returned_in_{length}"),
            came,
            spent.cast("float64").fill_null(0.0).name(f"spend_in_{length}"),
        ]
    return totals.select(*columns)


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
