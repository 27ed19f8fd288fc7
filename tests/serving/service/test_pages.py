"""The pages for people: readable without a script, escaped, guarded, and honest when empty."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

import pytest

from serving import catalogue
from serving.api import examples
from serving.workbench.overview import FIRST

pytestmark = pytest.mark.service


class Outline(HTMLParser):
    """Elements with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep the element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep the text."""
        self.words.append(data)

    def all(self, tag):
        """Attributes of the elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(service):
    """`page(path)`: outline of a page that was found."""

    def get(path="/", **given):
        told = service.get(path, headers={"accept": "text/html"}, **given)
        assert told.status_code == 200
        assert told.headers["content-type"].startswith("text/html")
        return Outline(told.text)

    return get


def open_customer(service, one):
    return service("POST", "/customer", data={"customer_id": one}, headers={"accept": "text/html"})


def test_the_first_page_says_what_the_scores_add_up_to(page, shop):
    words = " ".join(page().words)
    frame = shop.scores
    assert f"{len(frame):,}" in words
    assert f"{frame['churn_probability'].sum():,.0f}" in words
    assert f"£{frame['expected_spend'].sum():,.0f}" in words
    assert f"£{frame['clv'].sum():,.0f}" in words
    assert "1 Jul 2024" in words
    assert "days old" in words


def test_the_list_starts_with_those_who_will_rather_leave_and_the_most_valuable(page, shop):
    late = shop.scores[shop.scores["stage"] == "at_risk"]
    frame = late[late["churn_probability"] >= 0.5]
    assert 0 < len(frame) < len(late)
    frame = frame.sort_values(["clv", "customer_id"], ascending=[False, True])
    outline = page()
    shown = [button["value"] for button in outline.all("button") if button.get("name")]
    assert shown == frame["customer_id"].tolist()[:FIRST]
    heading = "At risk and more likely than not to leave, the most valuable first"
    assert f"{heading} · {len(frame)} customer" in " ".join(outline.words)


def test_the_first_list_of_a_page_is_the_apis_with_the_documented_filter(service, page):
    """One definition: what /docs shows for /customers is what the page starts with."""
    asked = examples.REQUESTS["/customers"]
    rows = service.post("/customers", asked).json()["rows"]
    shown = [button["value"] for button in page().all("button") if button.get("name")]
    assert [row["customer_id"] for row in rows][:FIRST] == shown


def test_the_list_shows_every_reason_of_a_customer(page, shop):
    first = page("/customers?sort=-clv")
    words = " ".join(first.words)
    frame = shop.scores.set_index("customer_id")
    shown = [button["value"] for button in first.all("button") if button.get("name")]
    told = [reason["text"] for one in shown for reason in frame.loc[one, "reasons"]]
    assert max(len(frame.loc[one, "reasons"]) for one in shown) == 3
    assert [text for text in told if text not in words] == []


@pytest.mark.parametrize(
    ("key", "order", "words"),
    [
        ("value", "clv", "at risk"),
        ("risk", "churn_probability", "more likely than not to leave, the likeliest first"),
    ],
)
def test_a_key_sees_the_first_list_as_far_as_its_scope_goes(service, shop, keys, key, order, words):
    """Who may not see the risk is not told it by the choice of the list either."""
    told = service.get("/", key=keys[key], headers={"accept": "text/html"})
    assert told.status_code == 200
    outline = Outline(told.text)
    frame = shop.scores[shop.scores["stage"] == "at_risk"]
    if key == "risk":
        frame = frame[frame["churn_probability"] >= 0.5]
    frame = frame.sort_values([order, "customer_id"], ascending=[False, True])
    shown = [button["value"] for button in outline.all("button") if button.get("name")]
    assert shown == frame["customer_id"].tolist()[:FIRST]
    assert words in " ".join(outline.words)


def test_the_list_is_filtered_sorted_and_paged_by_the_address(page, shop):
    frame = shop.scores[shop.scores["stage"] == "lapsed"]
    frame = frame.sort_values(["churn_probability", "customer_id"], ascending=[False, True])
    seen, path = [], "/customers?stage=lapsed&sort=-churn_probability"
    while path:
        outline = page(path)
        seen += [button["value"] for button in outline.all("button") if button.get("name")]
        after = [link["href"] for link in outline.all("a") if link.get("rel") == "next"]
        path = "/customers" + after[0].partition("#")[0] if after else None
    assert seen == frame["customer_id"].tolist()


