"""What a customer sent back.

In: the paced customer-days of `features.occasions`. Out: refund lines and money. Refunds have
already lowered the net of their day; what was left of them, on days at or below zero, is
`unmatched_refunds`: the purchase it belongs to was on another day, or before the log began.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features import compat


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction: ``refund_lines``, ``refunds_90``, ``days_since_refund`` int64;
    ``refunded``, ``unmatched`` decimal.
    """
    return {
        "refund_lines": compat.whole_sum(days.refund_lines),
        "refunded": days.refunded.sum(),
        "refunds_90": compat.whole_sum(days.refund_lines, where=days.ago <= 90),
        "unmatched": days.net.sum(where=~days.is_occasion),
        "days_since_refund": days.ago.min(where=days.refund_lines > 0),
    }


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    refund_share = money refunded / money bought, where bought = net + refunded.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals` and of `features.families.spend.totals`.

    Returns
    -------
    Name to column: int64 lines and days, float64 currency and share.
    """
    return {
        "refund_lines": totals.refund_lines,
        "refund_amount": totals.refunded.cast("float64"),
        "refund_share": compat.ratio(totals.refunded, totals.spend_total + totals.refunded),
        "refunds_90": totals.refunds_90,
        "unmatched_refunds": totals.unmatched.cast("float64").fill_null(0.0),
        "days_since_refund": totals.days_since_refund,
    }
