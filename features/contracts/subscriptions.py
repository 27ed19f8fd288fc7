"""The contract of the subscriptions source, whatever a row of it is.

As in `features.contracts.contract`, every row is accepted or rejected with one reason. What goes
out is the same for both ways of keeping subscriptions: a row that renews until it ends, and a row
that is one paid period. Days only: a subscription has no hours.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import ibis

from features import compat, terms
from features.compat import is_finite, missing
from features.contracts import contract
from features.ends import known_end
from features.inputs import MONEY_TYPE
from features.kinds import plain
from features.opening.columns import text
from features.opening.given import column_of, number_of, words_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.contracts.contract import Clock
    from features.opening.sources import Opened
    from features.settings import SubscriptionsSource

#: Columns of `features.inputs.Inputs.subscriptions`; ``margin`` too, where the source names one.
COLUMNS = (
    "customer_id",
    "day",
    "end",
    "plan",
    "price",
    "end_reason",
    "repeats",
    "term_months",
    "term_days",
    "grace_days",
)
_KEY = "sources.subscriptions"
_FIRST_DAY = datetime(1970, 1, 1)


def subscriptions(opened: Opened, source: SubscriptionsSource, clock: Clock) -> ir.Table:
    """Judge subscriptions.

    Parameters
    ----------
    opened : Opened
    source : SubscriptionsSource
    clock : Clock

    Returns
    -------
    ibis table
        `COLUMNS`, ``margin`` where there is one, ``reason_``, ``row_``, ``zoned_``, ``raw_``, and
        ``last_``: the last day on which the row tells of something that had happened.

    Raises
    ------
    InputError, SettingsError
        If a column is missing or of a type that cannot serve, or a setting cannot be.
    """
    raw = opened.table
    starts, ends = (
        contract.moments_of(opened, source, setting, _KEY, clock) for setting in ("start", "end")
    )
    price, no_price = number_of(opened, source.price, f"{_KEY}.price")
    left, no_left = number_of(opened, source.margin, f"{_KEY}.margin")
    rows = raw.select(
        customer_id=text(column_of(opened, source, "customer_id", _KEY)),
        start_=starts.local,
        no_start_=starts.blank,
        stop_=ends.local,
        no_end_=ends.blank,
        zoned_=starts.zoned,
        plan=words_of(opened, source, "plan", _KEY),
        end_reason=known_end(
            words_of(opened, source, "end_reason", _KEY).lower(), source.end_reasons
        ),
        number_=price,
        no_number_=no_price,
        left_=left,
        no_left_=no_left,
        **contract.raw_columns(raw),
    )
    rows = rows.mutate(day=rows.start_.date(), given_=rows.stop_.date())
    judged = rows.mutate(
        price=_sane(rows.number_).cast(MONEY_TYPE),
        margin=_sane(rows.left_).cast(MONEY_TYPE),
        repeats=ibis.literal(source.rows == "subscription"),
        grace_days=ibis.literal(source.grace_days, "int64"),
        reason_=contract.first_reason(_tests(rows, source, clock)),
        **_term(rows, source),
    )
    judged = judged.mutate(end=_end(judged, source))
    today = ibis.literal(clock.now.date())
    past = judged.repeats & (judged.end <= today)
    judged = judged.mutate(last_=past.ifelse(ibis.greatest(judged.end, judged.day), judged.day))
    stated = () if source.margin is None else ("margin",)
    return contract.finish(judged, (*COLUMNS, *stated, "last_"))


def _tests(rows: ir.Table, source: SubscriptionsSource, clock: Clock) -> list[tuple[Any, str]]:
    """What a row is rejected for, in order."""
    # A subscription may end on its first day; a period that is paid for has a length.
    early = rows.given_ < rows.day if source.rows == "subscription" else rows.given_ <= rows.day
    return [
        (contract.no_customer(rows.customer_id), contract.NO_CUSTOMER),
        (rows.no_start_, contract.NO_DATE),
        (rows.start_.isnull(), contract.UNPARSEABLE_DATE),
        (rows.start_ < ibis.literal(_FIRST_DAY, "timestamp"), contract.TOO_OLD),
        (rows.start_ > ibis.literal(clock.now, "timestamp"), contract.FUTURE),
        (rows.stop_.isnull() & ~rows.no_end_, contract.UNPARSEABLE_END),
        (early, contract.END_BEFORE_START),
        # First: on Spark a NaN is null too.
        (~is_finite(rows.number_), contract.PRICE_RANGE),
        (rows.number_.isnull() & ~rows.no_number_, contract.UNPARSEABLE_PRICE),
        (rows.number_.abs() >= contract.AMOUNT_LIMIT, contract.PRICE_RANGE),
        (rows.number_ < 0, contract.NEGATIVE_PRICE),
        *(contract.margin_tests(rows) if source.margin is not None else ()),
        *([(contract.repeats(), contract.DUPLICATE)] if source.deduplicate else []),
    ]


def _sane(price: Any) -> Any:
    """A price or a margin that fits its type; the others are rejected."""
    fits = is_finite(price) & (price.abs() < contract.AMOUNT_LIMIT)
    return ibis.cases((fits, price), else_=missing("float64"))


def _term(rows: ir.Table, source: SubscriptionsSource) -> dict[str, Any]:
    """Months and days of the term: the plan's, the settings', the period's own, or a month."""
    usual = source.term or "month"
    months, days = _literals(terms.term(usual))
    if source.rows == "period" and source.term is None:
        length = compat.days_between(rows.given_, rows.day)
        by_length = terms.of_length(length)
        known = rows.given_.notnull() & (length > 0)
        months, days = (
            ibis.cases((known, own), else_=other)
            for own, other in zip(by_length, (months, days), strict=True)
        )
    if source.terms:
        # White space around a word is gone already.
        said = rows.plan.lower()
        of_plan = {plain(word): _literals(terms.term(t)) for word, t in source.terms.items()}
        months, days = (
            ibis.cases(*((said == word, pair[k]) for word, pair in of_plan.items()), else_=usual_)
            for k, usual_ in enumerate((months, days))
        )
    return {"term_months": months.cast("int64"), "term_days": days.cast("int64")}


def _literals(term: terms.Term) -> tuple[Any, Any]:
    return ibis.literal(term.months, "int64"), ibis.literal(term.days, "int64")


def _end(rows: ir.Table, source: SubscriptionsSource) -> Any:
    """Day of the end; of a paid period without one, a term after its start."""
    if source.rows == "subscription":
        return rows.given_
    named = {terms.term(words) for words in ("month", source.term or "month")}
    named |= {terms.term(words) for words in source.terms.values()}
    after = [
        (
            (rows.term_months == one.months) & (rows.term_days == one.days),
            (rows.day + ibis.interval(months=one.months) + ibis.interval(days=one.days)).cast(
                "date"
            ),
        )
        for one in sorted(named, key=lambda one: (one.months, one.days))
    ]
    return rows.given_.coalesce(ibis.cases(*after, else_=missing("date")))
