"""No customer's id in logs, metrics or headers, whatever is asked."""

from __future__ import annotations

import logging

import pytest

pytestmark = pytest.mark.service


@pytest.fixture
def everything_logged(caplog):
    """What any logger says at INFO or above."""
    with caplog.at_level(logging.INFO):
        for name in ("bentoml", "bentoml.regulars", "uvicorn", "uvicorn.error"):
            logging.getLogger(name).addHandler(caplog.handler)
        yield caplog
    for name in ("bentoml", "bentoml.regulars", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).removeHandler(caplog.handler)


def ask_everything(service, shop, one):
    """Requests that name a customer in every place that a client could, right and wrong."""
    raw = shop.raw(one)
    broken = {**raw, "transactions": [{"timestamp": one, "amount": one}]}
    yield service.post("/risk", {"customer_ids": [one, f"{one}-unknown"]})
    yield service.post("/value", {"customer_ids": [one], "horizon_days": 30})
    yield service.post("/score", {"customers": [raw, broken]})
    event = {"timestamp": one, "kind": one, "value": one}
    yield service.post("/score", {"customers": [{**raw, "events": [event]}]})
    yield service.post("/score", {"customers": [{**raw, "events": [{one: one}]}]})
    yield service.post("/score", {"customers": [raw], "as_of": one})
    yield service.post("/score", {"customers": [{**raw, "attributes": {one: one}}]})
    yield service.post("/customers", {"filter": {"customer_id_starts_with": one}})
    yield service.post("/customers", {"sort": [one]})
    yield service.post("/customers", {"filter": {one: one}})
    yield service.post("/risk", {"customer_ids": [one], one: one})
    yield service.post("/risk", {"customer_ids": {one: one}})
    yield service.post("/risk", one)
    yield service("POST", "/risk", content=f'{{"{one}'.encode())
    yield service("POST", "/customer", data={"customer_id": one})
    yield service("POST", "/customer", data={"customer_id": f"{one}-unknown"})
    yield service.post("/plan", {"actions": [one]})
    yield service.post("/plan", {"plan_id": one})
    yield service("POST", "/plan/make", data={"plan": one, "seal": one, one: one})
    yield service.get("/plan", params={"plan": one})
    yield service.get("/plan", params={one: one})
    yield service.get("/plan/export", params={"plan": one, "format": one})
    yield service.get(f"/customers/{one}")
    yield service.get(f"/static/{one}")
    yield service.get("/export", params={"customer_id": one})
    yield service.get("/export", params={one: one})
    yield service.get("/", params={"sort": one})
    yield service.get("/", key=one)
    yield service(one.upper().replace(" ", "").replace("<", "").replace(">", ""), "/risk")


def test_no_id_in_logs_metrics_or_headers(service, shop, known, everything_logged):
    one = known[7]
    names = {one, "shopper", one.replace("<", "%3C"), "SHOPPER"}
    answers = list(ask_everything(service, shop, one))
    assert {told.status_code for told in answers} >= {200, 400, 401, 404, 405}
    # The client of this test runs in the same process and logs addresses of its own.
    logged = [r.getMessage() for r in everything_logged.records if not r.name.startswith("httpx")]
    said = "\n".join([*logged, service.get("/metrics").text, *(str(a.headers) for a in answers)])
    assert any("/risk" in line for line in logged)
    assert not [name for name in names if name in said]


def test_errors_do_not_repeat_what_was_sent(service, shop, known):
    one = known[7]
    for told in ask_everything(service, shop, one):
        if told.status_code >= 500:
            pytest.fail(told.text)
        if told.status_code >= 400 and "detail" not in told.text:
            assert one not in told.text


def test_metrics_are_labelled_by_route(service, known):
    for number in range(5):
        service.get(f"/random/{number}")
        service.post("/risk", {"customer_ids": [known[number], "nobody"]})
    told = service.get("/metrics").text
    assert 'regulars_requests_total{method="GET",route="other",status="404"}' in told
    assert 'regulars_items_total{outcome="unknown_customer",route="/risk"}' in told
    assert 'regulars_items_total{outcome="answered",route="/risk"}' in told
    assert "regulars_score_table_customers" in told
    assert "/random" not in told
    assert "bentoml_service" not in told
