"""Plans in the service: proposed, made once, exported, noted, as the command line makes them."""

from __future__ import annotations

import io
import json
import time
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pyarrow.parquet as pq
import pytest

from serving.api import campaign_messages, campaigns
from serving.campaigns import remarks, shelf

pytestmark = pytest.mark.service

HTML = {"accept": "text/html"}
BUDGET = 40.0


class Outline(HTMLParser):
    """Elements with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep the element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep the text."""
        self.words += f" {' '.join(data.split())}"

    def all(self, tag, **wanted):
        """Attributes of the elements of a kind."""
        found = [attributes for name, attributes in self.elements if name == tag]
        return [one for one in found if all(one.get(k) == v for k, v in wanted.items())]

    @property
    def ids(self):
        """Customers that can be opened from here, in their order."""
        return [one["value"] for one in self.all("button", name="customer_id")]


def page(service, path="/plan", **given) -> Outline:
    told = service.get(path, headers=HTML, **given)
    assert told.status_code == 200, told.text
    assert told.headers["content-type"].startswith("text/html")
    return Outline(told.text)


def form_of(shown: Outline) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in shown.all("input", type="hidden")}


def noted(shop, what: str) -> list[dict[str, Any]]:
    file = shop.store / "audit.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [row for row in rows if row["what"] == what]


@pytest.fixture(scope="module")
def made(service, shop):
    """Id of a plan that was made from the page, by the key of operations."""
    told = service("POST", "/plan/make", data=form_of(page(service, f"/plan?budget={BUDGET:g}")))
    assert told.status_code == 303, told.text
    address = urlsplit(told.headers["location"])
    assert address.path == "/plan"
    return parse_qs(address.query)["plan"][0]


def test_the_page_says_what_a_budget_brings_before_anything_is_made(service, shop):
    shown = page(service, "/plan?budget=17")
    plan = service.post("/plan", {"budget": 17}).json()["plan"]
    assert 0 < plan["total"]["cost"] <= 17
    for said in (
        f"£{plan['total']['cost']:.2f}",
        "80 % by what is believed of the effects",
        "These are assumptions: nothing was ever measured of call, voucher",
        "Key accounts only get what a named owner does for them",
        "The next coin brings back",
        f"{plan['holdout']['holdout']} held out beside {plan['holdout']['treated']} treated",
    ):
        assert said in shown.words
    assert len(shown.all("svg")) >= 1
    assert plan["plan_id"] in form_of(shown).values()
    assert not list((shop.store / "plans").glob(f"{plan['plan_id']}*"))
    assert plan["plan_id"] not in {row["plan_id"] for row in noted(shop, "plan")}


def test_the_page_works_without_a_script_and_by_the_keyboard(service):
    shown = page(service)
    (field,) = shown.all("input", type="number")
    (slider,) = shown.all("input", type="range")
    assert field["name"] == "budget" and "name" not in slider
    labelled = {one.get("for") for one in shown.all("label")}
    assert {field["id"], slider["id"]} <= labelled
    # What needs a script is not shown without one.
    assert "hidden" in shown.all("label", **{"for": "slider"})[0]
    assert [one["value"] for one in shown.all("input", type="checkbox")] == ["call", "voucher"]
    assert all(not key.startswith("on") for _, one in shown.elements for key in one)
    scripts = [one.get("src") for one in shown.all("script") if one.get("type") is None]
    assert scripts and all(src.startswith("/static/") for src in scripts)
    for src in scripts:
        assert service.get(src).status_code == 200


def test_who_unticks_every_action_is_asked_for_one(service):
    shown = page(service, "/plan?budget=17&action=")
    assert "Choose at least one action." in shown.words
    boxes = shown.all("input", type="checkbox")
    assert len(boxes) == 2 and not any("checked" in box for box in boxes)
    assert not shown.ids and "seal" not in form_of(shown)
    some = page(service, "/plan?budget=17&action=&action=call")
    (ticked,) = (box for box in some.all("input", type="checkbox") if "checked" in box)
    assert ticked["value"] == "call" and "seal" in form_of(some)


