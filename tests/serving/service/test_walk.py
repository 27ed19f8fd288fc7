"""A walk through the workbench in a real browser, from a risk to the effect of what was done.

Each stop leaves a picture in build/walk, so that people can see what the tests saw.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from regulars import cli

pytestmark = [pytest.mark.service, pytest.mark.browser]

AS_OF = date(2024, 7, 1)
PICTURES = Path(__file__).parents[3] / "build" / "walk"
BUDGET = 130
#: Share of the treated and of the held out who buy in the weeks after.
BACK = {"treated": 0.75, "holdout": 0.3}


@pytest.fixture
def walk(tab, shop, service, no_plans):
    """A browser in which a person walks; the plans that it made are put away afterwards."""
    for path in ("/plan", f"/plan?budget={BUDGET}"):
        ask_until_answered(service, path)
    before = set((shop.store / "plans").glob("*"))
    log = (shop.folder / "log.csv").read_bytes()
    yield tab(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    (shop.folder / "log.csv").write_bytes(log)
    for file in set((shop.store / "plans").glob("*")) - before:
        if file.suffix in (".json", ".parquet"):
            file.unlink()
            (shop.store / "measured" / file.name).unlink(missing_ok=True)


def ask_until_answered(service, path: str) -> None:
    """On a busy machine the first proposal takes longer than a request may; the next finds it."""
    for _ in range(20):
        if service.get(path, headers={"accept": "text/html"}).status_code != 504:
            return


def picture(page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def test_from_the_riskiest_key_account_to_the_effect_of_a_plan(walk, shop, tmp_path):
    one = find_the_riskiest_key_account(walk, shop)
    read_why(walk, shop, one)
    plan_id = plan_a_campaign(walk, shop)
    export_it(walk, shop, plan_id, tmp_path / "plan.csv")
    see_it_on_a_customers_page(walk, plan_id)
    feed_results_back(shop, plan_id, tmp_path / "plan.csv")
    read_the_effect(walk, plan_id)


def find_the_riskiest_key_account(page, shop) -> str:
    page.goto("/")
    picture(page, "1-overview")
    page.get_by_role("link", name="Customers", exact=True).click()
    page.get_by_label("Tier").select_option("key")
    page.get_by_label("Order").select_option("-churn_probability")
    page.get_by_role("button", name="Show").click()
    picture(page, "2-key-accounts-by-risk")
    key = shop.scores[shop.scores["tier"] == "key"]
    first = page.locator(".list button").first
    one = first.inner_text()
    chances = key.set_index("customer_id")["churn_probability"]
    assert chances[one] == chances.max()
    first.click()
    return one


def read_why(page, shop, one: str) -> None:
    assert one in page.get_by_role("heading", level=1).inner_text()
    row = shop.scores.set_index("customer_id").loc[one]
    assert page.get_by_role("heading", name="What moves the risk").is_visible()
    assert row["reasons"]
    for reason in row["reasons"]:
        assert page.get_by_text(reason["text"]).first.is_visible()
    assert page.get_by_role("heading", name="What to do").is_visible()
    assert page.get_by_role("heading", name="Return probability through time").is_visible()
    picture(page, "3-why")


def plan_a_campaign(page, shop) -> str:
    page.get_by_role("link", name="Plan", exact=True).click()
    page.get_by_role("spinbutton", name="Budget, GBP").fill(str(BUDGET))
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", name="What the holdout can show").is_visible()
    picture(page, "4-a-budget")
    page.get_by_role("button", name="Make this plan").click()
    page.wait_for_url(re.compile(r"plan="))
    # A plan that is still being made refreshes by itself.
    page.get_by_role("heading", name="For who acts").wait_for()
    picture(page, "5-the-plan")
    plan_id = page.url.partition("plan=")[2]
    figures = json.loads((shop.store / "plans" / f"{plan_id}.json").read_text())
    assert figures["budget"] == BUDGET
    assert 0 < figures["total"]["cost"] <= BUDGET
    assert figures["holdout"]["holdout"] > 0
    return plan_id


def export_it(page, shop, plan_id: str, file: Path) -> None:
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    coming.value.save_as(file)
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    figures = json.loads((shop.store / "plans" / f"{plan_id}.json").read_text())
    arms = [row["arm"] for row in rows]
    assert arms.count("treated") == figures["holdout"]["treated"]
    assert arms.count("holdout") == figures["holdout"]["holdout"]
    assert len({row["assignment_id"] for row in rows}) == len(rows)
    last = json.loads((shop.store / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["what"], last["of"], last["plan_id"]) == ("export", "plan", plan_id)


def see_it_on_a_customers_page(page, plan_id: str) -> None:
    held = page.locator("#list tr", has_text="held out").first
    held.get_by_role("button").click()
    told = page.locator("#action").inner_text()
    assert plan_id in told
    assert "held out" in told
    picture(page, "6-held-out")


def feed_results_back(shop, plan_id: str, file: Path) -> None:
    """The weeks after: those who were treated come back more often; then the verb measures."""
    plan, random = pd.read_csv(file), np.random.default_rng(3)
    shares = plan["arm"].map(BACK).to_numpy()
    came = plan.loc[random.random(len(plan)) < shares, "customer_id"].unique()
    after = pd.DataFrame({"customer_id": came, "timestamp": str(AS_OF + timedelta(days=20))})
    last = {"customer_id": ["the last"], "timestamp": [str(AS_OF + timedelta(days=75))]}
    more = pd.concat([after, pd.DataFrame(last)]).assign(amount=31.5)
    before = shop.log[shop.log["timestamp"] < str(AS_OF)]
    pd.concat([before, more]).to_csv(shop.folder / "log.csv", index=False)
    told = CliRunner().invoke(cli.app, ["measure", plan_id, "-c", str(shop.config)])
    assert told.exit_code == 0, told.output


def read_the_effect(page, plan_id: str) -> None:
    page.get_by_role("link", name="Effects", exact=True).click()
    section = page.locator("section", has=page.get_by_role("heading", name=f"Plan {plan_id}"))
    told = section.inner_text()
    assert "held out: as they were drawn" in told
    assert "So far" not in told
    returned = section.get_by_role("row").filter(has_text="Came back").all_inner_texts()
    picture(page, "7-the-effect")
    # Of both actions together there is enough to say that more came back.
    assert [row for row in returned if "points" in row and "\tmore\t" in row], returned
