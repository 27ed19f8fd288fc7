"""Reasons: the heaviest three, in the catalogue's words, with their direction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.catalogue import FAMILIES, FEATURES, Family, Phrase
from serving.insight import reasons as room
from serving.insight.reasons import reasons, typical

RHYTHM = Family(
    name="rhythm",
    label="rhythm of the purchases",
    phrases=(
        Phrase(
            "last purchase {days_since_last:.0f} days ago; usually every {gap_mean:.0f}",
            needs=("days_since_last", "gap_mean"),
        ),
        Phrase("last purchase {days_since_last:.0f} days ago", needs=("days_since_last",)),
    ),
)
SPEND = Family(
    name="spend",
    label="spend",
    phrases=(Phrase("{spend_90:,.2f} in 90 days", needs=("spend_90",)),),
)


@pytest.fixture(autouse=True)
def words(monkeypatch):
    """Two families described in this file, whatever the catalogue says."""
    monkeypatch.setattr(room, "FAMILIES", (RHYTHM, SPEND))


def said(columns: dict, weights: dict, **more) -> list:
    return reasons(pd.DataFrame(columns), pd.DataFrame(weights), **more).to_pylist()


@pytest.mark.golden
def test_the_words_of_the_design():
    got = said({"days_since_last": [94.0], "gap_mean": [21.4]}, {"rhythm": [1.23456]})
    text = "last purchase 94 days ago; usually every 21"
    assert got == [
        [{"family": "rhythm", "text": text, "direction": "raises risk", "weight": 1.235}]
    ]


def test_the_first_phrase_with_all_it_needs_speaks():
    columns = {"days_since_last": [94.0, 5.0, np.nan], "gap_mean": [21.0, np.nan, 3.0]}
    got = said(columns, {"rhythm": [1.0, 1.0, 1.0]})
    assert [row[0]["text"] for row in got] == [
        "last purchase 94 days ago; usually every 21",
        "last purchase 5 days ago",
        "rhythm of the purchases",
    ]


def test_money_is_written_with_its_currency():
    got = said({"spend_90": [12345.678, 1.0]}, {"spend": [-1.0, 0.5]}, currency="GBP")
    assert [(row[0]["text"], row[0]["direction"]) for row in got] == [
        ("12,345.68 GBP in 90 days", "lowers risk"),
        ("1.00 GBP in 90 days", "raises risk"),
    ]


def test_the_three_heaviest_come_first_and_ties_keep_the_order_of_the_columns():
    weights = {"a": [0.1], "b": [-0.5], "c": [0.5], "d": [0.05], "e": [2.0]}
    (row,) = said({"x": [1]}, weights)
    assert [(item["family"], item["weight"]) for item in row] == [
        ("e", 2.0),
        ("b", -0.5),
        ("c", 0.5),
    ]


def test_many_tied_families_keep_the_order_of_the_columns():
    """Python's sort, which is stable, is the oracle."""
    rng = np.random.default_rng(4)
    weights = {f"family_{number}": rng.choice([1.0, -2.0, 2.0], 200) for number in range(40)}
    got = said({"x": np.ones(200)}, weights)
    for place, row in enumerate(got):
        ranked = sorted(weights, key=lambda name, place=place: -abs(weights[name][place]))
        assert [item["family"] for item in row] == ranked[:3]


def test_what_moves_the_odds_by_less_than_a_hundredth_is_no_reason():
    weights = {"a": [0.009, np.nan, 0.0], "b": [-0.01, -np.inf, np.inf]}
    got = said({"x": [1, 2, 3]}, weights)
    assert [[item["family"] for item in row] for row in got] == [["b"], [], []]


def test_an_unknown_family_is_named_plainly():
    (row,) = said({"x": [1]}, {"web_visits": [1.0]})
    assert row[0]["text"] == "web visits"


def test_a_column_that_is_not_there_silences_its_phrase():
    (row,) = said({"x": [1]}, {"spend": [1.0]})
    assert row[0]["text"] == "spend"


def test_one_customer_alone_gets_the_same_reasons(people, made_scorer):
    frame = people(300)
    weights = made_scorer.contributions(frame)
    whole = reasons(frame, weights).to_pylist()
    for place in (0, 17, 299):
        assert reasons(frame.iloc[[place]], weights.iloc[[place]]).to_pylist() == [whole[place]]


def test_nobody_has_no_reasons():
    assert said({"x": []}, {"rhythm": np.array([], dtype=float)}) == []


def test_a_model_without_families_gives_no_reasons():
    assert reasons(pd.DataFrame({"x": [1, 2]}), pd.DataFrame(index=[0, 1])).to_pylist() == [[], []]


