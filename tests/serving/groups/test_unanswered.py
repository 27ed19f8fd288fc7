"""What is not said, reason by reason: counts add up, and each reason has what would mend it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.freshness import Freshness
from features.opening.connection import duckdb
from serving import abstention, scores
from serving.groups import ledger, unanswered
from training.silence.reach import HELD, in_brief

AS_OF = date(2024, 7, 1)


@pytest.fixture
def lines(score_file, tmp_path):
    """`lines(change)`: what is not said in a score table whose frame was changed."""

    def make(**columns: object) -> tuple[unanswered.Unanswered, ...]:
        path = tmp_path / "scores.parquet"
        frame = score_file(path, 60).assign(**columns)
        scores.write(frame, scores.read_meta(path), path)
        return unanswered.of_file(path)

    return make


def silence(reason: str, first: int) -> dict[str, object]:
    """Columns of a table whose first customers have no lifetime value."""
    mask = np.arange(60) < first
    gone = {name: pd.array(np.where(mask, np.nan, 1.0), "float64[pyarrow]") for name in ("clv",)}
    return gone | {"abstained": np.where(mask, f"{reason}: clv", None)}


def test_nothing_is_listed_where_everything_is_said(lines):
    assert lines() == ()


def test_customers_are_counted_by_reason_and_stage(lines, score_file, tmp_path):
    reason = in_brief("order_max")
    (line,) = lines(**silence(reason, 12))
    frame = score_file(tmp_path / "plain.parquet", 60)
    by_stage = frame["stage"].iloc[:12].value_counts()
    assert (line.reason, line.answers) == (reason, ("clv",))
    assert (line.customers, line.share) == (12, 0.2)
    assert dict(line.stages) == by_stage.to_dict()
    assert [number for _, number in line.stages] == sorted(by_stage, reverse=True)
    assert line.is_unbacked and "resellers" in line.mend
    assert line.in_words().startswith("12 customers (20.0%): clv not said: outside training range")


def test_what_is_never_asked_is_no_doubt(lines):
    (line,) = lines(**silence(abstention.OF_PURCHASES, 60))
    assert not line.is_unbacked and line.customers == 60


def test_every_reason_has_something_that_mends_it():
    words = {value for name, value in vars(abstention).items() if name.startswith(("NO_", "OF_"))}
    assert words == set(unanswered._MENDS)


def test_no_reason_is_taken_apart_by_its_own_words():
    """The text of `abstained` is read back: colons and semicolons part it."""
    for column in HELD:
        assert not {":", ";"} & set(in_brief(column))


def test_a_finding_says_what_was_seen_and_what_to_do(people, scored, made_scorer, tmp_path):
    log = Freshness("transactions", AS_OF - timedelta(days=61), 60, 400, 1.0, 2, 7)
    scorer = type("Held", (type(made_scorer),), {"value": 1, "speaker": "blend"})()
    frame, thresholds = scored(people(50), scorer=scorer, freshness=(log,))
    path = tmp_path / "scores.parquet"
    meta = scores.Meta(
        "shop",
        "EUR",
        "UTC",
        AS_OF,
        90,
        365,
        "7",
        None,
        "blend",
        {},
        frame["scored_at"].iloc[0].to_pydatetime(),
        thresholds,
    )
    scores.write(frame, meta, path)
    (line,) = unanswered.of_file(path)
    assert line.customers == 50 and line.stages == ((unanswered.NO_STAGE, 50),)
    assert "no row for 60 days" in line.mend and "Bring the transactions" in line.mend
    assert set(line.answers) == set(abstention.ANSWERS) - {"rfm"}
    table = ledger.scores(duckdb(), path)
    assert unanswered.unanswered(table, thresholds.findings) == (line,)
