"""/whatif: before is the score table, after is what /score says of the changed log."""

from __future__ import annotations

import pytest

from serving.api import whatifs

pytestmark = pytest.mark.service

SIDE = set(whatifs.Scores.model_fields)


def asked(service, ids, **change):
    told = service.post("/whatif", {"customer_ids": ids, "change": change})
    assert told.status_code == 200, told.text
    whatifs.WhatifAnswer.model_validate(told.json(), extra="forbid")
    return told.json()["items"]


def scored(service, customers, **given):
    told = service.post("/score", {"customers": customers, **given})
    assert told.status_code == 200, told.text
    return [{n: v for n, v in item.items() if n in SIDE} for item in told.json()["items"]]


@pytest.fixture
def some(known):
    """Fifty customers, those who sent something back among them."""
    return known[::8]


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["purchase", "no_refunds"])
def test_before_is_the_score_table(service, shop, some, kind):
    table = scored(service, [shop.raw(one) for one in some])
    items = asked(service, some, kind=kind)
    assert [item["customer_id"] for item in items] == some
    assert [item["before"] for item in items] == table


@pytest.mark.parity
def test_without_refunds_is_the_log_without_refunds(service, shop, some):
    refunded = shop.log[(shop.log["amount"] < 0) & (shop.log["timestamp"] < "2024-07-01")]
    ids = [
        one for one in refunded["customer_id"].unique() if one in set(shop.scores["customer_id"])
    ]
    raws = [shop.raw(one) for one in ids[:40]]
    without = [
        {**raw, "transactions": [row for row in raw["transactions"] if row["amount"] >= 0]}
        for raw in raws
    ]
    items = asked(service, ids[:40], kind="no_refunds")
    after = [item["after"] for item in items]
    assert after == scored(service, without)
    assert any(item["after"] != item["before"] for item in items)


@pytest.mark.parity
@pytest.mark.parametrize("days", [1, 45])
def test_silence_is_the_same_log_at_a_later_date(service, shop, some, days):
    raws = [shop.raw(one) for one in some]
    cut = [
        {**raw, "transactions": [r for r in raw["transactions"] if r["timestamp"] < "2024-07-01"]}
        for raw in raws
    ]
    later = {1: "2024-07-02", 45: "2024-08-15"}[days]
    after = [item["after"] for item in asked(service, some, kind="silence", days=days)]
    assert after == scored(service, cut, as_of=later)


def test_a_purchase_is_one_more_in_the_log(service, shop, some):
    """But for how many products there are, which a what-if leaves as they were."""
    raws = [shop.raw(one) for one in some]
    row = {"timestamp": "2024-06-30", "amount": 40.0}
    more = [{**raw, "transactions": [*raw["transactions"], row]} for raw in raws]
    items = asked(service, some, kind="purchase", amount=40)
    for item, expected in zip(items, scored(service, more), strict=True):
        after = item["after"]
        same = ("stage", "rfm", "next_purchase_by", "p_alive")
        assert {n: after[n] for n in same} == {n: expected[n] for n in same}
        assert after["churn_probability"] == pytest.approx(expected["churn_probability"], abs=0.15)


def test_who_has_just_bought_is_likelier_to_stay_than_who_stays_away(service, some):
    back = asked(service, some, kind="purchase")
    gone = asked(service, some, kind="silence", days=90)
    risk = [
        (b["after"]["churn_probability"], g["after"]["churn_probability"])
        for b, g in zip(back, gone, strict=True)
        if None not in (b["after"]["churn_probability"], g["after"]["churn_probability"])
    ]
    assert sum(b < g for b, g in risk) > 0.9 * len(risk)


@pytest.mark.parametrize("kind", ["complaint", "resolution"])
def test_where_no_events_are_kept_it_says_so(service, known, kind):
    told = service.post("/whatif", {"customer_ids": known[:1], "change": {"kind": kind}})
    assert told.status_code == 422
    assert told.json()["error"]["code"] == "not_kept"
    assert "[sources.events]" in told.json()["error"]["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "silence", "amount": 3},
        {"kind": "purchase", "days": 3},
        {"kind": "purchase", "amount": -3},
        {"kind": "silence", "days": 0},
        {"kind": "luck"},
        {},
    ],
)
def test_a_change_that_cannot_be_is_refused(service, known, change):
    told = service.post("/whatif", {"customer_ids": known[:1], "change": change})
    assert told.status_code == 400


@pytest.mark.parametrize(("key", "hidden"), [("risk", "clv"), ("value", "churn_probability")])
def test_a_key_sees_its_own_columns(service, known, keys, key, hidden):
    given = {"customer_ids": [*known[:1], "nobody"], "change": {"kind": "purchase"}}
    item, nobody = service.post("/whatif", given, key=keys[key]).json()["items"]
    assert nobody["error"]["code"] == "unknown_customer"
    for side in ("before", "after"):
        assert "stage" in item[side]
        assert hidden not in item[side]
