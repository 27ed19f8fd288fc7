"""What became of subscribers: the labels that their models learn, and the histories of retention.

In: accepted subscriptions. Out: of the spell that ran at an as-of date, when it ended and what
was paid for it; and how many spells of each plan made how many renewals.

A subscriber has left when the spell has ended and the grace after it went by without a new row.
Until then the end is not final, so it is not told: a window is complete once the grace after its
last day is over. Asking only for such windows is the caller's matter.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features import compat
from features.families.spells import known, spells
from features.terms import payments_before, term_days


def outcomes(
    subscriptions: ir.Table, as_of: date, horizon_days: int, known_until: date
) -> ir.Table:
    """Fate of the spell that each customer had begun last before the as-of day.

    Parameters
    ----------
    subscriptions : ibis table
        Accepted rows.
    as_of : date
    horizon_days : int
        Length of the window [as_of, as_of + horizon_days) that is paid in.
    known_until : date
        Rows and ends from this day on are not seen.

    Returns
    -------
    Table with one row per customer with a row before `as_of`, in no order: ``customer_id``;
    ``ended_after`` int64, days from `as_of` to the end, null while it runs or its grace is not
    over; ``end_reason`` string, null where that is or none is given; ``occasions`` int64, payments
    in the window; ``spend`` float64, their sum in currency, null where no price is known.
    """
    end = as_of + timedelta(days=horizon_days)
    rows = spells(known(subscriptions, known_until), known_until)
    earlier = ibis.cases(
        (rows.day < ibis.literal(as_of), rows.spell), else_=compat.missing("int64")
    )
    whole = ibis.window(group_by="customer_id")
    rows = rows.mutate(spell_then=earlier.max().over(whole))
    rows = rows.filter(rows.spell == rows.spell_then)
    stop = rows.until.max().over(ibis.window(group_by="customer_id"))
    paid = payments_before(rows, ibis.least(rows.until, ibis.literal(end)))
    paid_then = payments_before(rows, ibis.least(rows.until, ibis.literal(as_of)))
    rows = rows.mutate(stop=stop, paid=paid - paid_then)
    worth = rows.price * compat.exactly(rows.paid, "decimal(9, 0)")
    totals = rows.group_by("customer_id").aggregate(
        stop=rows.stop.max(),
        grace=rows.grace_days.max(),
        reason=rows.end_reason.max(where=rows.until == rows.stop),
        occasions=compat.whole_sum(rows.paid),
        spend=worth.sum().cast("float64"),
    )
    final = compat.days_between(ibis.literal(known_until), totals.stop) > totals.grace
    return totals.select(
        "customer_id",
        ended_after=final.ifelse(
            compat.days_between(totals.stop, ibis.literal(as_of)), compat.missing("int64")
        ),
        end_reason=final.ifelse(totals.reason, compat.missing("string")),
        occasions=totals.occasions,
        spend=totals.spend,
    )


def histories(subscriptions: ir.Table, as_of: date) -> ir.Table:
    """How many spells made how many renewals, by plan and term.

    Parameters
    ----------
    subscriptions : ibis table
        Accepted rows.
    as_of : date

    Returns
    -------
    Table with ``plan`` string (of the spell's last row; may be null), ``term_days`` float64,
    ``renewals`` int64 (payments after the first), ``active`` boolean (it has not left by `as_of`),
    ``customers`` int64 (spells of this kind); in no order.
    """
    rows = spells(known(subscriptions, as_of), as_of)
    inside = ibis.window(group_by=["customer_id", "spell"])
    rows = rows.mutate(
        is_last=rows.place == rows.place.max().over(inside),
        days_of_term=term_days(rows),
    )
    each = rows.group_by(["customer_id", "spell"]).aggregate(
        plan=rows.plan.max(where=rows.is_last),
        term_days=rows.days_of_term.max(where=rows.is_last),
        paid=compat.whole_sum(rows.payments),
        until=rows.until.max(),
        grace=rows.grace_days.max(),
    )
    since = compat.days_between(ibis.literal(as_of), each.until)
    # One that ended on its first day was never paid for.
    each = each.filter(each.paid > 0).mutate(renewals=each.paid - 1, active=since <= each.grace)
    return each.group_by(["plan", "term_days", "renewals", "active"]).aggregate(
        customers=ibis._.count()
    )