def test_the_grid_counts_customers_by_stage_and_tier(page, shop):
    counts = shop.scores.groupby(["stage", "tier"]).size()
    outline = page()
    for stage, tier in list(counts.index)[:6]:
        target = f"/customers?stage={stage}&tier={tier}"
        assert target in [link["href"] for link in outline.all("a")]
        filtered = " ".join(page(target).words)
        number = counts[stage, tier]
        assert f"{number} {'customer' if number == 1 else 'customers'}" in filtered


def test_no_address_on_a_page_holds_an_id(service, page, known):
    outlines = [
        page(),
        page("/customers?sort=customer_id"),
        Outline(open_customer(service, known[0]).text),
    ]
    for outline in outlines:
        targets = [a.get(name) for _, a in outline.elements for name in ("href", "src", "action")]
        assert not [target for target in targets if target and "shopper" in target]


def test_nothing_on_a_page_comes_from_elsewhere(service, page, known):
    outlines = [
        page(),
        page("/customers"),
        page("/docs"),
        Outline(open_customer(service, known[0]).text),
    ]
    for outline in outlines:
        assert outline.all("script") == []
        assert not [a for _, a in outline.elements if "style" in a]
        targets = [a.get(name) for _, a in outline.elements for name in ("href", "src", "action")]
        for target in filter(None, targets):
            assert not re.match(r"(https?:)?//", target)
            if target.startswith("/static/"):
                assert service.get(target).status_code == 200


def test_a_customers_page_shows_scores_reasons_and_purchases(service, shop, known):
    one = next(c for c in known if (shop.log["customer_id"] == c).sum() >= 6)
    row = shop.scores.set_index("customer_id").loc[one]
    outline = Outline(open_customer(service, one).text)
    words = " ".join(outline.words)
    assert one in words
    for reason in row["reasons"]:
        assert reason["text"] in words
    assert f"£{row['clv']:,.2f}" in words or f"£{row['clv']:,.0f}" in words
    assert "Complaints and other contacts are not drawn" in words
    log = shop.log[(shop.log["customer_id"] == one) & (shop.log["timestamp"] < "2024-07-01")]
    days = log.groupby(log["timestamp"].str[:10])["amount"].sum()
    bars = [a for a in outline.all("rect") if a.get("class") in ("purchase", "refund")]
    assert len(bars) == len(days)
    assert f"£{days.iloc[-1]:,.2f}".replace("£-", "−£") in words


def test_ids_are_escaped(service, known):
    told = service.get("/customers?sort=customer_id")
    assert html.escape(known[0]) in told.text
    assert known[0] not in told.text
    strange = "<script>alert(1)</script>"
    told = open_customer(service, strange)
    assert told.status_code == 404
    assert strange not in told.text


def test_an_unknown_customer_is_a_page_that_says_so(service):
    told = open_customer(service, "nobody")
    assert told.status_code == 404
    assert "No such customer" in told.text
    assert told.headers["content-type"].startswith("text/html")


def test_a_form_without_an_id_is_refused(service):
    told = service("POST", "/customer", data={"other": "x"})
    assert told.status_code == 400


def test_every_answer_carries_the_security_headers(service, known):
    answers = [
        service.get("/"),
        service.get("/", key=None),
        service.get("/nothing"),
        service.get("/livez"),
        service.post("/risk", {"customer_ids": known[:1]}),
        service.get("/static/workbench.css"),
    ]
    for told in answers:
        policy = told.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["x-frame-options"] == "DENY"
        assert told.headers["referrer-policy"] == "no-referrer"
        kept = "max-age" in told.headers["cache-control"]
        assert kept == (told.url.path == "/static/workbench.css")
        assert kept or told.headers["cache-control"] == "no-store"


def test_the_documentation_shows_every_endpoint_with_its_example(page):
    words = " ".join(page("/docs").words)
    for path in ("/risk", "/value", "/score", "/customers", "/export", "/metrics", "/readyz"):
        assert path in words
    assert "last purchase 94 days ago; usually every 21" in words
    assert "transactions[0]: unparseable amount." in words
    for column in catalogue.COLUMNS:
        assert column.sentence.replace("`", "") in words


def test_the_models_page_without_a_trained_version_says_so(page):
    assert "Nothing is trained yet" in " ".join(page("/models").words)


def test_a_version_or_a_plot_that_there_is_not_is_not_found(service):
    assert service.get("/models?version=9").status_code == 404
    assert service.get("/models/plot?version=9&name=lift").status_code == 404


