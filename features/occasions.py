"""Customer-days: the accepted log with refunds netted within the day.

In: accepted transactions of one engine (`features.inputs.Inputs.transactions`). Out: one row per
customer and day with anything on it. An occasion is a day whose net spend is above zero; the
other days are kept, because what is left of their refunds lowers the value of the customer.
The time rule is here and nowhere else: `before` drops every row from the as-of day on.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features import compat
from features.families import margins


def before(table: ir.Table, as_of: date) -> ir.Table:
    """Rows from strictly before the as-of day: the only rows that a feature may see.

    Parameters
    ----------
    table : ibis table
        With a ``day`` column (date, business local time).
    as_of : date

    Returns
    -------
    Table with the same columns.
    """
    return table.filter(table.day < ibis.literal(as_of))


def is_purchase(log: ir.Table) -> ir.BooleanColumn:
    """Whether a row of the log is a purchase line (amount of zero or more) and not a refund."""
    return log.amount >= 0


def occasions(transactions: ir.Table, as_of: date) -> ir.Table:
    """Customer-days before the as-of day.

    Parameters
    ----------
    transactions : ibis table
        Accepted rows: ``customer_id``, ``day``, ``amount`` decimal(18,6), and ``margin`` where the
        log states it.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    Table with one row per customer and day: ``customer_id`` string; ``day`` date; ``net`` decimal
    (currency, refunds taken off); ``lines`` and ``refund_lines`` int64 (rows with an amount of zero
    or more, and below zero); ``refunded`` decimal (currency, never negative); ``is_occasion``
    boolean (net above zero). Where the log states margins, `features.families.margins.daily`
    besides.
    """
    log = before(transactions, as_of)
    days = log.group_by(["customer_id", "day"]).aggregate(
        net=log.amount.sum(),
        negative=log.amount.sum(where=~is_purchase(log)),
        lines=log.count(where=is_purchase(log)),
        refund_lines=log.count(where=~is_purchase(log)),
        **margins.daily(log),
    )
    nothing = ibis.literal(0).cast(days.net.type())
    return days.select(
        "customer_id",
        "day",
        "net",
        "lines",
        "refund_lines",
        refunded=nothing - days.negative.fill_null(nothing),
        is_occasion=days.net > 0,
        **{name: days[name] for name in margins.DAILY if name in days.columns},
    )


def paced(occasions: ir.Table, as_of: date) -> ir.Table:
    """Customer-days with their distance from the as-of day and from the occasions beside them.

    One sort serves every column: days of a customer in the order of time, occasions apart from
    the other days. What is said of neighbours means something on occasions only.

    Parameters
    ----------
    occasions : ibis table
        From `occasions`.
    as_of : date
        The same date.

    Returns
    -------
    The columns of `occasions` and ``ago`` int64 (days from the day to as-of, 1 or more);
    ``previous_ago`` int64 (`ago` of the occasion before); ``is_first``, ``is_last``,
    ``opens_month`` boolean: the customer's first and last occasion, and whether no earlier
    occasion is in the same calendar month.
    """
    order = ibis.window(group_by=["customer_id", "is_occasion"], order_by="day")
    days = occasions.mutate(
        previous=occasions.day.lag().over(order), following=occasions.day.lead().over(order)
    )
    same_month = (days.previous.month() == days.day.month()) & (
        days.previous.year() == days.day.year()
    )
    end = ibis.literal(as_of)
    return days.mutate(
        ago=compat.days_between(end, days.day),
        previous_ago=compat.days_between(end, days.previous),
        is_first=days.is_occasion & days.previous.isnull(),
        is_last=days.is_occasion & days.following.isnull(),
        opens_month=days.previous.isnull() | ~same_month,
    ).drop("previous", "following")
