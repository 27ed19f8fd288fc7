"""The table of the next purchase: errors in days, and what came before and after."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from benchmarks import next_purchase
from benchmarks.data_sets import Case


@pytest.fixture
def seen():
    """Five who came after 0, 3, 10, 10 and 50 days and were told the tenth day."""
    came = np.array([0.0, 3.0, 10.0, 10.0, 50.0])
    told = {next_purchase.MODEL: np.full(5, 10.0), "constant": np.full(5, 3.0)}
    return next_purchase.Seen(
        Case("made", date(2024, 1, 1), 90), came, np.array([0, 0, 1, 3, 4.0]), told
    )


@pytest.mark.golden
def test_errors_and_shares_are_of_the_days_that_were_told(seen):
    model, constant = next_purchase.lines(seen)
    assert (model["told by"], model["came back"]) == ("value model", "5")
    assert (model["median error, days"], model["mean error, days"]) == ("7", "11.4")
    assert [model[name] for name in ("came before", "on the day", "after")] == [
        "40.0%",
        "40.0%",
        "20.0%",
    ]
    assert (constant["median error, days"], constant["came before"]) == ("7", "20.0%")


def test_kinds_hold_everybody_once(seen):
    kinds = list(next_purchase.by_kind(seen))
    assert [line["customers who"] for line in kinds] == [
        "bought once",
        "2 to 4 times",
        "5 times or more",
    ]
    assert [line["came back"] for line in kinds] == ["2", "2", "1"]
