"""Two score tables side by side: nobody is lost, parts add up exactly, doubts are said."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from features.opening import connection
from serving import scores
from serving.errors import ScoreTableError
from serving.groups import equity, ledger, migration, named, rises
from serving.groups import summary as groups
from serving.groups.lifecycle import STAGES
from serving.groups.rules import NAMED
from serving.groups.tiers import TIERS
from serving.insight.silence import Silence

THEN = date(2024, 4, 1)
NOW = date(2024, 7, 1)


@pytest.fixture(scope="module")
def tables(tmp_path_factory, score_file) -> dict[str, Any]:
    """Scores of 300 customers, three months later of 340; the last 20 of the first have gone."""
    folder = tmp_path_factory.mktemp("ledger")
    frames, paths = {}, {}
    for day, customers in ((THEN, 300), (NOW, 340)):
        path = folder / f"{day}.parquet"
        frame = score_file(path, customers, as_of=day)
        if day == NOW:
            frame = frame[~frame["customer_id"].between("c000280", "c000299")]
            scores.write(frame.reset_index(drop=True), scores.read_meta(path), path)
        frames[day], paths[day] = frame, path
    engine = connection.duckdb()
    read = {day: ledger.scores(engine, path) for day, path in paths.items()}
    return {
        "frames": frames,
        "paths": paths,
        "read": read,
        "beside": ledger.beside(read[THEN], read[NOW]),
    }


def exact(values: pd.Series) -> Decimal:
    """Sum of money rounded to a millionth, customer by customer."""
    return sum((Decimal(f"{value:.6f}") for value in values.dropna()), Decimal(0))


def test_each_customer_of_either_date_stands_once(tables):
    ids = set(tables["frames"][THEN]["customer_id"]) | set(tables["frames"][NOW]["customer_id"])
    got = tables["beside"].select("customer_id").to_pyarrow()["customer_id"].to_pylist()
    assert sorted(got) == sorted(ids)


@pytest.mark.parametrize("kind", ["stage", "tier"])
def test_flows_add_up_to_both_tables(tables, kind):
    flows = migration.migration(tables["beside"], kind)
    for end, day, away in (("before", THEN, ledger.NEW), ("now", NOW, ledger.GONE)):
        counted = tables["frames"][day][kind].fillna(ledger.NONE).value_counts().to_dict()
        told: dict[str, int] = {}
        for flow in flows:
            told[getattr(flow, end)] = told.get(getattr(flow, end), 0) + flow.customers
        assert told.pop(away) == (20 if end == "now" else 40)
        assert told == counted
        total = float(tables["frames"][day]["clv"].sum())
        assert sum(getattr(flow, f"clv_{end}") for flow in flows) == pytest.approx(total)


def test_the_shares_of_a_row_are_one(tables):
    shares: dict[str, float] = {}
    for flow in migration.migration(tables["beside"], "stage"):
        shares[flow.before] = shares.get(flow.before, 0.0) + flow.share
    assert list(shares.values()) == pytest.approx([1.0] * len(shares))


def test_the_parts_of_the_movement_add_up_exactly(tables):
    moved = equity.movement(tables["beside"])
    # The engine rounds a tie in the sixth place its own way: a millionth a customer at most.
    for end, day in (("before", THEN), ("now", NOW)):
        gap = abs(getattr(moved, end) - exact(tables["frames"][day]["clv"]))
        assert gap <= Decimal("0.000340")
    assert sum(part.change for part in moved.parts) == moved.now - moved.before
    assert sum(part.customers for part in moved.parts) == 340
    kinds = {part.kind: part for part in moved.parts}
    assert (kinds["won"].customers, kinds["won"].before) == (40, 0)
    assert (kinds["gone"].customers, kinds["gone"].now) == (20, 0)
    assert kinds["grew"].change > 0 > kinds["shrank"].change


def test_nothing_moves_between_a_table_and_itself(tables):
    again = ledger.beside(tables["read"][NOW], tables["read"][NOW])
    moved = equity.movement(again)
    assert {part.kind for part in moved.parts} == {"unchanged"}
    assert moved.change == 0
    assert {flow.before == flow.now for flow in migration.migration(again, "tier")} == {True}
    assert rises.rises(again, 5) == ()


def test_the_order_of_the_rows_changes_nothing(tables, tmp_path):
    path = tmp_path / "shuffled.parquet"
    frame = tables["frames"][NOW].sample(frac=1, random_state=1).reset_index(drop=True)
    scores.write(frame, scores.read_meta(tables["paths"][NOW]), path)
    engine = connection.duckdb()
    then = ledger.scores(engine, tables["paths"][THEN])
    other = ledger.beside(then, ledger.scores(engine, path))
    assert equity.movement(other) == equity.movement(tables["beside"])
    assert rises.rises(other, 50) == rises.rises(tables["beside"], 50)


@pytest.mark.parametrize(
    ("column", "words"), [("tier", TIERS), ("stage", STAGES), (NAMED, named.NAMES)]
)
def test_groups_cut_the_table_into_parts(tables, column, words):
    frame = tables["frames"][NOW]
    found = groups.by(tables["read"][NOW], column, words)
    assert sum(group.customers for group in found) == len(frame)
    assert sum(group.share for group in found) == pytest.approx(1)
    assert sum(group.equity for group in found) == pytest.approx(float(frame["clv"].sum()))
    risk = sum(group.customers * group.churn_probability for group in found)
    assert risk == pytest.approx(float(frame["churn_probability"].sum()))


def test_listed_are_key_accounts_whose_risk_rose_most_money_first(tables):
    both = tables["frames"][THEN].merge(
        tables["frames"][NOW], on="customer_id", suffixes=("_then", "_now")
    )
    rise = both["churn_probability_now"] - both["churn_probability_then"]
    key = (both["tier_then"] == "key") | (both["tier_now"] == "key")
    expected = both[key.fillna(value=False) & (rise >= rises.LEAST)]
    found = rises.rises(tables["beside"], 1000)
    assert found
    assert {one.customer_id for one in found} == set(expected["customer_id"])
    assert [one.at_stake for one in found] == sorted((o.at_stake for o in found), reverse=True)
    assert rises.rises(tables["beside"], 3) == found[:3]


def reason(family: str, weight: float, text: str) -> dict[str, Any]:
    direction = "raises risk" if weight > 0 else "lowers risk"
    return {"family": family, "text": text, "direction": direction, "weight": weight}


def test_what_changed_are_reasons_that_weigh_more_now():
    then = [reason("rhythm", -0.4, "bought yesterday"), reason("spend", 0.9, "spent little")]
    now = [
        reason("rhythm", 1.1, "silent for 60 days"),
        reason("spend", 0.5, "spent little"),
        reason("care", 0.2, "one complaint"),
        reason("rfm", -0.3, "came back 9 times"),
    ]
    got = rises.turns(then, now)
    assert [(turn.family, turn.then) for turn in got] == [
        ("rhythm", "bought yesterday"),
        ("care", None),
    ]
    assert [turn.weight for turn in got] == pytest.approx([1.5, 0.2])


def test_doubts_about_a_comparison_are_said(tmp_path, score_file):
    days = [NOW - timedelta(days=90), NOW]
    metas = []
    for day, changes in zip(days, ({"model_version": "6"}, {"horizon_days": 60}), strict=True):
        score_file(tmp_path / f"{day}.parquet", as_of=day, **changes)
        metas.append(scores.read_meta(tmp_path / f"{day}.parquet"))
    said = ledger.doubts(*metas)
    assert len(said) == 2
    assert "Version 6 scored" in said[0]
    assert "90 days then and of 60 now" in said[1]
    with pytest.raises(ScoreTableError, match="expected an earlier date"):
        ledger.doubts(*reversed(metas))


def test_lifetime_values_of_different_spans_are_not_compared(tmp_path, score_file):
    metas = []
    for day, span in ((THEN, 365), (NOW, 730)):
        score_file(tmp_path / f"{day}.parquet", as_of=day, clv_horizon_days=span)
        metas.append(scores.read_meta(tmp_path / f"{day}.parquet"))
    with pytest.raises(ScoreTableError, match="365 and 730 days; expected one span"):
        ledger.doubts(*metas)


def test_a_rise_tells_the_silence_even_where_no_reason_weighs_more(tables):
    found = rises.rises(tables["beside"], 3)
    first, second, *_ = (one.customer_id for one in found)
    told = rises.told(found, {first: Silence(12, 121), second: Silence(None, 1)})
    assert [(one.silent_before, one.silent_now) for one in told[:2]] == [(12, 121), (None, 1)]
    assert told[0].silence.text == "last purchase 121 days ago (then 12)"
    assert told[1].silence.text == "last purchase 1 day ago"
    assert told[2] == found[2] and told[2].silence is None
