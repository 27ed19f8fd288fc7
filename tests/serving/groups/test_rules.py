"""Rule segments: checked when loaded, overlapping, false where nothing can be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.opening import connection
from serving.groups import ledger, rules
from serving.groups import summary as groups
from serving.groups.rules import SegmentSettings


def rule(where: str) -> SegmentSettings:
    return SegmentSettings(where=where)


@pytest.mark.parametrize(
    "where",
    [
        "tier = 'key' and churn_probability > 0.5",
        "stage in ('at_risk', 'lapsed') or complaints_open > 0",
        "rfm like '5-%' and named_segment <> 'new'",
        "clv between 10 and 100 and monetary_value > 2 * first_order",
        "abstained is not null",
        "next_purchase_by < '2024-07-01'",
        "attribute_city = 'Bonn' and attribute_age > 30",
    ],
)
def test_conditions_over_scores_behaviour_and_attributes_are_fine(where):
    assert list(rules.faults({"mine": rule(where)}, ["city", "age"])) == []


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("churn_probabilty > 0.5", "Did you mean 'churn_probability'?"),
        ("tier = 'key' and", "cannot be read"),
        ("count(clv) > 3", "is not allowed here"),
        ("clv + 1", "is not allowed here"),
        ("clv > 'much'", "the text 'much' is compared with a number"),
        ("clv > (select 1)", "is not allowed here"),
        ("attribute_city = 'Bonn'", "attribute_city is no column"),
        ("reasons is null", "reasons is no column"),
    ],
)
def test_a_condition_that_cannot_be_is_named_when_loaded(where, said):
    (fault,) = rules.faults({"mine": rule(where)})
    assert "segments.mine.where" in fault
    assert said in fault


@pytest.mark.parametrize(("name", "said"), [("champions", "choose another"), ("My", "small")])
def test_a_name_that_cannot_be_is_refused(name, said):
    (fault,) = rules.faults({name: rule("clv > 1")})
    assert said in fault


def test_who_belongs_is_who_the_condition_holds_for(tmp_path: Path, people, score_file):
    """A second road: the same conditions by hand, on the frames; a null is never in."""
    frame = score_file(tmp_path / "scores.parquet", 200)
    people(200, seed=200).to_parquet(tmp_path / "behaviour.parquet")
    engine = connection.duckdb()
    table = ledger.together(
        ledger.scores(engine, tmp_path / "scores.parquet"),
        ledger.behaviour(engine, tmp_path / "behaviour.parquet"),
    )
    own = {
        "dear": rule("tier = 'key' and churn_probability > 0.3"),
        "often": rule("frequency >= 3"),
        "slow": rule("gap_mean > 60"),
        "nobody": rule("clv < 0"),
    }
    got = {group.name: group for group in groups.of_rules(table, own)}
    both = frame.merge(people(200, seed=200).drop(columns="as_of"), on="customer_id")
    expected = {
        "dear": (both["tier"] == "key") & (both["churn_probability"] > 0.3),
        "often": both["frequency"] >= 3,
        "slow": both["gap_mean"] > 60,
        "nobody": both["clv"] < 0,
    }
    for name, inside in expected.items():
        here = both[inside.fillna(value=False)]
        assert got[name].customers == len(here)
        # Of nobody there is no value to tell.
        worth = float(here["clv"].sum()) if len(here) else None
        assert got[name].equity == pytest.approx(worth, abs=1e-3)
    assert got["nobody"].churn_probability is None
    assert got["dear"].customers > 0
