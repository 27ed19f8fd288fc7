"""Which scope shows which column."""

from __future__ import annotations

import pytest

from serving import questions
from serving.api import messages
from serving.scores import SCHEMA


def test_every_column_of_the_score_table_belongs_to_one_scope():
    named = [*questions.COMMON, *questions.OF["risk"], *questions.OF["value"]]
    assert sorted(named) == sorted(SCHEMA.names)


@pytest.mark.parametrize("scopes", [["admin"], ["risk", "value"], ["admin", "risk"]])
def test_both_questions_show_the_whole_table_in_its_order(scopes):
    assert questions.columns(scopes) == tuple(SCHEMA.names)


def test_one_question_shows_its_own_and_the_common_columns():
    for scope, other in (("risk", "value"), ("value", "risk")):
        shown = set(questions.columns([scope]))
        assert shown == {*questions.COMMON, *questions.OF[scope]}
        assert not shown & set(questions.OF[other])


def test_no_scope_shows_the_common_columns_only():
    assert questions.columns([]) == tuple(n for n in SCHEMA.names if n in questions.COMMON)


def test_what_can_be_filtered_and_sorted_is_in_the_table():
    assert set(questions.SORTABLE) <= set(SCHEMA.names)
    assert set(questions.MEASURES) <= set(questions.SORTABLE)
    numbers = {item.name for item in SCHEMA if str(item.type) == "double"}
    assert set(questions.MEASURES) <= numbers


def test_answers_have_fields_for_every_column():
    assert set(SCHEMA.names) <= set(messages.Row.model_fields)
    assert set(questions.OF["risk"]) <= set(messages.RiskItem.model_fields)
    assert set(questions.OF["value"]) <= set(messages.ValueItem.model_fields)
