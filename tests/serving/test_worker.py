"""When a worker can answer, and what it says when it cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from features.store import Store
from serving.api.failures import Failure
from serving.api.newest import Newest
from serving.deployment import Deployment, Names
from serving.worker import Worker, start

NAMES = Names("shop", "EUR", "Pacific/Auckland")


def worker(*, scorer: object = None, newest: object = None, at: datetime | None = None) -> Worker:
    moment = at or datetime(2024, 7, 3, tzinfo=UTC)
    return Worker(Deployment(NAMES, None, None, ""), scorer, newest, clock=lambda: moment)


@pytest.mark.parametrize(
    ("scorer", "newest", "ready"),
    [
        (None, None, False),
        (object(), None, True),
        (object(), SimpleNamespace(current=lambda: None), False),
        (object(), SimpleNamespace(current=lambda: object()), True),
        (None, SimpleNamespace(current=lambda: object()), False),
    ],
)
def test_it_is_ready_with_a_model_and_the_score_table_of_its_store(scorer, newest, ready):
    assert worker(scorer=scorer, newest=newest).ready is ready


def test_what_is_missing_is_told_with_what_to_run():
    with pytest.raises(Failure, match="regulars score") as caught:
        worker().need_desk()
    assert caught.value.status == 503
    for need in (worker().need_scorer, worker().need_plans):
        with pytest.raises(Failure, match="regulars train") as caught:
            need()
        assert caught.value.code == "not_trained"


def test_today_is_where_the_business_is():
    late = worker(at=datetime(2024, 7, 3, 13, tzinfo=UTC))
    assert late.today == date(2024, 7, 4)
    assert late.staleness_days(date(2024, 7, 1)) == 3
    assert late.staleness_days(date(2024, 7, 9)) == 0


def test_before_the_first_training_and_scoring_it_starts_and_is_not_ready(tmp_path, monkeypatch):
    from training.runs import registry

    monkeypatch.setattr(registry, "champion", lambda *_: None)
    settings = tmp_path / "regulars.toml"
    settings.write_text('name = "shop"\ncurrency = "EUR"\ntimezone = "UTC"\n')
    started = start({"REGULARS_CONFIG": str(settings)})
    assert started.scorer is None
    assert started.desk is None
    assert not started.ready


def test_a_score_table_is_served_before_there_is_a_model(tmp_path, score_file):
    store = Store(tmp_path)
    score_file(store.scores(date(2024, 7, 1)))
    found = worker(newest=Newest(store))
    assert found.need_desk().totals.customers == 50
    assert not found.ready
