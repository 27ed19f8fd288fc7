"""Scores for customers never seen before, from their transactions, events and subscriptions.

In: customers with their rows, as a request has them. Out: score rows, by the same feature plans and
the same scoring as the score table, with its thresholds; so the same history at the same as-of date
has the same numbers, bit for bit.

The as-of date is the score table's when none is given (today's, where there is no table), never
one taken from the transactions: a customer who was last seen months ago would look as if it had
bought yesterday. What happened from the as-of date on is outcome and not looked at; each item
says how many transactions that were. Attributes that are not given are null. One customer with
events, be it none of them, makes an events source for the whole request: in a business that has
one, a customer without events has counts of zero. Without it, what comes of events is null. So it
is with subscriptions and, under the rule `subscription`, with transactions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from serving.api import limits, noted, wording
from serving.api.failures import Failure
from serving.api.horizon import records
from serving.api.messages import failed
from serving.api.plans import Behaviour, Plans
from serving.api.rows import SCHEMAS, Source
from serving.api.submitted import (
    RawCustomer,
    RawEvent,
    RawSubscription,
    RawTransaction,
    ScoreRequest,
)
from serving.api.wording import Wording
from serving.desk import Desk
from serving.groups.population import Thresholds
from serving.worker import Worker

_ATTRIBUTE = "attribute_"
_CODES: dict[Source, str] = {
    "transactions": "bad_transaction",
    "events": "bad_event",
    "subscriptions": "bad_subscription",
}
#: Rows that are outcome, or events of no known kind, counted beside each score.
IGNORED = ("ignored_transactions", "ignored_subscriptions", "ignored_events")
_COUNTED: tuple[Source, ...] = ("transactions", "subscriptions", "events")
#: What stands beside each score.
BESIDE = (*IGNORED, "notes")
_MOST = {
    "transactions": limits.MAX_TRANSACTIONS,
    "events": limits.MAX_EVENTS,
    "subscriptions": limits.MAX_SUBSCRIPTIONS,
}
_NO_PURCHASE = (
    "no_purchase",
    "No purchase of more than its refunds before {as_of}; there is nothing to score.",
)
_NO_SUBSCRIPTION = (
    "no_subscription",
    "No subscription that runs on {as_of}; there is nothing to score.",
)
_Texts = tuple[str | None, ...]
# Moments before 1970 are rejected, and features look one year back.
_EARLIEST = date(1971, 1, 1)


@dataclass(frozen=True)
class Outcome:
    """Scores of a request.

    Parameters
    ----------
    items : list of dict
        In the order of the request: score rows with what is `BESIDE` them, or failed items.
    as_of : date
    horizon_days : int
    scored_at : datetime
    """

    items: list[dict[str, Any]]
    as_of: date
    horizon_days: int
    scored_at: datetime


def score(worker: Worker, desk: Desk | None, request: ScoreRequest) -> Outcome:
    """Score the customers of a request.

    Parameters
    ----------
    worker : Worker
    desk : Desk or None
        The score table whose as-of date and thresholds are used; the deployment's thresholds
        where there is none.
    request : ScoreRequest

    Returns
    -------
    Outcome

    Raises
    ------
    Failure
        400 for an as-of date beyond tomorrow or an attribute that the model does not know; 413 for
        too many rows; 422 for a horizon that the model does not know, or for subscriptions where
        it is not known how they are kept; 503 without a model or thresholds.
    """
    scorer = worker.need_scorer()
    thresholds = worker.deployment.thresholds if desk is None else desk.meta.thresholds
    if thresholds is None:
        raise Failure(503, "Nothing is scored yet: run `regulars score` first.", code="not_scored")
    now = worker.clock()
    as_of = request.as_of or (worker.today if desk is None else desk.meta.as_of)
    _check(request, worker, as_of, scorer.attributes)
    wall = now.astimezone(ZoneInfo(worker.deployment.names.timezone)).replace(tzinfo=None)
    plans = worker.need_plans()
    _check_sources(request.customers, plans)
    needed: Source = "subscriptions" if plans.subscribers else "transactions"
    words = wording.of(worker, desk)
    found = plans.run(*_tables(request.customers, needed, words), as_of=as_of, now=wall)
    frame = _with_attributes(found.frame, request.customers, scorer.attributes)
    scored = _scored(worker, frame, thresholds, as_of, now, request.horizon_days)
    code, told = _NO_SUBSCRIPTION if plans.subscribers else _NO_PURCHASE
    margins_of = needed if getattr(scorer, "margins", None) is not None else None
    items = [
        _without(one.customer_id, needed)
        if getattr(one, needed) is None
        else _item(place, one, found, scored, (code, told.format(as_of=as_of)))
        for place, one in enumerate(request.customers)
    ]
    items = [
        item if "error" in item else {**item, "notes": noted.notes(one, words, margins_of, as_of)}
        for one, item in zip(request.customers, items, strict=True)
    ]
    return Outcome(items, as_of, request.horizon_days or scorer.horizon_days, now)


def _check(request: ScoreRequest, worker: Worker, as_of: date, attributes: Sequence[str]) -> None:
    if as_of > worker.today + timedelta(days=1):
        raise Failure(400, f"as_of is after tomorrow; expected {worker.today} or earlier.")
    if as_of < _EARLIEST:
        raise Failure(400, f"as_of is before any purchase that is read; expected {_EARLIEST} on.")
    for what, most in _MOST.items():
        if sum(len(getattr(one, what) or ()) for one in request.customers) > most:
            raise Failure(413, f"More than {most:,} {what}; send them in parts.")
    known = {name.removeprefix(_ATTRIBUTE) for name in attributes}
    if any(set(one.attributes) - known for one in request.customers):
        expected = ", ".join(sorted(known)) or "none"
        raise Failure(400, f"Got an attribute that the model does not read; it reads: {expected}.")


def _check_sources(customers: Sequence[RawCustomer], plans: Plans) -> None:
    """Whether all that is sent can be read."""
    sent = any(one.subscriptions is not None for one in customers)
    if (sent or plans.subscribers) and not plans.reads_subscriptions:
        raise Failure(
            422,
            "It is not known here how subscriptions are kept: serve with settings that have "
            "[sources.subscriptions], or leave subscriptions out.",
        )


def _without(customer_id: str, needed: Source) -> dict[str, Any]:
    """Item of a customer without the rows that it is scored from."""
    told = f"Got no `{needed}`, which customers are scored from here; expected a list of them all."
    return failed(customer_id, _CODES[needed], told)


def _tables(
    customers: Sequence[RawCustomer], needed: Source, words: Wording
) -> tuple[pa.Table | None, ...]:
    """Rows of all customers by source; None where nobody brings a list that is not needed."""
    told: list[pa.Table | None] = []
    for source, texts in _texts(words).items():
        given = [getattr(one, source) for one in customers]
        some = source == needed or any(rows is not None for rows in given)
        parts = [map(texts, rows or ()) for rows in given]
        told.append(_table(parts, SCHEMAS[source]) if some else None)
    return tuple(told)


def _table(given: Sequence[Iterable[_Texts]], schema: pa.Schema) -> pa.Table:
    """Rows as text, which the contract reads as it reads a file.

    Customers go by their place in the request: an id may be there twice.
    """
    columns: list[list[Any]] = [[] for _ in schema]
    for place, rows in enumerate(given):
        for number, texts in enumerate(rows):
            values = (_key(place), number, *texts)
            for column, value in zip(columns, values, strict=True):
                column.append(value)
    arrays = [pa.array(column, item.type) for column, item in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _purchase(row: RawTransaction) -> _Texts:
    given = (_text(row.timestamp), _text(row.amount))
    return (*given, row.order_id, row.product_id, row.category, _text(row.margin))


def _event(row: RawEvent, words: Wording) -> _Texts:
    # As the text of something else it would pass for a kind that is not looked at.
    kind = _text(row.kind) if isinstance(row.kind, str | int | float) else None
    return (_text(row.timestamp), words.kind(kind), _text(row.value))


def _subscription(row: RawSubscription, words: Wording) -> _Texts:
    told = (_text(row.start), _text(row.end), words.plan(row.plan) or row.plan)
    return (*told, _text(row.price), row.end_reason, _text(row.margin))


def _texts(words: Wording) -> dict[Source, Callable[[Any], _Texts]]:
    """How a row of a source is written, in the order in which plans take them."""
    return {
        "transactions": _purchase,
        "events": partial(_event, words=words),
        "subscriptions": partial(_subscription, words=words),
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # Shortest digits that give the same number again.
    return repr(value) if isinstance(value, int | float) else "unreadable"


def _key(place: int) -> str:
    return f"{place:06d}"


def _with_attributes(
    frame: pd.DataFrame, customers: Sequence[RawCustomer], names: Sequence[str]
) -> pd.DataFrame:
    """Behaviour rows with the attributes that were sent, null for the others."""
    places = frame["customer_id"].astype(int)
    columns = {}
    for name in names:
        given = [customers[place].attributes.get(name.removeprefix(_ATTRIBUTE)) for place in places]
        words = any(isinstance(value, str) for value in given)
        columns[name] = pd.Series(given, frame.index, dtype="str" if words else "float64")
    return frame.assign(**columns)


def _scored(
    worker: Worker,
    frame: pd.DataFrame,
    thresholds: Thresholds,
    as_of: date,
    now: datetime,
    horizon_days: int | None,
) -> dict[str, dict[str, Any]]:
    from serving import scoring
    from training.errors import TrainingError

    if frame.empty:
        return {}
    try:
        scored, _ = scoring.score(
            frame,
            worker.need_scorer(),
            thresholds=thresholds,
            as_of=as_of,
            model_version=worker.deployment.model_version,
            scored_at=now,
            currency=worker.deployment.names.currency,
            horizon_days=horizon_days,
        )
    except TrainingError as error:
        raise Failure(422, str(error), code="horizon_unavailable") from error
    return {row["customer_id"]: row for row in records(scored)}


def _item(
    place: int,
    customer: RawCustomer,
    found: Behaviour,
    scored: dict[str, dict[str, Any]],
    nothing: tuple[str, str],
) -> dict[str, Any]:
    key, own = _key(place), customer.customer_id
    if key in found.rejected:
        why = found.rejected[key]
        return failed(own, _CODES[why.source], why.message)
    if key not in scored:
        return failed(own, *nothing)
    later = {
        name: found.ignored.get(source, {}).get(key, 0)
        for name, source in zip(IGNORED, _COUNTED, strict=True)
    }
    return {**scored[key], "customer_id": own, **later}
