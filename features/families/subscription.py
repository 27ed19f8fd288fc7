"""Subscribers on the as-of day: how long, on which plan, when they renew, and how it went so far.

In: accepted subscriptions. Out: one row per customer who ever subscribed, with the columns of the
family; those of the running spell are null for a customer of whom none runs. A spell of rows that
renew runs until its end has come; one of paid periods runs until the grace after the last of them
is over, so that a late payer is not yet given up.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features import compat
from features.families.spells import NEVER, known, spells
from features.terms import days_to_renewal, term_days


def totals(subscriptions: ir.Table, as_of: date) -> ir.Table:
    """One row per customer with a row before as-of, from which `features` are taken.

    Parameters
    ----------
    subscriptions : ibis table
        Accepted rows.
    as_of : date

    Returns
    -------
    Table with ``customer_id``; of the last spell: ``running`` boolean, ``tenure``, ``payments``,
    ``to_renewal``, ``plan_changes``, ``plan_changed_ago``, ``price_changed_ago``, ``late``,
    ``pause`` int64, ``term_days``, ``price_ratio`` float64, ``price`` decimal (and ``margin``,
    where the rows have one), ``plan`` string; of all: ``spells``, ``first_ago``, ``involuntary``
    int64.
    """
    rows = _paced(spells(known(subscriptions, as_of), as_of), as_of)
    last = rows.spell == rows.spells
    current = rows.is_current
    stated = {"margin": rows.margin.max(where=current)} if "margin" in rows.columns else {}
    return rows.group_by("customer_id").aggregate(
        spells=rows.spells.max(),
        first_ago=rows.ago.max(),
        involuntary=rows.count(where=(rows.end_reason == "involuntary").fill_null(False)),
        running=rows.runs.max(where=current),
        to_renewal=rows.to_renewal.max(where=current),
        term_days=rows.days_of_term.max(where=current),
        price=rows.price.max(where=current),
        **stated,
        plan=rows.plan.max(where=current),
        tenure=rows.ago.max(where=last),
        payments=compat.whole_sum(rows.payments, where=last),
        pause=rows.gap.max(where=last & (rows.place == 0)),
        late=rows.count(where=last & (rows.place > 0) & (rows.gap > 0)),
        plan_changes=rows.count(where=last & rows.plan_changed),
        plan_changed_ago=rows.ago.min(where=last & rows.plan_changed),
        price_changed_ago=rows.ago.min(where=last & rows.price_changed),
        price_ratio=rows.price_ratio.max(where=last & (rows.price_place == rows.place)),
    )


def _paced(rows: ir.Table, as_of: date) -> ir.Table:
    """Rows beside the one before them in their spell, and the one that counts now."""
    day = ibis.literal(as_of)
    order = ["place"]
    inside = ibis.window(group_by=["customer_id", "spell"], order_by=order)
    whole = ibis.window(group_by=["customer_id", "spell"])
    latest = ["until", "day", "place"]
    by_end = ibis.window(group_by="customer_id", order_by=[ibis.desc(name) for name in latest])
    rows = rows.mutate(
        ago=compat.days_between(day, rows.day),
        gap=compat.days_between(rows.day, rows.covered_until),
        is_current=ibis.row_number().over(by_end) == 0,
        plan_before=rows.plan.lag().over(inside),
        price_before=rows.price.lag().over(inside),
        months_before=rows.term_months.lag().over(inside),
    )
    late = compat.days_between(day, rows.until)
    price, price_before = _alike(rows)
    rows = rows.mutate(
        plan_changed=(rows.plan != rows.plan_before).fill_null(False),
        price_changed=((price != price_before) & (price_before > 0)).fill_null(False),
        price_ratio=compat.ratio(price, price_before),
        days_of_term=term_days(rows),
        runs=ibis.cases(
            (rows.repeats, (rows.until == ibis.literal(NEVER)).cast("int64")),
            else_=(late <= rows.grace_days).cast("int64"),
        ),
        to_renewal=ibis.cases(
            (rows.repeats, days_to_renewal(rows, as_of)),
            else_=compat.days_between(rows.until, day),
        ),
    )
    changed = ibis.cases((rows.price_changed, rows.place), else_=compat.missing("int64"))
    return rows.mutate(price_place=changed.max().over(whole))


def _alike(rows: ir.Table) -> tuple[ir.NumericValue, ir.NumericValue]:
    """Price of a row and of the one before it, of as many months each.

    A year that costs less than twelve months is no rise. Terms of days stay as they are: a period
    that was cut short by a change of plan has the length that is left.
    """
    by_month = ((rows.term_months > 0) & (rows.months_before > 0)).fill_null(False)
    own, other = (
        by_month.ifelse(months, 1).cast("int64")
        for months in (rows.months_before, rows.term_months)
    )
    return rows.price * own, rows.price_before * other


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    Parameters
    ----------
    totals : ibis table
        From `totals`.

    Returns
    -------
    Name to column: int64 days and counts, float64 price in currency, days of the term and ratio,
    string plan.
    """
    runs = totals.running == 1
    of_spell = {
        "subscription_tenure_days": totals.tenure,
        "subscription_renewals": totals.payments - 1,
        "subscription_days_to_renewal": totals.to_renewal,
        "subscription_term_days": totals.term_days,
        "subscription_price": totals.price.cast("float64"),
        "subscription_plan": totals.plan,
        "subscription_price_ratio": totals.price_ratio,
        "subscription_days_since_price_change": totals.price_changed_ago,
        "subscription_plan_changes": totals.plan_changes,
        "subscription_days_since_plan_change": totals.plan_changed_ago,
        "subscription_late_renewals": totals.late,
        "subscription_pause_days": totals.pause,
    }
    if "margin" in totals.columns:
        of_spell["subscription_margin"] = totals.margin.cast("float64")
    columns: dict[str, ir.Value] = {
        name: runs.ifelse(value, None) for name, value in of_spell.items()
    }
    return columns | {
        "subscription_earlier": totals.spells - totals.running,
        "subscription_first_days": totals.first_ago,
        "subscription_involuntary_ends": totals.involuntary,
    }
