"""Leaks: planted ones of every kind are found, and honest columns are left alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import FEATURES
from tests.training.conftest import AS_OF as SHOP_AS_OF
from tests.training.conftest import HORIZON
from training.labels.leaks import Leak, find
from training.windows.panel import churned, seen, snapshot

AS_OF = date(2026, 1, 1)
DATA = Path(os.environ.get("REGULARS_DATA", Path(__file__).parents[4] / "shared" / "data"))
Plant = Callable[[np.ndarray, np.random.Generator], pd.Series]


def texts(values: np.ndarray) -> pd.Series:
    return pd.Series(values, dtype=object)


def days(after: np.ndarray) -> np.ndarray:
    """Dates from the first of 2025 on."""
    return (np.datetime64("2025-01-01") + after.astype("timedelta64[D]")).astype(str)


def honest(n: int = 3_000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A table like that of a telephone company: plan and age of the contract tell something."""
    rng = np.random.default_rng(seed)
    monthly, tenure = rng.random(n) < 0.5, rng.integers(0, 72, n)
    churned = (rng.random(n) < np.where(monthly, 0.5, 0.06) * np.exp(-tenure / 40)).astype(int)
    table = pd.DataFrame(
        {
            "plan": np.where(monthly, "monthly", "yearly"),
            "tenure": tenure.astype(float),
            "charge": np.round(rng.gamma(4, 15, n), 2),
            "income": rng.integers(800, 90_000, n).astype(float),
            "city": rng.choice([f"city {i}" for i in range(500)], n),
            "joined": days(-tenure * 30 - rng.integers(0, 30, n)),
            # Those whom a salesman has met, and the first bill that the newest do not have.
            "met_on": np.where(rng.random(n) < 0.02, days(rng.integers(0, 300, n)), None),
            "first_bill": np.where(tenure == 0, np.nan, rng.gamma(4, 15, n)),
        }
    )
    return table.add_prefix("attribute_"), churned


PLANTS: dict[str, tuple[str, Plant]] = {
    "the label as a number": ("copy", lambda y, _: pd.Series(2.0 - y)),
    "the label in words": ("copy", lambda y, _: texts(np.where(y, "left", "active"))),
    "the label, wrong for one in 200": (
        "copy",
        lambda y, r: pd.Series(np.where(r.random(len(y)) < 0.005, 1 - y, y) * 1.0),
    ),
    "codes of the label": (
        "answer",
        lambda y, r: pd.Series(np.where(y, r.choice([1, 3], len(y)), r.choice([0, 2, 4], len(y)))),
    ),
    "the score of an older model of the same label": (
        "answer",
        lambda y, r: pd.Series(y + r.normal(0, 0.3, len(y))),
    ),
    "a score of a tenth of the customers": (
        "answer",
        lambda y, r: pd.Series(
            np.where(r.random(len(y)) < 0.1, y + r.normal(0, 0.1, len(y)), np.nan)
        ),
    ),
    "the day when they were last seen": (
        "answer",
        lambda y, r: texts(days(np.where(y, r.integers(0, 200, len(y)), 360 + y))),
    ),
    "the day of leaving": (
        "one fate",
        lambda y, r: texts(np.where(y, days(r.integers(0, 300, len(y))), None)),
    ),
    "the day of leaving of two in five": (
        "one fate",
        lambda y, r: texts(
            np.where(y * r.random(len(y)) > 0.6, days(r.integers(0, 300, len(y))), None)
        ),
    ),
    "an end of contract that is open for who stays": (
        "one fate",
        lambda y, r: texts(np.where(y, days(r.integers(0, 300, len(y))), "9999-12-31")),
    ),
    "the next bill": (
        "one fate",
        lambda y, r: pd.Series(np.where(y, np.nan, r.integers(1, 30, len(y)))),
    ),
    "an opinion that only who stayed was asked for": (
        "one fate",
        lambda y, r: pd.Series(np.where(~y.astype(bool) & (r.random(len(y)) < 0.7), 5.0, np.nan)),
    ),
    "reasons of leaving as codes": (
        "one fate",
        lambda y, r: texts(
            np.where(y * r.random(len(y)) > 0.5, r.choice(list("abc"), len(y)), "-")
        ),
    ),
    "reasons of leaving in own words": (
        "one fate",
        lambda y, _: texts(np.where(y, [f"because {i}" for i in range(len(y))], "-")),
    ),
    "a day to come": ("after", lambda y, r: texts(days(r.integers(300, 500, len(y))))),
    "a number of the row": ("identity", lambda y, _: pd.Series(np.arange(len(y)) * 1.0)),
    "a number of the row, sorted by fate": (
        "identity",
        lambda y, _: pd.Series(np.argsort(np.argsort(-y, kind="stable")) * 1.0),
    ),
    "an account": (
        "identity",
        lambda y, r: pd.Series(1e6 + r.permutation(8_000_000)[: len(y)]),
    ),
    "an address": ("identity", lambda y, _: texts([f"{i}@shop.example" for i in range(len(y))])),
}


