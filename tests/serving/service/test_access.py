"""Every page can be used by everybody: axe finds nothing, in both languages and widths.

axe-core comes with its package; nothing is fetched.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from serving.campaigns import learned, measurements
from serving.campaigns.belief import Belief, Effect
from serving.campaigns.measured import measure
from serving.campaigns.results import Measurement
from serving.workbench import models
from tests.serving.campaigns.trials import records

pytestmark = [pytest.mark.service, pytest.mark.browser]

PAGES = (
    *("/", "/customers", "/segments", "/satisfaction", "/plan", "/effects", "/models", "/data"),
    "/docs",
)
#: Width, height, colours, language: each width with each language, each colours with each width.
DESKTOP, PHONE = (1280, 900), (390, 844)
VIEWS = [
    (DESKTOP, "light", "en-GB"),
    (DESKTOP, "dark", "zh-CN"),
    (PHONE, "dark", "en-GB"),
    (PHONE, "light", "zh-CN"),
]
#: The smallest PNG.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
CARD = "# Card\n\n## Grades\n\n| question | grade |\n|---|---|\n| risk | A |\n| spend | B |\n"


def version(number, *aliases):
    from training.runs.registry import Version

    tags = {"trained_as_of": "2024-07-01", "speaker": "blend", "grade_risk": "A", "gate": "passed"}
    return Version(number, f"run {number}", "2024-07-02T00:00:00+00:00", aliases, tags)


def made_measurement():
    """A plan with an effect, and one of which there is too little to say."""
    shown = measure(records(3000, holdout=0.4, kept=0.3, lift=0.1, seed=1))
    small = replace(measure(records(200, seed=2)), action="mail")
    day = date(2024, 3, 1)
    return Measurement("2024-03-01-aa", day, 60, 60, date(2024, 4, 30), 0, (shown, small))


@pytest.fixture(scope="module")
def full(shop, scored, service):
    """The shop with something on every page: an earlier table, a data report, trained versions."""
    from serving.workbench.models import Registered
    from training.runs.records import Record
    from training.runs.registry import Change

    earlier = shop.scores["as_of"].iloc[0] - timedelta(days=91)
    scored(shop.folder, as_of=earlier)
    source = {"source": "transactions", "read": 12, "accepted": 11, "customers": 4}
    source |= {"rejected": {"no amount": 1}, "advice": {"no amount": "Fill it in."}}
    source |= {"first_day": "2022-07-01", "last_day": "2024-06-30"}
    report = {"as_of": "2024-07-01", "obstacle": None, "sources": [source], "customers": 4}
    answers = [
        {"question": name, "ready": name == "risk", "why": "-"} for name in ("risk", "spend")
    ]
    report |= {"repeat_rate": 0.5, "answers": answers}
    (shop.store / "report.json").write_text(json.dumps(report))
    plan = made_measurement()
    measured = measurements.keep(shop.store, plan)
    known = learned.Estimate(plan.actions[0].learned, plan.plan_id, plan.measured_on, 1800)
    learned.append(shop.store, "call", known, Effect(Belief(0.1, 0.2), Belief(0.0, 0.1)))
    change = Change("2024-07-02T00:00:00+00:00", "promotion", None, "1", "the first")
    known = Registered((version("2", "challenger"), version("1", "champion")), (change,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "registered", lambda *_: known)
        patch.setattr(models, "_record", lambda *_: Record(CARD, plots={"lift": DOT}))
        # On a busy machine the first proposal takes longer than a request may; the next finds it.
        for path in ("/plan", "/plan?budget=19") * 10:
            service.get(path, headers={"accept": "text/html"})
        yield
    measured.unlink()
    (shop.store / "effects" / "call.json").unlink()
    (shop.store / "report.json").unlink()
    for kind in ("scores", "behaviour", "occasions"):
        (shop.store / kind / f"as_of={earlier}.parquet").unlink()


@pytest.mark.parametrize(("size", "scheme", "locale"), VIEWS)
def test_axe_finds_nothing_on_any_page(full, tab, shop, size, scheme, locale):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    width, height = size
    page = tab(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale)
    found = {}
    for path in (*PAGES, "customer", "made plan", "refused"):
        go(page, path)
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        told = axe.run(page).response["violations"]
        if told:
            found[path] = {
                f"{one['impact']} {one['id']}": [node["html"][:200] for node in one["nodes"]]
                for one in told
            }
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("path", ["/segments", "/effects", "customer"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_phone_shows_full_pages_without_sideways_scrolling(full, tab, path, locale):
    page = tab(viewport={"width": 375, "height": 800}, locale=locale)
    go(page, path)
    assert page.locator("table").count() > 1
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


#: Of each panel, how far the farthest of its blocks goes beyond it, in pixels.
BEYOND = """
Array.from(document.querySelectorAll('.panel')).map(panel => Math.max(0,
    ...Array.from(panel.children).map(one => one.getBoundingClientRect().right))
    - panel.getBoundingClientRect().right)
"""


@pytest.mark.parametrize("path", ["/", "/customers", "/plan", "/segments", "customer", "made plan"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_table_runs_out_of_its_panel(full, tab, path, locale):
    page = tab(viewport={"width": 1200, "height": 900}, locale=locale)
    go(page, path)
    beyond = page.evaluate(BEYOND)
    assert beyond and max(beyond) <= 0


def test_a_risk_that_rose_is_told_with_the_silence(full, service):
    """Whichever reasons were told: on the list, for programs, and on the customer's page."""
    found = service.get("/equity").json()["since"]["rises"]
    assert found and all(one["silent_now"] >= 1 for one in found)
    one = found[0]
    said = f"last purchase {one['silent_now']} days ago (then {one['silent_before']})"
    assert said in service.get("/segments", headers={"accept": "text/html"}).text
    told = service.post("/reasons", {"customer_ids": [one["customer_id"]]}).json()["items"][0]
    for end in ("silent_before", "silent_now"):
        assert told["changes"][end] == one[end]
    form = {"customer_id": one["customer_id"]}
    page = service("POST", "/customer", data=form, headers={"accept": "text/html"}).text
    row = page.split("Days since the last purchase</th>", 1)[1].split("</tr>", 1)[0]
    assert f"<td>{one['silent_before']}</td><td>{one['silent_now']}</td>" in row


def go(page, path):
    """To a page; a customer, a plan that is made and a refusal are come to by a form."""
    if path == "refused":
        page.goto("/customers")
        # The browser would note a refusal as a fault.
        page.route("**/customer", lambda way: way.fulfill(response=way.fetch(), status=200))
        page.locator("#customer_id").fill("nobody")
        page.locator("form.find[action='/customer'] button").click()
    elif path == "customer":
        page.goto("/customers")
        page.locator(".list button").first.click()
    elif path == "made plan":
        page.goto("/plan?budget=19")
        # The first view makes it, the others come to it.
        page.locator("#make button, #make a").first.click()
        page.locator("#list .pill, #list td").first.wait_for()
    else:
        page.goto(path)
    page.wait_for_load_state("networkidle")
    page.unroute_all()
