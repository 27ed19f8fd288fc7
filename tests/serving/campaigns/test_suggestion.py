"""What to do for one customer: the same account as a plan's, and where the customer is in plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from serving import scores
from serving.campaigns import membership, shelf, suggestion
from serving.campaigns.order import Order
from serving.campaigns.planning import draw_up
from serving.campaigns.prospect import prospect
from serving.campaigns.settings import ActionSettings, PlanSettings

ACTIONS = {
    "call": ActionSettings(
        channel="telephone",
        cost=4.0,
        tiers=("key",),
        mass=False,
        owner="ann",
        kept={"mean": 0.2, "sd": 0.1},
    ),
    "voucher": ActionSettings(
        channel="e-mail", cost=0.1, stages=("at_risk", "lapsed"), kept={"mean": 0.06, "sd": 0.03}
    ),
    "letter": ActionSettings(channel="post", cost=1.0, kept={"mean": 0.01, "sd": 0.01}),
}


@pytest.fixture(scope="module")
def order():
    return Order(
        plan_id="p1",
        key=b"k" * 32,
        margin=0.3,
        actions=ACTIONS,
        rules=PlanSettings(holdout=0.3),
        learned={},
        customers=None,
        contacts=None,
    )


@pytest.fixture(scope="module")
def frame(score_file, tmp_path_factory):
    """500 made customers."""
    path = tmp_path_factory.mktemp("store") / "as_of=2024-07-01.parquet"
    score_file(path, customers=500)
    return scores.read(path)


@pytest.mark.parity
def test_offers_are_what_a_plan_of_everybody_reckons_with(frame, order):
    seen = prospect(frame, order)
    rows = {row["customer_id"]: row for row in scores.to_table(frame).to_pylist()}
    names = list(order.actions)
    some = range(0, len(seen.scores), 23)
    for place in some:
        one = seen.scores["customer_id"].iloc[place]
        told = suggestion.offers(rows[one], order)
        profits = seen.whole.profit[place]
        fit = {names[k]: profits[k] for k in range(len(names)) if np.isfinite(profits[k])}
        assert {offer.action: offer.profit for offer in told} == pytest.approx(fit)
        assert [offer.profit for offer in told] == sorted(fit.values(), reverse=True)
    assert len(some) > 10


def test_a_key_account_gets_only_what_a_named_owner_does(frame, order):
    rows = scores.to_table(frame).to_pylist()
    said = [row for row in rows if row["clv"] is not None and row["tier"] == "key"]
    assert said
    for row in said[:5]:
        assert {offer.action for offer in suggestion.offers(row, order)} <= {"call"}


def test_who_has_not_consented_is_offered_nothing(frame, order):
    row = next(r for r in scores.to_table(frame).to_pylist() if r["clv"] and r["tier"] == "core")
    action = ACTIONS["letter"].model_copy(update={"consent": "post_ok"})
    for said, number in (("yes", 1), ("no", 0)):
        facts = pd.DataFrame(
            {"customer_id": ["other", row["customer_id"]], "attribute_post_ok": ["yes", said]}
        )
        asked = replace(order, actions={"letter": action}, customers=facts)
        assert len(suggestion.offers(row, asked)) == number


def test_a_customer_is_found_in_the_plans_that_are_kept(frame, order, tmp_path):
    made = draw_up(frame, order)
    shelf.keep(made, tmp_path)
    for row in made.assignments.to_pylist()[:40]:
        (one,) = membership.memberships(tmp_path, duckdb.connect(), row["customer_id"])
        assert (one.plan_id, one.action, one.arm) == ("p1", row["action"], row["arm"])
        assert one.held_out == (row["arm"] == "holdout")
        assert one.as_of == date(2024, 7, 1)
    arms = {row["arm"] for row in made.assignments.to_pylist()[:40]}
    assert arms == {"treated", "holdout"}
    assert membership.memberships(tmp_path, duckdb.connect(), "nobody") == ()
    assert membership.memberships(tmp_path / "none", duckdb.connect(), "c000001") == ()