def test_the_list_says_who_they_are_as_far_as_the_key_sees(service, made, shop, keys):
    scores = shop.scores.set_index("customer_id")
    for path in ("/plan?budget=17", f"/plan?plan={made}"):
        whole = page(service, path, key=keys["risk+value"])
        pills = [one["class"] for one in whole.all("span") if "pill" in (one.get("class") or "")]
        of = scores.loc[whole.ids]
        for kind in ("stage", "tier"):
            mine = [one for one in pills if f"{kind}-" in one]
            assert mine == [f"pill {kind}-{word}" for word in of[kind]]
        assert "Why" in whole.words.split() and "Risk" in whole.words.split()
        less = page(service, path, key=keys["value"])
        assert "Tier" in less.words.split() and "Why" not in less.words.split()


def test_no_address_on_the_pages_holds_an_id(service, made):
    for shown in (page(service), page(service, f"/plan?plan={made}")):
        assert shown.ids
        targets = [a.get(name) for _, a in shown.elements for name in ("href", "src", "action")]
        assert not [target for target in targets if target and "shopper" in target]


def test_the_list_is_paged_in_the_order_of_profit(service, made, shop):
    kept = shelf.assignments(shop.store / "plans", made).to_pandas()
    seen, path = [], f"/plan?plan={made}"
    while path:
        shown = page(service, path)
        seen += shown.ids
        after = shown.all("a", rel="next")
        path = "/plan" + after[0]["href"].partition("#")[0] if after else None
    assert seen == kept["customer_id"].tolist()


def test_who_is_held_out_is_told_only_when_the_plan_is_made(service, made):
    proposed = service.post("/plan", {"budget": BUDGET, "page_size": 500}).json()
    kept = service.post("/plan", {"plan_id": made, "page_size": 500}).json()
    assert proposed["plan_id"] == made
    assert {row.get("arm") for row in proposed["assignments"]} == {None}
    assert {row["arm"] for row in kept["assignments"]} == {"treated", "holdout"}
    assert "Arm" not in page(service, f"/plan?budget={BUDGET:g}").words.split()
    assert "Arm" in page(service, f"/plan?plan={made}").words.split()
    ids = [[row["assignment_id"] for row in one["assignments"]] for one in (proposed, kept)]
    assert ids[0] == ids[1]


@pytest.fixture
def before(made, shop):
    """The store as it was when the plan was asked for: it and those kept later are put away."""
    folder = shop.store / "plans"
    names = [name for name, _ in shelf.listed(folder)]
    later = [folder / f"{name}.json" for name in names[: names.index(made) + 1]]
    for file in later:
        file.rename(file.with_suffix(".away"))
    yield
    for file in later:
        file.with_suffix(".away").rename(file)


@pytest.mark.parity
def test_the_command_line_makes_the_same_plan(made, shop, before):
    """The same settings, scores and key: the same name and assignments, to the bit."""
    from datetime import UTC, datetime

    from regulars import planning
    from regulars.settings import load

    done = planning.plan(
        load(shop.config),
        None,
        as_of=None,
        budget=BUDGET,
        now=datetime.now(UTC),
        who="me",
        out=None,
        dry=True,
        tell=lambda *_: None,
    )
    assert done.plan.plan_id == made
    assert shelf.assignments(shop.store / "plans", made).equals(done.plan.assignments)


def test_a_plan_is_noted_with_who_made_it_and_without_any_customer(made, shop, keys):
    import hashlib

    (line,) = [row for row in noted(shop, "plan") if row["plan_id"] == made]
    digest = hashlib.sha256(keys["admin"].encode()).hexdigest()
    assert line["who"] == f"key {digest[:8]}"
    assert line["treated"] > 0 and line["cost"] <= BUDGET
    text = (shop.store / "audit.jsonl").read_text()
    assert "shopper" not in text and keys["admin"] not in text


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_export_is_the_list_and_is_noted(service, made, shop, kind):
    before = len(noted(shop, "export"))
    told = service.get(f"/plan/export?plan={made}&format={kind}")
    assert told.status_code == 200
    assert f'filename="plan-{made}.{kind}"' in told.headers["content-disposition"]
    kept = shelf.assignments(shop.store / "plans", made)
    if kind == "parquet":
        assert pq.read_table(io.BytesIO(told.content)).equals(kept)
    else:
        rows = pd.read_csv(io.BytesIO(told.content), dtype={"assignment_id": str})
        assert rows["assignment_id"].tolist() == kept["assignment_id"].to_pylist()
        assert rows["customer_id"].tolist() == kept["customer_id"].to_pylist()
        assert rows["arm"].tolist() == kept["arm"].to_pylist()
    last = noted(shop, "export")[-1]
    assert len(noted(shop, "export")) == before + 1
    assert (last["of"], last["plan_id"], last["rows"]) == ("plan", made, kept.num_rows)


