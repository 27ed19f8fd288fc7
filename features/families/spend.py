"""What a customer spends, lately and in all, and the size of the orders.

In: the paced customer-days of `features.occasions`. Out: money in the currency of the log. The
sums are net of everything, days below zero included; an order is the net of an occasion. Money is
added up as decimals and becomes float64 at the end, so no order of the rows changes a bit.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features import compat
from features.catalogue import WINDOWS

# An order of this size, or orders that could add up to the second, have no standard deviation:
# their squares would not fit.
ORDER_LIMIT = 10**10
TOTAL_LIMIT = 10**13


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction, all decimal: ``spend_total``, ``spend_<n>``, ``spend_360``,
    ``order_max``, ``order_last`` and ``order_squares``.
    """
    fits = days.is_occasion & (days.net < ORDER_LIMIT)
    order = fits.ifelse(days.net, None)
    recent = {f"spend_{n}": days.net.sum(where=days.ago <= n).fill_null(0) for n in (*WINDOWS, 360)}
    return {
        "spend_total": days.net.sum(),
        **recent,
        "order_max": days.net.max(where=days.is_occasion),
        "order_last": days.net.max(where=days.is_last),
        "order_squares": compat.square(order).sum(),
    }


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    - spend_trend_n = spend in [as_of − n, as_of) less spend in [as_of − 2n, as_of − n)
    - order_last_ratio = order_last / order_mean

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals` and of `features.families.rfm.totals`.

    Returns
    -------
    Name to column: float64 currency; null where there is no occasion.
    """
    mean = compat.ratio(totals.occasion_net, totals.occasions)
    last = totals.order_last.cast("float64")
    return {
        "spend_total": totals.spend_total.cast("float64"),
        **{f"spend_{n}": totals[f"spend_{n}"].cast("float64") for n in WINDOWS},
        "spend_trend_90": _trend(totals.spend_90, totals.spend_180),
        "spend_trend_180": _trend(totals.spend_180, totals.spend_360),
        "order_mean": mean,
        "order_std": _spread(totals),
        "order_max": totals.order_max.cast("float64"),
        "order_last": last,
        "order_last_ratio": compat.ratio(last, mean),
        "first_order": totals.first_net.cast("float64"),
    }


def _trend(recent: ir.DecimalValue, twice: ir.DecimalValue) -> ir.FloatingValue:
    """Spend of a window less that of the one before: recent − (twice − recent)."""
    return (recent - (twice - recent)).cast("float64")


def _spread(totals: ir.Table) -> ir.FloatingValue:
    """Sample standard deviation s of the n orders y, the first of which is f.

    With d = y − f: Σd = Σy − n f, Σd² = Σy² − f (2 Σy − n f), s² = (Σd² − (Σd)² / n) / (n − 1).
    The sums are decimals without rounding, and as one of the d is 0, (Σd)² / n is at most
    (1 − 1/n) Σd²: orders that are large and nearly alike keep their spread.
    """
    n = totals.occasions
    fits = (totals.order_max < ORDER_LIMIT) & (totals.order_max.cast("float64") * n < TOTAL_LIMIT)
    # In a product one factor has more than 18 digits, and both together at most 38: see `square`.
    first = compat.exactly(fits.ifelse(totals.first_net, None), "decimal(17, 6)")
    total = compat.exactly(fits.ifelse(totals.occasion_net, None), "decimal(20, 6)")
    squares = compat.exactly(fits.ifelse(totals.order_squares, None), "decimal(36, 12)")
    shift = compat.exactly(total - first * n, "decimal(20, 6)")
    both = compat.exactly(total + shift, "decimal(20, 6)")
    crossed = compat.exactly(first * both, "decimal(36, 12)")
    scaled = shift.cast("float64") * shift.cast("float64") / n.cast("float64")
    variance = (squares - crossed).cast("float64") - scaled
    return compat.ratio(variance, n - 1).sqrt()
