"""What the service answers of subscribers: what-ifs, splits of value, and its pages."""

from __future__ import annotations

import html
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from serving import scores
from serving.api import raw, whatifs, why
from serving.api.failures import Failure
from serving.api.submitted import ScoreRequest
from serving.insight import subscribed, whatif
from serving.workbench import insight, pages
from serving.worker import Worker
from tests.serving.insight.businesses import (
    AS_OF,
    before,
)


def asked(worker: Worker, ids: list[str], **change: Any) -> list[dict[str, Any]]:
    request = whatifs.WhatifRequest.model_validate({"customer_ids": ids, "change": change})
    told = whatifs.answer(worker, request, ["risk", "value"])
    whatifs.WhatifAnswer.model_validate(told)
    return told["items"]


def test_before_is_the_score_table_and_after_a_discount_is_worth_less(worker):
    rows = scores.read(worker.deployment.store.scores(AS_OF))
    ids = rows["customer_id"].astype(str).tolist()[:50]
    known = rows.set_index("customer_id")
    for item in asked(worker, ids, kind="price_change", percent=-50):
        one = known.loc[item["customer_id"]]
        assert item["before"]["churn_probability"] == one["churn_probability"]
        assert item["before"]["clv"] == one["clv"]
        # The retention of plans does not know the price.
        assert item["after"]["churn_probability"] == one["churn_probability"]
        assert item["after"]["clv"] == pytest.approx(one["clv"] / 2)


def test_who_has_not_renewed_has_no_payment_that_could_have_failed(worker, making):
    known = before(making("subscription"))
    new = known.index[known["subscription_renewals"] == 0][0]
    old = known.index[known["subscription_renewals"] > 0][0]
    first, second, nobody = asked(worker, [new, old, "nobody"], kind="failed_payment")
    assert first["error"]["code"] == "no_renewal" and "before" in first
    assert second["after"]["stage"]
    assert nobody["error"]["code"] == "unknown_customer"


def test_a_plan_is_known_by_its_word_capitals_and_blanks_aside(worker):
    ids = known_ids(worker)[:20]
    exact = asked(worker, ids, kind="plan_change", plan="annual")
    assert asked(worker, ids, kind="plan_change", plan=" Annual") == exact
    assert any(item["before"] != item["after"] for item in exact)


@pytest.mark.parametrize("plan", ["Basic ", "platinum"])
def test_a_plan_sent_to_score_is_known_by_its_word_or_noted(worker, making, plan):
    rows = making("subscription").rows
    row = {"start": "2023-05-01", "price": 9.0}
    sent = [
        {"customer_id": word, "subscriptions": [{**row, "plan": word}]} for word in ("basic", plan)
    ]
    assert set(rows["plan"]) == {"annual", "basic", "gold"}
    request = ScoreRequest.model_validate({"as_of": AS_OF, "customers": sent})
    known, other = raw.score(worker, worker.desk, request).items
    assert known["churn_probability"] is not None and known.pop("notes") == []
    if plan == "platinum":
        (said,) = other["notes"]
        assert "nobody has" in said and "basic" in said
    else:
        assert {**other, "customer_id": "basic"} == {**known, "notes": []}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "purchase"}, "not_for_subscribers"),
        ({"kind": "no_refunds"}, "not_for_subscribers"),
        ({"kind": "plan_change", "plan": "platinum"}, "unknown_plan"),
    ],
)
def test_what_cannot_be_of_subscribers_is_refused_with_what_can(worker, change, code):
    with pytest.raises(Failure) as caught:
        asked(worker, ["x", next(iter(known_ids(worker)))], **change)
    assert (caught.value.status, caught.value.code) == (422, code)
    assert "annual" in caught.value.message or "failed_payment" in caught.value.message


def known_ids(worker: Worker) -> list[str]:
    rows = scores.read(worker.deployment.store.scores(AS_OF))
    return rows["customer_id"].astype(str).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "price_change"},
        {"kind": "price_change", "percent": -100},
        {"kind": "plan_change"},
        {"kind": "failed_payment", "percent": 3},
        {"kind": "complaint", "plan": "annual"},
    ],
)
def test_a_change_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match=r"percent|plan"):
        whatifs.ChangeRequest.model_validate(change)


