"""The contract of score rows: what holds for every one of them.

In: a score table. Out: the rules that it breaks, each with the number of rows, never a customer.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from serving.abstention import ANSWERS
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS

PROBABILITIES = (
    "churn_probability",
    "churn_probability_lower",
    "churn_probability_upper",
    "return_probability",
    "p_alive",
    "involuntary_probability",
)
BOUNDED = ("expected_purchases", "expected_spend", "clv")
ALWAYS = (
    "customer_id",
    "as_of",
    "horizon_days",
    "clv_horizon_days",
    "margin_rate",
    "reasons",
    "model_version",
    "scored_at",
)

# Churn and return are 1 - x of each other, so they differ from 1 by rounding only.
_ROUNDING = 1e-9


def broken_rules(table: pa.Table) -> dict[str, int]:
    """Find the rules that score rows break.

    Parameters
    ----------
    table : pyarrow.Table
        Score rows of the schema.

    Returns
    -------
    dict of str to int
        Rule to number of rows; empty when all is well.

    Notes
    -----
    A bound is held to the other bound only: the mean of a skewed distribution can lie above its
    90th percentile, so an expectation outside its interval is no mistake.
    """
    broken = _presence(table) | _ranges(table) | _words(table)
    counted = {rule: pc.sum(where).as_py() or 0 for rule, where in broken.items()}
    return {rule: rows for rule, rows in counted.items() if rows}


def _presence(table: pa.Table) -> dict[str, Any]:
    broken = {f"{name} is null": pc.is_null(table[name]) for name in ALWAYS}
    missing = pc.is_null(table[ANSWERS[0]])
    for name in ANSWERS[1:]:
        missing = pc.or_(missing, pc.is_null(table[name]))
    silent = pc.and_(missing, pc.is_null(table["abstained"]))
    return broken | {"something is null without an abstained reason": silent}


def _ranges(table: pa.Table) -> dict[str, Any]:
    """Rules about numbers; null breaks none of them."""
    floats = [item.name for item in table.schema if item.type == pa.float64()]
    broken = {f"{name} is not finite": pc.invert(pc.is_finite(table[name])) for name in floats}
    for name in PROBABILITIES:
        outside = pc.or_(pc.less(table[name], 0.0), pc.greater(table[name], 1.0))
        broken[f"{name} is outside [0, 1]"] = outside
    total = pc.add(table["churn_probability"], table["return_probability"])
    apart = pc.greater(pc.abs(pc.subtract(total, 1.0)), _ROUNDING)
    broken["churn and return probability do not add up to 1"] = apart
    broken["expected_purchases is negative"] = pc.less(table["expected_purchases"], 0.0)
    broken["potential_value is below clv"] = pc.less(table["potential_value"], table["clv"])
    part = pc.greater(table["involuntary_probability"], table["churn_probability"])
    broken["involuntary_probability is above churn_probability"] = part
    broken["expected_months is negative"] = pc.less(table["expected_months"], 0.0)
    for name in ("churn_probability", *BOUNDED):
        lower, upper = table[f"{name}_lower"], table[f"{name}_upper"]
        broken[f"{name}_lower is above {name}_upper"] = pc.greater(lower, upper)
    return broken


def _words(table: pa.Table) -> dict[str, Any]:
    broken = {}
    for name, words in (("stage", STAGES), ("tier", TIERS)):
        strange = pc.invert(pc.is_in(table[name], value_set=pa.array(words)))
        broken[f"{name} is none of {', '.join(words)}"] = pc.and_(strange, pc.is_valid(table[name]))
    shape = pc.match_substring_regex(table["rfm"], "^[1-5]-[1-5]-[1-5]$")
    return broken | {"rfm is not like 5-4-5": pc.invert(shape)}
