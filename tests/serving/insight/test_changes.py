"""What changed between two score tables: nobody is lost, differences are exact, reasons turn."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from features.store import Store
from serving import desk, scores
from serving.insight import changes
from serving.insight.reasons import LOWERS, RAISES

THEN, NOW = date(2024, 4, 1), date(2024, 7, 1)


def reason(family: str, direction: str = RAISES, text: str = "so it is") -> dict:
    weight = 1.0 if direction == RAISES else -1.0
    return {"family": family, "text": text, "direction": direction, "weight": weight}


def row(customer_id: str, **columns: object) -> dict:
    usual = {"churn_probability": 0.5, "stage": "loyal", "tier": "core", "clv": 10.0, "reasons": []}
    return {"customer_id": customer_id, **usual, **columns}


def compared(before: list[dict], now: list[dict]) -> dict[str, dict]:
    tables = [pa.Table.from_pylist(rows, schema=changes.SCHEMA) for rows in (before, now)]
    return {one["customer_id"]: one for one in changes.compare(*tables).to_pylist()}


def test_differences_are_now_less_then():
    told = compared(
        [row("a", churn_probability=0.25, stage="loyal", tier="key", clv=100.0)],
        [row("a", churn_probability=0.75, stage="at_risk", tier="core", clv=40.0)],
    )["a"]
    assert told["churn_probability_before"] == 0.25
    assert told["churn_probability_change"] == 0.5
    assert (told["clv_before"], told["clv_change"]) == (100.0, -60.0)
    assert (told["stage_before"], told["tier_before"]) == ("loyal", "key")


def test_a_reason_is_the_same_while_family_and_direction_are():
    told = compared(
        [
            row(
                "a",
                reasons=[reason("rhythm", text="10 days"), reason("care"), reason("rfm", LOWERS)],
            )
        ],
        [row("a", reasons=[reason("rhythm", text="40 days"), reason("rfm"), reason("spend")])],
    )["a"]
    assert [(one["family"], one["direction"]) for one in told["came"]] == [
        ("rfm", RAISES),
        ("spend", RAISES),
    ]
    assert [(one["family"], one["direction"]) for one in told["went"]] == [
        ("care", RAISES),
        ("rfm", LOWERS),
    ]


def test_who_was_not_there_has_no_change_and_who_has_gone_is_not_told():
    told = compared([row("gone")], [row("new", reasons=[reason("rfm")])])
    assert list(told) == ["new"]
    assert not told["new"].pop("there_before")
    told["new"].pop("customer_id")
    assert set(told["new"].values()) == {None}


@pytest.mark.parametrize("end", ["before", "now"])
def test_what_was_not_said_at_one_date_has_no_change(end):
    rows = {"before": row("a"), "now": row("a")}
    rows[end] = row("a", churn_probability=None, clv=None, stage=None, tier=None, reasons=None)
    told = compared([rows["before"]], [rows["now"]])["a"]
    assert told["there_before"]
    assert told["churn_probability_change"] is told["clv_change"] is None
    assert told["came"] == told["went"] == []


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, score_file) -> Store:
    """Scores of 60 customers, three months later of 80."""
    store = Store(tmp_path_factory.mktemp("changes"))
    for day, customers in ((THEN, 60), (NOW, 80)):
        score_file(store.scores(day), customers, as_of=day)
    return store


@pytest.mark.parity
def test_a_few_customers_have_the_changes_that_the_whole_table_has(shelf):
    tables = [scores.to_table(scores.read(shelf.scores(day))) for day in (THEN, NOW)]
    whole = changes.compare(*(table.select(changes.READ) for table in tables)).to_pylist()
    assert len(whole) == 80
    assert sum(one["there_before"] for one in whole) == 60
    at_hand = desk.load(shelf.scores(NOW))
    earlier = changes.since(shelf, at_hand.meta)
    assert earlier is not None
    assert earlier.as_of == THEN
    ids = ["c000070", "c000003", "c000059", "nobody"]
    told = changes.of(shelf, at_hand, earlier, ids)
    assert sorted(told) == ["c000003", "c000059", "c000070"]
    assert told == {one["customer_id"]: one for one in whole if one["customer_id"] in ids}


def test_the_same_table_twice_changes_nothing(shelf):
    table = scores.to_table(scores.read(shelf.scores(NOW))).select(changes.READ)
    for one in changes.compare(table, table).to_pylist():
        assert one["came"] == one["went"] == []
        assert one["churn_probability_change"] in (0.0, None)


def test_without_an_earlier_table_there_is_nothing_to_compare(shelf, tmp_path, score_file):
    assert changes.since(shelf, scores.read_meta(shelf.scores(THEN))) is None
    assert changes.since(None, scores.read_meta(shelf.scores(NOW))) is None


def test_values_over_other_spans_are_not_compared(tmp_path, score_file):
    store = Store(tmp_path)
    score_file(store.scores(THEN), as_of=THEN, clv_horizon_days=730)
    score_file(store.scores(NOW), as_of=NOW)
    assert changes.since(store, scores.read_meta(store.scores(NOW))) is None
