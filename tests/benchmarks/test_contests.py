"""The contenders of the speed table do the same job; so pandas is an oracle for the whole table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import agreement, made_log, table_contests, value_contests
from features.catalogue import FEATURES
from training.margins import COLUMNS as MARGINS

ROWS = 6_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made log with refunds."""
    return made_log.write(tmp_path_factory.mktemp("log") / "log.parquet", ROWS, seed=3)


def test_pandas_gives_every_column_that_a_log_can_fill(log: Path):
    given = (log, made_log.AS_OF, made_log.HORIZON_DAYS)
    ours = table_contests.prepare_behaviour(*given)()
    theirs = table_contests.prepare_behaviour_pandas(*given)()
    other = ("care", "attributes", "subscription")
    wanted = {feature.name for feature in FEATURES if feature.family not in other}
    # The made log states no margin.
    wanted -= set(MARGINS)
    assert sorted(theirs) == sorted(wanted)
    agreement.same(ours, theirs)
    # The log holds what is hard: days below zero, and customers without a second occasion.
    assert (ours["unmatched_refunds"] < 0).any()
    assert (ours["frequency"] == 0).any()


def test_pandas_accepts_the_same_rows(log: Path):
    ours = table_contests.prepare_reading(log)()
    agreement.same(ours, table_contests.prepare_reading_pandas(log)())
    assert ours["accepted"].tolist() == [ROWS]


def test_both_value_models_have_the_same_parameters():
    ours = value_contests.prepare_purchases(3_000)()
    theirs = value_contests.prepare_purchases_lifetimes(3_000)()
    assert value_contests.four_digits(ours, theirs).startswith("r 0.2")


def test_different_answers_end_the_run():
    ours = pd.DataFrame({"frequency": [1, 2]}, index=["a", "b"])
    theirs = pd.DataFrame({"frequency": [1, 3]}, index=["a", "b"])
    with pytest.raises(agreement.DisagreementError, match="frequency"):
        agreement.same(ours, theirs)
