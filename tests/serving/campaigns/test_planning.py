"""Plans: limits kept by the treated, a holdout always, assignments that can be checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from serving.campaigns import curve as curves
from serving.campaigns import remarks, shelf
from serving.campaigns.assignments import SCHEMA
from serving.campaigns.belief import Belief, Effect
from serving.campaigns.curve import curve
from serving.campaigns.holdout import draw
from serving.campaigns.planning import draw_up, settle
from serving.campaigns.prospect import prospect
from serving.errors import CampaignError
from tests.serving.campaigns.conftest import ACTIONS

BUDGET = 40.0


@pytest.fixture(scope="module")
def plan(score_rows, ordered):
    return draw_up(score_rows, ordered(budget=BUDGET, holdout=0.2))


def rows(plan) -> pd.DataFrame:
    assert plan.assignments.schema == SCHEMA
    return plan.assignments.to_pandas()


@pytest.mark.parametrize("budget", [0.0, 5.0, 40.0, 1e6])
@pytest.mark.parametrize("contacts", [1, 2])
def test_the_treated_keep_every_limit(score_rows, ordered, budget, contacts):
    found = rows(draw_up(score_rows, ordered(budget=budget, holdout=0.2, max_contacts=contacts)))
    treated = found[found["arm"] == "treated"]
    assert treated["cost"].sum() <= budget
    assert (treated["action"] == "call").sum() <= 20
    assert found.groupby("customer_id").size().max() <= contacts or found.empty
    assert (found["expected_profit"] > 0).all()


def test_the_budget_is_used_although_some_are_held_out(plan):
    """Without choosing more, a fifth would lie idle; a call is 3 of 40."""
    assert 0.9 * BUDGET < plan.total.cost <= BUDGET


def test_a_fifth_is_held_out_in_every_stratum_and_the_draw_can_be_checked(plan, ordered):
    found = rows(plan)
    held = found["arm"] == "holdout"
    size = found.groupby("stratum").size()
    assert (abs(held.groupby(found["stratum"]).sum() - 0.2 * size) < 1).all()
    assert abs(held.sum() - 0.2 * len(found)) < 1
    again = draw(
        found["customer_id"].tolist(),
        found["stratum"].tolist(),
        0.2,
        plan_id="p1",
        key=ordered().key,
    )
    assert again.tolist() == held.tolist()
    assert set(found["treated_share"]) == {0.8}


def test_a_customer_is_in_one_arm_whatever_it_gets(score_rows, ordered):
    found = rows(draw_up(score_rows, ordered(budget=1e6, max_contacts=2)))
    assert (found.groupby("customer_id").size() == 2).any()
    assert (found.groupby("customer_id")["arm"].nunique() == 1).all()
    assert (found.groupby("customer_id")["stratum"].nunique() == 1).all()


def test_assignments_have_ids_of_their_own_and_the_scores_of_the_day(plan, score_rows):
    found = rows(plan)
    assert found["assignment_id"].is_unique
    of = score_rows.set_index("customer_id").loc[found["customer_id"]]
    for name in ("return_probability", "expected_spend", "expected_purchases"):
        assert found[name].to_numpy() == pytest.approx(of[name].to_numpy("float64"))
    owner = found.set_index("action")["owner"]
    assert set(owner["call"]) == {"Ann"} and owner["voucher"].isna().all()


def test_the_order_of_the_customers_changes_nothing(score_rows, ordered, plan):
    turned = score_rows.iloc[::-1].reset_index(drop=True)
    again = rows(draw_up(turned, ordered(budget=BUDGET, holdout=0.2)))
    one, two = (frame.set_index(["customer_id", "action"])["arm"] for frame in (again, rows(plan)))
    assert again["expected_profit"].sum() == pytest.approx(
        rows(plan)["expected_profit"].sum(), rel=1e-3
    )
    assert len(one.index.symmetric_difference(two.index)) <= 0.02 * len(two)


def test_the_sums_of_the_lines_are_the_total(plan):
    treated = rows(plan).query("arm == 'treated'")
    for line in plan.lines:
        mine = treated[treated["action"] == line.action]
        assert line.forecast.treated == len(mine)
        assert line.forecast.profit == pytest.approx(mine["expected_profit"].sum())
    assert plan.total.profit == pytest.approx(treated["expected_profit"].sum())
    assert plan.total.cost == pytest.approx(treated["cost"].sum())
    assert plan.power.treated == len(treated) and plan.power.holdout == len(rows(plan)) - len(
        treated
    )


def test_what_was_never_measured_is_called_assumed(score_rows, ordered):
    measured = Effect(Belief(0.2, 0.02), Belief(0.0, 0.01), "p0", date(2024, 1, 31))
    found = draw_up(score_rows, ordered(budget=BUDGET, learned={"voucher": measured}))
    assert {line.action: line.since for line in found.lines}["voucher"] == date(2024, 1, 31)
    assert "voucher" not in found.assumed
    assert set(draw_up(score_rows, ordered(budget=BUDGET)).assumed) == {"call", "voucher"}


def test_an_action_that_was_measured_to_do_nothing_is_not_done(score_rows, ordered):
    nothing = Effect(Belief(0.0, 0.01), Belief(0.0, 0.01), "p0", date(2024, 1, 31))
    found = draw_up(score_rows, ordered(learned={"voucher": nothing, "call": nothing}))
    assert found.total.treated == 0 and found.assignments.num_rows == 0
    assert found.power.power is None and found.curve.knee == 0


def test_who_cannot_be_valued_is_left_out_and_counted(score_rows, ordered):
    blank = score_rows.copy()
    blank.loc[:99, "clv"] = None
    found = draw_up(blank, ordered(budget=BUDGET))
    assert found.unscored == 100
    assert not set(rows(found)["customer_id"]) & set(blank["customer_id"][:100])
    blank["clv"] = None
    with pytest.raises(CampaignError, match="what customers are worth"):
        draw_up(blank, ordered(budget=BUDGET))


def test_where_nobody_can_be_valued_the_scores_own_reason_is_told(score_rows, ordered):
    blank = score_rows.copy()
    blank["clv"] = None
    blank["abstained"] = "source stale (transactions): clv, tier"
    blank.loc[:9, "abstained"] = "no price on record: clv; nothing here: stage"
    with pytest.raises(CampaignError) as caught:
        draw_up(blank, ordered(budget=BUDGET))
    told = str(caught.value)
    assert f"of {blank['as_of'].iloc[0]}: source stale (transactions); no price on record." in told
    assert "label" not in told and "nothing here" not in told


def test_a_plan_needs_an_action(score_rows, ordered):
    with pytest.raises(CampaignError, match=r"\[actions\.<name>\]"):
        draw_up(score_rows, ordered(actions={}))


def test_the_curve_rises_less_and_less_up_to_the_knee(plan):
    points = plan.curve.points
    profit = np.array([point.profit for point in points])
    budget = np.array([point.budget for point in points])
    assert points[0].profit == 0 and points[-1].budget == plan.curve.knee
    assert (np.diff(profit) > 0).all() and (np.diff(budget) > 0).all()
    gains = np.diff(profit) / np.diff(budget)
    # Whole customers make it a little uneven.
    assert (np.diff(gains) < 0.05 * gains[0]).all()
    coins = [point.next_coin for point in points]
    assert coins == sorted(coins, reverse=True) and coins[-1] == 1


def test_the_curve_and_the_plan_beside_it_agree(people, scored, ordered):
    """All customers are in the curve: what is left is who happens to be held out."""
    call = ACTIONS["call"] | {"capacity": 500}
    order = ordered({**ACTIONS, "call": call}, holdout=0.05)
    seen = prospect(scored(people(8_000, seed=3))[0], order)
    drawn = curve(seen.whole, treated=0.95)
    assert drawn.customers == 8_000 and not drawn.estimated
    for point in (drawn.points[5], drawn.points[-1]):
        rules = order.rules.model_copy(update={"budget": point.budget})
        made = settle(seen, replace(order, rules=rules), drawn)
        assert made.total.profit == pytest.approx(point.profit, rel=0.01)


@pytest.mark.parametrize("budget", [BUDGET, 1e6, None])
def test_an_estimated_curve_goes_through_the_plan(score_rows, ordered, monkeypatch, budget):
    monkeypatch.setattr(curves, "_WHOLE", 200)
    monkeypatch.setattr(curves, "_SOME", 100)
    found = draw_up(score_rows, ordered(budget=budget, holdout=0.2))
    assert found.curve.estimated and found.curve.customers == 100
    at = budget if budget == BUDGET else found.total.cost
    assert found.curve.at(at) == pytest.approx(found.total.profit)
    assert found.curve.points[-1].budget == found.curve.knee
    assert budget == BUDGET or found.curve.knee == pytest.approx(found.total.cost)
    said = " ".join(remarks.sentences(shelf.figures(found), "EUR"))
    assert "estimated from 100 evenly spaced customers" in said


@pytest.mark.parametrize(("budget", "cost", "words"), [
    (0.0, 3.0, "the budget is 0"),
    (0.5, 3.0, "a budget of 0.50 EUR is too small for any action that pays"),
    (0.5, 1e6, "no action pays for anyone"),
    (None, 1e6, "no action pays for anyone"),
])  # fmt: skip
def test_why_nobody_gets_anything_is_said(score_rows, ordered, budget, cost, words):
    call = {"call": ACTIONS["call"] | {"cost": cost}}
    made = draw_up(score_rows, ordered(call, budget=budget))
    assert made.total.treated == 0
    said = [one for one in remarks.sentences(shelf.figures(made), "EUR") if "Nobody" in one]
    assert len(said) == 1 and words in said[0]


def test_the_key_is_not_in_what_a_plan_or_an_order_shows(plan, ordered):
    order = ordered()
    assert repr(order.key) not in repr(order) + repr(plan)
