"""Why: what moves a customer's scores, what changed since last time, what the value is made of.

In: customers of the score table and the scopes of a key. Out: the answer of /reasons. Reasons,
drivers and the risk's changes need the scope ``risk``, the value's changes the scope ``value``;
of the split, what would tell the return probability needs both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args

import pyarrow as pa
from pydantic import BaseModel, Field

from serving import catalogue, questions
from serving.api import answers, limits
from serving.api.messages import Id, Item, Meta, Probability, Reason, Request, Stage, Tier, failed
from serving.api.routes import ADMIN, RISK, VALUE
from serving.desk import Desk
from serving.groups import subscribers
from serving.insight import changes, drivers, renewal_split, silence, value_split
from serving.scores import REASON
from serving.worker import Worker

DriverName = Literal[
    "price_and_refunds",
    "service_and_complaints",
    "assortment",
    "fading_rhythm",
    "new_and_unsettled",
]
assert get_args(DriverName) == drivers.NAMES  # noqa: S101 - the type has to be written out

_OPEN = ("spend_per_purchase", "profit_per_purchase")
_READ = {
    RISK: ("churn_probability", "reasons"),
    VALUE: ("tier", "expected_spend", "clv"),
}


class ReasonsRequest(Request):
    """Customers of the score table."""

    customer_ids: list[Id] = Field(
        min_length=1,
        max_length=limits.MAX_IDS,
        description="Answered in this order; an unknown id fails alone.",
    )


class ClassedReason(Reason):
    """A driver of the score with its class; never a cause."""

    driver: DriverName | None = Field(
        description="Class of the family and the words; null where they belong to none."
    )


class DriverShare(BaseModel):
    """A class of what raises the risk."""

    driver: DriverName = Field(description="The class; docs/scores.md tells what belongs to it.")
    weight: float = Field(description="Sum of the weights of its reasons that raise the risk.")
    share: float = Field(ge=0, le=1, description="Of all weight that raises the risk.")
    advice: str = Field(description="What kind of action fits; a start, not a finding.")


class Change(BaseModel):
    """What it was in the score table before; a change is now less then."""

    there_before: bool = Field(description="Whether the customer was in it.")
    stage_before: Stage | None = None
    churn_probability_before: Probability = None
    churn_probability_change: float | None = None
    came: list[Reason] | None = Field(
        default=None, description="Reasons of now that moved the risk another way then, or not."
    )
    went: list[Reason] | None = Field(
        default=None, description="Reasons of then that move the risk another way now, or not."
    )
    silent_before: int | None = Field(
        default=None, description="Days since the last purchase then; null where not on record."
    )
    silent_now: int | None = Field(
        default=None, description="Days since the last purchase now; null where not on record."
    )
    tier_before: Tier | None = None
    clv_before: float | None = None
    clv_change: float | None = None


class Split(BaseModel):
    """Factors, three to `expected_spend` and three to `clv`; of subscribers two and two."""

    return_probability: Probability = None
    purchases_if_back: float | None = Field(
        default=None, description="Expected purchases of one who comes back, over the horizon."
    )
    spend_per_purchase: float | None = None
    purchases_a_month: float | None = Field(
        default=None, description="How often: those purchases by months of 30.4375 days."
    )
    profit_per_purchase: float | None = Field(
        default=None, description="How much: the spend of a purchase times the margin."
    )
    months: float | None = Field(
        default=None, description="How long: discounted months at that pace."
    )
    renewals: float | None = Field(
        default=None,
        description="Of subscribers alone, as are those that follow: renewals that are expected "
        "to be paid within the horizon. Times `price` it is `expected_spend`.",
    )
    price: float | None = Field(default=None, description="Price of a term.")
    lifetime_renewals: float | None = Field(
        default=None,
        description="Renewals that are expected to be paid within the span of `clv`, later ones "
        "counting less. Times `profit_per_renewal` it is `clv`.",
    )
    profit_per_renewal: float | None = Field(
        default=None, description="The price of a term times the margin."
    )


class ReasonsItem(Item):
    """Why a customer's scores are what they are; either ``error`` or the rest."""

    churn_probability: Probability = Field(
        default=None, description=catalogue.column("churn_probability").sentence
    )
    reasons: list[ClassedReason] | None = Field(
        default=None, description=catalogue.column("reasons").sentence
    )
    drivers: list[DriverShare] | None = Field(
        default=None, description="Classes of the reasons that raise the risk, heaviest first."
    )
    tier: Tier | None = Field(default=None, description=catalogue.column("tier").sentence)
    expected_spend: float | None = Field(
        default=None, description=catalogue.column("expected_spend").sentence
    )
    clv: float | None = Field(default=None, description=catalogue.column("clv").sentence)
    split: Split | None = Field(
        default=None,
        description="Null without a model at hand. What would tell the return probability needs "
        "both scopes.",
    )
    changes: Change | None = Field(
        default=None, description="Null where there is no score table to compare with."
    )


