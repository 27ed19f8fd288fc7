"""Kinds of events: which are read, and what is said of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.kinds import KINDS, READ, unread


def _unread(*kinds: str) -> str | None:
    rows = pa.table({"kind": pa.array(kinds, pa.string())})
    return unread(ibis.duckdb.connect().create_table("events", rows))


BOUGHT = [("a", "2024-01-01", 1)]


def _care(rows_of: Any, *kinds: str) -> dict[str, Any]:
    seen = [("a", datetime(2024, 5, 1, 10).isoformat(), kind, 2.0) for kind in kinds]
    return rows_of(BOUGHT, seen=seen)["a"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_known_kind_changes_a_feature(rows_of: Any, kind: str) -> None:
    # A resolution shows where there is something to resolve.
    before = ("complaint",) if kind == "resolution" else ()
    assert _care(rows_of, *before, kind) != _care(rows_of, *before)


def test_another_kind_changes_none(rows_of: Any) -> None:
    assert _care(rows_of, "contact", "reklamation") == _care(rows_of, "contact")


@pytest.mark.parametrize("kinds", [(), READ, ("usage",) * 3])
def test_nothing_is_said_when_every_event_is_read(kinds: tuple[str, ...]) -> None:
    assert _unread(*kinds) is None


def test_rows_of_unknown_kinds_are_counted_and_named_with_the_known_ones() -> None:
    said = _unread("usage", *["reklamation"] * 1200, *["closed"] * 2)
    assert said is not None
    assert said.startswith(
        "1,202 of 1,203 events are of kinds that are not read: 'reklamation' (1,200), 'closed' (2)."
    )
    assert f"Known kinds are {', '.join(READ)};" in said
    assert 'kinds = { "your word" = "complaint" }' in said


def test_the_five_most_frequent_kinds_are_named_whatever_the_order() -> None:
    # g is met seven times, a once; c and d as often as each other.
    times = {"a": 1, "b": 2, "c": 3, "d": 3, "e": 5, "f": 6, "g": 7}
    rows = [kind for kind, number in times.items() for _ in range(number)]
    said = _unread(*rows)
    assert said is not None
    assert said == _unread(*reversed(rows))
    assert "'g' (7), 'f' (6), 'e' (5), 'c' (3), 'd' (3) and 2 more." in said


def test_that_no_event_is_read_is_said_plainly() -> None:
    said = _unread("reklamation", "closed")
    assert said is not None
    assert said.startswith("No event of 2 is of a kind that is read, so they change nothing:")


def test_a_kind_of_many_words_is_cut_short() -> None:
    said = _unread("x" * 1000)
    assert said is not None
    assert len(said) < 400
