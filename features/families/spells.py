"""Spells: stretches of time in which a customer was a subscriber, as known on a date.

In: accepted subscriptions (`features.inputs.Inputs.subscriptions`). Out: the same rows in the
order of time, each with the spell that it belongs to. A row that begins within the grace after
the one before goes on with its spell, so late renewals, changes of plan and rows that overlap
are one spell; a longer gap begins another.

The time rule is here: `known` drops every row from the as-of day on, and hides an end that had
not come by then. A cancellation that was on record before it took effect is not seen either,
since the source does not say when it was entered. The end of a paid period is known when it is
paid, so it is seen.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features import compat
from features.occasions import before
from features.terms import payments_before

#: Stands for the end of what runs on.
NEVER = date(9999, 12, 31)

# Rows of one day in an order that does not depend on how they came.
_ORDER = ("day", "until", "plan", "price", "end_reason")


def known(subscriptions: ir.Table, as_of: date) -> ir.Table:
    """Rows that had begun before a day, with the ends that had come.

    Parameters
    ----------
    subscriptions : ibis table
        Accepted rows.
    as_of : date

    Returns
    -------
    Table with the columns of `subscriptions`, ``end_reason`` null where the end had not come, and
    ``until`` date: the first day without cover, `NEVER` while that is not known.
    """
    rows = before(subscriptions, as_of)
    come = rows.end < ibis.literal(as_of)
    return rows.mutate(
        until=ibis.cases((come | ~rows.repeats, rows.end), else_=ibis.literal(NEVER)),
        end_reason=ibis.cases((come, rows.end_reason), else_=compat.missing("string")),
    )


def spells(rows: ir.Table, as_of: date) -> ir.Table:
    """Rows with their spell, in the order of time.

    Parameters
    ----------
    rows : ibis table
        From `known`.
    as_of : date
        The same date.

    Returns
    -------
    The columns of `rows` and, all int64 unless said: ``spell`` (1 for the customer's first),
    ``spells`` (how many the customer has), ``place`` (of the row in its spell, from 0),
    ``covered_until`` date (latest end of the rows before, of any spell; null for the first row),
    ``payments`` (made for the row before `as_of`).
    """
    over = ibis.window(group_by="customer_id", order_by=list(_ORDER), preceding=(None, 1))
    rows = rows.mutate(covered_until=rows.until.max().over(over))
    gap = compat.days_between(rows.day, rows.covered_until)
    rows = rows.mutate(opens=(gap > rows.grace_days).fill_null(True).cast("int64"))
    so_far = ibis.cumulative_window(group_by="customer_id", order_by=list(_ORDER))
    rows = rows.mutate(spell=compat.exactly(rows.opens.sum(), "int64").over(so_far))
    inside = ibis.window(group_by=["customer_id", "spell"], order_by=list(_ORDER))
    paid = ibis.least(rows.until, ibis.literal(as_of))
    return rows.mutate(
        spells=rows.spell.max().over(ibis.window(group_by="customer_id")),
        place=ibis.row_number().over(inside).cast("int64"),
        payments=payments_before(rows, paid),
    ).drop("opens")
