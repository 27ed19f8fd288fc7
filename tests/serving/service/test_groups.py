"""Groups over HTTP: figures for programs, the page for people, each with what its key may see."""

from __future__ import annotations

import pytest

from serving.api import group_messages

pytestmark = pytest.mark.service


def test_a_program_gets_the_figures_and_a_browser_the_page(service, shop):
    told = service.get("/segments")
    assert told.headers["content-type"] == "application/json"
    found = group_messages.SegmentsAnswer.model_validate_json(told.content, extra="forbid")
    counts = shop.scores["stage"].value_counts().to_dict()
    assert {one.name: one.customers for one in found.stages} == counts
    page = service.get("/segments", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    for answer in (told, page):
        assert "Accept" in answer.headers["vary"].split(",")[0]


def test_equity_is_the_sum_of_the_lifetime_values(service, shop):
    told = service.get("/equity", params={"retention": "0.1"})
    found = group_messages.EquityAnswer.model_validate_json(told.content, extra="forbid")
    assert sum(one.equity for one in found.tiers) == pytest.approx(shop.scores["clv"].sum())
    assert found.raised == 0.1
    assert sum(one.gain for one in found.gains) > 0
    assert found.since is None
    assert "second score table" in found.notes[0]


def test_equity_is_for_those_who_may_see_the_value(service, keys):
    assert service.get("/equity", key=keys["risk"]).status_code == 403
    told = service.get("/equity", key=keys["value"]).json()
    assert {one["churn_probability"] for one in told["tiers"]} == {None}
    assert service.get("/segments", key=keys["risk"]).json()["tiers"] == []
    assert service.get("/segments", key=None).status_code == 401


@pytest.mark.parametrize(
    "given", [{"retention": "2"}, {"retention": "much"}, {"retention": "nan"}, {"other": "1"}]
)
def test_a_raise_that_cannot_be_is_refused(service, given):
    told = service.get("/equity", params=given)
    assert told.status_code == 400
    assert told.json()["error"]["code"] == "invalid_request"


def test_the_page_values_another_raise_of_retention(service):
    gains = service.get("/equity", params={"retention": "0.2"}).json()["gains"]
    page = service.get(
        "/segments", params={"retention": "0.2"}, headers={"accept": "text/html"}
    ).text
    assert "What 20 % more retention is worth" in page
    total = sum(one["gain"] for one in gains)
    assert f"£{total:,.0f}" in page
