"""Every failed request is answered in one shape, and nothing from its body comes back."""

from __future__ import annotations

import pytest

from serving.api import limits

pytestmark = pytest.mark.service


def shape(told, status, code):
    """The answer's error, after checking its shape."""
    assert told.status_code == status
    assert told.headers["content-type"] == "application/json"
    body = told.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "detail"}
    assert body["error"]["code"] == code
    assert body["error"]["message"].endswith((".", "…"))
    assert "Traceback" not in told.text
    return body["error"]


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/risk", {}, "customer_ids"),
        ("/risk", {"customer_ids": []}, "customer_ids"),
        ("/risk", {"customer_ids": "C-1"}, "customer_ids"),
        ("/risk", {"customer_ids": [None]}, "customer_ids.0"),
        ("/risk", {"customer_ids": [True]}, "customer_ids.0"),
        ("/risk", {"customer_ids": [""]}, "customer_ids.0"),
        ("/risk", {"customer_ids": ["x" * 257]}, "customer_ids.0"),
        ("/risk", {"customer_ids": ["x"] * (limits.MAX_IDS + 1)}, "customer_ids"),
        ("/risk", {"customer_ids": ["x"], "horizon": 30}, "horizon"),
        ("/value", {"customer_ids": ["x"], "horizon_days": 0}, "horizon_days"),
        ("/value", {"customer_ids": ["x"], "horizon_days": 731}, "horizon_days"),
        ("/value", {"customer_ids": ["x"], "horizon_days": "30"}, "horizon_days"),
        ("/value", {"customer_ids": ["x"], "from": "1 July", "until": "2024-08-01"}, "from"),
        ("/value", {"customer_ids": ["x"], "start": "2024-07-01"}, "start"),
        ("/risk", {"customer_ids": ["x"], "from": "2024-07-01", "until": "2024-08-01"}, "from"),
        ("/score", {"customers": []}, "customers"),
        ("/score", {"customers": [{"customer_id": "x", "transactions": [{"a": 1}]}]}, "a"),
        (
            "/score",
            {"customers": [{"customer_id": "x", "transactions": []}], "as_of": "n"},
            "as_of",
        ),
        ("/score", {"customers": [], "as_of": 20240701}, "as_of"),
        ("/customers", {"page_size": 501}, "page_size"),
        ("/customers", {"page": 0}, "page"),
        ("/customers", {"filter": {"stage": ["gone"]}}, "filter.stage.0"),
        ("/customers", {"filter": {"at_least": {"customer_id": 1}}}, "filter.at_least"),
        ("/risk", ["x"], ""),
    ],
)
def test_a_request_that_is_not_as_described_is_told_where(service, path, body, where):
    error = shape(service.post(path, body), 400, "invalid_request")
    assert any(where in fault["where"] for fault in error["detail"])


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"from": "2024-08-01"}, "expected both"),
        ({"until": "2024-08-01"}, "expected both"),
        ({"from": "2024-08-01", "until": "2024-09-01", "horizon_days": 30}, "one or the other"),
        ({"from": "2024-06-30", "until": "2024-09-01"}, "2024-07-01 <= from < until"),
        ({"from": "2024-09-01", "until": "2024-09-01"}, "2024-07-01 <= from < until"),
        ({"from": "2024-09-01", "until": "2026-07-02"}, "expected 2026-07-01 or earlier"),
    ],
)
def test_days_that_cannot_be_asked_about_are_refused_with_what_was_expected(service, days, said):
    told = service.post("/value", {"customer_ids": ["x"], **days})
    assert said in shape(told, 400, "invalid_request")["message"]


def test_what_is_no_json_is_refused(service):
    told = service("POST", "/risk", content=b"{", headers={"content-type": "application/json"})
    (fault,) = shape(told, 400, "invalid_request")["detail"]
    assert "Invalid JSON" in fault["what"] and fault["where"] == "body"


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        ("/risk", {"customer_ids": ["x"], "horizon": 30}, "customer_ids, horizon_days"),
        (
            "/score",
            {"customers": [{"customer_id": "x", "events": [{"knid": "usage"}]}]},
            "timestamp, kind, value",
        ),
    ],
)
def test_an_unknown_name_in_a_body_is_told_the_known_ones(service, path, body, names):
    (fault,) = shape(service.post(path, body), 400, "invalid_request")["detail"]
    assert fault["what"] == f"This name is not known here; expected some of: {names}"


def test_what_does_not_belong_together_is_told_in_our_words(service):
    body = {"customer_ids": ["x"], "change": {"kind": "silence", "plan": "Basic"}}
    (fault,) = shape(service.post("/whatif", body), 400, "invalid_request")["detail"]
    assert fault == {"where": "change", "what": "plan is of a plan_change, which needs it"}


def test_an_export_without_a_plan_says_what_is_missing(service):
    for address in ("/plan/export", "/plan/export?plan="):
        error = shape(service("GET", address), 400, "invalid_request")
        assert error["message"].startswith("Got no `plan` in the address")


@pytest.mark.parametrize("path", ["/risk", "/value", "/score", "/customers"])
@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/vnd.bentoml+pickle"]
)
def test_bodies_of_other_kinds_are_refused(service, path, kind):
    told = service("POST", path, content=b"{}", headers={"content-type": kind})
    shape(told, 415, "unsupported_media_type")


def test_a_body_too_large_is_refused_by_its_length_and_without_one(service):
    large = b"x" * (limits.Limits().body_bytes + 1)
    headers = {"content-type": "application/json"}
    shape(service("POST", "/risk", content=large, headers=headers), 413, "too_large")

    async def pieces():
        for start in range(0, len(large), 2**20):
            yield large[start : start + 2**20]

    shape(service("POST", "/risk", content=pieces(), headers=headers), 413, "too_large")


