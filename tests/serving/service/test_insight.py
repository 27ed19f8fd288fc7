"""The customer's page beyond the scores, and the page of satisfaction: words, scopes, what-ifs."""

from __future__ import annotations

import html
import re
from datetime import date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.store import Store, write_parquet
from serving.api import whatifs
from serving.api.group_messages import SatisfactionAnswer
from serving.insight import drivers, whatif
from serving.scores import REASON
from serving.workbench import insight

pytestmark = pytest.mark.service

PAGE = {"accept": "text/html"}


def opened(service, one, *, key=None, chinese=False, **form):
    headers = {**PAGE, **({"accept-language": "zh"} if chinese else {})}
    more = {} if key is None else {"key": key}
    told = service("POST", "/customer", data={"customer_id": one, **form}, headers=headers, **more)
    assert told.status_code == 200, told.text
    return html.unescape(told.text)


@pytest.fixture(scope="module")
def one(shop):
    """A customer with a risk, a driver, some purchases and a value."""
    lists = pa.array(shop.scores["reasons"].to_list(), pa.list_(REASON))
    driven = pa.compute.is_valid(drivers.heaviest(lists)).to_pylist()
    rows = shop.scores[driven]
    rows = rows[(rows["clv"] > 1) & (rows["stage"] != "new")]
    return str(rows["customer_id"].iloc[0])


def test_drivers_split_and_others_alike_are_told(service, one):
    page = opened(service, one)
    (told,) = service.post("/reasons", {"customer_ids": [one]}).json()["items"]
    words = {driver.name: driver for driver in drivers.DRIVERS}
    for found in told["drivers"]:
        assert words[found["driver"]].words in page
        assert words[found["driver"]].advice in page
    assert "What the value is made of" in page
    assert f"{told['split']['months']:,.2f} months" in page
    alike = re.findall(r'name="customer_id" value="([^"]+)"', page)
    assert len(set(alike) - {one}) == insight.ALIKE


def test_a_what_if_of_the_page_is_the_answer_of_the_api(service, one):
    page = opened(service, one, change="purchase", amount="40", days="30")
    given = {"customer_ids": [one], "change": {"kind": "purchase", "amount": 40}}
    (item,) = service.post("/whatif", given).json()["items"]
    shown = page.split('id="whatif"')[1]
    for side in ("before", "after"):
        assert f"£{item[side]['clv']:,.2f}" in shown or f"£{item[side]['clv']:,.0f}" in shown
    for reason in item["after"]["reasons"]:
        assert reason["text"] in shown
    assert "It is no promise" in shown


def test_a_what_if_that_cannot_be_is_told_on_the_page(service, one):
    for form in ({"change": "luck"}, {"change": "purchase", "amount": "much"}):
        assert "This change cannot be" in opened(service, one, **form)


def test_changes_of_events_are_offered_where_events_are_kept(service, one):
    page = opened(service, one)
    offered = re.findall(r'<option value="(\w+)"', page)
    assert offered == ["purchase", "silence", "no_refunds"]
    assert set(whatif.offered(subscribers=False)) - set(offered) == {"complaint", "resolution"}


@pytest.mark.parametrize("key", ["risk", "value"])
def test_a_key_sees_its_own_part_of_the_page(service, one, keys, key):
    page = opened(service, one, key=keys[key], change="purchase")
    hidden = {
        "risk": ["Lifetime value", "What the value is made of", "Expected spend"],
        "value": ["Likely drivers", "What would move the risk", "What the value is made of"],
    }
    assert [words for words in hidden[key] if words in page] == []
    assert "As it would be" in page


def test_reasons_are_told_in_chinese(service, shop, one):
    page = opened(service, one, chinese=True)
    row = shop.scores.set_index("customer_id").loc[one]
    for reason in row["reasons"]:
        assert reason["text"] not in page
    assert "可能的驱动因素" in page


def test_without_events_the_page_of_satisfaction_says_so(service):
    told = service.get("/satisfaction", headers=PAGE)
    assert told.status_code == 200
    assert "the settings have no source of events" in told.text