def test_exports_of_scores_are_noted_too(service, shop):
    before = len(noted(shop, "export"))
    assert service.get("/export?format=csv&stage=lapsed").status_code == 200
    last = noted(shop, "export")[-1]
    assert len(noted(shop, "export")) == before + 1
    assert last["of"] == "scores" and ["stage", "lapsed"] in last["filter"]


def test_a_plan_that_is_asked_for_again_is_the_one_there_is(service, made, shop):
    told = service.post("/plan", {"budget": BUDGET, "keep": True}).json()
    assert (told["plan_id"], told["state"]) == (made, "kept")
    assert len([row for row in noted(shop, "plan") if row["plan_id"] == made]) == 1
    assert "This plan was made already" in page(service, f"/plan?budget={BUDGET:g}").words


@pytest.mark.parametrize("change", ["seal", "plan", "nothing of ours"])
def test_only_a_form_of_ours_makes_a_plan(service, shop, change, keys):
    """A page elsewhere can send a signed-in browser's form, but cannot read the seal."""
    form = form_of(page(service, "/plan?budget=13"))
    form = {} if change == "nothing of ours" else form | {change: "0" * 32}
    told = service("POST", "/plan/make", data=form, headers=HTML)
    assert told.status_code == 403
    assert not (shop.store / "plans" / f"{form.get('plan')}.json").exists()


def test_a_form_is_for_who_was_given_it(service, keys):
    form = form_of(page(service, "/plan?budget=13"))
    assert service("POST", "/plan/make", data=form, key=keys["value"]).status_code == 403


def test_a_form_whose_plan_has_become_another_is_refused(service):
    form = form_of(page(service, "/plan?budget=13")) | {"budget": "14"}
    assert service("POST", "/plan/make", data=form).status_code == 409


@pytest.mark.parametrize(("arm", "words"), [
    ("holdout", "Held out: do nothing."),
    ("treated", "Until then no other action is suggested."),
])  # fmt: skip
def test_nothing_is_suggested_for_who_is_in_a_plan_that_still_runs(service, made, arm, words):
    rows = service.post("/plan", {"plan_id": made, "page_size": 500}).json()["assignments"]
    one = next(row["customer_id"] for row in rows if row["arm"] == arm)
    told = service("POST", "/customer", data={"customer_id": one}, headers=HTML)
    assert told.status_code == 200
    part = told.text.partition('id="action"')[2].partition("</section>")[0]
    said = " ".join(Outline(part).words.split())
    assert words in said and made in said and "Suggested:" not in said
    assert said.index(words) < said.index("Plans")


def test_a_second_plan_leaves_the_first_ones_customers_alone(service, made):
    first = service.post("/plan", {"plan_id": made, "page_size": 500}).json()["assignments"]
    told = service.post("/plan", {"budget": BUDGET + 7, "page_size": 500}).json()
    taken = {row["customer_id"] for row in first}
    assert taken and not taken & {row["customer_id"] for row in told["assignments"]}
    assert told["plan"]["held_back"]["in a plan that still runs"] >= len(taken)
    assert any("still runs" in one for one in told["remarks"])
    assert "is left to it until its days are over" in page(service, "/plan?budget=90").words


def test_the_api_makes_reads_and_lists_plans(service, shop):
    asked = {"budget": 20, "actions": ["voucher"], "keep": True, "page_size": 3}
    told = service.post("/plan", asked).json()
    answer = campaign_messages.PlanAnswer.model_validate(told)
    assert answer.state == "kept" and answer.plan is not None
    assert {one.action for one in answer.plan.actions} == {"voucher"}
    assert len(answer.assignments) == 3 < answer.total
    again = service.post("/plan", {"plan_id": answer.plan_id, "page": 2, "page_size": 3}).json()
    kept = shelf.assignments(shop.store / "plans", answer.plan_id)
    ids = kept["customer_id"].to_pylist()
    assert [row["customer_id"] for row in again["assignments"]] == ids[3:6]
    listed = service.get("/plans").json()
    assert listed["meta"] == service.get("/segments").json()["meta"]
    campaign_messages.PlansAnswer.model_validate(listed)
    assert listed["plans"][0]["plan_id"] == answer.plan_id
    assert any("Nothing was ever measured of voucher" in one for one in again["remarks"])


