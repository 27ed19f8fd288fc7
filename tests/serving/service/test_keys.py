"""Which key opens what, and which columns it shows."""

from __future__ import annotations

import base64
import itertools

import pytest

from serving import questions
from serving.api.routes import RISK, VALUE

pytestmark = pytest.mark.service

#: Path, method, and the sets of scopes that open it.
EITHER = ("risk", "value", "risk+value", "admin")
MATRIX = {
    ("POST", "/risk"): ("risk", "risk+value", "admin"),
    ("POST", "/value"): ("value", "risk+value", "admin"),
    ("POST", "/score"): EITHER,
    ("POST", "/customers"): EITHER,
    ("GET", "/export"): EITHER,
    ("GET", "/"): EITHER,
    ("POST", "/customer"): EITHER,
    ("GET", "/metrics"): ("admin",),
    ("GET", "/docs"): EITHER,
    ("GET", "/openapi.json"): EITHER,
    ("GET", "/docs.json"): EITHER,
    ("GET", "/schema.json"): EITHER,
    ("GET", "/static/workbench.css"): EITHER,
}


def ask(service, method, path, key, known):
    body = {
        "/risk": {"customer_ids": known[:1]},
        "/value": {"customer_ids": known[:1]},
        "/score": {"customers": [{"customer_id": "x", "transactions": []}]},
        "/customers": {"sort": ["customer_id"]},
    }
    if path == "/customer":
        return service(method, path, key=key, data={"customer_id": known[0]})
    return service(method, path, key=key, json=body.get(path))


@pytest.mark.parametrize(
    ("place", "scopes"), list(itertools.product(MATRIX, EITHER)), ids=lambda v: "".join(v)
)
def test_a_key_opens_what_its_scopes_say(service, keys, known, place, scopes):
    told = ask(service, *place, keys[scopes], known)
    assert told.status_code == (200 if scopes in MATRIX[place] else 403)


@pytest.mark.parametrize("key", [None, "", "another key", "0" * 64])
@pytest.mark.parametrize("place", [*MATRIX, ("GET", "/nothing")], ids=lambda place: place[1])
def test_nothing_is_told_without_a_key_that_is_known(service, known, place, key):
    told = ask(service, *place, key, known)
    assert told.status_code == 401
    assert told.json()["error"]["code"] == "unauthorized"
    assert told.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(("key", "said"), [(None, "open with an API key"), ("no", "not known")])
@pytest.mark.parametrize("path", ["/", "/customers", "/plan", "/nothing"])
def test_a_browser_without_a_key_is_told_how_to_sign_in(service, path, key, said):
    told = service.get(path, key=key, headers={"accept": "text/html"})
    assert told.status_code == 401
    assert told.headers["content-type"].startswith("text/html")
    assert told.headers["www-authenticate"].startswith("Basic ")
    assert said in told.text and "regulars key" in told.text
    # Nothing that the browser would ask for, and be refused, with the page.
    assert "<link" not in told.text and "src=" not in told.text
    chinese = {"accept": "text/html", "accept-language": "zh"}
    assert "登录" in service.get(path, key=key, headers=chinese).text


def test_a_browser_whose_key_does_not_open_a_page_is_told_so_on_a_page(service, keys):
    told = service.get("/metrics", key=keys["risk"], headers={"accept": "text/html"})
    assert told.status_code == 403
    assert told.headers["content-type"].startswith("text/html")
    assert "Not with this key" in told.text


@pytest.mark.parametrize(
    "header",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer {key}"},
        lambda key: {"X-API-Key": key},
        lambda key: {"Authorization": f"Basic {base64.b64encode(f'me:{key}'.encode()).decode()}"},
        lambda key: {"Authorization": f"Basic {base64.b64encode(f':{key}'.encode()).decode()}"},
    ],
)
def test_a_key_can_be_sent_in_each_way(service, keys, known, header):
    body = {"customer_ids": known[:1]}
    told = service.post("/risk", body, key=None, headers=header(keys["risk"]))
    assert told.status_code == 200
    told = service.post("/risk", body, key=None, headers=header(keys["risk"] + "x"))
    assert told.status_code == 401


@pytest.mark.parametrize("sent", ["Basic ???", "Basic", "Bearer", "Digest abc", "Basic /w=="])
def test_a_header_that_cannot_be_read_is_no_key(service, sent):
    told = service.get("/", key=None, headers={"Authorization": sent})
    assert told.status_code == 401


@pytest.mark.parametrize(("scopes", "hidden"), [("risk", VALUE), ("value", RISK)])
def test_columns_of_other_scopes_are_left_out(service, keys, shop, known, scopes, hidden):
    gone, key = set(questions.OF[hidden]), keys[scopes]
    rows = service.post("/customers", {"sort": ["customer_id"]}, key=key).json()["rows"]
    scored = service.post("/score", {"customers": [shop.raw(known[0])]}, key=key).json()["items"]
    header = service.get("/export", key=key).text.partition("\n")[0]
    for names in (set(rows[0]), set(scored[0]), set(header.replace('"', "").split(","))):
        assert names & gone == set()
        assert set(questions.OF[scopes]) <= names


@pytest.mark.parametrize(
    "body",
    [
        {"sort": ["-clv"]},
        {"sort": ["tier"]},
        {"sort": ["customer_id"], "filter": {"tier": ["key"]}},
        {"sort": ["customer_id"], "filter": {"at_most": {"expected_spend": 3}}},
    ],
)
def test_columns_of_other_scopes_can_not_be_guessed_by_filter_or_order(service, keys, body):
    told = service.post("/customers", body, key=keys["risk"])
    assert told.status_code == 403
    assert service.post("/customers", body, key=keys["value"]).status_code == 200


def test_the_page_shows_a_keys_own_columns(service, keys, known):
    retention = service.get("/", key=keys["risk"]).text
    assert "Expected to leave" in retention
    assert "equity" not in retention
    assert "Tier" not in retention
    marketing = service.get("/", key=keys["value"]).text
    assert "equity" in marketing
    assert "Expected to leave" not in marketing
    for scopes, shown, hidden in (
        ("risk", "What moves the risk", "Lifetime value"),
        ("value", "Lifetime value", "What moves the risk"),
    ):
        told = service("POST", "/customer", key=keys[scopes], data={"customer_id": known[0]})
        assert shown in told.text
        assert hidden not in told.text


def test_a_websocket_is_closed(service):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    import asyncio

    scope = {"type": "websocket", "path": "/", "headers": [], "scheme": "ws"}
    asyncio.run_coroutine_threadsafe(service._app(scope, receive, send), service._loop).result(10)
    assert [message["type"] for message in sent] == ["websocket.close"]
