"""A new score table takes its place while the service runs; one that cannot be read does not."""

from __future__ import annotations

import os
import time
from datetime import date

import pytest

from features.store import Store
from serving.api.newest import Newest


class Clock:
    """Seconds that grow when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """What the clock shows."""
        return self.now


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def clock():
    return Clock()


def wait_for(condition) -> None:
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


def customers(newest: Newest) -> int | None:
    table = newest.current()
    return None if table is None else table.totals.customers


def test_before_the_first_scoring_there_is_none_and_then_there_is(store, clock, score_file):
    newest = Newest(store, clock=clock)
    assert newest.current() is None
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    assert newest.current() is None
    clock.now += 5
    wait_for(lambda: customers(newest) == 30)


def test_the_store_is_looked_at_once_in_a_few_seconds(store, clock, score_file):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    newest = Newest(store, seconds=5, clock=clock)
    score_file(store.scores(date(2024, 7, 1)), customers=40)
    clock.now += 4.9
    assert customers(newest) == 30
    clock.now += 0.1
    assert customers(newest) in (30, 40)
    wait_for(lambda: customers(newest) == 40)


def test_the_latest_as_of_date_is_served(store, score_file):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    score_file(store.scores(date(2024, 8, 1)), customers=40, as_of=date(2024, 8, 1))
    score_file(store.scores(date(2024, 6, 1)), customers=20, as_of=date(2024, 6, 1))
    table = Newest(store).current()
    assert table is not None
    assert table.meta.as_of == date(2024, 8, 1)


def test_the_old_table_stays_when_the_new_one_cannot_be_read(store, score_file, caplog):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    newest = Newest(store)
    broken = store.scores(date(2024, 8, 1))
    broken.write_bytes(b"half a file")
    newest.look()
    assert customers(newest) == 30
    assert "a new score table is not used" in caplog.text
    caplog.clear()
    newest.look()
    assert caplog.text == ""
    score_file(broken, customers=40, as_of=date(2024, 8, 1))
    newest.look()
    assert customers(newest) == 40


@pytest.mark.parametrize("harm", ["broken", "gone"])
def test_a_table_in_use_stays_when_its_own_file_is_harmed(store, score_file, harm):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    newer = store.scores(date(2024, 8, 1))
    score_file(newer, customers=40, as_of=date(2024, 8, 1))
    newest = Newest(store)
    if harm == "broken":
        newer.write_bytes(b"half a file")
    else:
        newer.unlink()
    newest.look()
    assert customers(newest) == 40


def test_a_broken_newest_table_at_the_start_leaves_the_one_before(store, score_file):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    store.scores(date(2024, 8, 1)).write_bytes(b"")
    assert customers(Newest(store)) == 30


def test_a_table_in_use_stays_whole_while_another_takes_its_place(store, score_file):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    newest = Newest(store)
    old = newest.current()
    assert old is not None
    score_file(store.scores(date(2024, 7, 1)), customers=40)
    newest.look()
    assert customers(newest) == 40
    assert old.rows(["c000029"], ["clv"]).keys() == {"c000029"}
    assert old.totals.customers == 30


def test_files_of_other_names_are_passed_over(store, score_file):
    score_file(store.scores(date(2024, 7, 1)), customers=30)
    folder = store.path / "scores"
    (folder / ".as_of=2024-09-01.parquet.abc.tmp").write_bytes(b"")
    (folder / "as_of=latest.parquet").write_bytes(b"")
    os.mkfifo(folder / "pipe")
    assert customers(Newest(store)) == 30
