"""Experience has an end: money is not said of who is far beyond it, and the risk is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.pipeline import Training
from training.silence.reach import FURTHEST, HELD, Reach, in_brief, learn
from training.silence.unsaid import FIGURES, SPEND


def rows(**columns: list[float]) -> pd.DataFrame:
    known = {"occasions_90": [2.0, 5.0], "spend_365": [10.0, 80.0], "order_max": [9.0, 20.0]}
    return pd.DataFrame(known | {"T": [400.0, 500.0]} | columns)


def silent(reach: Reach, frame: pd.DataFrame) -> dict[str, list[bool]]:
    return {name: (told != "").tolist() for name, told in reach.beyond(frame).items()}


@pytest.fixture(scope="module")
def reach() -> Reach:
    return learn([rows(), rows(spend_365=[50.0, 100.0])])


def test_nobody_of_the_training_is_beyond_it(reach: Reach) -> None:
    assert not np.any(list(silent(reach, rows()).values()))


def test_who_is_far_beyond_is_told_by_what(reach: Reach) -> None:
    told = reach.beyond(rows(spend_365=[FURTHEST * 100, FURTHEST * 100 + 1]))
    assert told["clv"].tolist() == ["", in_brief("spend_365")]
    assert in_brief("spend_365").startswith("outside training range (spend of the last year")


@pytest.mark.parametrize(
    ("column", "answers"), [("order_max", SPEND), ("occasions_90", FIGURES), ("T", FIGURES)]
)
def test_amounts_silence_the_money_and_counts_the_purchases_too(reach, column, answers) -> None:
    """And never the risk: the trees' last leaf is right of who buys more often than anybody."""
    told = silent(reach, rows(**{column: [1.0, 1e6]}))
    assert {name for name, each in told.items() if each[1]} == set(answers)
    assert not any(each[0] for each in told.values())
    assert not any("probability" in name for name in told)


def test_a_log_grows_into_the_year_that_a_column_sums() -> None:
    """Half a year was seen: whoever is a customer for a year may have spent twice as much."""
    young = learn([rows(T=[50.0, 182.5])])
    grown = rows(spend_365=[80.0 * 2 * FURTHEST] * 2, T=[365.0, 182.5])
    assert silent(young, grown)["clv"] == [False, True]
    assert silent(young, grown.assign(spend_365=80.0 * 2 * FURTHEST + 1))["clv"] == [True, True]


def test_the_others_of_a_table_change_nothing(reach: Reach) -> None:
    frame = rows(spend_365=[1e9, 1.0], order_max=[1.0, 1e9])
    whole, alone = silent(reach, frame), silent(reach, frame.iloc[[1]])
    assert {name: each[1:] for name, each in whole.items()} == alone


def test_what_was_never_seen_is_no_bound() -> None:
    found = learn([rows(order_max=[0.0, 0.0]).drop(columns="occasions_90")])
    assert set(found.largest) == {"spend_365", "T"}
    assert not np.any(silent(found, rows(order_max=[1e9, 1.0]))["clv"])


def test_it_is_saved_with_the_scorer(reach: Reach, trained: Training, tmp_path: Path) -> None:
    reach.save(tmp_path)
    assert Reach.load(tmp_path) == reach
    assert Reach.load(tmp_path / "nowhere") is None
    assert trained.evidence.scorer.reach is not None
    assert set(trained.evidence.scorer.reach.largest) == set(HELD) - {"subscription_price"}


def test_one_that_an_older_version_wrote_is_read(reach: Reach, tmp_path: Path) -> None:
    """It kept the longest silence of the log besides, which `features.freshness` knows now."""
    told = {"largest": dict(reach.largest), "silence_days": 3.0}
    (tmp_path / "reach.json").write_text(json.dumps(told))
    assert Reach.load(tmp_path) == reach
