"""What-ifs over the score table: one behaviour of customers changed, the scores before and after.

In: customers of the score table and a change. Out: the answer of /whatif. Both sides are scored
by the model at hand with the table's thresholds; before is what the table says, unless another
version made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Self

import pandas as pd
from pydantic import BaseModel, Field, model_validator

from serving import questions
from serving.api import answers, wording
from serving.api.failures import Failure
from serving.api.horizon import records
from serving.api.messages import Finite, Id, ItemError, Meta, Request, RiskColumns, Stage, failed
from serving.api.messages import ValueColumns as Value
from serving.desk import Desk
from serving.errors import ScoringError
from serving.insight import subscribed, supposed, whatif
from serving.worker import Worker

#: Customers in one request: each is computed from its purchases.
MOST = 50
_DAYS = 30
_NO_PURCHASE = "Nothing is left to score: no purchase, or an amount out of range."
_NO_SUBSCRIPTION = (
    "Nothing is left to score: no subscription would run, or its price is out of range."
)
_NO_RENEWAL = "Has not renewed yet: there is no payment that could have failed."


class ChangeRequest(Request):
    """One behaviour that is other than it was."""

    kind: supposed.Kind = Field(
        description="`purchase`: one more, on the day before as-of. `no_refunds`: none was ever "
        "asked for. `complaint`, `resolution`: one of them on the day before as-of. `silence`: "
        "days more in which nothing happens but renewals that are paid on their day. Of "
        "subscribers, in place of the first two: `price_change`, `plan_change`, "
        "`failed_payment`: the latest payment was at another price, for another plan, or failed "
        "at first and came late. It lies before as-of, so that it is in no figure: after a year "
        "that is paid at once, less is left to come."
    )
    amount: Finite | None = Field(
        default=None,
        gt=0,
        le=1e9,
        description="Of the purchase, in `meta.currency`; the customer's usual one when not given. "
        "Of the other plan, for a term; what its subscribers pay when not given.",
    )
    days: int | None = Field(
        default=None, ge=1, le=365, strict=True, description=f"Of the silence; {_DAYS} as a rule."
    )

    percent: Finite | None = Field(
        default=None,
        ge=-99,
        le=1000,
        description="By which the price is other: -20 for a discount of a fifth.",
    )
    plan: Id | None = Field(
        default=None,
        description="The other plan; one that somebody has, capitals and blanks aside.",
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.amount is not None and self.kind not in ("purchase", "plan_change"):
            raise ValueError("amount is of a purchase or a plan_change")
        if (self.percent is None) == (self.kind == "price_change"):
            raise ValueError("percent is of a price_change, which needs it")
        if (self.plan is None) == (self.kind == "plan_change"):
            raise ValueError("plan is of a plan_change, which needs it")
        if self.days is not None and self.kind != "silence":
            raise ValueError("days are of a silence")
        return self


class WhatifRequest(Request):
    """Customers of the score table, and what would be otherwise."""

    customer_ids: list[Id] = Field(
        min_length=1,
        max_length=MOST,
        description="Answered in this order; an unknown id fails alone.",
    )
    change: ChangeRequest


class Scores(RiskColumns, Value):
    """Scores of a customer; columns of other scopes than the key's are left out."""

    stage: Stage | None = None
    rfm: str | None = None
    abstained: str | None = None


class WhatifItem(BaseModel):
    """One customer: both sides, or an ``error`` in place of what cannot be told."""

    customer_id: str
    error: ItemError | None = None
    before: Scores | None = Field(default=None, description="As things are.")
    after: Scores | None = Field(default=None, description="As they would be.")


class WhatifAnswer(BaseModel):
    """Answer of /whatif."""

    meta: Meta
    items: list[WhatifItem]


def answer(worker: Worker, request: WhatifRequest, scopes: Iterable[str]) -> dict[str, Any]:
    """Score customers as they would be.

    Parameters
    ----------
    worker : Worker
    request : WhatifRequest
    scopes : iterable of str
        Only their columns are told.

    Returns
    -------
    dict
        As `WhatifAnswer`.

    Raises
    ------
    Failure
        422 where the store does not hold what it takes, for a plan that nobody has, or for a
        change of purchases of subscribers, or of subscriptions of buyers; 503 without a model or
        a score table.
    """
    desk = worker.need_desk()
    told = both(worker, desk, request.customer_ids, request.change, scopes)
    unknown = f"Not in the score table of {desk.meta.as_of}."
    items = [
        told.get(one) or failed(one, "unknown_customer", unknown) for one in request.customer_ids
    ]
    version = worker.deployment.model_version
    head = answers.meta(worker, desk, model_version=version, scored_at=worker.clock())
    return {"meta": head, "items": items}


