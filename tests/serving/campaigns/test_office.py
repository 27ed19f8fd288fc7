"""The planning office: a proposal is the plan, or an estimate near it, and a plan is made once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.settings import Sources
from features.store import Store
from serving.campaigns import curve as curves
from serving.campaigns import making, office, shelf
from serving.campaigns.office import Office
from serving.campaigns.settings import ActionSettings, PlanSettings
from serving.campaigns.terms import terms
from serving.errors import CampaignError
from tests.serving.campaigns.conftest import ACTIONS

DAY = date(2024, 7, 1)
NOON = datetime(2024, 7, 2, 12, tzinfo=UTC)
BUDGET = 150.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, score_file: Callable[..., Any]) -> Store:
    """A store with the scores of 900 made customers."""
    place = Store(tmp_path_factory.mktemp("store"))
    score_file(place.scores(DAY), customers=900)
    return place


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve without its exact search, which nothing here looks at."""
    monkeypatch.setattr(curves, "_SMOOTH", 0)


def opened(store: Store, sources: Sources | None = None, **rules: Any) -> Office:
    actions = {name: ActionSettings.model_validate(one) for name, one in ACTIONS.items()}
    told = terms(
        actions,
        PlanSettings(**rules),
        sources or Sources(),
        margin=0.3,
        currency="EUR",
        timezone="UTC",
    )
    return Office(store, told, lambda: NOON)


def test_a_proposal_is_the_plan_that_is_then_made(store):
    desk = opened(store)
    found = desk.propose(DAY, BUDGET)
    plan_id, under_way = desk.start(DAY, BUDGET, None, who="ann")
    under_way.result(60)
    assert found.sampled is None and found.plan.plan_id == plan_id
    assert shelf.assignments(store.plans(), plan_id).equals(found.plan.assignments)
    figures = json.loads(json.dumps(shelf.figures(found.plan), default=str))
    assert shelf.said(store.plans(), plan_id) == figures


def test_a_plan_is_made_and_noted_once_whoever_asks(store):
    plans = []
    for _ in range(2):
        plan_id, under_way = opened(store).start(DAY, 33.0, None, who="ann")
        under_way.result(60)
        plans.append(plan_id)
    assert plans[0] == plans[1]
    assert store.audit().read_text().count(plans[0]) == 1


def test_the_name_of_a_plan_follows_from_what_it_is_made_of(store):
    desk = opened(store)
    names = [
        desk.named(DAY, BUDGET, None),
        desk.named(DAY, BUDGET + 1, None),
        desk.named(DAY, BUDGET, ["call"]),
        opened(store, holdout=0.3).named(DAY, BUDGET, None),
    ]
    assert len(set(names)) == len(names)
    assert opened(store).named(DAY, BUDGET, None) == names[0]
    assert opened(store, budget=BUDGET).named(DAY, None, None) == names[0]
    assert all(name.startswith("2024-07-01-") for name in names)


def test_nobody_can_tell_the_name_without_the_key(store, tmp_path: Path):
    other = Store(tmp_path)
    other.scores(DAY).parent.mkdir()
    other.scores(DAY).write_bytes(store.scores(DAY).read_bytes())
    assert opened(other).named(DAY, BUDGET, None) != opened(store).named(DAY, BUDGET, None)


@pytest.mark.parametrize("budget", [BUDGET, None])
def test_of_a_large_table_a_proposal_is_an_estimate_near_the_plan(store, monkeypatch, budget):
    """Sums of two thirds of the customers, times three halves: within what a sample misses."""
    whole = opened(store).propose(DAY, budget).plan
    monkeypatch.setattr(office, "WHOLE", 800)
    monkeypatch.setattr(office, "SOME", 600)
    found = opened(store).propose(DAY, budget)
    assert found.sampled == 600 and found.plan.assignments.num_rows == 0
    assert found.plan.plan_id == whole.plan_id
    near = {"rel": 0.15}
    assert found.plan.total.profit == pytest.approx(whole.total.profit, **near)
    assert found.plan.total.cost == pytest.approx(whole.total.cost, **near)
    assert found.plan.curve.knee == pytest.approx(whole.curve.knee, **near)
    assert found.plan.power.treated == pytest.approx(whole.power.treated, **near)
    assert found.plan.power.smallest == pytest.approx(whole.power.smallest, **near)
    for mine in found.plan.lines:
        assert mine.forecast.treated <= (mine.capacity or 1e9)
    assert budget is None or found.plan.total.cost <= budget


