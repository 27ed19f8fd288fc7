"""Totals hold the error of whole windows, which no customer's own interval does."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serving.totals import equity, expected, in_words, of_all
from training.windows.spread import Spread
from training.windows.swing import Swing

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


def worth(*values: float | None) -> pd.DataFrame:
    return pd.DataFrame({"clv": list(values)}, dtype="float64[pyarrow]")


def scorer(lifetime: Swing | None) -> SimpleNamespace:
    return SimpleNamespace(spread=Spread(SWING, 5, lifetime=lifetime))


def test_equity_misses_as_the_longest_windows_did_and_not_as_those_of_the_horizon():
    long = Swing(0.1, 0.2, 0.5, 4.0)
    (found,) = equity(worth(300.0, None, 100.0), pd.DataFrame(), scorer(long)).values()
    # t₀.₉(4) = 1.5332, Student's table.
    factor = np.exp(1.5332 * 0.5)
    ends = {"sum": 400.0, "lower": 400 / factor, "upper": 400 * factor}
    assert found == pytest.approx(ends, rel=1e-4)


def test_the_level_of_equity_does_not_average_out_over_many_customers():
    few, many = (
        equity(worth(*[10.0] * number), pd.DataFrame(), scorer(SWING))["clv"]
        for number in (10, 10_000)
    )
    assert many["upper"] / many["sum"] == pytest.approx(few["upper"] / few["sum"])


def test_an_equity_below_zero_has_its_ends_in_order():
    found = equity(worth(-30.0, 10.0), pd.DataFrame(), scorer(SWING))["clv"]
    assert found["lower"] < found["sum"] == -20.0 < found["upper"] < 0


def test_equity_without_long_windows_is_a_sum_and_of_nobody_it_is_none():
    assert equity(worth(3.0, 4.0), pd.DataFrame(), scorer(None)) == {"clv": {"sum": 7.0}}
    assert equity(worth(3.0, 4.0), pd.DataFrame(), SimpleNamespace()) == {"clv": {"sum": 7.0}}
    assert equity(worth(None), pd.DataFrame(), scorer(SWING)) == {}


def test_all_totals_are_those_of_each():
    frame = rows().assign(clv=worth(3.0, 4.0, None)["clv"])
    found = of_all(frame, pd.DataFrame(), scorer(SWING))
    expected_ones = expected(frame, SWING)
    assert {name: found[name] for name in expected_ones} == expected_ones
    assert set(found) - set(expected_ones) == {"clv"}


def test_equity_of_subscribers_moves_with_the_level_of_leaving(retention, subscribers):
    told = retention.predict(subscribers)[["clv"]].astype("float64[pyarrow]")
    assert equity(told, subscribers, retention) == {"clv": {"sum": told["clv"].sum()}}
    narrow, wide = (
        equity(
            told, subscribers, replace(retention, spread=Spread(Swing(level, None, None, 4.0), 2))
        )
        for level in (0.1, 0.4)
    )
    assert narrow["clv"]["sum"] == told["clv"].sum()
    assert (
        wide["clv"]["lower"]
        < narrow["clv"]["lower"]
        < told["clv"].sum()
        < narrow["clv"]["upper"]
        < wide["clv"]["upper"]
    )
    # t₀.₉(4) = 1.5332, Student's table.
    again = retention.lifetime_values(subscribers, 1.5332 * 0.4)
    assert wide["clv"]["lower"] == pytest.approx(np.nansum(again), rel=1e-4)


def test_of_whom_no_lifetime_value_is_said_none_is_in_the_ends(retention, subscribers):
    told = retention.predict(subscribers)[["clv"]].astype("float64[pyarrow]")
    scorer = replace(retention, spread=Spread(Swing(0.2, None, None, 4.0), 2))
    silent = told.copy()
    silent.iloc[0] = None
    whole, part = (equity(one, subscribers, scorer)["clv"] for one in (told, silent))
    assert whole["upper"] > part["upper"] > part["sum"]
