"""What is in the basket: lines, different products and categories, orders.

In: the customer-days of `features.occasions` for the lines, and the log before as-of for the
different ids. Refund lines are no part of a basket. A customer whose purchase lines name no
product (category, order) has null there, not zero: nothing is known of it.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features import compat
from features.occasions import is_purchase


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction, int64: ``occasion_lines`` and ``lines_last``.
    """
    return {
        "occasion_lines": compat.whole_sum(days.lines, where=days.is_occasion),
        "lines_last": days.lines.max(where=days.is_last),
    }


def variety(log: ir.Table) -> tuple[ir.Table, ...]:
    """Counts of different ids per customer.

    A table for each id, as an id that the log does not have then costs nothing: the engine
    skips its nulls before it groups.

    Parameters
    ----------
    log : ibis table
        Accepted transactions before as-of.

    Returns
    -------
    Tables with one row per customer that has such an id: ``customer_id`` and int64
    ``products_distinct``, ``product_days`` (different products a day, summed over days);
    ``categories_distinct``; ``orders_total``.
    """
    bought = log.filter(is_purchase(log))
    pairs = bought.filter(bought.product_id.notnull())
    pairs = pairs.select("customer_id", "day", "product_id").distinct()
    products = pairs.group_by("customer_id").aggregate(
        products_distinct=pairs.product_id.nunique(), product_days=pairs.count()
    )
    return (
        products,
        _distinct(bought, "category", "categories_distinct"),
        _distinct(bought, "order_id", "orders_total"),
    )


def _distinct(bought: ir.Table, column: str, name: str) -> ir.Table:
    """How many different values a customer has, for the customers that have any."""
    named = bought.filter(bought[column].notnull())
    return named.group_by("customer_id").aggregate(named[column].nunique().name(name))


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    products_per_occasion counts a product once a day: lines without a product are not seen.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals`, `variety` and
        `features.families.rfm.totals`.

    Returns
    -------
    Name to column: float64 means, int64 counts.
    """
    return {
        "lines_mean": compat.ratio(totals.occasion_lines, totals.occasions),
        "lines_last": totals.lines_last,
        "products_distinct": totals.products_distinct,
        "products_per_occasion": compat.ratio(totals.product_days, totals.occasions),
        "categories_distinct": totals.categories_distinct,
        "orders_total": totals.orders_total,
    }
