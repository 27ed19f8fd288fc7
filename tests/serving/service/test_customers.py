"""Saved lists, and what a customer's page says of time and action, over HTTP."""

from __future__ import annotations

import html
import json
import re

import pytest

from serving.campaigns import shelf
from serving.workbench.pages import money

pytestmark = pytest.mark.service

PAGE = {"accept": "text/html"}


def seal_of(text: str) -> str:
    return re.findall(r'name="seal" value="([0-9a-f]{32})"', text)[0]


def audited(shop) -> list[dict]:
    return [json.loads(line) for line in (shop.store / "audit.jsonl").read_text().splitlines()]


def change(service, key, **form):
    return service("POST", "/customers/lists", key=key, data=form, headers=PAGE)


@pytest.fixture
def seal(service):
    return seal_of(service.get("/customers", headers=PAGE).text)


def test_a_list_is_saved_opened_and_removed(service, shop, keys, seal):
    shown = "stage=lapsed&min_churn_probability=0.5&sort=-clv"
    told = change(service, keys["admin"], seal=seal, filter=shown, name="call <them>")
    assert told.status_code == 303
    assert told.headers["location"] == f"/customers?{shown}"
    page = service.get("/customers", headers=PAGE).text
    assert f'<a href="/customers?{html.escape(shown)}">call &lt;them&gt;</a>' in page
    (digest,) = re.findall(r'name="remove" value="([0-9a-f]{16})"', page)
    last = audited(shop)[-1]
    assert (last["what"], last["list"]) == ("list saved", digest)
    assert last["filter"][0] == ["stage", "lapsed"]
    assert "call" not in json.dumps(last)
    assert change(service, keys["admin"], seal=seal, remove=digest).status_code == 303
    assert "call &lt;them&gt;" not in service.get("/customers", headers=PAGE).text
    assert audited(shop)[-1]["what"] == "list removed"


def test_only_a_form_of_ours_changes_lists(service, keys, seal):
    given = {"filter": "sort=-clv", "name": "x"}
    for wrong in (
        "",
        "0" * 32,
        seal_of(service.get("/customers", headers=PAGE, key=keys["value"]).text),
    ):
        assert change(service, keys["admin"], seal=wrong, **given).status_code == 403
    assert change(service, None, seal=seal, **given).status_code == 401


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"filter": "sort=-clv", "name": " "}, 400),
        ({"filter": "customer_id=shopper", "name": "x"}, 400),
        ({"filter": "sort=nothing", "name": "x"}, 400),
    ],
)
def test_a_list_that_cannot_be_is_refused(service, keys, seal, given, status):
    assert change(service, keys["admin"], seal=seal, **given).status_code == status


def test_a_list_by_another_scope_is_neither_shown_nor_saved(service, keys, seal):
    change(service, keys["admin"], seal=seal, filter="min_clv=50&sort=-clv", name="the rich")
    page = service.get("/customers", headers=PAGE, key=keys["risk"]).text
    assert "the rich" not in page
    refused = change(
        service, keys["risk"], seal=seal_of(page), filter="sort=-clv", name="the rich too"
    )
    assert refused.status_code == 403
    mine = service.get("/customers", headers=PAGE).text
    (digest,) = re.findall(r'name="remove" value="([0-9a-f]{16})"', mine)
    change(service, keys["admin"], seal=seal, remove=digest)


def test_an_export_is_noted_with_its_filter(service, shop):
    told = service.get("/export", params={"format": "csv", "stage": "lapsed"})
    assert told.status_code == 200
    last = audited(shop)[-1]
    assert (last["what"], last["of"], last["format"]) == ("export", "scores", "csv")
    assert ["stage", "lapsed"] in last["filter"]
    assert "shopper" not in json.dumps(last)


def open_customer(service, one, **given):
    return service("POST", "/customer", data={"customer_id": one}, headers=PAGE, **given).text


def test_a_customers_page_says_its_intervals_and_a_potential_above_the_value(service, shop, keys):
    frame = shop.scores.dropna(subset=["clv", "churn_probability", "clv_upper"])
    frame = frame[frame["clv"] > 1]
    grows = frame["potential_value"] >= frame["clv"] + 1
    assert grows.any() and not grows.all()
    for one, more in ((frame[grows].iloc[0], True), (frame[~grows].iloc[0], False)):
        page = open_customer(service, one["customer_id"])
        cards = page.split('<section class="cards"', 1)[1].split("</section>", 1)[0]
        assert ("what the best of similar customers are worth" in cards) == more
        for name in ("clv", "expected_spend"):
            low, high = (money(one[f"{name}_{end}"], "GBP") for end in ("lower", "upper"))
            assert f"80 %: {low} to {high}" in cards
        seen = open_customer(service, one["customer_id"], key=keys["risk"])
        assert f"80 %: {money(one['clv_lower'], 'GBP')}" not in seen


@pytest.fixture
def known_long(shop):
    """A customer with a long past whom an action fits."""
    frame = shop.scores[shop.scores["clv"].notna()].sort_values("clv", ascending=False)
    counts = shop.log[shop.log["timestamp"] < "2024-07-01"].groupby("customer_id").size()
    return next(one for one in frame["customer_id"] if counts[one] >= 6)


def test_the_course_of_the_risk_is_drawn_for_those_who_may_see_it(service, shop, keys, known_long):
    page = open_customer(service, known_long)
    assert "Return probability through time" in page
    assert "said-mark" in page and "guessed-mark" in page
    chance = shop.scores.set_index("customer_id").loc[known_long, "return_probability"]
    assert f"1 Jul 2024: {chance * 100:.0f} %" in page
    assert "through time</h2>\n  <figure" not in open_customer(
        service, known_long, key=keys["value"]
    )


def test_what_to_do_and_plans_are_for_those_who_may_see_the_value(service, shop, keys, known_long):
    page = open_customer(service, known_long)
    assert "What to do" in page
    plans = {file.stem for file in (shop.store / "plans").glob("*.parquet")}
    held = {
        name
        for name in plans
        if known_long in shelf.assignments(shop.store / "plans", name)["customer_id"].to_pylist()
    }
    assert set(re.findall(r"/plan\?plan=([\w-]+)", page)) == held
    assert ("In none of the newest plans" in page) == (not held)
    assert "What to do" not in open_customer(service, known_long, key=keys["risk"])
