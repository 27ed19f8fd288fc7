"""Complaints, satisfaction, contacts and usage, as known on the as-of day.

In: events before as-of (`features.inputs.Inputs.events`). Kinds that are read: ``complaint``,
``resolution`` (closes a complaint), ``satisfaction`` (the value is the mark), ``contact`` and
``usage`` (the value is the amount; an event without one counts as 1). Out: one row per customer
with an event. A customer without any has zero counts where an events source exists, and nulls
where none does.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features import compat

# Values are added up as decimals of six places, like money, so that the order of the rows changes
# nothing; one of this size or above is not read.
VALUE_TYPE = "decimal(38, 6)"
VALUE_LIMIT = 1e15


def totals(events: ir.Table, as_of: date) -> ir.Table:
    """Sums over the events of a customer that `features` reads.

    Parameters
    ----------
    events : ibis table
        Accepted events before as-of: ``customer_id``, ``occurred_at``, ``day``, ``kind``,
        ``value`` float64.
    as_of : date

    Returns
    -------
    Table with one row per customer: ``complaints``, ``resolutions``, ``complaints_90``,
    ``days_since_complaint``, ``marks``, ``contacts``, ``contacts_90`` int64; ``marks_sum``,
    ``mark_last``, ``usage_90`` decimal. The last mark is the lowest of those given at the last
    instant.
    """
    usable = (events.value.abs() < VALUE_LIMIT).ifelse(events.value, None)
    events = events.mutate(
        ago=compat.days_between(ibis.literal(as_of), events.day),
        exact=usable.cast(VALUE_TYPE),
    )
    alike = ibis.window(group_by=["customer_id", "kind", events.exact.isnull()])
    events = events.mutate(last_at=events.occurred_at.max().over(alike))
    complaint, contact = events.kind == "complaint", events.kind == "contact"
    mark = (events.kind == "satisfaction") & events.exact.notnull()
    used = events.value.isnull().ifelse(ibis.literal(1).cast(VALUE_TYPE), events.exact)
    recent = events.ago <= 90
    return events.group_by("customer_id").aggregate(
        complaints=events.count(where=complaint),
        resolutions=events.count(where=events.kind == "resolution"),
        complaints_90=events.count(where=complaint & recent),
        days_since_complaint=events.ago.min(where=complaint),
        marks=events.count(where=mark),
        marks_sum=events.exact.sum(where=mark),
        mark_last=events.exact.min(where=mark & (events.occurred_at == events.last_at)),
        contacts=events.count(where=contact),
        contacts_90=events.count(where=contact & recent),
        usage_90=used.sum(where=(events.kind == "usage") & recent).fill_null(0),
    )


def features(totals: ir.Table) -> dict[str, ir.Value]:
    """The columns of the family.

    complaints_open = max(0, complaints − resolutions); satisfaction_trend = last − mean.

    Parameters
    ----------
    totals : ibis table
        One row per customer with the columns of `totals`.

    Returns
    -------
    Name to column: int64 counts and days, float64 marks (in the unit of the source) and usage.
    """
    mean = compat.ratio(totals.marks_sum, totals.marks)
    last = totals.mark_last.cast("float64")
    return {
        "complaints_total": totals.complaints,
        "complaints_open": ibis.greatest(totals.complaints - totals.resolutions, 0),
        "complaints_90": totals.complaints_90,
        "days_since_complaint": totals.days_since_complaint,
        "satisfaction_last": last,
        "satisfaction_mean": mean,
        "satisfaction_trend": last - mean,
        "contacts_90": totals.contacts_90,
        "contacts_total": totals.contacts,
        "usage_90": totals.usage_90.cast("float64"),
    }
