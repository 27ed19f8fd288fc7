"""What-ifs that change nothing say so."""

from __future__ import annotations

import pytest

from serving.workbench import facts

SIDE = {"stage": "loyal", "churn_probability": 0.2, "clv": 10.0}
SAME, OTHER = [
    {"before": SIDE, "after": SIDE | {"clv": clv, "churn_probability": risk}}
    for clv, risk in ((10.001, 0.2001), (9.0, 0.2))
]
KNOWN = {"complaints_open": 0, "refund_lines": 0, "subscription_plan": "Basic"}


@pytest.mark.parametrize("said", [SAME, OTHER])
@pytest.mark.parametrize(
    "asked",
    [
        {"change": "resolution"},
        {"change": "no_refunds"},
        {"change": "plan_change", "plan": "Basic"},
    ],
)
def test_where_there_is_nothing_to_change_the_page_says_what_is_missing(asked, said):
    assert facts.unchanged(KNOWN, asked, said) == facts.IDLE[asked["change"]]


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({"complaints_open": 1}, {"change": "resolution"}),
        ({"complaints_open": None}, {"change": "resolution"}),
        ({"refund_lines": 2}, {"change": "no_refunds"}),
        (KNOWN, {"change": "plan_change", "plan": "Gold"}),
        ({}, {"change": "plan_change", "plan": ""}),
        (KNOWN, {"change": "silence", "days": "30"}),
    ],
)
def test_else_it_says_so_only_where_both_sides_are_alike(known, asked):
    assert facts.unchanged(known, asked, SAME) == facts.ALIKE
    assert facts.unchanged(known, asked, OTHER) is None


@pytest.mark.parametrize("said", [None, {"before": SIDE, "error": {"code": "no_renewal"}}])
def test_of_what_could_not_be_told_it_says_nothing(said):
    assert facts.unchanged(KNOWN, {"change": "resolution"}, said) is None
