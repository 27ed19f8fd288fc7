"""Frequency, recency, T and monetary value, as the value models read them.

In: the paced customer-days of `features.occasions`. Out: four columns per customer, in days and
currency. A customer without an occasion has none of them (null).

References
----------
.. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting Your Customers" the Easy
   Way: An Alternative to the Pareto/NBD Model. Marketing Science 24(2), section 3.
.. [2] Fader, P. S. and Hardie, B. G. S. (2013). The Gamma-Gamma Model of Monetary Value.
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
    Name to reduction: ``occasions`` int64; ``first_day`` date of the first occasion;
    ``first_ago``, ``last_ago`` int64 (days before as-of of the first and the last occasion);
    ``occasion_net``, ``first_net`` decimal.
    """
    return {
        "occasions": days.count(where=days.is_occasion),
        "first_day": days.day.min(where=days.is_occasion),
        "first_ago": days.ago.max(where=days.is_occasion),
        "last_ago": days.ago.min(where=days.is_occasion),
        "occasion_net": days.net.sum(where=days.is_occasion),
        "first_net": days.net.max(where=days.is_first),
    }


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    With n occasions, the first f and the last l days before as-of:

    - frequency (x) = n − 1
    - recency (t_x) = f − l, the age at the last occasion
    - T = f − 1, the age on the last observed day, the one before as-of: the convention of [1]_,
      where CDNOW's customers of 1997-01-01 seen to 1997-09-30 are 272 days old
    - monetary_value (m_x of [2]_) = mean net spend of the occasions after the first; 0 when
      there are none

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals`.

    Returns
    -------
    Name to column: int64 counts and days, float64 currency; null without an occasion.
    """
    bought = totals.occasions > 0
    frequency = bought.ifelse(totals.occasions - 1, None)
    repeat = compat.ratio(totals.occasion_net - totals.first_net, frequency)
    return {
        "frequency": frequency,
        "recency": totals.first_ago - totals.last_ago,
        "T": totals.first_ago - 1,
        "monetary_value": (frequency == 0).ifelse(0.0, repeat),
    }
