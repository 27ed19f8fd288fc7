"""A finding silences the answers of those models that read what it is about, and no others."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from features.catalogue import names
from features.freshness import Freshness
from training.silence.shape import learn
from training.silence.unsaid import (
    ALIVE,
    FIGURES,
    NEXT,
    RISK,
    SOURCE_STALE,
    SPEND,
    STAGE,
    STANDING,
    WORDS,
    Finding,
    answers_of,
    columns_of,
    find,
    source_of,
)

READS = {"complaints_90": "care", "order_mean": "spend", "frequency": "rfm"}
BLEND = SimpleNamespace(speaker="blend", value=True, families=READS)
VALUE = SimpleNamespace(speaker="value", value=True, families={})
LABEL = SimpleNamespace(speaker="pair", value=None, families={"attribute_plan": "attributes"})
PLANS = SimpleNamespace(speaker="sbg", rule="subscription", families={})
WITH_MARGINS = SimpleNamespace(speaker="value", value=True, families={}, margins=True)


@pytest.mark.parametrize(
    ("scorer", "column", "answers"),
    [
        (BLEND, "complaints_90", {*RISK, *FIGURES}),
        (BLEND, "order_mean", {*RISK, *FIGURES}),
        (BLEND, "frequency", {*RISK, *ALIVE, *FIGURES, NEXT}),
        (BLEND, "monetary_value", {*SPEND}),
        (BLEND, "usage_90", set()),
        (VALUE, "complaints_90", set()),
        (VALUE, "recency", {*RISK, *ALIVE, *FIGURES, NEXT}),
        (VALUE, "margin_total", set()),
        (WITH_MARGINS, "margin_total", {"clv"}),
        (LABEL, "attribute_plan", {*RISK}),
        (LABEL, "frequency", set()),
        (PLANS, "subscription_plan", {*RISK, *FIGURES, STAGE}),
        (PLANS, "subscription_price", {*SPEND}),
        (PLANS, "frequency", set()),
    ],
)
def test_answers_rest_on_what_their_model_reads(scorer, column, answers):
    assert set(answers_of(scorer, [column])) == answers


def test_the_order_of_the_columns_is_no_matter():
    told = answers_of(BLEND, ["frequency", "order_mean"])
    assert told == answers_of(BLEND, ["order_mean", "frequency", "order_mean"])


def test_every_column_comes_from_one_source():
    parts = [columns_of(one, names()) for one in ("transactions", "events", "subscriptions")]
    assert sorted(name for part in parts for name in part) == sorted(names())
    assert source_of("attribute_x") == "customers"
    assert source_of("value_p_alive") == source_of("churned") == ""


@pytest.mark.parametrize(
    ("scorer", "source", "standing"),
    [
        (BLEND, "transactions", True),
        (BLEND, "events", False),
        (PLANS, "subscriptions", True),
        (VALUE, "events", None),
    ],
)
def test_what_stands_on_the_newest_row_goes_with_its_source(scorer, source, standing):
    old = Freshness(source, date(2024, 1, 1), 99, 200, 1.0, 3, 7)
    frame = pd.DataFrame(columns=["customer_id", *names()])
    found = find(scorer, frame, (old,))
    assert len(found) == (standing is not None)
    for one in found:
        assert one.reason == SOURCE_STALE and one.subject == source
        assert set(STANDING).issubset(one.answers) is standing


def test_what_no_model_reads_is_no_finding():
    seen = pd.DataFrame({"attribute_size": [1.0] * 50, "attribute_plan": ["a"] * 50})
    shape = learn([seen])
    gone = seen.assign(attribute_size=None)
    scorer = SimpleNamespace(**vars(LABEL), shape=shape)
    assert len(shape.compare(gone)) == 1 and find(scorer, gone) == ()
    assert len(find(scorer, seen.assign(attribute_plan="b"))) == 1


def test_a_finding_survives_as_text():
    one = Finding(SOURCE_STALE, "events", ("usage_90",), "seen", "usual", "Do.", (*RISK,))
    assert Finding.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert one.in_words() == f"{WORDS[SOURCE_STALE]} (events): seen; expected usual. Do."
