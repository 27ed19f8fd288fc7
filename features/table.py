"""The behaviour table: every family of features at one as-of date, as one lazy plan.

In: the accepted rows of every source. Out: one row per customer of the population with all
columns of the catalogue and the customer's attributes. The plan runs in the engine of the inputs
(DuckDB or Spark) and computes nothing until it is read: one group-by over the log makes
customer-days, one sort paces them, one group-by makes customers, and narrow joins add the rest.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import ibis
import ibis.expr.types as ir

from features import compat
from features.catalogue import ATTRIBUTE, FEATURES, Feature
from features.errors import FeaturesError, InputError
from features.families import (
    basket,
    care,
    margins,
    refunds,
    rfm,
    rhythm,
    season,
    spend,
    subscription,
)
from features.inputs import Inputs
from features.occasions import before, occasions, paced

Population = Literal["buyers", "customers", "subscribers"]
MAX_HORIZON_DAYS = 730
# Where each population is listed.
_SOURCE: dict[Population, str] = {
    "buyers": "transactions",
    "customers": "customers",
    "subscribers": "subscriptions",
}


def behaviour(
    inputs: Inputs, as_of: date, *, horizon_days: int, population: Population = "buyers"
) -> ir.Table:
    """Behaviour table at an as-of date.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows. Of transactions, events and subscriptions only those before `as_of` are
        seen, and no end that had not come; attributes carry no date and are taken as they are.
    as_of : date
    horizon_days : int
        Length of the outcome window that the table is for, 1 to 730: it sets the window of
        `same_season_*`.
    population : {"buyers", "customers", "subscribers"}
        ``buyers``: everyone with an occasion before `as_of`. ``customers``: every row of the
        customers source. ``subscribers``: everyone with a subscription that runs at `as_of`, one
        that is late and within its grace among them.

    Returns
    -------
    Table with one row per customer, in no order: ``customer_id``, ``as_of``, the columns of
    `features.catalogue.FEATURES` in that order, ``attribute_*``.

    Raises
    ------
    InputError
        If the population's source is not among the inputs.
    FeaturesError
        If the horizon is out of range, or `as_of` is no plain date.
    """
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        raise FeaturesError(f"Got as_of={as_of!r}, expected a date: datetime.date(2024, 3, 1).")
    if not 1 <= horizon_days <= MAX_HORIZON_DAYS:
        raise FeaturesError(
            f"Got horizon_days={horizon_days}, expected 1 to {MAX_HORIZON_DAYS}: set a shorter "
            "horizon."
        )
    blocks = {
        "transactions": _purchases(inputs, as_of, horizon_days, buyers_only=population == "buyers"),
        "customers": _attributes(inputs),
        "events": _care(inputs, as_of),
        "subscriptions": _subscriptions(inputs, as_of, only_running=population == "subscribers"),
    }
    source = _SOURCE[population]
    table = blocks.pop(source)
    if table is None:
        raise InputError(
            f"Got no {source} source, expected one for a table of {population}: "
            f"add [sources.{source}] to the settings."
        )
    for block in blocks.values():
        if block is not None:
            table = table.left_join(block, "customer_id").drop("customer_id_right")
    return table.select(
        "customer_id",
        ibis.literal(as_of).name("as_of"),
        *(_column(table, feature) for feature in FEATURES),
        *(name for name in table.columns if name.startswith(ATTRIBUTE)),
    )


def _purchases(
    inputs: Inputs, as_of: date, horizon_days: int, *, buyers_only: bool
) -> ir.Table | None:
    """Features of the log, one row per customer with anything in it."""
    if inputs.transactions is None:
        return None
    days = paced(occasions(inputs.transactions, as_of), as_of)
    totals = days.group_by("customer_id").aggregate(
        **rfm.totals(days),
        **rhythm.totals(days),
        **spend.totals(days),
        **margins.totals(days),
        **basket.totals(days),
        **refunds.totals(days),
        **season.totals(days, horizon_days),
    )
    if buyers_only:
        totals = totals.filter(totals.occasions > 0)
    for counts in basket.variety(before(inputs.transactions, as_of)):
        totals = totals.left_join(counts, "customer_id").drop("customer_id_right")
    return totals.select(
        "customer_id",
        **rfm.features(totals),
        **rhythm.features(totals),
        **spend.features(totals),
        **margins.features(totals),
        **basket.features(totals),
        **refunds.features(totals),
        **season.features(totals),
    )


def _care(inputs: Inputs, as_of: date) -> ir.Table | None:
    """Features of the events, one row per customer with any."""
    if inputs.events is None:
        return None
    totals = care.totals(before(inputs.events, as_of), as_of)
    return totals.select("customer_id", **care.features(totals))


def _subscriptions(inputs: Inputs, as_of: date, *, only_running: bool) -> ir.Table | None:
    """Features of the subscriptions, one row per customer who had one, or has one now."""
    if inputs.subscriptions is None:
        return None
    totals = subscription.totals(inputs.subscriptions, as_of)
    if only_running:
        totals = totals.filter(totals.running == 1)
    return totals.select("customer_id", **subscription.features(totals))


def _attributes(inputs: Inputs) -> ir.Table | None:
    """Attributes of the customers source, one row per customer."""
    if inputs.customers is None:
        return None
    names = [name for name in inputs.customers.columns if name.startswith(ATTRIBUTE)]
    return inputs.customers.select("customer_id", *names)


def _column(table: ir.Table, feature: Feature) -> ir.Value:
    """A column of the catalogue: of its type, and null where its source is missing."""
    if feature.name not in table.columns:
        return compat.missing(feature.kind).name(feature.name)
    column = table[feature.name].cast(feature.kind)
    if feature.without is not None:
        column = column.fill_null(ibis.literal(feature.without, feature.kind))
    return column.name(feature.name)
