"""Assignments joined with what happened: costs, unknown customers, and who was drawn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from serving.campaigns.assignments import SCHEMA
from serving.campaigns.planning import draw_up
from serving.campaigns.records import Costs, gather, misdrawn


def assigned(*rows: tuple[str, str, str]) -> pa.Table:
    """Assignments from (customer, action, arm)."""
    usual = {
        "plan_id": "p1",
        "as_of": date(2024, 6, 1),
        "horizon_days": 30,
        "stratum": "call/key/low",
        "treated_share": 0.5,
        "cost": 9.0,
        "return_probability": 0.5,
    }
    given = [
        usual | {"customer_id": one, "action": action, "arm": arm} for one, action, arm in rows
    ]
    return pa.Table.from_pylist(given, SCHEMA)


def came(**spend: float) -> pa.Table:
    rows = [
        {"customer_id": one, "returned": 1, "purchases": 2, "spend": money, "refunds": 3}
        for one, money in spend.items()
    ]
    return pa.Table.from_pylist(rows)


def test_profit_is_margin_times_spend_less_what_a_treatment_costs():
    """0.5 · 100 − (3 + 0.1 · 100) = 37 by hand; the held out cost nothing."""
    rows = assigned(("ann", "call", "treated"), ("bob", "call", "holdout"))
    costs = {"call": Costs(3.0, 0.1)}
    (found,) = gather(rows, came(ann=100.0, bob=100.0), margin=0.5, costs=costs)
    assert dict(zip(found.treated.tolist(), found.outcomes["profit"].tolist(), strict=True)) == {
        True: pytest.approx(37.0),
        False: pytest.approx(50.0),
    }
    assert found.harms["refunds"].tolist() == [1.0, 1.0]


def test_who_has_a_margin_of_their_own_earns_by_it():
    """0.2 · 100 for Ann, and the margin of the settings for Bob, of whom none is said."""
    rows = assigned(("ann", "call", "holdout"), ("bob", "call", "holdout"))
    place = rows.schema.get_field_index("margin_rate")
    rows = rows.set_column(place, "margin_rate", pa.array([0.2, None], pa.float64()))
    (found,) = gather(rows, came(ann=100.0, bob=100.0), margin=0.5, costs={})
    assert found.outcomes["profit"].tolist() == [20.0, 50.0]


def test_an_action_that_is_gone_costs_what_the_plan_said():
    (found,) = gather(assigned(("ann", "call", "treated")), came(ann=100.0), margin=0.5, costs={})
    assert found.outcomes["profit"].tolist() == [50.0 - 9.0]


def test_customers_whom_the_sources_do_not_know_are_counted_and_left_out():
    rows = assigned(("ann", "call", "treated"), ("bob", "call", "holdout"))
    (found,) = gather(rows, came(ann=1.0, stranger=5.0), margin=0.5, costs={})
    assert found.lost == (0, 1) and found.outcomes["spend"].tolist() == [1.0]


def test_the_plan_as_a_whole_counts_each_customer_once_and_every_cost():
    rows = assigned(
        ("ann", "call", "treated"), ("ann", "mail", "treated"), ("bob", "mail", "holdout")
    )
    call, mail, whole = gather(
        rows, came(ann=10.0, bob=10.0), margin=0.5, costs={"call": Costs(2.0), "mail": Costs(1.0)}
    )
    assert (call.action, mail.action, whole.action) == ("call", "mail", None)
    assert sorted(whole.outcomes["profit"].tolist()) == [5.0 - 3.0, 5.0]
    assert (call.others, mail.others, whole.others) == (1, 1, 0)


def test_the_drawn_holdout_is_found_again_and_any_other_is_not(score_rows, ordered):
    order = ordered(budget=60.0, holdout=0.2)
    rows = draw_up(score_rows, order).assignments
    assert misdrawn(rows, order.key) == 0
    turned = rows["arm"].to_pylist()
    turned[0] = "holdout" if turned[0] == "treated" else "treated"
    place = rows.schema.get_field_index("arm")
    assert misdrawn(rows.set_column(place, "arm", [turned]), order.key) == 1
    assert misdrawn(rows, bytes(32)) > 0


def test_the_order_of_the_rows_changes_nothing(score_rows, ordered):
    order = ordered(budget=60.0)
    rows = draw_up(score_rows, order).assignments
    other = rows.take(np.random.default_rng(0).permutation(rows.num_rows))
    assert misdrawn(other, order.key) == 0
