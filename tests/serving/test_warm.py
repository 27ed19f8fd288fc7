"""What is worked out ahead: the questions that follow find it done."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from features.store import Store
from serving import desk, warm
from serving.api.newest import Newest
from serving.groups import remembered, standing
from serving.policy import Policy

AS_OF = "2024-07-01"


@pytest.fixture
def store(tmp_path, score_file):
    from datetime import date

    made = Store(tmp_path)
    for day in (date(2024, 4, 1), date(2024, 7, 1)):
        score_file(made.scores(day), 60, as_of=day)
    return made


def test_the_page_of_the_groups_finds_its_figures(store, monkeypatch):
    table = desk.load(store.scores(store.dates("scores")[-1]))
    before, day = store.dates("scores")
    warm.warm(SimpleNamespace(store=store, policy=Policy()), table)

    def worked_out(*_, **__):
        raise AssertionError("worked out again")

    for name in ("segments", "gains", "since"):
        monkeypatch.setattr(standing, name, worked_out)
    assert sum(one.customers for one in remembered.segments(store, day, {}).stages) == 60
    assert remembered.gains(store, day, Policy().value, raised=warm.RAISED)
    assert remembered.since(store, day, before).as_of == before


def test_a_failure_is_noted_and_goes_no_further(store, caplog):
    table = desk.load(store.scores(store.dates("scores")[-1]))
    store.scores(table.meta.as_of).unlink()
    with caplog.at_level(logging.INFO, logger="bentoml.regulars"):
        warm.warm(SimpleNamespace(store=store, policy=Policy()), table)
    assert "not everything is worked out ahead" in caplog.text


def test_each_new_table_is_told_once(store):
    import threading

    told: list[str] = []
    newest = Newest(store, loaded=lambda new: told.append(str(new.meta.as_of)))
    newest.look()
    for thread in threading.enumerate():
        if thread.name == "warm":
            thread.join(10)
    assert told == [AS_OF]
