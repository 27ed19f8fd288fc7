"""The pages in a real browser: signing in, finding whom to look after, nothing from elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from serving.campaigns import shelf

pytestmark = [pytest.mark.service, pytest.mark.browser]


def test_without_a_key_nothing_is_shown(browser, address):
    context = browser.new_context(base_url=address)
    told = context.request.get("/")
    assert told.status == 401
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_the_first_page_to_a_customer_and_back(tab, shop, scripts):
    page = tab(java_script_enabled=scripts)
    page.goto("/")
    assert page.title() == "made-shop · Regulars"
    assert page.get_by_role("heading", level=1).inner_text().startswith("Who is about to leave")
    page.get_by_role("link", name="Customers", exact=True).click()
    page.get_by_label("Stage").select_option("lapsed")
    page.get_by_label("Order").select_option("-churn_probability")
    page.get_by_role("button", name="Show").click()
    lapsed = shop.scores[shop.scores["stage"] == "lapsed"]
    assert f"{len(lapsed):,} customers" in page.locator("#list h2").inner_text()
    page.get_by_role("link", name="After").click()
    assert "26 to" in page.get_by_role("navigation", name="Pages").inner_text()
    first = page.locator(".list button").first
    one = first.inner_text()
    first.click()
    assert urlsplit(page.url).path == "/customer"
    assert urlsplit(page.url).query == ""
    assert one in page.get_by_role("heading", level=1).inner_text()
    assert page.locator("svg .purchase").count() >= 1
    assert page.get_by_role("heading", name="What moves the risk").is_visible()
    page.get_by_role("link", name="All customers").click()
    assert urlsplit(page.url).path == "/customers"


def test_a_customers_page_can_be_gone_back_to_and_loaded_again(browser, address, keys):
    """Signed in by a header, as the driver's own sign-in keeps nothing."""
    context = browser.new_context(base_url=address, extra_http_headers={"X-API-Key": keys["admin"]})
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto("/customers")
    page.locator(".list button").first.click()
    page.wait_for_url("**/customer")
    told = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="All customers").click()
    page.wait_for_url("**/customers")
    page.go_back()
    assert page.get_by_role("heading", level=1).inner_text() == told
    page.reload()
    assert page.get_by_role("heading", level=1).inner_text() == told
    context.close()


def test_a_customer_is_found_by_id_and_an_unknown_one_is_told(tab, known):
    page = tab()
    page.goto("/")
    page.get_by_label("Find a customer").fill(known[5])
    page.get_by_role("button", name="Open").click()
    assert known[5] in page.get_by_role("heading", level=1).inner_text()


def test_a_cell_of_the_grid_opens_its_customers(tab, shop):
    page = tab()
    page.goto("/")
    cell = page.locator(".grid tbody td a").first
    number = cell.inner_text()
    stage, tier = re.findall(r"=(\w+)", cell.get_attribute("href"))
    cell.click()
    heading = page.locator("#list h2").inner_text()
    assert heading.startswith(f"{number} customer")
    frame = shop.scores
    assert int(number) == ((frame["stage"] == stage) & (frame["tier"] == tier)).sum()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/customers",
        "/segments",
        "/plan",
        "/satisfaction",
        "/models",
        "/data",
        "/docs",
        "customer",
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_pages_without_sideways_scrolling(tab, path, scheme):
    page = tab(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto("/" if path == "customer" else path)
    if path == "customer":
        page.locator(".list button").first.click()
        # Until the styles are there it is another page.
        page.wait_for_load_state()
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_what_if_is_asked_and_answered_on_the_customers_page(tab, scripts):
    page = tab(java_script_enabled=scripts)
    page.goto("/")
    page.locator(".list button").first.click()
    panel = page.locator("#whatif")
    panel.get_by_label("Change").select_option(label="nothing more for some days")
    panel.get_by_label("Days of silence").select_option("60")
    panel.get_by_role("button", name="Show").click()
    assert urlsplit(page.url).query == ""
    assert panel.get_by_role("columnheader", name="As it would be").is_visible()
    assert panel.get_by_label("Change").input_value() == "silence"
    assert panel.get_by_label("Days of silence").input_value() == "60"


@pytest.mark.parametrize("where", ["/customers", "/plan", "customer"])
def test_every_control_has_a_name(tab, where):
    page = tab()
    page.goto("/customers" if where == "customer" else where)
    if where == "customer":
        page.locator(".list button").first.click()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, select')].filter("
        "e => e.type !== 'hidden' && !e.labels.length).length"
    )
    assert unnamed == 0
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("th:not([scope])").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_plan_is_chosen_made_and_downloaded_by_the_keyboard(tab, shop, scripts):
    page = tab(java_script_enabled=scripts)
    page.goto("/plan")
    assert page.get_by_label("Slide the budget").is_visible() == scripts
    budget = page.get_by_role("spinbutton", name="Budget, GBP")
    budget.fill("27" if scripts else "28")
    budget.press("Enter")
    assert "These are assumptions" in page.locator("main").inner_text()
    assert page.locator("figure.chart svg").count() == 1
    assert page.get_by_role("heading", name="What the holdout can show").is_visible()
    make = page.get_by_role("button", name="Make this plan")
    make.focus()
    make.press("Enter")
    page.get_by_role("heading", name="For who acts").wait_for()
    plan_id = page.get_by_role("heading", level=1).inner_text().removeprefix("Plan ")
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").press("Enter")
    rows = saved.value.path().read_text().splitlines()
    kept = shelf.assignments(shop.store / "plans", plan_id)
    assert len(rows) == kept.num_rows + 1 > 1
    assert page.locator(".list button").first.inner_text() == kept["customer_id"][0].as_py()


def test_the_slider_sets_the_budget_where_scripts_run(tab):
    page = tab()
    page.goto("/plan")
    slider = page.get_by_label("Slide the budget")
    slider.focus()
    slider.press("Home")
    page.wait_for_url("**/plan?budget=0&*")
    assert page.get_by_role("spinbutton", name="Budget, GBP").input_value() == "0"


def test_charts_answer_to_the_pointer_where_scripts_run(tab):
    """The page's own script draws each chart anew; nothing is compiled from text."""
    page = tab()
    page.goto("/segments")
    page.wait_for_selector("figure.chart .vega-embed, figure.chart div svg")
    assert page.locator("figure.chart svg").count() == 1
