"""Days of one's own: what is null stays null, and no interval is told."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from serving.api import span
from serving.api.failures import Failure
from serving.api.messages import ValueRequest

AS_OF = date(2024, 7, 1)


def asked(**more):
    return ValueRequest.model_validate({"customer_ids": ["a"], **more})


def test_no_days_are_asked_about_unless_they_are_named():
    assert span.of(asked(), AS_OF) is None
    assert span.of(asked(horizon_days=30), AS_OF) is None


def test_the_whole_reach_can_be_asked_about_and_a_day_more_cannot():
    two_years = {"from": AS_OF, "until": date(2026, 7, 1)}
    assert span.of(asked(**two_years), AS_OF) == span.Days(AS_OF, date(2026, 7, 1))
    with pytest.raises(Failure, match="730 days ahead"):
        span.of(asked(**two_years), date(2024, 6, 30))


def test_what_is_null_stays_null_and_the_rest_is_as_it_was():
    """b: beyond what the model has seen, so that its scores were taken back."""
    row = {"expected_purchases": 2.0, "expected_spend": 40.0, "clv": 9.0, "clv_lower": 1.0}
    ends = {f"{name}_{end}": 1.0 for name in span.FIGURES for end in ("lower", "upper")}
    gone = dict.fromkeys([*row, *ends])
    rows = {"a": row | ends, "b": dict(gone)}
    figures = pd.DataFrame({"expected_purchases": [0.5, 0.7], "expected_spend": [10.0, 14.0]})
    span.put(rows, pd.Series(["b", "a"]), figures)
    assert rows["b"] == gone
    said = {"expected_purchases": 0.7, "expected_spend": 14.0, "clv": 9.0, "clv_lower": 1.0}
    assert rows["a"] == said | dict.fromkeys(ends)
