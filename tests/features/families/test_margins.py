"""Margins by hand, and what a log without them leaves as it was."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from benchmarks import pandas_behaviour
from features.catalogue import names
from features.compat import arrow
from features.occasions import occasions
from features.table import behaviour

AS_OF = date(2024, 6, 1)
MARGINS = ("margin_total", "margin_spend")


def told(rows, customer):
    return tuple(rows[customer][name] for name in MARGINS)


def bought(customer, day, amount, margin):
    return (customer, day, amount, None, None, None, margin)


@pytest.mark.golden
def test_by_hand(rows_of):
    rows = rows_of(
        [
            bought("a", "2024-01-10", 100, 30),
            bought("a", "2024-01-10", 50, -5),  # a loss leader
            bought("a", "2024-03-10", 20, None),  # counts in neither
            bought("a", "2024-06-01", 70, 60),  # of the as-of day: not seen
            bought("none", "2024-01-10", 10, None),
            bought("free", "2024-01-10", 10, 0),
        ]
    )
    assert told(rows, "a") == (25.0, 150.0)
    assert told(rows, "none") == (None, None)
    assert told(rows, "free") == (0.0, 10.0)


@pytest.mark.golden
def test_refunds_lower_spend_and_margin_on_whatever_day_they_come(rows_of):
    rows = rows_of(
        [
            bought("same day", "2024-01-10", 100, 30),
            bought("same day", "2024-01-10", -40, -12),
            bought("later", "2024-01-10", 100, 30),
            bought("later", "2024-03-10", -40, -12),
            # The postage is lost with the goods.
            bought("more than bought", "2024-01-10", 10, 3),
            bought("more than bought", "2024-03-10", -25, -12),
        ]
    )
    assert told(rows, "same day") == told(rows, "later") == (18.0, 60.0)
    assert told(rows, "more than bought") == (-9.0, -15.0)
    spent = [rows[customer]["spend_total"] for customer in ("same day", "later")]
    assert spent == [60.0, 60.0]
    assert rows["more than bought"]["spend_total"] == -15.0


def test_margins_are_exact_where_floats_are_not(rows_of):
    rows = rows_of([bought("a", "2024-01-10", "0.30", "0.10") for _ in range(3)])
    assert told(rows, "a") == (0.3, 0.9)


def test_a_log_without_margins_has_null_and_the_plan_it_had(rich_log):
    log = rich_log.transactions.drop_columns(["margin"])
    bare = type(rich_log)(log).inputs()
    assert not set(occasions(bare.transactions, AS_OF).columns) & {"margin", "margin_net"}
    without = arrow(behaviour(bare, AS_OF, horizon_days=90).order_by("customer_id"))
    stated = arrow(
        behaviour(type(rich_log)(rich_log.transactions).inputs(), AS_OF, horizon_days=90).order_by(
            "customer_id"
        )
    )
    assert [without[name].null_count for name in MARGINS] == [without.num_rows] * 2
    assert stated["margin_total"].null_count < stated.num_rows
    others = [name for name in ("customer_id", *names()) if name not in MARGINS]
    assert without.select(others).equals(stated.select(others))


def test_equals_plain_pandas(rich_log):
    log = rich_log.transactions
    frame = log.set_column(3, "amount", log["amount"].cast(pa.float64())).to_pandas()
    frame["margin"] = log["margin"].cast(pa.float64()).to_pandas()
    frame = frame.rename(columns={"occurred_at": "timestamp"})
    theirs = pandas_behaviour.behaviour(frame, AS_OF, 90)
    ours = arrow(behaviour(rich_log.inputs(), AS_OF, horizon_days=90)).to_pandas()
    ours = ours.set_index("customer_id").loc[theirs.index]
    assert ours["margin_total"].lt(0).any()
    for name in (*MARGINS, "spend_total"):
        assert theirs[name].to_list() == pytest.approx(ours[name].to_list(), nan_ok=True), name
