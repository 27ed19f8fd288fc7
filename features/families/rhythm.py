"""How often a customer buys, and how long the silence is measured against that.

In: the paced customer-days of `features.occasions`. Out: gaps between occasions in days, the time
since the last one against the customer's own gaps, and occasions in trailing windows
[as_of − n, as_of). Gaps need two occasions and their spread three; they are null below that.
"""

from __future__ import annotations

import ibis.expr.types as ir

from features import compat
from features.catalogue import WINDOWS


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction, all int64: ``gap_squares`` (sum of squared gaps), ``gap_max``,
    ``second_last_ago``, ``occasions_<n>`` and ``active_months_365``.
    """
    gap = days.previous_ago - days.ago
    # A month counts once: on its first occasion, or on the first that is inside the year.
    opens = days.opens_month | (days.previous_ago > 365)
    counts = {
        f"occasions_{n}": days.count(where=days.is_occasion & (days.ago <= n)) for n in WINDOWS
    }
    return {
        "gap_squares": compat.whole_sum(gap * gap, where=days.is_occasion),
        "gap_max": gap.max(where=days.is_occasion),
        "second_last_ago": days.previous_ago.min(where=days.is_occasion),
        **counts,
        "active_months_365": days.count(where=days.is_occasion & (days.ago <= 365) & opens),
    }


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    With gaps g_1 … g_k between the k + 1 occasions, their mean ḡ and their sample standard
    deviation s (k − 1 in the denominator), and d days since the last occasion:

    - overdue_ratio = d / ḡ
    - overdue_score = (d − ḡ) / s
    - gap_trend = g_k / ḡ

    s² = (k Σg² − (Σg)²) / (k (k − 1)) from whole numbers, so it is exact whatever the order of
    the rows.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals` and of `features.families.rfm.totals`.

    Returns
    -------
    Name to column: int64 days and counts, float64 means and ratios; null where a divisor is
    zero or absent.
    """
    span = totals.first_ago - totals.last_ago
    gaps = totals.occasions - 1
    mean = compat.ratio(span, gaps)
    last = totals.second_last_ago - totals.last_ago
    std = compat.ratio(gaps * totals.gap_squares - span * span, gaps * (gaps - 1)).sqrt()
    return {
        "days_since_last": totals.last_ago,
        "gap_mean": mean,
        "gap_std": std,
        "gap_max": totals.gap_max,
        "gap_last": last,
        "overdue_ratio": compat.ratio(totals.last_ago, mean),
        "overdue_score": compat.ratio(totals.last_ago - mean, std),
        "gap_trend": compat.ratio(last, mean),
        **{f"occasions_{n}": totals[f"occasions_{n}"] for n in WINDOWS},
        "active_months_365": totals.active_months_365,
    }
