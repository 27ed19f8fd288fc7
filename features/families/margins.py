"""What a customer's purchases left after the cost of the goods.

In: a log whose rows state a margin, or some of them; then the paced customer-days of
`features.occasions`. Out: the margin, and the spend that it is of: a line without a margin counts
in neither, so that their ratio is a rate. Both are net of refunds and may be below zero. Money is
added up as decimals. A log without margins has none of these columns, and null in the table.
"""

from __future__ import annotations

import ibis.expr.types as ir

#: Columns of the customer-days of a log that states margins.
DAILY = ("margin", "margin_net")


def daily(log: ir.Table) -> dict[str, ir.Value]:
    """Sums over the rows of a customer's day.

    Parameters
    ----------
    log : ibis table
        Accepted rows.

    Returns
    -------
    Name to reduction, decimal: ``margin``, and ``margin_net``, the net spend of the rows that state
    one; both null where none does. Nothing for a log without margins.
    """
    if "margin" not in log.columns:
        return {}
    return {
        "margin": log.margin.sum(),
        "margin_net": log.amount.sum(where=log.margin.notnull()),
    }


def totals(days: ir.Table) -> dict[str, ir.Value]:
    """Sums over the days of a customer that `features` reads.

    Parameters
    ----------
    days : ibis table
        From `features.occasions.paced`.

    Returns
    -------
    Name to reduction, decimal: ``margin_total`` and ``margin_spend``; nothing for a log without
    margins.
    """
    if "margin" not in days.columns:
        return {}
    return {"margin_total": days.margin.sum(), "margin_spend": days.margin_net.sum()}


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals`.

    Returns
    -------
    Name to column: float64 currency, null for a customer without a line that states a margin;
    nothing for a log without margins.
    """
    names = [name for name in ("margin_total", "margin_spend") if name in totals.columns]
    return {name: totals[name].cast("float64") for name in names}