@pytest.fixture
def complaints(shop):
    """The behaviour table as if the shop had events: complaints, and marks from 1 to 5."""
    store = Store(shop.store)
    path = store.behaviour(store.latest("behaviour"))
    old = path.read_bytes()
    table = pq.read_table(path, partitioning=None)
    rows = len(table)
    told = {
        "complaints_total": [n % 2 for n in range(rows)],
        "complaints_open": [int(n % 10 == 1) for n in range(rows)],
        "complaints_90": [int(n % 10 == 1) for n in range(rows)],
        "days_since_complaint": [5 if n % 2 else None for n in range(rows)],
        "satisfaction_last": [float(n % 5 + 1) for n in range(rows)],
    }
    for name, values in told.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    pq.write_table(table, path)
    yield rows
    path.write_bytes(old)


@pytest.mark.parametrize("key", ["risk", "value", "admin"])
def test_satisfaction_stands_beside_loyalty(service, complaints, keys, key):
    told = service.get("/satisfaction", headers=PAGE, key=keys[key])
    assert told.status_code == 200
    page = html.unescape(told.text)
    assert f"{complaints // 10} customers with open complaints" in page
    grid = re.search(r'<table class="grid">.*?</table>', page, re.DOTALL)
    assert grid is not None
    cells = re.findall(r'<td class="number shade-\d">([\d,]+)', grid[0])
    assert len(cells) == 6
    assert sum(int(cell) for cell in cells) == complaints
    assert ("£" in page) == (key != "risk")
    assert ("Mean risk" in page or "risk " in grid[0]) == (key != "value")


@pytest.mark.parametrize("key", ["risk", "value", "admin"])
def test_programs_get_the_figures_of_satisfaction(service, complaints, keys, key):
    told = service.get("/satisfaction", key=keys[key])
    found = SatisfactionAnswer.model_validate_json(told.content, extra="forbid")
    assert sum(one.customers for one in found.fields) == complaints
    assert (found.open, found.scale, found.notes) == (complaints // 10, (1.0, 5.0), [])
    assert found.complaints
    rows = [*found.complaints, *found.leaving, *found.staying]
    assert any(one.equity is not None for one in found.fields) == (key != "risk")
    assert any(one.churn_probability is not None for one in found.fields) == (key != "value")
    assert any(row.clv is not None or row.tier is not None for row in rows) == (key != "risk")
    assert any(row.churn_probability is not None for row in rows) == (key != "value")


def test_the_figures_of_satisfaction_say_why_there_are_none(service):
    told = service.get("/satisfaction")
    found = SatisfactionAnswer.model_validate_json(told.content, extra="forbid")
    assert (found.fields, found.open, found.scale) == ([], None, None)
    assert "[sources.events]" in found.notes[0]
    assert service.get("/satisfaction", key=None).status_code == 401


def test_the_form_offers_what_the_api_takes():
    assert set(insight.CHANGES) == set(
        whatifs.ChangeRequest.model_fields["kind"].annotation.__args__
    )


@pytest.fixture
def events(shop, one):
    """Events kept for one customer: a complaint, its resolution, a mark, uses."""
    store = Store(shop.store)
    path = store.events(store.latest("behaviour"))
    days = [date(2024, 5, 2), date(2024, 5, 9), date(2024, 5, 10), date(2024, 5, 11)]
    table = pa.table(
        {
            "customer_id": [one] * 4,
            "occurred_at": pa.array(
                [datetime.combine(d, time(9)) for d in days], pa.timestamp("us")
            ),
            "day": days,
            "kind": ["complaint", "resolution", "satisfaction", "usage"],
            "value": [None, None, 2.5, 7.0],
        }
    )
    write_parquet(table, path)
    yield
    path.unlink()


def test_complaints_and_marks_are_drawn_and_told_where_they_are_kept(service, events, one, known):
    page = opened(service, one)
    assert re.findall(r'<circle class="(\w+)"', page) == ["complaint", "resolution", "satisfaction"]
    for words in ("2 May 2024", "Complaint resolved", "2.50", "Dots are complaints"):
        assert words in page
    assert "not drawn" not in page
    other = opened(service, next(id_ for id_ in known if id_ != one))
    assert "No complaint and no contact so far." in other


def test_a_complaint_is_offered_and_answered_where_events_are_kept(service, events, one):
    page = opened(service, one, change="complaint")
    assert 'value="complaint" selected' in page
    assert "As it would be" in page
