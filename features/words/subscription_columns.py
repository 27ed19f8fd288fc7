"""The family `subscription` in the catalogue: columns of subscribers on the as-of day.

Null without a subscriptions source. The current row is the one that runs longest; of several at
once the latest. A spell is a stretch without a gap longer than the grace.
"""

from __future__ import annotations

from typing import Literal

from features.words.feature import Feature

_FAMILY = "subscription"
_NONE_RUNS = "null when no subscription runs"


def _column(
    name: str,
    kind: Literal["int64", "float64", "string"],
    unit: str,
    low: float | None,
    meaning: str,
    without: int | None = None,
) -> Feature:
    """Build a column that may be null: nobody needs to be a subscriber."""
    return Feature(f"{_FAMILY}_{name}", _FAMILY, kind, unit, low, None, True, meaning, without)


SUBSCRIPTION: tuple[Feature, ...] = (
    _column(
        "tenure_days", "int64", "days", 1, f"Days since the running spell began; {_NONE_RUNS}."
    ),
    _column(
        "renewals",
        "int64",
        "renewals",
        0,
        f"Renewals in the running spell: payments for a term after the first; {_NONE_RUNS}.",
    ),
    _column(
        "days_to_renewal",
        "int64",
        "days",
        None,
        "Days from as-of to the next renewal of the current row, below 0 while a paid period is "
        f"over and its grace is not; {_NONE_RUNS}.",
    ),
    _column(
        "term_days",
        "float64",
        "days",
        1,
        f"Days of the current row's term, a month being 30.4375; {_NONE_RUNS}.",
    ),
    _column(
        "price",
        "float64",
        "currency",
        0,
        f"Price of a term of the current row; {_NONE_RUNS}, or its price is not known.",
    ),
    _column(
        "margin",
        "float64",
        "currency",
        None,
        "What a term of the current row leaves after its costs, below zero for a loss; "
        f"{_NONE_RUNS}, or no margin is stated.",
    ),
    _column(
        "plan",
        "string",
        "plan",
        None,
        f"Plan of the current row; {_NONE_RUNS}, or its plan is not known.",
    ),
    _column(
        "price_ratio",
        "float64",
        "ratio",
        0,
        "Price after / before its latest change in the running spell, of a month each where the "
        "terms are of months; null without a change.",
    ),
    _column(
        "days_since_price_change",
        "int64",
        "days",
        1,
        "Days since the latest change of price in the running spell; null without one.",
    ),
    _column(
        "plan_changes",
        "int64",
        "changes",
        0,
        f"Changes of plan in the running spell; {_NONE_RUNS}.",
    ),
    _column(
        "days_since_plan_change",
        "int64",
        "days",
        1,
        "Days since the latest change of plan in the running spell; null without one.",
    ),
    _column(
        "late_renewals",
        "int64",
        "renewals",
        0,
        f"Rows of the running spell that began within the grace after a gap; {_NONE_RUNS}.",
    ),
    _column(
        "pause_days",
        "int64",
        "days",
        1,
        "Days without a subscription before the running spell; null when it is the first.",
    ),
    _column(
        "earlier",
        "int64",
        "spells",
        0,
        "Spells that ended before as-of; null without a subscriptions source.",
        without=0,
    ),
    _column(
        "first_days", "int64", "days", 1, "Days since the first subscription began; null for none."
    ),
    _column(
        "involuntary_ends",
        "int64",
        "ends",
        0,
        "Rows that ended before as-of for an involuntary reason, as a payment that failed; null "
        "without a subscriptions source.",
        without=0,
    ),
)