def test_an_honest_table_has_none():
    for seed in range(5):
        found = find(*honest(seed=seed), AS_OF)
        assert (found.left_out, found.doubtful) == ((), ())
        assert found.sentences() == ()


@pytest.mark.parametrize("what", PLANTS)
def test_a_planted_leak_is_found_and_named_and_nothing_else_is(what):
    kind, plant = PLANTS[what]
    table, churned = honest()
    planted = plant(churned, np.random.default_rng(1))
    found = find(table.assign(attribute_planted=planted), churned, AS_OF)
    assert [(leak.column, leak.kind) for leak in found.left_out] == [("attribute_planted", kind)]
    assert "planted (" in found.sentences()[0]


def test_two_honest_numbers_that_part_when_one_leaves_are_found():
    """Months since the start, and months of use, which stop when the customer has left."""
    table, churned = honest()
    rng = np.random.default_rng(1)
    since = rng.integers(10, 800, len(table))
    used = np.where(churned, since * rng.uniform(0.1, 0.95, len(table)), since)
    found = find(table.assign(attribute_since=since, attribute_used=used), churned, AS_OF)
    assert [leak.kind for leak in found.left_out] == ["together"]
    assert found.left_out[0].column in {"attribute_since", "attribute_used"}


def test_who_vouches_for_a_column_keeps_it_and_is_told():
    table, churned = honest()
    found = find(table.assign(attribute_status=churned), churned, AS_OF, keep=["status"])
    assert found.left_out == ()
    assert [leak.column for leak in found.kept] == ["attribute_status"]
    assert "vouches" in found.sentences()[0]


def test_a_strong_column_below_the_bar_stays_in_with_a_word():
    """Wrong for one in thirty: an AUC of about 0.97."""
    table, churned = honest()
    strong = np.where(np.random.default_rng(1).random(len(table)) < 1 / 30, 1 - churned, churned)
    found = find(table.assign(attribute_alarm=strong), churned, AS_OF)
    assert found.left_out == ()
    assert [leak.column for leak in found.doubtful] == ["attribute_alarm"]


def test_some_hundred_amounts_that_are_all_different_are_no_names():
    table, churned = honest(500)
    amounts = pd.Series(100_000.0 + np.random.default_rng(0).permutation(900_000)[:500])
    assert find(table.assign(attribute_turnover=amounts), churned, AS_OF).left_out == ()


def test_the_order_of_columns_changes_nothing():
    table, churned = honest()
    table = table.assign(attribute_planted=churned, attribute_row=np.arange(len(table)))
    one, other = find(table, churned, AS_OF), find(table[table.columns[::-1]], churned, AS_OF)
    assert set(one.left_out) == set(other.left_out)


def test_a_table_of_one_fate_says_nothing():
    table, churned = honest(100)
    assert find(table, np.zeros_like(churned), AS_OF).left_out == ()


def test_a_leak_in_words_names_the_users_column():
    assert str(Leak("attribute_Left on", "after", "a date")) == "Left on (a date)"


def test_the_behaviour_of_a_shop_has_none(shop):
    day = date.fromordinal(SHOP_AS_OF.toordinal() - HORIZON)
    frame = snapshot(shop, day, horizon_days=HORIZON, known_until=SHOP_AS_OF)
    columns = frame[[feature.name for feature in FEATURES]]
    assert find(columns, churned(seen(frame, HORIZON)), day).left_out == ()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "label", "yes"),
    [
        ("telco_ibm/Telco-Customer-Churn.csv", "Churn", "Yes"),
        ("iranian_churn/Customer_Churn.csv", "Churn", 1),
    ],
)
def test_published_tables_have_none(file, label, yes):
    if not (DATA / file).is_file():
        pytest.skip(f"{file} is not in the data folder (REGULARS_DATA)")
    table = pd.read_csv(DATA / file)
    churned = (table.pop(label) == yes).astype(int)
    table = table.drop(columns="customerID", errors="ignore").add_prefix("attribute_")
    found = find(table, churned, AS_OF)
    assert (found.left_out, found.doubtful) == ((), ())