def both(
    worker: Worker, desk: Desk, ids: Sequence[str], change: ChangeRequest, scopes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Scores of some customers as they are and as they would be.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    ids : sequence of str
    change : ChangeRequest
    scopes : iterable of str

    Returns
    -------
    dict of str to dict
        As `WhatifItem`; only customers who are there.

    Raises
    ------
    Failure
        As `answer`.
    """
    worker.need_scorer()
    plans = worker.need_plans()
    _check(change.kind, subscribers=plans.subscribers)
    store, as_of = worker.deployment.store, desk.meta.as_of
    try:
        known = whatif.past(store, desk.cursor(), as_of, ids, subscribers=plans.subscribers)
        if known.behaviour.empty:
            return {}
        asked = _change(change, worker, desk)
        changed = whatif.behaviour(known, asked, plans, desk.cursor())
    except ScoringError as error:
        raise Failure(422, f"{error}", code="not_kept") from error
    sides = {
        "before": _scored(worker, desk, known.behaviour, silent=0),
        "after": _scored(
            worker, desk, changed, silent=asked.days if asked.kind == "silence" else 0
        ),
    }
    shown = [name for name in questions.columns(scopes) if name in Scores.model_fields]
    nothing = _nothing(asked.kind, subscribers=plans.subscribers)
    return {
        one: {
            **({} if one in sides["after"] else failed(one, *nothing)),
            "customer_id": one,
            **{
                side: {name: found[one][name] for name in shown}
                for side, found in sides.items()
                if one in found
            },
        }
        for one in known.behaviour["customer_id"]
    }


def _check(kind: str, *, subscribers: bool) -> None:
    """Whether a change can be of these customers."""
    if subscribers and kind in supposed.PURCHASES:
        raise Failure(
            422,
            f"Under the rule `subscription` what-ifs start from subscriptions; got {kind}, "
            f"expected one of {', '.join(whatif.offered(subscribers=True))}.",
            code="not_for_subscribers",
        )
    if not subscribers and kind in subscribed.KINDS:
        raise Failure(
            422,
            f"A {kind} is of subscribers, under the rule `subscription`; here expected one of "
            f"{', '.join(whatif.offered(subscribers=False))}.",
            code="for_subscribers",
        )


def _change(change: ChangeRequest, worker: Worker, desk: Desk) -> supposed.Change:
    plan = None if change.plan is None else _plan(change.plan, worker, desk)
    return supposed.Change(change.kind, change.amount, change.days or _DAYS, change.percent, plan)


def _plan(word: str, worker: Worker, desk: Desk) -> str:
    """The plan that a word stands for, as its subscribers have it."""
    store = worker.deployment.store
    there = () if store is None else wording.had(store.behaviour(desk.meta.as_of))
    found = wording.Wording({}, there).plan(word)
    if found is None:
        raise Failure(
            422,
            f"Got a plan that nobody has; expected one of: {wording.listed(there)}.",
            code="unknown_plan",
        )
    return found


def _nothing(kind: str, *, subscribers: bool) -> tuple[str, str]:
    """Code and words for who is not there then."""
    if kind == "failed_payment":
        return "no_renewal", _NO_RENEWAL
    if subscribers:
        return "no_subscription", _NO_SUBSCRIPTION
    return "no_purchase", _NO_PURCHASE


def _scored(
    worker: Worker, desk: Desk, frame: pd.DataFrame, *, silent: int
) -> dict[str, dict[str, Any]]:
    from serving import scoring

    if frame.empty:
        return {}
    scored, _ = scoring.score(
        frame,
        worker.need_scorer(),
        thresholds=desk.meta.thresholds,
        as_of=desk.meta.as_of + timedelta(days=silent),
        model_version=worker.deployment.model_version,
        scored_at=worker.clock(),
        currency=worker.deployment.names.currency,
    )
    return {row["customer_id"]: row for row in records(scored)}
