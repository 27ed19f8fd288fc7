"""Which columns of the score table answer which question, and what may be filtered and sorted.

A key sees the columns of its scopes and those that every answer has; it can neither filter nor
sort by others, which would tell them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

from serving.api.routes import ADMIN, RISK, VALUE
from serving.scores import SCHEMA

COMMON = (
    "customer_id",
    "as_of",
    "horizon_days",
    "stage",
    "rfm",
    "abstained",
    "model_version",
    "scored_at",
)
OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        RISK: (
            "churn_probability",
            "churn_probability_lower",
            "churn_probability_upper",
            "return_probability",
            "p_alive",
            "next_purchase_by",
            "involuntary_probability",
            "expected_months",
            "reasons",
        ),
        VALUE: (
            "expected_purchases",
            "expected_purchases_lower",
            "expected_purchases_upper",
            "expected_spend",
            "expected_spend_lower",
            "expected_spend_upper",
            "clv",
            "clv_lower",
            "clv_upper",
            "clv_horizon_days",
            "margin_rate",
            "potential_value",
            "tier",
        ),
    }
)

#: Numbers that can be held to a least and a greatest value.
Measure = Literal[
    "churn_probability",
    "return_probability",
    "p_alive",
    "involuntary_probability",
    "expected_months",
    "expected_purchases",
    "expected_spend",
    "clv",
    "potential_value",
]
MEASURES: tuple[str, ...] = get_args(Measure)
SORTABLE = (*MEASURES, "next_purchase_by", "stage", "tier", "rfm", "customer_id")


def columns(scopes: Iterable[str]) -> tuple[str, ...]:
    """Columns that some scopes show, in the order of the score table.

    Parameters
    ----------
    scopes : iterable of str
        Among ``risk``, ``value``, ``admin``; ``admin`` shows all.

    Returns
    -------
    tuple of str
    """
    asked = set(scopes)
    shown = set(COMMON)
    for question, names in OF.items():
        if asked & {question, ADMIN}:
            shown |= set(names)
    return tuple(name for name in SCHEMA.names if name in shown)
