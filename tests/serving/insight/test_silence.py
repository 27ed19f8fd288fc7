"""Days of silence at two dates: read as they stand, null where a date does not know."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.store import Store
from serving.insight.silence import Silence, silences

THEN, NOW = date(2024, 4, 1), date(2024, 7, 1)


def behaviour(store: Store, day: date, days: dict[str, int | None], name="days_since_last"):
    path = store.behaviour(day)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"customer_id": list(days), name: list(days.values())}), path)


@pytest.fixture
def store(tmp_path) -> Store:
    kept = Store(tmp_path)
    behaviour(kept, THEN, {"a": 12, "b": None, "c": 3})
    behaviour(kept, NOW, {"a": 121, "b": 4, "c": None, "d": 1})
    return kept


def test_both_dates_are_told_of_who_is_asked_for(store):
    told = silences(store, THEN, NOW, ["a", "b", "c", "nobody"])
    assert told == {"a": Silence(12, 121), "b": Silence(None, 4)}
    assert silences(store, THEN, NOW, []) == {}


def test_an_earlier_date_without_its_behaviour_is_told_of_now_only(store):
    store.behaviour(THEN).unlink()
    assert silences(store, THEN, NOW, ["a", "d"]) == {
        "a": Silence(None, 121),
        "d": Silence(None, 1),
    }
    store.behaviour(NOW).unlink()
    assert silences(store, THEN, NOW, ["a"]) == {}


def test_a_table_without_the_column_tells_nothing(store):
    behaviour(store, NOW, {"a": 5}, name="other")
    assert silences(store, THEN, NOW, ["a"]) == {}
