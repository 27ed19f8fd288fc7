"""What a customer spends, lately and in all, and the size of the orders.

In: the paced customer-days of `features.occasions`. Out: money in the currency of the log. The
sums are net of everything, days below zero included; an order is the net of an occasion. Money is
added up as decimals and becomes float64 at the end, so no order of the rows changes a bit.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features import compat
from features.catalogue import WINDOWS
from features.inputs import MONEY_TYPE

# Orders of this size or above have no standard deviation: their squares would not fit.
SPREAD_LIMIT = 100_000_000_000


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction, all decimal: ``spend_total``, ``spend_<n>``, ``spend_360``,
    ``order_min``, ``order_max``, ``order_last`` and ``order_squares``.
    """
    fits = days.is_occasion & (days.net < SPREAD_LIMIT)
    order = fits.ifelse(days.net, None).cast(MONEY_TYPE)
    recent = {f"spend_{n}": days.net.sum(where=days.ago <= n).fill_null(0) for n in (*WINDOWS, 360)}
    return {
        "spend_total": days.net.sum(),
        **recent,
        "order_min": days.net.min(where=days.is_occasion),
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
        One row per customer with the columns of `totals` and of `features.rfm.totals`.

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
    """Sample standard deviation of the orders y: s² = (Σy² − (Σy)² / n) / (n − 1).

    The sums are exact; their difference keeps about 16 − 2 log10(mean / s) digits. It says
    nothing where all orders are alike, and there s is 0 without it.
    """
    n = totals.occasions.cast("float64")
    total = totals.occasion_net.cast("float64")
    variance = compat.ratio(totals.order_squares.cast("float64") - total * total / n, n - 1.0)
    zero = ibis.literal(0.0, "float64")
    std = ibis.greatest(variance, zero).sqrt()
    alike = (totals.order_min == totals.order_max) & (totals.occasions > 1)
    return ibis.cases(
        (totals.order_max >= SPREAD_LIMIT, compat.missing("float64")), (alike, zero), else_=std
    )
