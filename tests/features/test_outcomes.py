"""Who came back, how often and for how much, against hand counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow.compute as pc
import pytest

from features.compat import arrow
from features.errors import FeaturesError
from features.outcomes import is_complete, labels, outcomes
from features.table import behaviour

AS_OF = date(2024, 6, 1)


def outcome_of(log, as_of=AS_OF, horizon_days=90):
    table = outcomes(log.inputs().transactions, as_of, horizon_days)
    return {
        row["customer_id"]: (row["returned"], row["occasions"], row["spend"])
        for row in table.to_pyarrow().to_pylist()
    }


@pytest.mark.golden
def test_by_hand(make_log):
    before = [(name, "2024-05-31", 1) for name in ("back", "gone", "late", "refunded", "undone")]
    log = make_log(
        [
            *before,
            ("back", "2024-06-01", 10),
            ("back", "2024-06-01", 5),
            ("back", "2024-08-29", 20),  # the ninetieth day
            ("back", "2024-08-29", -2),
            ("back", "2024-07-01", -7),
            ("late", "2024-08-30", 50),  # the ninety-first
            ("refunded", "2024-06-05", -3),
            ("undone", "2024-06-05", 4),
            ("undone", "2024-06-05", -4),
            ("new", "2024-06-02", 9),
        ]
    )
    assert outcome_of(log) == {
        "back": (1, 2, 26.0),
        "gone": (0, 0, 0.0),
        "late": (0, 0, 0.0),
        "refunded": (0, 0, -3.0),
        "undone": (0, 0, 0.0),
    }


def test_the_buyers_are_those_of_the_behaviour_table(rich_log):
    known = behaviour(rich_log.inputs(), AS_OF, horizon_days=90).select("customer_id")
    assert sorted(outcome_of(rich_log)) == sorted(arrow(known)["customer_id"].to_pylist())


def test_rows_after_the_horizon_change_nothing(rich_log):
    as_of, horizon_days = date(2023, 6, 1), 60
    inside = pc.less(rich_log.transactions["day"], as_of + timedelta(days=horizon_days))
    cut = replace(rich_log, transactions=rich_log.transactions.filter(inside))
    assert 0 < cut.transactions.num_rows < rich_log.transactions.num_rows
    found = outcome_of(rich_log, as_of, horizon_days)
    assert found == outcome_of(cut, as_of, horizon_days)
    assert 0 < sum(returned for returned, _, _ in found.values()) < len(found)


def test_types_are_those_of_the_models(make_log):
    table = outcomes(make_log([("a", "2024-05-31", 1)]).inputs().transactions, AS_OF, 90)
    assert [str(type_) for type_ in table.schema().types] == ["string", "int64", "int64", "float64"]
    assert table.columns == ("customer_id", "returned", "occasions", "spend")


@pytest.mark.golden
@pytest.mark.parametrize(
    ("last_day", "complete"), [(date(2024, 8, 29), True), (date(2024, 8, 28), False)]
)
def test_a_horizon_is_complete_when_its_last_day_has_been_observed(last_day, complete):
    assert is_complete(AS_OF, 90, last_day) is complete


def test_labels_are_of_the_customers_that_have_one(make_log):
    log = make_log(known=[("a", "x", 1.0, True), ("b", "x", 1.0, None), ("c", "x", 1.0, False)])
    table = labels(log.inputs().customers).order_by("customer_id").to_pyarrow()
    assert table.to_pydict() == {"customer_id": ["a", "c"], "churned": [True, False]}


@pytest.mark.parametrize(
    ("as_of", "horizon_days"), [(AS_OF, 0), (AS_OF, -5), (date(9999, 12, 1), 90)]
)
def test_a_horizon_that_cannot_be_is_refused(make_log, as_of, horizon_days):
    log = make_log([("a", "2024-05-31", 1)]).inputs().transactions
    with pytest.raises(FeaturesError, match=f"horizon_days={horizon_days} from {as_of}"):
        outcomes(log, as_of, horizon_days)


@pytest.mark.spark
@pytest.mark.parity
def test_duckdb_equals_spark(spark, rich_log, tmp_path):
    import pyarrow.parquet as pq

    as_of = date(2023, 6, 1)
    pq.write_table(rich_log.transactions, tmp_path / "transactions.parquet")
    log = spark.read_parquet(tmp_path / "transactions.parquet", table_name="log_of_outcomes")
    there = arrow(outcomes(log, as_of, 90).order_by("customer_id"))
    here = arrow(outcomes(rich_log.inputs().transactions, as_of, 90).order_by("customer_id"))
    assert there.equals(here)
