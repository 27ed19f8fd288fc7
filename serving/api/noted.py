"""What is noted of a customer's rows beside its score: what they say that changes nothing.

In: a customer of a request. Out: sentences. What cannot be a row fails its customer
(`serving.api.rows`); here is what can be one and hardly is what was meant. Nothing that was sent
is said back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from serving.api.rows import Source
from serving.api.submitted import RawCustomer, RawSubscription
from serving.api.wording import Wording, listed

#: Sources whose rows may state a margin, and the column that it is of.
_OF = {"transactions": "amount", "subscriptions": "price"}


def notes(
    customer: RawCustomer,
    wording: Wording,
    margins_of: Source | None,
    as_of: date,
) -> list[str]:
    """Sentences about a customer's rows.

    Parameters
    ----------
    customer : RawCustomer
    wording : Wording
        Plans that somebody has; where not all are known, nothing is said of plans.
    margins_of : {"transactions", "events", "subscriptions"} or None
        Source whose margins the model reads, None where it reads none.
    as_of : date
        A plan that ended before may be one that nobody has any more.

    Returns
    -------
    list of str
    """
    told = []
    for source, of in _OF.items():
        rows = [row for row in getattr(customer, source) or () if row.margin is not None]
        if rows and source != margins_of:
            told.append(
                f"`margin` of {source} is not looked at: the model was trained without, as the "
                f"settings named no margin in [sources.{source}]."
            )
        elif many := sum(_above(row.margin, getattr(row, of)) for row in rows):
            told.append(
                f"Got {_rows(many, source)} with a `margin` above its `{of}`, which was taken as "
                f"it is; expected what is left of the {of} after costs."
            )
    return [*told, *_plans(customer, wording, as_of)]


def _plans(customer: RawCustomer, wording: Wording, as_of: date) -> Iterable[str]:
    running = [row.plan for row in customer.subscriptions or () if _runs(row, as_of)]
    if wording.complete and any(plan and wording.plan(plan) is None for plan in running):
        yield (
            "Got a subscription of a plan that nobody has, scored as one of an unknown plan; "
            f"expected one of: {listed(wording.plans)}."
        )


def _runs(row: RawSubscription, as_of: date) -> bool:
    day = as_of.isoformat()
    return str(row.start) < day and (row.end is None or str(row.end) >= day)


def _rows(many: int, source: str) -> str:
    return f"{many:,} of the {source}" if many > 1 else f"one of the {source}"


def _above(margin: Any, whole: Any) -> bool:
    """Whether more is left of an amount than there is; of a refund nothing is said."""
    try:
        return float(margin) > float(whole) >= 0
    except (TypeError, ValueError):
        return False
