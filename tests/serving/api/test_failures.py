"""One shape for errors, whoever words them."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from serving.api.failures import Failure, OneShape


def answered(app, **options):
    async def asked():
        transport = httpx.ASGITransport(OneShape(app, **options))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/")

    return asyncio.run(asked())


def saying(status, body, kind="application/json", extra=()):
    async def app(scope, receive, send):
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *extra]})
        for place in range(0, len(body), 7):
            piece = {"type": "http.response.body", "body": body[place : place + 7]}
            await send({**piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, b"Not Found", "text/plain", "not_found"),
        (405, b"Method Not Allowed", "text/plain", "method_not_allowed"),
        (500, b"Internal Server Error", "text/plain", "internal_error"),
        (503, b"Service is not ready", "text/plain", "not_ready"),
        (400, b'[{"error": "a list"}]', "application/json", "invalid_request"),
        (400, b'{"error": "1 validation error"}', "application/json", "invalid_request"),
        (418, b"", "text/plain", "error"),
    ],
)
def test_other_shapes_become_ours(status, body, kind, code):
    told = answered(saying(status, body, kind))
    assert told.status_code == status
    assert told.headers["content-type"] == "application/json"
    assert int(told.headers["content-length"]) == len(told.content)
    assert told.json()["error"]["code"] == code


def test_faults_of_a_request_keep_place_and_words():
    fault = {"type": "missing", "loc": ["customer_ids", 0], "msg": "Field required", "url": "https"}
    body = json.dumps({"error": "1 validation error", "detail": [fault]}).encode()
    told = answered(saying(400, body)).json()
    assert told["error"]["detail"] == [{"where": "customer_ids.0", "what": "Field required"}]


def test_a_name_that_is_not_known_is_told_with_those_that_are():
    fault = {"type": "extra_forbidden", "loc": ["customers", 0, "a"], "msg": "Extra inputs"}
    body = json.dumps({"error": "1 validation error", "detail": [fault]}).encode()
    asked = []

    def names(path, place):
        asked.append((path, place))
        return "id", "rows"

    (told,) = answered(saying(400, body), names=names).json()["error"]["detail"]
    assert told["where"] == "customers.0.a" and told["what"].endswith("expected some of: id, rows")
    assert asked == [("/", ("customers", 0))]
    (told,) = answered(saying(400, body)).json()["error"]["detail"]
    assert told["what"] == "This name is not known here"


def test_a_fault_of_the_whole_body_and_one_of_our_own_are_in_our_words():
    fault = {"type": "value_error", "loc": [], "msg": "Value error, plan is of a plan_change"}
    body = json.dumps({"error": "1 validation error", "detail": [fault]}).encode()
    told = answered(saying(400, body)).json()
    assert told["error"]["detail"] == [{"where": "body", "what": "plan is of a plan_change"}]


@pytest.mark.parametrize("status", [200, 204, 307])
def test_good_answers_pass_untouched(status):
    told = answered(saying(status, b'{"error": "a column"}', extra=[(b"x-more", b"1")]))
    assert told.content == b'{"error": "a column"}'
    assert told.headers["x-more"] == "1"


def test_pages_and_our_own_errors_pass_untouched():
    assert answered(saying(404, b"<p>Not found</p>", "text/html")).text == "<p>Not found</p>"
    ours = json.dumps(Failure(422, "Cannot.", code="horizon_unavailable").content()).encode()
    assert answered(saying(422, ours)).content == ours


def test_what_is_raised_is_answered(caplog):
    async def refusing(scope, receive, send):
        raise Failure(401, "No key.", headers={"WWW-Authenticate": "Basic"})

    told = answered(refusing)
    assert told.status_code == 401
    assert told.headers["www-authenticate"] == "Basic"
    assert told.json() == {"error": {"code": "unauthorized", "message": "No key."}}

    async def failing(scope, receive, send):
        raise ValueError("the secret of C-17")

    told = answered(failing)
    assert told.status_code == 500
    assert "C-17" not in told.text + caplog.text
    assert "ValueError at test_failures.py" in caplog.text


def test_an_answer_that_breaks_off_is_broken_off():
    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("in the middle")

    with pytest.raises(ConnectionAbortedError):
        answered(half)
