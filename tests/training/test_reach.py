"""Experience has an end: nothing is said of who is far beyond it, or of a log gone silent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from training.pipeline import Training
from training.reach import FURTHEST, Reach, learn


def rows(**columns: list[float]) -> pd.DataFrame:
    known = {"occasions_90": [2.0, 5.0], "spend_365": [10.0, 80.0], "order_max": [9.0, 20.0]}
    return pd.DataFrame(known | {"days_since_last": [1.0, 40.0]} | columns)


@pytest.fixture(scope="module")
def reach() -> Reach:
    return learn([rows(), rows(spend_365=[50.0, 100.0], days_since_last=[4.0, 9.0])])


def test_nobody_of_the_training_is_beyond_it(reach: Reach) -> None:
    assert (reach.beyond(rows()) == "").all()
    assert reach.stale(rows()) == ""


def test_who_is_far_beyond_is_told_by_what(reach: Reach) -> None:
    told = reach.beyond(rows(spend_365=[FURTHEST * 100, FURTHEST * 100 + 1]))
    assert told[0] == ""
    assert told[1] == "spend of the last year over 3 times the most that the model has seen"


def test_a_log_that_fell_silent_is_stale(reach: Reach) -> None:
    assert reach.stale(rows(days_since_last=[12.0, 80.0])) == ""
    assert "silent for the 13 days" in reach.stale(rows(days_since_last=[13.0, 80.0]))


def test_a_few_days_are_never_too_many() -> None:
    daily = learn([rows()])
    assert daily.stale(rows(days_since_last=[7.0, 8.0])) == ""
    assert daily.stale(rows(days_since_last=[8.0, 8.0])) != ""


def test_what_was_never_seen_is_no_bound() -> None:
    found = learn([rows(order_max=[0.0, 0.0]).drop(columns="occasions_90")])
    assert set(found.largest) == {"spend_365"}
    assert (found.beyond(rows(order_max=[1e9, 1.0])) == "").all()


def test_it_is_saved_with_the_scorer(reach: Reach, trained: Training, tmp_path: Path) -> None:
    reach.save(tmp_path)
    assert Reach.load(tmp_path) == reach
    assert Reach.load(tmp_path / "nowhere") is None
    assert trained.evidence.scorer.reach is not None
    assert trained.evidence.scorer.reach.largest
