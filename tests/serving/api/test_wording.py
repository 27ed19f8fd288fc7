"""Words of a request stand for those of the tables, and what stands for none is noted."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from serving import event_words
from serving.api import noted, wording
from serving.api.submitted import RawCustomer
from serving.api.wording import Wording

AS_OF = date(2024, 2, 1)
KNOWN = Wording({}, ("Basic", "Gold", "gold"), complete=True)


def test_own_words_for_kinds_are_those_of_the_settings():
    events = {"uri": "x", "kind": "k", "kinds": {" Rating ": "Satisfaction"}}
    kept = event_words.kept({"sources": {"events": events}})
    words = Wording(event_words.checked(kept))
    assert words.kind("RATING ") == "satisfaction"
    assert words.kind("usage") == "usage" and words.kind(None) is None
    assert event_words.kept({}) == event_words.kept({"sources": {"events": {"uri": "x"}}}) == {}
    with pytest.raises(ValidationError, match="expected one of complaint"):
        event_words.checked({"rating": "mark"})


def test_a_plan_goes_by_its_word_capitals_and_blanks_aside():
    assert KNOWN.plan(" basic ") == "Basic" and KNOWN.plan("BASIC") == "Basic"
    assert KNOWN.plan("gold") == "gold" and KNOWN.plan("Gold ") == "Gold"
    assert KNOWN.plan("GOLD") == "Gold"
    assert KNOWN.plan("silver") is None and KNOWN.plan(None) is None


def test_plans_of_a_table_come_with_those_of_most_first(tmp_path):
    path = tmp_path / "behaviour.parquet"
    assert wording.had(path) == ()
    pq.write_table(pa.table({"subscription_plan": ["b", "a", None, "c", "c"]}), path)
    assert wording.had(path) == ("c", "a", "b")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"days": [1]}), other)
    assert wording.had(other) == ()


def told(words: Wording = KNOWN, margins_of=None, **rows) -> list[str]:
    customer = RawCustomer.model_validate({"customer_id": "x", **rows})
    return noted.notes(customer, words, margins_of, AS_OF)


def test_a_plan_that_nobody_has_is_noted_where_all_are_known_and_it_runs():
    row = {"start": "2024-01-01", "plan": "Silver", "price": 9}
    (said,) = told(subscriptions=[row])
    assert "a plan that nobody has" in said and "Basic, Gold, gold" in said and "Silver" not in said
    assert told(subscriptions=[{**row, "plan": "BASIC"}, {**row, "plan": None}]) == []
    assert told(subscriptions=[{**row, "end": "2024-01-31"}]) == []
    assert told(subscriptions=[{**row, "start": "2024-02-01"}]) == []
    assert told(Wording({}, ("Basic",)), subscriptions=[row]) == []


@pytest.mark.parametrize(("source", "of"), [("transactions", "amount"), ("subscriptions", "price")])
def test_a_margin_that_is_not_read_or_cannot_be_is_noted(source, of):
    rows = [{of: 10.99, "margin": 99}, {of: "10", "margin": "10.5"}, {of: 10, "margin": 10}]
    (said,) = told(margins_of=source, **{source: rows})
    assert "2 of the" in said and f"above its `{of}`" in said
    (said,) = told(**{source: rows})
    assert f"named no margin in [sources.{source}]" in said
    fine = [{of: 10, "margin": -2}, {of: 10}, {of: "much", "margin": 3}, {of: -5, "margin": 1}]
    assert told(margins_of=source, **{source: fine}) == []
