"""What each input must hold: every row is accepted, or rejected with one reason.

A raw table comes in; the same rows go out in the columns of `features.inputs`, with `reason_`
(null when accepted; the first that applies, in the order of the constants), `row_` (hash of the
raw row), `zoned_` (the moment told its zone) and `raw_` (the raw row of a rejected one, null
otherwise). Nothing is computed and no row is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import Engine, is_finite, missing, row_hash
from features.contracts.moments import Moments, moments
from features.inputs import MONEY_TYPE
from features.kinds import known_kind
from features.opening.columns import text
from features.opening.given import column_of, number_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.opening.sources import Opened
    from features.settings import (
        EventsSource,
        SubscriptionsSource,
        TransactionsSource,
        TreatmentsSource,
    )

    TimedSource = TransactionsSource | EventsSource | SubscriptionsSource | TreatmentsSource

MALFORMED = "malformed line"
NO_CUSTOMER = "no customer id"
NO_DATE = "no date"
UNPARSEABLE_DATE = "unparseable date"
TOO_OLD = "date before 1970"
FUTURE = "date in the future"
NO_AMOUNT = "no amount"
UNPARSEABLE_AMOUNT = "unparseable amount"
NON_FINITE_AMOUNT = "non-finite amount"
AMOUNT_RANGE = "amount out of range"
UNPARSEABLE_MARGIN = "unparseable margin"
MARGIN_RANGE = "margin out of range"
NO_KIND = "no kind"
UNPARSEABLE_VALUE = "unparseable value"
NON_FINITE_VALUE = "non-finite value"
UNREADABLE_LABEL = "label is not yes or no"
UNPARSEABLE_END = "unparseable end"
END_BEFORE_START = "end before start"
UNPARSEABLE_PRICE = "unparseable price"
PRICE_RANGE = "price out of range"
NEGATIVE_PRICE = "negative price"
NO_CAMPAIGN = "no campaign"
UNKNOWN_ARM = "arm is not treated or holdout"
UNPARSEABLE_COST = "unparseable cost"
COST_RANGE = "cost out of range"
DUPLICATE = "duplicate"

REASONS = (
    MALFORMED,
    NO_CUSTOMER,
    NO_DATE,
    UNPARSEABLE_DATE,
    TOO_OLD,
    FUTURE,
    NO_AMOUNT,
    UNPARSEABLE_AMOUNT,
    NON_FINITE_AMOUNT,
    AMOUNT_RANGE,
    *(UNPARSEABLE_MARGIN, MARGIN_RANGE),
    NO_KIND,
    UNPARSEABLE_VALUE,
    NON_FINITE_VALUE,
    UNREADABLE_LABEL,
    UNPARSEABLE_END,
    END_BEFORE_START,
    UNPARSEABLE_PRICE,
    PRICE_RANGE,
    NEGATIVE_PRICE,
    *(NO_CAMPAIGN, UNKNOWN_ARM, UNPARSEABLE_COST, COST_RANGE),
    DUPLICATE,
)

# Sums of ten billion such amounts still fit decimal(38, 6); larger ones are typing errors.
AMOUNT_LIMIT = 1e9
_FIRST_MOMENT = datetime(1970, 1, 1)

_NULL_TEXTS = ("NULL", "null", "NaN", "nan", "None", "none", "<NA>", "NaT", "\\N")

Test = tuple["ir.BooleanValue", str]


@dataclass(frozen=True)
class Clock:
    """What the business's time is.

    Parameters
    ----------
    timezone : str
        IANA name of the business time zone.
    now : datetime
        Wall clock of the business, without zone; later rows are of the future.
    engine : {"duckdb", "spark"}
        Engine of the tables.
    """

    timezone: str
    now: datetime
    engine: Engine


def transactions(opened: Opened, source: TransactionsSource, clock: Clock) -> ir.Table:
    """Judge transactions.

    Parameters
    ----------
    opened : Opened
    source : TransactionsSource
    clock : Clock

    Returns
    -------
    ibis table
        ``customer_id``, ``occurred_at``, ``day``, ``amount``, ``order_id``, ``product_id``,
        ``category``, ``margin`` where the source names one, ``reason_``, ``row_``, ``zoned_``,
        ``raw_``.

    Raises
    ------
    InputError, SettingsError
        If a column is missing or of a type that cannot serve, or a setting cannot be.
    """
    key = "sources.transactions"
    raw = opened.table
    read = {
        name: column_of(opened, source, name, key)
        for name in ("customer_id", "timestamp", "order_id", "product_id", "category")
        if getattr(source, name) is not None
    }
    when = moments_of(opened, source, "timestamp", key, clock)
    money, no_money = number_of(opened, source.amount, f"{key}.amount")
    left, no_left = number_of(opened, source.margin, f"{key}.margin")
    rows = raw.select(
        customer_id=text(read["customer_id"]),
        **_moment_columns(when),
        number_=money,
        no_number_=no_money,
        left_=left,
        no_left_=no_left,
        order_id=_optional_text(read.get("order_id")),
        product_id=_optional_text(read.get("product_id")),
        category=_optional_text(read.get("category")),
        **raw_columns(raw),
    )
    tests = [
        (no_customer(rows.customer_id), NO_CUSTOMER),
        *_moment_tests(rows, clock),
        # First: on Spark a NaN is null too.
        (~is_finite(rows.number_), NON_FINITE_AMOUNT),
        (rows.number_.isnull() & rows.no_number_, NO_AMOUNT),
        (rows.number_.isnull(), UNPARSEABLE_AMOUNT),
        (rows.number_.abs() >= AMOUNT_LIMIT, AMOUNT_RANGE),
        *(margin_tests(rows) if source.margin is not None else []),
        *([(repeats(), DUPLICATE)] if source.deduplicate else []),
    ]
    judged = rows.mutate(
        amount=_money(rows.number_), margin=_money(rows.left_), reason_=first_reason(tests)
    )
    kept = ("customer_id", "occurred_at", "day", "amount", "order_id", "product_id", "category")
    return finish(judged, (*kept, "margin") if source.margin is not None else kept)


def events(opened: Opened, source: EventsSource, clock: Clock) -> ir.Table:
    """Judge events.

    Parameters
    ----------
    opened : Opened
    source : EventsSource
    clock : Clock

    Returns
    -------
    ibis table
        ``customer_id``, ``occurred_at``, ``day``, ``kind``, ``value``, ``reason_``, ``row_``,
        ``zoned_``, ``raw_``.

    Raises
    ------
    InputError, SettingsError
        As for `transactions`.
    """
    key = "sources.events"
    raw = opened.table
    read = {
        name: column_of(opened, source, name, key) for name in ("customer_id", "timestamp", "kind")
    }
    when = moments_of(opened, source, "timestamp", key, clock)
    value, no_value = number_of(opened, source.value, f"{key}.value")
    rows = raw.select(
        customer_id=text(read["customer_id"]),
        **_moment_columns(when),
        kind=known_kind(text(read["kind"]).lower(), source.kinds),
        value=value,
        no_number_=no_value,
        **raw_columns(raw),
    )
    tests = [
        (no_customer(rows.customer_id), NO_CUSTOMER),
        *_moment_tests(rows, clock),
        (rows.kind.isnull(), NO_KIND),
        (~is_finite(rows.value), NON_FINITE_VALUE),
        (rows.value.isnull() & ~rows.no_number_, UNPARSEABLE_VALUE),
    ]
    judged = rows.mutate(reason_=first_reason(tests))
    return finish(judged, ("customer_id", "occurred_at", "day", "kind", "value"))


def raw_columns(raw: ir.Table) -> dict[str, Any]:
    """Columns `raw_` and `row_`: the raw row, and its hash.

    Parameters
    ----------
    raw : ibis table

    Returns
    -------
    dict of str to ibis column
    """
    known = [name for name, kind in raw.schema().items() if not kind.is_unknown()]
    return {
        "raw_": ibis.struct({name: raw[name] for name in known}),
        "row_": row_hash(raw, known),
        "row_again_": row_hash(raw, known, salt=1),
    }


def moments_of(
    opened: Opened, source: TimedSource, setting: str, key: str, clock: Clock
) -> Moments:
    """Moments of the column that a setting of a source names.

    Parameters
    ----------
    opened : Opened
    source : source of transactions, events, subscriptions or treatments
        Says how text dates are written.
    setting : str
        Such as ``timestamp``; blank throughout where it is not given.
    key : str
        Of the source, for the error, such as ``sources.events``.
    clock : Clock

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        If there is no such column, or it is of a type that cannot serve.
    """
    name = getattr(source, setting)
    if name is None:
        return Moments(missing("timestamp"), ibis.literal(False), ibis.literal(True))
    return moments(
        column_of(opened, source, setting, key),
        key=f"{key}.{setting}",
        timezone=clock.timezone,
        engine=clock.engine,
        is_instant=name in opened.instants,
        format_=source.timestamp_format,
    )


def no_customer(identity: ir.StringValue) -> ir.BooleanValue:
    """Whether an id is blank, or a null that another program wrote as text.

    Taken for an id, "nan" would be one customer with everybody's anonymous purchases.

    Parameters
    ----------
    identity : string column
        Trimmed, null when blank.

    Returns
    -------
    boolean column
    """
    return identity.isnull() | identity.isin(_NULL_TEXTS)


def first_reason(tests: Sequence[Test]) -> ir.StringValue:
    """Reason of the first test that holds.

    Parameters
    ----------
    tests : sequence of (boolean column, str)

    Returns
    -------
    string column; null when no test holds.
    """
    return ibis.cases(*tests, else_=missing("string"))


def finish(judged: ir.Table, kept: Sequence[str]) -> ir.Table:
    """Columns that are kept; the raw row only of a rejected one.

    Parameters
    ----------
    judged : ibis table
        With ``reason_``, ``row_``, ``raw_`` and maybe ``zoned_``.
    kept : sequence of str
        Columns of `features.inputs`.

    Returns
    -------
    ibis table
    """
    rejected = judged.reason_.notnull()
    nothing = ibis.null(judged.raw_.type())
    zoned = judged.zoned_ if "zoned_" in judged.columns else missing("boolean")
    return judged.select(
        *kept,
        reason_=judged.reason_,
        row_=judged.row_,
        zoned_=zoned,
        raw_=ibis.cases((rejected, judged.raw_), else_=nothing),
    )


def margin_tests(rows: ir.Table) -> list[Test]:
    """What a margin is rejected for; a blank one is not known, which is no fault of the sale.

    Parameters
    ----------
    rows : ibis table
        ``left_`` float64, and ``no_left_`` boolean where it is blank.

    Returns
    -------
    list of (boolean column, str)
    """
    return [
        (~is_finite(rows.left_), MARGIN_RANGE),
        (rows.left_.isnull() & ~rows.no_left_, UNPARSEABLE_MARGIN),
        (rows.left_.abs() >= AMOUNT_LIMIT, MARGIN_RANGE),
    ]


def _money(number: ir.FloatingValue) -> ir.DecimalValue:
    """A number that fits as exact money; the others are rejected."""
    fits = is_finite(number) & (number.abs() < AMOUNT_LIMIT)
    return ibis.cases((fits, number), else_=missing("float64")).cast(MONEY_TYPE)


def _optional_text(values: ir.Column | None) -> Any:
    return missing("string") if values is None else text(values)


def _moment_columns(when: Moments) -> dict[str, Any]:
    return {
        "occurred_at": when.local,
        "day": when.local.date(),
        "zoned_": when.zoned,
        "no_moment_": when.blank,
    }


def _moment_tests(rows: ir.Table, clock: Clock) -> list[Test]:
    return [
        (rows.no_moment_, NO_DATE),
        (rows.occurred_at.isnull(), UNPARSEABLE_DATE),
        (rows.occurred_at < ibis.literal(_FIRST_MOMENT, "timestamp"), TOO_OLD),
        (rows.occurred_at > ibis.literal(clock.now, "timestamp"), FUTURE),
    ]


def repeats() -> ir.BooleanValue:
    """Whether an equal raw row was met before; two hashes stand for the row.

    Returns
    -------
    boolean column
        Of a table with the columns of `raw_columns`.
    """
    same = ibis.window(group_by=["row_", "row_again_"], order_by="row_")
    return ibis.row_number().over(same) > 0