def test_key_accounts_only_get_what_a_named_owner_does(service, shop):
    rows = service.post("/plan", {"budget": 1e6, "page_size": 500}).json()
    key = set(shop.scores.loc[shop.scores["tier"] == "key", "customer_id"])
    given = {row["action"] for row in rows["assignments"] if row["customer_id"] in key}
    assert given == {"call"}
    guard = "key account without a named owner"
    held = rows["plan"]["held_back"][guard]
    assert held > 0
    assert rows["plan"]["kept_from"][guard] == ["voucher"]
    said = f"{held} key accounts are kept from voucher, which no named owner does"
    assert said in page(service, "/plan?budget=1000000").words


def test_a_key_sees_the_columns_of_its_scopes(service, made, keys):
    assert service.get("/plan", key=keys["risk"]).status_code == 403
    assert service.post("/plan", {}, key=keys["risk"]).status_code == 403
    asked = {"plan_id": made, "page_size": 1}
    for key, shown in (("value", False), ("risk+value", True)):
        (row,) = service.post("/plan", asked, key=keys[key]).json()["assignments"]
        assert ("return_probability" in row) == shown == ("stratum" in row)
        exported = service.get(f"/plan/export?plan={made}", key=keys[key]).text.splitlines()[0]
        assert ("return_probability" in exported) == shown


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"actions": ["call", "bribe"]}, 422, "expected some of: call, voucher"),
        ({"plan_id": "2024-07-01-00000000"}, 404, "no such plan"),
        ({"plan_id": "../key"}, 400, "detail"),
        ({"budget": -1}, 400, "detail"),
        ({"plan_id": "p", "keep": True}, 400, "detail"),
        ({"page_size": 501}, 400, "detail"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(service, asked, status, words):
    told = service.post("/plan", asked)
    assert told.status_code == status
    assert words in told.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plan?budget=much", 400),
        ("/plan?budget=-1", 400),
        ("/plan?customer=1", 400),
        ("/plan?action=bribe", 422),
        ("/plan?plan=2024-07-01-00000000", 404),
        ("/plan?plan=../key", 422),
        ("/plan/export?plan=2024-07-01-00000000", 404),
        ("/plan/export?plan=key", 404),
    ],
)
def test_an_address_that_cannot_be_is_a_page_that_says_so(service, path, status):
    assert service.get(path, headers=HTML).status_code == status


def test_the_key_of_the_draws_is_nowhere_to_be_read(service, made, shop):
    secret = (shop.store / "plans" / "key").read_bytes()
    for told in (service.get("/plan"), service.get(f"/plan?plan={made}"), service.get("/plans")):
        assert secret.hex() not in told.text and secret not in told.content


def test_a_plan_that_takes_long_is_said_to_be_being_made(service, shop, made):
    """As another worker makes it; a browser looks again by itself."""
    plan_id = "2024-07-01-0a1b2c3d"
    with shelf.claimed(shop.store / "plans", plan_id) as mine:
        assert mine
        told = service.get(f"/plan?plan={plan_id}", headers=HTML)
        assert told.status_code == 200 and "is being made" in told.text
        assert int(told.headers["refresh"]) > 0
        answer = service.post("/plan", {"plan_id": plan_id}).json()
        assert (answer["state"], answer["plan"], answer["assignments"]) == ("being_made", None, [])
        assert service.get(f"/plan/export?plan={plan_id}").status_code == 404
    assert service.get(f"/plan?plan={plan_id}", headers=HTML).status_code == 404


def test_nobody_waits_longer_than_a_while(service, shop, monkeypatch):
    monkeypatch.setattr(campaigns, "PATIENCE", 0.0)
    told = service.post("/plan", {"budget": 11, "keep": True}).json()
    assert told.get("state") in ("being_made", "kept"), told
    until = time.monotonic() + 60
    while told["state"] == "being_made" and time.monotonic() < until:
        time.sleep(0.1)
        told = service.post("/plan", {"plan_id": told["plan_id"]}).json()
    assert told["state"] == "kept" and told["total"] > 0


def test_a_margin_that_the_scores_do_not_have_is_told(service, no_plans, monkeypatch):
    assert "for profit" not in page(service).words
    monkeypatch.setattr(remarks, "other_margins", lambda *_: (0.35, 0.3))
    assert "The settings take 35 % of the spend for profit" in page(service).words
    assert "made with 30 %" in page(service).words
    told = service.post("/plan", {"budget": BUDGET}).json()["remarks"]
    assert any("`margin` in [value] is 0.35 now" in one for one in told)
