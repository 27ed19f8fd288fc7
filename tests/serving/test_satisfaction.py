"""Satisfaction and loyalty: each customer in one field, silence is no praise, lists in order."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from features.opening import connection
from serving import satisfaction as room
from serving.groups.lifecycle import STAGES
from serving.satisfaction import SATISFIED, SILENT, UNHAPPY


def table(rows: list[dict]) -> ibis.Table:
    usual = {
        "stage": "loyal",
        "tier": "core",
        "churn_probability": 0.2,
        "clv": 10.0,
        "complaints_open": 0,
        "complaints_90": 0,
        "complaints_total": 0,
        "days_since_complaint": None,
        "satisfaction_last": None,
    }
    told = [{"customer_id": f"c{n}", **usual, **row} for n, row in enumerate(rows)]
    types = {
        "satisfaction_last": "float64",
        "churn_probability": "float64",
        "clv": "float64",
        **dict.fromkeys(
            ("complaints_open", "complaints_90", "complaints_total", "days_since_complaint"),
            "Int64",
        ),
    }
    frame = pd.DataFrame(told).astype(types)
    frame["stage"] = frame["stage"].astype("string")
    return connection.duckdb().create_table("told", frame, temp=True)


def moods(rows: list[dict]) -> list[str]:
    """Mood of each row, told by the field in which it is alone."""
    found = []
    ends = [{"satisfaction_last": 1.0, "stage": None}, {"satisfaction_last": 5.0, "stage": None}]
    for row in rows:
        told = room.satisfaction(table([row, *ends]), 5)
        assert told is not None
        found.append(next(mood for (mood, _), field in told.fields.items() if field.customers))
    return found


def test_what_a_customer_said_last_decides():
    assert moods(
        [
            {"satisfaction_last": 4.0},
            {"satisfaction_last": 3.0},
            {"satisfaction_last": 3.1},
            {"satisfaction_last": 5.0, "complaints_open": 1, "complaints_total": 1},
            {"complaints_90": 1, "complaints_total": 1},
            {"satisfaction_last": 4.5, "complaints_90": 1, "complaints_total": 1},
            {"complaints_total": 3},
            {},
        ]
    ) == [SATISFIED, UNHAPPY, SATISFIED, UNHAPPY, UNHAPPY, SATISFIED, SILENT, SILENT]


@pytest.mark.parametrize("stage", STAGES)
def test_loyal_is_who_is_in_rhythm(stage):
    told = room.satisfaction(table([{"stage": stage}]), 5)
    assert told is not None
    assert told.fields[SILENT, stage not in ("at_risk", "lapsed")].customers == 1


def test_everyone_with_a_stage_is_in_one_field():
    rng = np.random.default_rng(2)
    rows = [
        {
            "stage": stage,
            "clv": float(n),
            "complaints_open": int(rng.integers(0, 2)),
            "complaints_90": int(rng.integers(0, 2)),
            "complaints_total": 2,
            "satisfaction_last": None if n % 3 else float(rng.integers(1, 6)),
        }
        for n, stage in enumerate([*STAGES, None] * 20)
    ]
    told = room.satisfaction(table(rows), 1000)
    assert told is not None
    staged = [row for row in rows if row["stage"]]
    fields = told.fields.values()
    assert sum(field.customers for field in fields) == len(staged)
    assert sum(field.share for field in fields) == pytest.approx(1)
    assert sum(field.equity or 0 for field in fields) == sum(row["clv"] for row in staged)
    assert told.open == sum(row["complaints_open"] for row in rows)
    assert len(told.complaints) == sum(row["complaints_open"] for row in staged)
    listed = [
        one["customer_id"] for some in (told.complaints, told.leaving, told.staying) for one in some
    ]
    assert len(listed) == len(set(listed))


def test_lists_are_by_what_is_at_stake():
    open_ = {"complaints_open": 1, "complaints_total": 1}
    told = room.satisfaction(
        table(
            [
                {**open_, "clv": 5.0},
                {**open_, "clv": 50.0, "stage": "lapsed"},
                {"satisfaction_last": 5.0, "stage": "at_risk", "clv": 7.0},
                {"satisfaction_last": 5.0, "stage": "lapsed", "clv": 9.0},
                {"satisfaction_last": 1.0, "clv": 3.0},
                {"satisfaction_last": 1.0, "clv": None},
            ]
        ),
        2,
    )
    assert told is not None
    assert [one["customer_id"] for one in told.complaints] == ["c1", "c0"]
    assert [one["customer_id"] for one in told.leaving] == ["c2"]
    assert [one["customer_id"] for one in told.staying] == ["c4", "c5"]
    assert told.scale == (1.0, 5.0)


def test_without_events_nothing_is_said():
    rows = [{"complaints_total": None, "complaints_open": None, "complaints_90": None}]
    assert room.satisfaction(table(rows), 5) is None


def test_a_field_is_null_where_nothing_is_known_of_it():
    told = room.satisfaction(table([{"clv": None}, {"complaints_open": 1, "clv": 3.0}]), 5)
    assert told is not None
    for staying in (True, False):
        # Nobody gave a mark, so that nobody can be told to be satisfied or not to be.
        one = told.fields[SATISFIED, staying]
        assert (one.customers, one.share, one.equity) == (None, None, None)
    silent, empty = told.fields[SILENT, True], told.fields[SILENT, False]
    assert (silent.customers, silent.share, silent.equity) == (1, 0.5, None)
    assert (empty.customers, empty.share, empty.equity) == (0, 0.0, None)
    assert told.fields[UNHAPPY, True].equity == 3.0


def test_without_stages_no_field_is_known():
    told = room.satisfaction(table([{"satisfaction_last": 1.0, "stage": None, "clv": 2.0}]), 5)
    assert told is not None
    assert {one.customers for one in told.fields.values()} == {None}
    assert {one.equity for one in told.fields.values()} == {None}