class Earlier(BaseModel):
    """The score table that was compared with."""

    as_of: date
    notes: list[str] = Field(description="What keeps the two from being compared as they stand.")


class ReasonsAnswer(BaseModel):
    """Answer of /reasons."""

    meta: Meta
    since: Earlier | None = Field(description="Null without an earlier score table.")
    items: list[ReasonsItem]


def reasons(worker: Worker, request: ReasonsRequest, scopes: Iterable[str]) -> dict[str, Any]:
    """Say why customers' scores are what they are.

    Parameters
    ----------
    worker : Worker
    request : ReasonsRequest
    scopes : iterable of str
        Only their part is told.

    Returns
    -------
    dict
        As `ReasonsAnswer`.

    Raises
    ------
    Failure
        503 before the first full scoring.
    """
    desk = worker.need_desk()
    told = explained(worker, desk, request.customer_ids, scopes)
    unknown = f"Not in the score table of {desk.meta.as_of}."
    since = changes.since(worker.deployment.store, desk.meta)
    return {
        "meta": answers.meta(worker, desk),
        "since": since and {"as_of": since.as_of, "notes": list(since.notes)},
        "items": [
            told.get(one) or failed(one, "unknown_customer", unknown)
            for one in request.customer_ids
        ],
    }


def explained(
    worker: Worker, desk: Desk, ids: Sequence[str], scopes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Why some customers' scores are what they are.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    ids : sequence of str
    scopes : iterable of str

    Returns
    -------
    dict of str to dict
        As `ReasonsItem`, without what belongs to other scopes; only customers who are there.
    """
    seen = [scope for scope in (RISK, VALUE) if {scope, ADMIN} & set(scopes)]
    columns = [*questions.COMMON, *value_split.READ, *_READ[RISK], *_READ[VALUE]]
    rows = desk.rows(ids, list(dict.fromkeys(columns)))
    shown = ("customer_id", "stage", "rfm", "abstained", *(n for s in seen for n in _READ[s]))
    parts = [
        {one: {name: row[name] for name in shown} for one, row in rows.items()},
        _driven(rows) if RISK in seen else {},
        _split(worker, desk, rows, seen) if VALUE in seen else {},
        _changed(worker, desk, list(rows), seen),
    ]
    return {
        one: {name: value for part in parts for name, value in part.get(one, {}).items()}
        for one in rows
    }


def _driven(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Reasons with their classes, and the classes by weight."""
    lists = pa.array([row["reasons"] for row in rows.values()], pa.list_(REASON))
    named = iter(drivers.classes(lists.flatten()).to_pylist())
    advice = {driver.name: driver.advice for driver in drivers.DRIVERS}
    return {
        one: {
            "reasons": [{**reason, "driver": next(named)} for reason in row["reasons"] or ()],
            "drivers": [{**found, "advice": advice[found["driver"]]} for found in told],
        }
        for (one, row), told in zip(rows.items(), drivers.listed(lists), strict=True)
    }


def _split(
    worker: Worker, desk: Desk, rows: Mapping[str, Mapping[str, Any]], seen: Sequence[str]
) -> dict[str, dict[str, Any]]:
    if worker.scorer is None or not rows:
        return {}
    names = value_split.READ
    kinds = [pa.int64() if name == "horizon_days" else pa.float64() for name in names]
    table = pa.Table.from_pylist(
        [{name: row[name] for name in names} for row in rows.values()],
        schema=pa.schema(list(zip(names, kinds, strict=True))),
    )
    margin, shown = worker.scorer.terms.margin, _OPEN
    if subscribers.are_scored(worker.scorer):
        store, as_of = worker.deployment.store, desk.meta.as_of
        prices = renewal_split.prices(store, desk.cursor(), as_of, list(rows))
        told, shown = renewal_split.split(table, prices, margin), renewal_split.OPEN
    else:
        told = value_split.split(table, margin)
    if RISK not in seen:
        told = told.select(shown)
    return {one: {"split": row} for one, row in zip(rows, told.to_pylist(), strict=True)}


def _changed(
    worker: Worker, desk: Desk, ids: Sequence[str], seen: Sequence[str]
) -> dict[str, dict[str, Any]]:
    store = worker.deployment.store
    earlier = changes.since(store, desk.meta)
    if store is None or earlier is None:
        return {}
    shown = [*changes.COMMON]
    shown += changes.RISK if RISK in seen else ()
    shown += changes.VALUE if VALUE in seen else ()
    told: dict[str, dict[str, Any]] = {
        one: {name: row[name] for name in shown}
        for one, row in changes.of(store, desk, earlier, ids).items()
    }
    if RISK in seen:
        known = silence.silences(store, earlier.as_of, desk.meta.as_of, ids, desk.cursor())
        for one in told.keys() & known.keys():
            told[one] |= {"silent_before": known[one].then, "silent_now": known[one].now}
    return {one: {"changes": row} for one, row in told.items()}
