"""The contract of score rows: each rule is kept by scoring and noticed when broken."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from serving import scores
from serving.contract import broken_rules
from serving.errors import ScoreTableError


@pytest.fixture(scope="module")
def rows(people, scored) -> pd.DataFrame:
    return scored(people(40))[0]


def with_value(rows: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """The rows with one value in the third one, which nothing else is asked of."""
    changed = rows.copy()
    values = changed[column].tolist()
    values[2] = value
    changed[column] = pd.array(values, dtype=rows[column].dtype)
    return changed


def test_scored_rows_keep_it(rows):
    assert broken_rules(scores.to_table(rows)) == {}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("customer_id", None, "customer_id is null"),
        ("scored_at", None, "scored_at is null"),
        ("reasons", None, "reasons is null"),
        ("clv", None, "something is null without an abstained reason"),
        ("rfm", None, "something is null without an abstained reason"),
        ("p_alive", 1.5, "p_alive is outside [0, 1]"),
        ("p_alive", -0.1, "p_alive is outside [0, 1]"),
        ("churn_probability", 0.123, "churn and return probability do not add up to 1"),
        ("expected_purchases", -1.0, "expected_purchases is negative"),
        ("potential_value", -1e9, "potential_value is below clv"),
        ("expected_spend", float("inf"), "expected_spend is not finite"),
        ("stage", "sleepy", "stage is none of new, growing, loyal, at_risk, lapsed, won_back"),
        ("tier", "Key", "tier is none of key, growth, core, small, costly"),
        ("rfm", "5-6-1", "rfm is not like 5-4-5"),
    ],
)
def test_a_broken_rule_is_named_with_its_rows(rows, column, value, rule):
    changed = with_value(rows, column, value)
    assert broken_rules(scores.to_table(changed)) == {rule: 1}
    with pytest.raises(ScoreTableError, match=re.escape(f"1 rows: {rule}")):
        scores.validate(changed)


def test_not_a_number_is_not_null(rows):
    """Arrow tells them apart: NaN must never be written."""
    table = scores.to_table(rows)
    clv = table["clv"].to_numpy().copy()
    clv[2] = np.nan
    place = table.column_names.index("clv")
    changed = table.set_column(place, "clv", [scores.pa.array(clv, from_pandas=False)])
    assert broken_rules(changed)["clv is not finite"] == 1


def test_bounds_are_ordered_and_may_leave_the_expectation_outside(rows):
    skewed = with_value(with_value(rows, "expected_purchases_lower", 0.0), "clv_upper", 5.0)
    skewed = with_value(skewed, "expected_purchases_upper", 0.0)
    assert broken_rules(scores.to_table(skewed)) == {}
    crossed = with_value(skewed, "expected_purchases_lower", 1.0)
    rule = "expected_purchases_lower is above expected_purchases_upper"
    assert broken_rules(scores.to_table(crossed)) == {rule: 1}


def test_an_error_names_no_customer(rows):
    changed = with_value(rows, "as_of", date(2024, 7, 1))
    changed = with_value(changed, "p_alive", 2.0)
    with pytest.raises(ScoreTableError) as caught:
        scores.validate(changed)
    assert not any(name in str(caught.value) for name in rows["customer_id"])