def test_plans_are_told_by_how_many_have_them(making):
    business = making("period")
    with duckdb.connect() as engine:
        found = subscribed.plans(business.store, engine, AS_OF)
    counted = business.behaviour["subscription_plan"].value_counts()
    assert [counted[one.name] for one in found] == sorted(counted, reverse=True)
    assert {one.name: one.term for one in found}["annual"] == (12, 0)


def test_a_value_is_split_by_renewals_and_the_page_tells_it(worker, making):
    rows = scores.to_table(scores.read(worker.deployment.store.scores(AS_OF))).to_pylist()
    known, desk_ = before(making("subscription")), worker.need_desk()
    told = why.explained(worker, desk_, [row["customer_id"] for row in rows], ["risk", "value"])
    for row in rows:
        split = why.Split.model_validate(told[row["customer_id"]]["split"])
        assert split.price == pytest.approx(known.loc[row["customer_id"], "subscription_price"])
        assert split.renewals * split.price == pytest.approx(row["expected_spend"])
        assert split.lifetime_renewals * split.profit_per_renewal == pytest.approx(row["clv"])
        assert split.months is None and split.purchases_if_back is None
    # Among them years that are not up within the horizon.
    assert sum(row["expected_spend"] == 0 for row in rows) > 10
    row = next(row for row in rows if row["expected_spend"] == 0)
    alone = why.explained(worker, desk_, [row["customer_id"]], ["value"])[row["customer_id"]]
    assert set(alone["split"]) == {"price", "profit_per_renewal"}
    page = pages.environment("en").get_template("customer_why.html")
    shown = page.render(
        row=row,
        meta=SimpleNamespace(currency="EUR"),
        sees={"risk": True, "value": True},
        why={"split": told[row["customer_id"]]["split"]},
        since=None,
    )
    assert "0.00 renewals paid × " in shown and "to come back" not in shown


def form(worker: Worker, one: str, **asked: str) -> dict[str, Any]:
    found = insight.content(
        worker, worker.need_desk(), one, tuple(asked.items()), ["risk", "value"]
    )
    return found["whatif"]


def test_the_page_offers_what_can_be_asked_of_subscribers(worker):
    offered = [kind for kind, _ in form(worker, known_ids(worker)[0])["offered"]]
    assert set(offered) == set(whatif.offered(subscribers=True))


def test_a_what_if_of_the_page_is_the_answer_of_the_api(worker):
    one = known_ids(worker)[0]
    for change, given in (
        ({"change": "price_change", "percent": "-25"}, {"percent": -25}),
        ({"change": "plan_change", "plan": "annual"}, {"plan": "annual"}),
    ):
        (item,) = asked(worker, [one], kind=change["change"], **given)
        assert form(worker, one, **change)["said"] == item
    assert "This change cannot be" in form(worker, one, change="plan_change")["refused"]


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"change": "price_change", "percent": "-25"}, "Next renewal is due"),
        ({"change": "failed_payment"}, "Has not renewed yet"),
        ({"change": "plan_change", "plan": "annual"}, "in none of the figures"),
    ],
)
def test_the_page_tells_it_in_the_words_of_a_contract(worker, making, spoken, asked, said):
    known = before(making("subscription"))
    new = known.index[known["subscription_renewals"] == 0][0]
    told = html.unescape(
        pages.environment(spoken)
        .get_template("customer_whatif.html")
        .render(
            row={"customer_id": new},
            meta=SimpleNamespace(currency="EUR"),
            sees={"risk": True, "value": True},
            whatif=form(worker, new, **asked),
            alike=[],
        )
    )
    assert 'name="percent"' in told and 'name="amount"' not in told
    assert '<option value="-25"' in told and ">annual</option>" in told
    assert (said in told) == (spoken == "en")
