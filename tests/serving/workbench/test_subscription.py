"""The pages of a business of subscribers: what is subscribed, lists of a plan, no shop's words."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.store import Store
from serving import scores
from serving.api.newest import Newest
from serving.api.security import Gate
from serving.deployment import Deployment, Names
from serving.desk import Query, load
from serving.workbench import subscription
from serving.workbench.app import application
from serving.worker import Worker
from tests.serving.conftest import AS_OF

NOW = datetime(2024, 7, 2, 3, 4, 5, tzinfo=UTC)
PLANS = {"new": "Gold & more", "growing": "basic", "loyal": "basic", "back": None, "late": "basic"}
SPELLS = [
    ("back", date(2023, 1, 5), date(2023, 4, 5), "basic", 10.0, "involuntary"),
    ("back", date(2024, 5, 22), None, "basic", None, None),
    ("loyal", date(2023, 9, 5), None, "basic", 10.0, None),
]
#: Words of a shop, which no page of subscribers has.
OF_SHOPS = re.compile(r"purchas|comes back|rhythm|could be worth|named segments", re.IGNORECASE)


@pytest.fixture(scope="module")
def store(retention, subscribers, scored, tmp_path_factory) -> Store:
    """Scores, behaviour and subscriptions of five subscribers."""
    told = Store(tmp_path_factory.mktemp("st[o]re"))
    rows = subscribers[subscribers["customer_id"] != "gone"].reset_index(drop=True)
    rows = rows.assign(subscription_plan=list(PLANS.values()), complaints_open=0.0)
    known = rows.assign(subscription_plan="basic")
    frame, thresholds = scored(known, retention, scored_at=NOW)
    about = {"currency": "EUR", "timezone": "UTC", "as_of": AS_OF, "horizon_days": 90}
    about |= {"clv_horizon_days": 365, "model_version": "7", "run_id": None, "speaker": "sbg"}
    about |= {"grades": {"risk": "B"}, "scored_at": NOW, "thresholds": thresholds}
    for path in (told.scores(AS_OF), told.behaviour(AS_OF), told.subscriptions(AS_OF)):
        path.parent.mkdir(parents=True, exist_ok=True)
    scores.write(frame, scores.Meta(name="stream", **about), told.scores(AS_OF))
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), told.behaviour(AS_OF))
    names = ["customer_id", "day", "end", "plan", "price", "end_reason"]
    spells = pd.DataFrame(SPELLS, columns=names)
    pq.write_table(pa.Table.from_pandas(spells), told.subscriptions(AS_OF))
    return told


@pytest.fixture(scope="module")
def ask(store) -> Callable[..., str]:
    """`ask(path, form=None, language="en")`: text of a page that was found."""
    names = Names("stream", "EUR", "UTC")
    worker = Worker(Deployment(names, store, None, "7"), None, Newest(store), clock=lambda: NOW)
    gate = Gate(application(lambda: worker), {})

    async def asked(path: str, form: Any, language: str) -> httpx.Response:
        way = httpx.ASGITransport(gate, client=("127.0.0.1", 1))
        headers = {"accept": "text/html", "accept-language": language}
        async with httpx.AsyncClient(transport=way, base_url="http://localhost") as client:
            if form is None:
                return await client.get(path, headers=headers)
            return await client.post(path, headers=headers, data=form)

    def text(path: str, form: Any = None, language: str = "en", status: int = 200) -> str:
        told = asyncio.run(asked(path, form, language))
        assert told.status_code == status
        return told.text

    return text


def words(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_a_subscribers_page_says_what_is_subscribed(ask):
    told = words(ask("/customer", {"customer_id": "loyal"}))
    for said in (
        "Subscription plan basic",
        "Price €10.00 a month",
        # 300 days before the as-of date, and 7 after it.
        "Subscriber since 5 Sep 2023",
        "Renewals so far 9",
        "Next renewal is due 8 Jul 2024",
    ):
        assert said in told
    assert "Not said" not in told
    assert "套餐 basic" in words(ask("/customer", {"customer_id": "loyal"}, "zh"))


def test_an_overdue_renewal_was_due_and_what_is_not_known_is_a_dash(ask):
    late = words(ask("/customer", {"customer_id": "late"}))
    assert "Next renewal was due 29 Jun 2024" in late and "is due" not in late
    back = words(ask("/customer", {"customer_id": "back"}))
    assert "Subscription plan –" in back and "Price –" in back
    assert "5 Jan 2023 5 Apr 2023 basic €10.00 payment failed" in back
    assert "22 May 2024 runs basic – –" in back
    # That a price is missing is something not said; what is never asked is not.
    assert "no price on record" in back and "not asked" not in back


@pytest.mark.parametrize("path", ["/", "/customers", "/segments", "/data", *PLANS])
def test_no_page_speaks_of_purchases_to_a_business_of_subscribers(ask, path):
    page = ask("/customer", {"customer_id": path}) if path in PLANS else ask(path)
    assert len(words(page)) > 100 and not OF_SHOPS.findall(words(page))
    assert "not asked of subscriptions" not in page


def test_lists_have_the_plan_and_can_be_of_one(ask, store):
    whole = words(ask("/customers"))
    assert "5 customers" in whole and "Gold & more" in whole
    basic = ask("/customers?plan=basic&sort=customer_id")
    assert "3 customers · basic" in words(basic)
    shown = re.findall(r'name="customer_id" value="(\w+)"', basic)
    assert shown == ["growing", "late", "loyal"]
    assert "plan=basic" in basic.partition("/export?")[2].partition('"')[0]
    exported = ask("/export?plan=Gold+%26+more").splitlines()
    assert len(exported) == 2 and exported[1].startswith('"new"')
    assert "0 customers · nobody has it" in words(ask("/customers?plan=nobody+has+it"))


def test_pages_of_a_list_of_one_plan_stay_with_it(ask):
    first = ask("/customers?plan=basic&page_size=2")
    following = re.search(r'href="(\?[^"#]*)#list" rel="next"', first)
    assert following
    last = words(ask("/customers" + html.unescape(following[1])))
    assert "3 customers · basic" in last and "3 to 3 of 3" in last


def test_without_plans_a_list_of_one_is_refused(score_file, tmp_path):
    shop = Store(tmp_path)
    score_file(shop.scores(AS_OF))
    desk = load(shop.scores(AS_OF))
    assert not desk.totals.contracts
    assert subscription.among(shop, desk, "") is None
    assert subscription.plans(shop, desk) == []
    with pytest.raises(subscription.Failure, match="no plans of customers are known"):
        subscription.among(shop, desk, "basic")


@pytest.mark.parity
def test_a_query_of_one_plan_has_the_same_customers_on_pages_and_in_batches(store):
    desk = load(store.scores(AS_OF))
    query = Query(among=subscription.among(store, desk, "basic"), order=(("clv", True),))
    rows, total = desk.page(query, ["clv"], page=1, size=10)
    streamed = desk.batches(query, ["customer_id"]).read_all()["customer_id"].to_pylist()
    assert total == 3 and [row["customer_id"] for row in rows] == streamed
    # The customer without a price is the only one of whom something asked is not said.
    assert desk.totals.contracts and desk.totals.abstained == 1
