"""Saved lists: filters under a name, whole or not there, for everybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from features.store import Store
from serving import lists
from serving.errors import ServingError

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
PAIRS = [("stage", "at_risk"), ("stage", "lapsed"), ("min_clv", "10"), ("sort", "-clv")]


def save(store, name, pairs=PAIRS, who="ann"):
    return lists.save(store, name, pairs, who=who, now=NOW)


def test_a_list_comes_back_as_it_was_saved(tmp_path):
    store = Store(tmp_path)
    saved = save(store, "  call   on Monday ")
    assert saved.name == "call on Monday"
    assert lists.listed(Store(tmp_path)) == (saved,)
    assert saved.filter == tuple(PAIRS)
    assert (saved.who, saved.at) == ("ann", NOW.isoformat())


def test_lists_are_told_by_name_and_one_of_a_name_is_replaced(tmp_path):
    store = Store(tmp_path)
    for name in ("b", "周一要打的电话", "a", "../../etc/passwd"):
        save(store, name)
    save(store, "a", [("sort", "customer_id")], who="bob")
    found = lists.listed(store)
    assert [one.name for one in found] == sorted(["b", "周一要打的电话", "a", "../../etc/passwd"])
    assert next(one for one in found if one.name == "a").who == "bob"
    assert {file.parent for file in tmp_path.rglob("*.json")} == {tmp_path / "lists"}


def test_a_list_is_removed_by_its_digest_and_nothing_else_is(tmp_path):
    store = Store(tmp_path)
    one, other = save(store, "one"), save(store, "other")
    (tmp_path / "secret.json").write_text("{}")
    assert lists.remove(store, "../secret") is None
    assert lists.remove(store, one.digest) == one
    assert lists.remove(store, one.digest) is None
    assert lists.listed(store) == (other,)
    assert (tmp_path / "secret.json").exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_name_that_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(ServingError, match="expected 1 to 60"):
        save(Store(tmp_path), name)
    assert lists.listed(Store(tmp_path)) == ()


def test_there_is_room_for_so_many_and_the_old_ones_can_still_be_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "MOST", 2)
    store = Store(tmp_path)
    save(store, "a")
    save(store, "b")
    with pytest.raises(ServingError, match="2 lists already"):
        save(store, "c")
    save(store, "a", [("sort", "-clv")])


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"name": "x"}), '{"filter": [["a"]]}'])
def test_a_file_that_cannot_be_read_is_passed_over(tmp_path, text):
    saved = save(Store(tmp_path), "a")
    (tmp_path / "lists" / "broken.json").write_text(text)
    assert lists.listed(Store(tmp_path)) == (saved,)