@pytest.fixture(scope="module")
def anything() -> pd.DataFrame:
    """Numbers of either sign, whole and broken, and nulls in every column of the catalogue."""
    rng = np.random.default_rng(11)
    columns = {}
    for feature in FEATURES:
        values = rng.choice([0.0, 1.0, 1.4, 2.0, 40.0, 12345.6], 2000) * rng.choice([-1, 1], 2000)
        columns[feature.name] = np.where(rng.random(2000) < 0.3, np.nan, values)
    return pd.DataFrame(columns)


@pytest.mark.parity
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("described", FAMILIES, ids=lambda item: item.name)
def test_columns_are_written_as_the_catalogue_writes_one_customer(
    monkeypatch, anything, described, direction
):
    """The catalogue's own `say`, customer by customer, is the oracle."""
    monkeypatch.setattr(room, "FAMILIES", FAMILIES)
    weights = pd.DataFrame({described.name: np.full(len(anything), float(direction))})
    got = reasons(anything, weights).to_pylist()
    expected = [described.say(row, direction) for row in anything.to_dict("records")]
    assert [row[0]["text"] for row in got] == expected


def test_reasons_tell_how_a_customer_differs_from_a_typical_active_one() -> None:
    drivers = pd.DataFrame({"rhythm": [-1.0, -1.2, 0.5], "rfm": [0.3, 0.1, 0.2]})
    stage = pd.Categorical(["loyal", "new", "at_risk"])
    usual = typical(drivers, stage)
    assert usual == pytest.approx({"rhythm": -1.1, "rfm": 0.2})
    told = reasons(pd.DataFrame(index=drivers.index), drivers, typical=usual).to_pylist()
    assert [(r["family"], r["direction"], r["weight"]) for r in told[2]] == [
        ("rhythm", "raises risk", 1.6)
    ]


def test_a_typical_customer_is_a_loyal_one_where_there_are_enough() -> None:
    rhythm = np.repeat([-2.0, 0.0], [29, 200])
    stages = ["loyal"] * 29 + ["growing"] * 200
    drivers = pd.DataFrame({"rhythm": rhythm})
    assert typical(drivers, pd.Categorical(stages)) == {"rhythm": 0.0}
    more = pd.DataFrame({"rhythm": [*rhythm, -2.0]})
    assert typical(more, pd.Categorical([*stages, "loyal"])) == {"rhythm": -2.0}


def test_without_an_active_customer_the_models_own_average_is_typical() -> None:
    drivers = pd.DataFrame({"rhythm": [1.0, 2.0, 6.0]})
    assert typical(drivers, pd.Categorical(["lapsed"] * 3)) == {}


CONTRACT = pd.DataFrame(
    {
        "subscription_tenure_days": [366.0] * 4,
        "subscription_renewals": [12.0] * 4,
        "subscription_involuntary_ends": [1.0] * 4,
        "subscription_days_to_renewal": [9.0] * 4,
        "subscription_plan": ["Basic"] * 4,
    }
)
# By column, of four customers; what moves nothing, then plan, failure and renewal in turn.
MOVED = pd.DataFrame(
    {
        "subscription_renewals": [0.3, 0.2, 0.2, 0.2],
        "subscription_plan": [0.1, 0.6, 0.1, 0.1],
        "subscription_involuntary_ends": [0.0, 0.1, 0.8, 0.1],
        "subscription_days_to_renewal": [0.0, 0.0, 0.0, 0.9],
    }
)


def worded(moved: pd.DataFrame | None, **more: object) -> list[str]:
    weights = pd.DataFrame({"subscription": np.full(len(CONTRACT), 0.7)})
    told = reasons(CONTRACT, weights, moved=moved, **more).to_pylist()
    return [one[0]["text"] for one in told]


def test_the_words_are_those_of_the_column_that_moved_the_risk_most(monkeypatch):
    monkeypatch.setattr(room, "FAMILIES", FAMILIES)
    assert worded(MOVED) == [
        "subscriber for 366 days; renewed 12 times",
        "on the plan Basic",
        "1 payment failed before",
        "next renewal in 9 days",
    ]
    # Where no column is told, the first words that fit speak.
    assert worded(None) == ["1 payment failed before"] * 4


def test_columns_are_measured_by_a_typical_customer_too(monkeypatch):
    monkeypatch.setattr(room, "FAMILIES", FAMILIES)
    usual = {"subscription_plan": 0.6, "subscription_days_to_renewal": 0.9}
    assert worded(MOVED, typical=usual) == [
        "subscriber for 366 days; renewed 12 times",
        "subscriber for 366 days; renewed 12 times",
        "1 payment failed before",
        "subscriber for 366 days; renewed 12 times",
    ]