def test_the_data_page_shows_the_report_that_check_left(page, shop):
    place = shop.store / "report.json"
    assert "not checked yet" in " ".join(page("/data").words)
    source = {"source": "transactions", "read": 1234, "accepted": 1200, "customers": 400}
    source |= {"rejected": {"no amount": 34}, "advice": {}, "first_day": None, "last_day": None}
    report = {"as_of": "2024-07-01", "obstacle": None, "sources": [source], "customers": 400}
    report |= {"repeat_rate": 0.5, "answers": [{"question": "risk", "ready": True, "why": "<b>"}]}
    place.write_text(json.dumps(report))
    try:
        told = page("/data")
        words = " ".join(told.words)
        for text in ("1,234", "1,200", "34: no amount", "50 % of them came back", "<b>"):
            assert text in words
        assert "How fresh it is" not in words
        place.write_text("{")
        assert "not checked yet" in " ".join(page("/data").words)
    finally:
        place.unlink()


def test_the_data_page_says_how_fresh_the_sources_are(page, shop):
    place = shop.store / "report.json"
    report = {"as_of": "2024-07-01", "obstacle": None, "sources": [], "customers": 0}
    report |= {"repeat_rate": None, "answers": [], "freshness": []}
    for source, stale in (("transactions", False), ("events", True)):
        told = {"source": source, "last_day": "2024-05-01", "silent_days": 61, "days": 300}
        told |= {"usual_gap": 1.25, "longest_gap": 4, "limit_days": 1008, "stale": stale}
        report["freshness"].append(told)
    place.write_text(json.dumps(report))
    try:
        words = " ".join(page("/data").words)
    finally:
        place.unlink()
    for text in ("Transactions 2024-05-01 61 1.25 4 1,008 fresh", "Events 2024-05-01 61"):
        assert text in words
    assert words.count("1,008 stale") == 1


def test_the_data_page_says_whom_the_scores_do_not_answer(page, shop, monkeypatch):
    from serving.groups.unanswered import Unanswered
    from serving.workbench import check

    assert "Everything is said of every customer." in " ".join(page("/data").words)
    line = Unanswered("source stale (events)", ("clv",), 30, 0.25, (("new", 30),), "Bring <it>.")
    monkeypatch.setattr(check, "_unanswered", lambda *_: (line,))
    words = " ".join(page("/data").words)
    assert "30 (25 %) New 30 clv source stale (events) Bring <it>." in words


def test_a_page_speaks_the_language_that_is_chosen_and_stays_where_it_was(service):
    chosen = service.get("/language?to=zh&back=/customers")
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/customers"
    cookie = chosen.headers["set-cookie"].partition(";")[0]
    told = service.get("/", headers={"accept": "text/html", "cookie": cookie})
    # The other tests ask with the same jar of cookies.
    service.get("/language?to=en")
    assert told.headers["content-language"] == "zh"
    assert "谁即将离开" in told.text
    assert 'lang="zh"' in told.text


def test_the_choice_of_a_language_keeps_what_was_asked_of_a_page(service, page):
    asked = "/customers?tier=key&sort=-churn_probability"
    links = [link.get("href") for link in page(asked).all("a")]
    change = next(link for link in links if link.startswith("/language?to=zh"))
    assert service.get(change).headers["location"] == asked
    service.get("/language?to=en")


def test_a_customers_page_changes_its_language_and_stays(service, shop):
    asked = {"customer_id": shop.scores["customer_id"].iloc[0], "language": "zh"}
    told = service("POST", "/customer", data=asked, headers={"accept": "text/html"})
    assert told.headers["content-language"] == "zh"
    assert html.escape(asked["customer_id"]) in told.text
    assert "zh" in told.headers["set-cookie"]
    service.get("/language?to=en")


@pytest.mark.parametrize(
    "back",
    [
        "//elsewhere.example",
        "https://elsewhere.example",
        "/a?b=c\r\nd: e",
        "/a/../b",
        "/?\\e.example",
    ],
)
def test_the_choice_of_a_language_leads_nowhere_else(service, back):
    told = service.get("/language", params={"to": "en", "back": back})
    assert told.headers["location"] == "/"


def test_segments_add_up_to_the_table_and_say_that_one_date_shows_no_change(page, shop):
    outline = page("/segments")
    words = " ".join(outline.words)
    for tier, number in shop.scores["tier"].value_counts().items():
        assert f"/customers?tier={tier}" in [link.get("href") for link in outline.all("a")]
        assert f"{number:,}" in words
    assert "With a second score table of another date" in words
    assert outline.all("svg")


def test_groups_show_what_a_key_may_see(service, keys):
    for key, hidden in (("risk", "Share of equity"), ("value", "Mean risk")):
        told = service.get("/segments", key=keys[key], headers={"accept": "text/html"}).text
        assert "Named segments" in told
        assert hidden not in told