def test_another_budget_does_not_look_at_everyone_again(store, monkeypatch):
    drawn, real = [], curves.curve
    monkeypatch.setattr(curves, "curve", lambda *a, **k: drawn.append(1) or real(*a, **k))
    desk = opened(store)
    for budget in (50.0, 0.0):
        desk.propose(DAY, budget)
    assert len(drawn) == 1
    desk.propose(DAY, 0.0, ["call"])
    assert len(drawn) == 2


def test_no_more_than_a_few_proposals_are_held(store, monkeypatch):
    monkeypatch.setattr(office, "_PROPOSALS", 2)
    desk = opened(store)
    found = [desk.propose(DAY, budget) for budget in (0.0, 5.0, 6.0)]
    assert len(desk._proposals) == 2
    assert desk.propose(DAY, 6.0) is found[-1] and desk.propose(DAY, 0.0) is not found[0]


def sourced(folder: Path, said: str) -> Sources:
    (folder / "people.csv").write_text(f"id,stop\nc000001,{said}\n")
    source = {"uri": str(folder / "people.csv"), "customer_id": "id", "attributes": ["stop"]}
    return Sources.model_validate({"customers": source})


def test_what_the_sources_say_is_read_again_after_a_while_and_for_every_plan(
    store, tmp_path: Path, monkeypatch
):
    times = iter([NOON + timedelta(minutes=minute) for minute in (0, 1, 40, 40, 40, 40)])
    read, real = [], making.read_facts
    monkeypatch.setattr(making, "read_facts", lambda *a, **k: read.append(1) or real(*a, **k))
    desk = opened(store, sourced(tmp_path, "no"), suppressed="stop")
    desk._clock = lambda: next(times)
    for _ in range(3):
        desk.propose(DAY, 0.0)
    assert len(read) == 2
    desk.start(DAY, 0.0, None, who="ann")[1].result(60)
    assert len(read) == 3


def test_without_a_source_that_says_who_may_be_contacted_nothing_is_planned(store, tmp_path: Path):
    desk = opened(store, sourced(tmp_path, "no"), suppressed="stop")
    (tmp_path / "people.csv").unlink()
    with pytest.raises(CampaignError, match="Nothing is planned without it"):
        desk.propose(DAY, BUDGET)
    with pytest.raises(CampaignError, match="Nothing is planned without it"):
        desk.start(DAY, 77.0, None, who="ann")[1].result(60)
    assert shelf.said(store.plans(), desk.named(DAY, 77.0, None)) is None


def test_a_claim_is_held_by_one_and_leaves_nothing_behind(tmp_path: Path):
    with shelf.claimed(tmp_path, "p1") as mine:
        assert mine and shelf.under_way(tmp_path, "p1")
        with shelf.claimed(tmp_path, "p1") as other:
            assert not other
        assert shelf.under_way(tmp_path, "p1")
        assert not shelf.under_way(tmp_path, "p2")
    assert not shelf.under_way(tmp_path, "p1")
    assert list(tmp_path.iterdir()) == []


def test_a_seal_is_of_one_plan_and_one_key(store):
    desk = opened(store)
    seals = {desk.seal(plan, who) for plan in ("a", "b") for who in ("ann", "bob")}
    assert len(seals) == 4 and desk.seal("a", "ann") in seals
