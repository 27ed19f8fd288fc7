"""The contract of the treatments source: what was done to whom, when, in which campaign.

As in `features.contracts.contract`, every row is accepted or rejected with one reason. A row is one
customer of one campaign, treated or held out. Contact limits and cooling-off read it, and so does
the measurement of effects; no feature does.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import is_finite, missing
from features.contracts import contract
from features.inputs import MONEY_TYPE
from features.kinds import known_kind
from features.opening.columns import text
from features.opening.given import column_of, number_of, words_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.contracts.contract import Clock
    from features.opening.sources import Opened
    from features.settings import TreatmentsSource

#: Columns of `features.inputs.Inputs.treatments`.
COLUMNS = ("customer_id", "occurred_at", "day", "campaign", "action", "arm", "cost")
#: What a row's `arm` can be; without a column every row is of the first.
TREATED, HOLDOUT = "treated", "holdout"
ARMS = (TREATED, HOLDOUT)

_KEY = "sources.treatments"
_FIRST_MOMENT = datetime(1970, 1, 1)


def treatments(opened: Opened, source: TreatmentsSource, clock: Clock) -> ir.Table:
    """Judge treatments.

    Parameters
    ----------
    opened : Opened
    source : TreatmentsSource
    clock : Clock

    Returns
    -------
    ibis table
        `COLUMNS`, ``reason_``, ``row_``, ``zoned_``, ``raw_``. ``arm`` is one of `ARMS`; ``action``
        and ``cost`` are null where the source does not say.

    Raises
    ------
    InputError, SettingsError
        If a column is missing or of a type that cannot serve, or a setting cannot be.
    """
    raw = opened.table
    when = contract.moments_of(opened, source, "timestamp", _KEY, clock)
    cost, no_cost = number_of(opened, source.cost, f"{_KEY}.cost")
    rows = raw.select(
        customer_id=text(column_of(opened, source, "customer_id", _KEY)),
        occurred_at=when.local,
        day=when.local.date(),
        zoned_=when.zoned,
        no_moment_=when.blank,
        campaign=text(column_of(opened, source, "campaign", _KEY)),
        action=words_of(opened, source, "action", _KEY),
        arm=_arm(opened, source),
        number_=cost,
        no_number_=no_cost,
        **contract.raw_columns(raw),
    )
    fits = is_finite(rows.number_) & (rows.number_.abs() < contract.AMOUNT_LIMIT)
    judged = rows.mutate(
        cost=ibis.cases((fits, rows.number_), else_=missing("float64")).cast(MONEY_TYPE),
        reason_=contract.first_reason(_tests(rows, clock)),
    )
    return contract.finish(judged, COLUMNS)


def last_treated(treatments: ir.Table, as_of: date) -> ir.Table:
    """Day of the last treatment of each customer, action by action.

    Parameters
    ----------
    treatments : ibis table
        Accepted rows.
    as_of : date
        Nothing from its midnight on is seen.

    Returns
    -------
    Table with ``customer_id``, ``action`` (null where the source does not say) and ``day``; who was
    held out was not treated.
    """
    seen = treatments.filter(treatments.day < ibis.literal(as_of), treatments.arm == TREATED)
    return seen.group_by("customer_id", "action").aggregate(day=seen.day.max())


def sent(treatments: ir.Table, first: date, until: date) -> ir.Table:
    """Who was treated with what between two days.

    Parameters
    ----------
    treatments : ibis table
        Accepted rows.
    first, until : date
        From the midnight of `first` on, up to that of `until`.

    Returns
    -------
    Table with ``customer_id`` and ``action`` (null where the source does not say), each pair once;
    who was held out was not treated.
    """
    days = (treatments.day >= ibis.literal(first)) & (treatments.day < ibis.literal(until))
    seen = treatments.filter(days, treatments.arm == TREATED)
    return seen.select("customer_id", "action").distinct()


def _arm(opened: Opened, source: TreatmentsSource) -> Any:
    """Arm in the known words; a blank one is not guessed at."""
    if source.arm is None:
        return ibis.literal(TREATED)
    return known_kind(text(column_of(opened, source, "arm", _KEY)).lower(), source.arms)


def _tests(rows: ir.Table, clock: Clock) -> list[tuple[Any, str]]:
    """What a row is rejected for, in order."""
    return [
        (contract.no_customer(rows.customer_id), contract.NO_CUSTOMER),
        (rows.no_moment_, contract.NO_DATE),
        (rows.occurred_at.isnull(), contract.UNPARSEABLE_DATE),
        (rows.occurred_at < ibis.literal(_FIRST_MOMENT, "timestamp"), contract.TOO_OLD),
        (rows.occurred_at > ibis.literal(clock.now, "timestamp"), contract.FUTURE),
        (rows.campaign.isnull(), contract.NO_CAMPAIGN),
        (rows.arm.isnull() | ~rows.arm.isin(ARMS), contract.UNKNOWN_ARM),
        # First: on Spark a NaN is null too.
        (~is_finite(rows.number_), contract.COST_RANGE),
        (rows.number_.isnull() & ~rows.no_number_, contract.UNPARSEABLE_COST),
        (rows.number_.abs() >= contract.AMOUNT_LIMIT, contract.COST_RANGE),
        (rows.number_ < 0, contract.COST_RANGE),
    ]
