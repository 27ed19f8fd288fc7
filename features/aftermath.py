"""What happened to customers in the days of a campaign: the outcomes that an effect is measured by.

In: the accepted sources, the first day and the number of days. Out: one row for each customer who
could have been in the campaign, treated or not; a customer to whom nothing happened has zeros. The
days are whole ones, [start, start + days), as those that the scores were made for.

Units: purchases in occasions (payments, for subscribers), spend in currency net of refunds, the
others in number.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis

from features import fates
from features.errors import FeaturesError
from features.kinds import UNSUBSCRIBE
from features.occasions import is_purchase
from features.outcomes import outcomes

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.inputs import Inputs
    from features.table import Population

#: What a campaign is for.
GOALS = ("returned", "purchases", "spend")
#: What it should not bring; a column is there only where a source tells.
HARMS = ("complaints", "refunds", "unsubscribes")
_KINDS = {"complaints": "complaint", "unsubscribes": UNSUBSCRIBE}


def aftermath(
    inputs: Inputs,
    start: date,
    days: int,
    *,
    population: Population = "buyers",
    known_until: date | None = None,
) -> ir.Table:
    """Outcomes of a window, customer by customer.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows; of buyers the transactions are needed, of subscribers the subscriptions.
    start : date
        First day of the window.
    days : int
        Its length, 1 or more.
    population : {"buyers", "subscribers"}
        Who returns by buying, and who by staying.
    known_until : date, optional
        Of subscribers, nothing from this day on is seen; the day after the window when not given.

    Returns
    -------
    Table in no order, with one row per customer on record before `start`: ``customer_id``;
    ``returned`` int64, 1 or 0; ``purchases`` int64; ``spend`` float64, null for a subscriber
    without a price; ``refunds`` int64, lines of the log below zero, where there is a log;
    ``complaints`` and ``unsubscribes`` int64 where there are events.

    Raises
    ------
    FeaturesError
        If the source that is needed is missing, or the window is none.
    """
    who = _fates(inputs, start, days, known_until) if population == "subscribers" else None
    if who is None:
        if inputs.transactions is None or population == "customers":
            raise FeaturesError(
                "Got no log to see who came back in; expected [sources.transactions], or "
                "[sources.subscriptions] for subscribers."
            )
        who = outcomes(inputs.transactions, start, days).rename(purchases="occasions")
    end = start + timedelta(days=days)
    for name, count in _harms(inputs, start, end).items():
        who = who.left_join(count, "customer_id").drop("customer_id_right")
        who = who.mutate(**{name: who[name].fill_null(0)})
    return who


def _fates(inputs: Inputs, start: date, days: int, known_until: date | None) -> ir.Table:
    if inputs.subscriptions is None:
        raise FeaturesError("Got no subscriptions to see who stayed; add [sources.subscriptions].")
    end = start + timedelta(days=days)
    rows = fates.outcomes(inputs.subscriptions, start, days, known_until or end)
    stayed = rows.ended_after.isnull() | (rows.ended_after >= days)
    return rows.select(
        "customer_id",
        returned=stayed.cast("int64"),
        purchases=rows.occasions,
        spend=rows.spend,
    )


def _harms(inputs: Inputs, start: date, end: date) -> dict[str, ir.Table]:
    """Counts of each harm by customer, of those with any."""
    found = {}
    if inputs.transactions is not None:
        log = _within(inputs.transactions, start, end)
        found["refunds"] = _counted(log, ~is_purchase(log), "refunds")
    if inputs.events is not None:
        events = _within(inputs.events, start, end)
        for name, kind in _KINDS.items():
            found[name] = _counted(events, events.kind == kind, name)
    return found


def _within(table: ir.Table, start: date, end: date) -> ir.Table:
    return table.filter(table.day >= ibis.literal(start), table.day < ibis.literal(end))


def _counted(table: ir.Table, which: ir.BooleanValue, name: str) -> ir.Table:
    chosen = table.filter(which)
    return chosen.group_by("customer_id").aggregate(**{name: chosen.count()})


def observed_days(start: date, days: int, until: date) -> int:
    """Days of a window that have been observed.

    Parameters
    ----------
    start : date
    days : int
        Length of the window.
    until : date
        The day after the last observed one.

    Returns
    -------
    int
        From 0 to `days`.

    Examples
    --------
    >>> observed_days(date(2024, 6, 1), 30, until=date(2024, 6, 11))
    10
    """
    return min(max((until - start).days, 0), days)
