"""Totals hold the error of whole windows, which no customer's own interval does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serving.totals import expected, in_words
from training.swing import Swing

SWING = Swing(0.2, 0.1, 0.3, 5.0, (0.0,), (0.1,))


def rows(said: bool = True) -> pd.DataFrame:
    nothing = [None, None, None]
    return pd.DataFrame(
        {
            "churn_probability": [0.2, 0.5, None],
            "expected_purchases": [2.0, 1.0, None] if said else nothing,
            "expected_spend": [100.0, 50.0, None] if said else nothing,
        },
        dtype="float64[pyarrow]",
    )


def test_sums_are_of_whom_something_is_said():
    found = expected(rows(), SWING)
    assert {name: one["sum"] for name, one in found.items()} == pytest.approx(
        {"churn_probability": 0.7, "expected_purchases": 3.0, "expected_spend": 150.0}
    )
    assert all(one["lower"] < one["sum"] < one["upper"] for one in found.values())


def test_the_ends_are_those_of_the_swing():
    found = expected(rows(), SWING)
    # t₀.₉(5) = 1.4759, Student's table.
    assert found["expected_spend"]["upper"] == pytest.approx(150 * np.exp(1.4759 * 0.3), rel=1e-4)
    odds = 1 / (1 + np.exp(1.4759 * 0.2)) + 1 / (1 + 4 * np.exp(1.4759 * 0.2))
    assert found["churn_probability"]["lower"] == pytest.approx(odds, rel=1e-4)


def test_without_past_windows_there_are_sums_only():
    assert expected(rows(), None)["expected_spend"] == {"sum": 150.0}
    unknown = Swing(0.2, None, None, 3.0)
    assert expected(rows(), unknown)["expected_purchases"] == {"sum": 3.0}


def test_what_is_said_of_nobody_has_no_total():
    assert list(expected(rows(said=False), SWING)) == ["churn_probability"]
    assert in_words(expected(rows(said=False), SWING), "GBP", 90) == ""


def test_a_sentence_says_both_with_their_intervals():
    told = in_words(expected(rows(), SWING), "GBP", 90)
    assert told == (
        "Expected of all within 90 days: 3 purchases (80 %: 3 to 3) and 150 GBP (80 %: 96 to 234)."
    )
