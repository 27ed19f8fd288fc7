"""Who is in a plan that still runs is left to it: no later plan treats them or holds them out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.settings import Sources
from features.store import Store
from serving import scores
from serving.campaigns import curve as curves
from serving.campaigns import making, membership, shelf
from serving.campaigns.audience import IN_A_PLAN
from serving.campaigns.office import Office
from serving.campaigns.order import Order
from serving.campaigns.planning import draw_up
from serving.campaigns.remarks import sentences
from serving.campaigns.settings import ActionSettings, PlanSettings
from serving.campaigns.terms import terms
from serving.errors import CampaignError
from tests.serving.campaigns.conftest import ACTIONS

DAY = date(2024, 7, 1)
ALL = {name: ActionSettings.model_validate(one) for name, one in ACTIONS.items()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve without its exact search, which nothing here looks at."""
    monkeypatch.setattr(curves, "_SMOOTH", 0)


@pytest.fixture(scope="module")
def frame(score_file, tmp_path_factory):
    """300 made customers, scored for 90 days."""
    path = tmp_path_factory.mktemp("store") / "as_of=2024-07-01.parquet"
    score_file(path, customers=300)
    return scores.read(path)


def order(plan_id: str, budget: float | None = None) -> Order:
    rules = PlanSettings(holdout=0.3, budget=budget)
    return Order(plan_id=plan_id, key=b"k" * 32, margin=0.3, actions=ALL, rules=rules)


def later(frame, days: int, plan_id: str, folder, budget: float | None = None):
    """A plan of another day, beside those that run."""
    day = DAY + timedelta(days=days)
    asked = replace(order(plan_id, budget), running=membership.running(folder, day))
    return draw_up(frame.assign(as_of=day), making.beside(asked, folder))


def people(plan) -> set[str]:
    return set(plan.assignments["customer_id"].to_pylist())


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 200), st.floats(5, 60)), min_size=2, max_size=3))
def test_plans_that_run_together_have_nobody_in_common(frame, tmp_path_factory, campaigns):
    folder, made = tmp_path_factory.mktemp("plans"), []
    for place, (days, budget) in enumerate(sorted(campaigns)):
        plan = later(frame, days, f"p{place}", folder, budget)
        for before, earlier in made:
            if days < before + 90:
                assert not people(plan) & people(earlier)
        shelf.keep(plan, folder)
        made.append((days, plan))


def test_they_are_free_again_once_its_days_are_over(frame, tmp_path):
    first = draw_up(frame, order("p1"))
    shelf.keep(first, tmp_path)
    assert people(first)
    last, after = (later(frame, days, "p2", tmp_path) for days in (89, 90))
    assert not people(last) & people(first)
    assert people(after) == people(first)
    assert last.held_back[IN_A_PLAN] == len(people(first)) and after.held_back[IN_A_PLAN] == 0
    assert any("still runs" in one for one in sentences(shelf.figures(last), "EUR"))
    assert not any("still runs" in one for one in sentences(shelf.figures(after), "EUR"))


def test_a_plan_runs_from_its_day_on_and_does_not_count_itself(frame, tmp_path):
    for name in ("p1", "p2"):
        shelf.keep(later(frame, 0, name, tmp_path, 20.0), tmp_path)
    told = membership.running(tmp_path, DAY)
    assert set(told) == {"p1", "p2"}
    assert membership.running(tmp_path, DAY, told[0]) == ()
    assert membership.running(tmp_path, DAY, told[1]) == told[:1]
    assert membership.running(tmp_path, DAY - timedelta(days=1)) == ()
    assert membership.running(tmp_path, DAY + timedelta(days=90)) == ()
    assert membership.engaged(tmp_path, ()) is None


def test_a_plan_that_cannot_be_read_bars_every_plan_beside_it(frame, tmp_path):
    shelf.keep(draw_up(frame, order("p1")), tmp_path)
    (tmp_path / "p1.parquet").unlink()
    with pytest.raises(CampaignError, match="nothing is planned beside it"):
        later(frame, 1, "p2", tmp_path)


@pytest.fixture
def desk(tmp_path, score_file) -> Office:
    """The office of a store with the scores of 300 made customers and no plan yet."""
    store = Store(tmp_path)
    score_file(store.scores(DAY), customers=300)
    told = terms(ALL, PlanSettings(), Sources(), margin=0.3, currency="EUR", timezone="UTC")
    return Office(store, told, lambda: datetime(2024, 7, 2, 12, tzinfo=UTC))


def test_a_proposal_of_the_same_day_knows_of_what_was_made(desk):
    before = desk.propose(DAY, 60.0).plan
    plan_id, under_way = desk.start(DAY, 30.0, None, who="ann")
    under_way.result(60)
    after = desk.propose(DAY, 60.0).plan
    taken = set(shelf.assignments(desk.store.plans(), plan_id)["customer_id"].to_pylist())
    assert taken & people(before) and not taken & people(after)
    assert before.plan_id != after.plan_id
    assert after.held_back[IN_A_PLAN] == len(taken)


def test_asked_for_again_every_plan_is_the_one_that_was_kept(desk):
    made = []
    for budget in (20.0, 30.0):
        plan_id, under_way = desk.start(DAY, budget, None, who="ann")
        under_way.result(60)
        made.append((budget, plan_id))
    for budget, plan_id in made:
        again = desk.propose(DAY, budget).plan
        assert again.plan_id == plan_id == desk.named(DAY, budget, None)
        assert again.assignments.equals(shelf.assignments(desk.store.plans(), plan_id))


def test_a_plan_begun_before_another_was_kept_is_refused(desk):
    first = desk.start(DAY, 20.0, None, who="ann")
    second = desk.start(DAY, 30.0, None, who="bob")
    first[1].result(60)
    if second[0] != desk.named(DAY, 30.0, None):
        with pytest.raises(CampaignError, match="plan again"):
            second[1].result(60)
    shown = desk.propose(DAY, 40.0).plan
    with pytest.raises(CampaignError, match="plan again"):
        making.keep(shown, desk.store, who="eve", now=datetime.now(UTC), running=())