def test_a_customer_without_transactions_fails_alone(service, shop, known):
    told = service.post("/score", {"customers": [{"customer_id": "x"}, shop.raw(known[0])]})
    bad, good = told.json()["items"]
    assert bad["error"]["code"] == "bad_transaction" and "`transactions`" in bad["error"]["message"]
    assert good["churn_probability"] is not None


def test_too_many_transactions_are_refused(service):
    row = {"timestamp": "2024-01-01", "amount": 1}
    customer = {"customer_id": "x", "transactions": [row] * (limits.MAX_TRANSACTIONS + 1)}
    shape(service.post("/score", {"customers": [customer]}), 413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/static/nothing.css", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/risk", 405, "method_not_allowed"),
        ("DELETE", "/customers", 405, "method_not_allowed"),
        ("POST", "/export", 405, "method_not_allowed"),
        ("GET", "/customer", 405, "method_not_allowed"),
        ("GET", "/export?format=xlsx", 400, "invalid_request"),
        ("GET", "/export?stage=gone", 400, "invalid_request"),
        ("GET", "/export?customer_id=x", 400, "invalid_request"),
        ("GET", "/export?min_clv=much", 400, "invalid_request"),
        ("GET", "/export?sort=reasons", 400, "invalid_request"),
        ("GET", "/customers?sort=reasons", 400, "invalid_request"),
    ],
)
def test_addresses_that_are_wrong_are_told_so(service, method, path, status, code):
    shape(service(method, path), status, code)


@pytest.mark.parametrize(
    ("method", "address", "name"),
    [
        ("GET", "/effects?plan=x", "plan"),
        ("GET", "/segments?foo=1", "foo"),
        ("GET", "/segments?retention=0.1", "retention"),
        ("GET", "/satisfaction?stage=loyal", "stage"),
        ("GET", "/equity?retention=0.1&raise=", "raise"),
        ("GET", "/plans?page=2", "page"),
        ("GET", "/export?page=", "page"),
        ("GET", "/export?stge=loyal", "stge"),
        ("GET", "/plan/export?plan=x&page=2", "page"),
        ("POST", "/risk?horizon=30", "horizon"),
        ("POST", "/customers?sort=clv", "sort"),
    ],
)
def test_a_name_that_an_address_does_not_take_is_refused_and_said(service, method, address, name):
    given = {} if method == "GET" else {"json": {"customer_ids": ["x"]}}
    error = shape(service(method, address, **given), 400, "invalid_request")
    assert f"`{name}`" in error["message"]
    assert "expected" in error["message"]


@pytest.mark.parametrize(
    "address", ["/segments?foo=1", "/effects?plan=x", "/satisfaction?foo=1", "/?foo=1", "/data?a=1"]
)
def test_pages_leave_names_alone_that_change_no_list(service, address):
    assert service.get(address, headers={"accept": "text/html"}).status_code == 200


def test_a_page_says_that_a_filter_is_misspelt(service):
    told = service.get("/customers?stge=loyal", headers={"accept": "text/html"})
    assert told.status_code == 400
    assert "`stge`" in told.text


def test_people_who_miss_a_customer_are_led_to_the_search(service):
    people = {"accept": "text/html"}
    told = service.get("/customer", headers=people)
    assert (told.status_code, told.headers["location"]) == (303, "/customers")
    told = service("POST", "/customer", data={"customer_id": "nobody"}, headers=people)
    assert told.status_code == 404
    assert told.text.count('action="/customer"') == 1


@pytest.mark.parametrize(
    ("as_of", "said"), [("2999-01-01", "after tomorrow"), ("1970-12-31", "before any purchase")]
)
def test_an_as_of_date_that_cannot_be_is_refused(service, as_of, said):
    body = {"customers": [{"customer_id": "x", "transactions": []}], "as_of": as_of}
    assert said in shape(service.post("/score", body), 400, "invalid_request")["message"]


def test_an_attribute_that_the_model_does_not_read_is_refused(service):
    customer = {"customer_id": "x", "transactions": [], "attributes": {"plan": "gold"}}
    error = shape(service.post("/score", {"customers": [customer]}), 400, "invalid_request")
    assert "gold" not in error["message"]


def test_a_horizon_without_its_behaviour_table_is_refused_as_a_request(service, shop, known):
    table = next((shop.store / "behaviour").iterdir())
    away = table.rename(table.with_suffix(".away"))
    try:
        told = service.post("/risk", {"customer_ids": known[:1], "horizon_days": 30})
        assert "regulars build" in shape(told, 422, "horizon_unavailable")["message"]
    finally:
        away.rename(table)


@pytest.mark.parametrize("path", ["/risk", "/customers"])
def test_what_nobody_foresaw_is_an_error_without_its_words(
    service, known, monkeypatch, caplog, path
):
    from serving.desk import Desk

    def broken(*_args, **_named):
        raise RuntimeError(f"cannot read {known[0]}")

    monkeypatch.setattr(Desk, "rows", broken)
    monkeypatch.setattr(Desk, "page", broken)
    body = {"customer_ids": known[:1]} if path == "/risk" else {}
    told = service.post(path, body)
    shape(told, 500, "internal_error")
    assert known[0] not in told.text + caplog.text


def test_a_page_that_fails_is_an_error_without_its_words(service, known, monkeypatch, caplog):
    from serving.workbench import overview

    def broken(*_args):
        raise RuntimeError(f"cannot show {known[0]}")

    monkeypatch.setattr(overview, "content", broken)
    told = service.get("/", headers={"accept": "text/html"})
    shape(told, 500, "internal_error")
    assert known[0] not in told.text + caplog.text
