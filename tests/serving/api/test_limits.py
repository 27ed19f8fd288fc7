"""What one client may ask at once, and for how long."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from serving.api.failures import OneShape
from serving.api.limits import Limited, Limits


def running(app, limits=None):
    transport = httpx.ASGITransport(OneShape(Limited(app, limits)))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def respond(send, body=b"done"):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def echo(scope, receive, send):
    message = await receive()
    assert message["more_body"] is False
    await respond(send, message["body"])


def test_a_body_reaches_the_application_whole():
    async def asked():
        async with running(echo, Limits(body_bytes=10)) as client:
            return await client.post("/export", content=b"0123456789")

    assert asyncio.run(asked()).content == b"0123456789"


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_is_read_no_further_than_the_limit(declared):
    taken = []

    async def pieces():
        for number in range(1000):
            taken.append(number)
            yield b"0" * 10

    async def asked():
        async with running(echo, Limits(body_bytes=100)) as client:
            headers = {"content-length": "10000"} if declared else {}
            return await client.post("/export", content=pieces(), headers=headers)

    told = asyncio.run(asked())
    assert told.status_code == 413
    assert told.json()["error"]["code"] == "too_large"


def test_an_answer_that_does_not_come_in_time_is_given_up():
    ended = []

    async def slow(scope, receive, send):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def asked():
        async with running(slow, Limits(seconds=0.05)) as client:
            return await client.get("/export")

    told = asyncio.run(asked())
    assert told.status_code == 504
    assert told.json()["error"]["code"] == "timeout"
    assert ended == [True]


def test_an_answer_that_has_begun_may_go_on():
    async def long(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4):
            await asyncio.sleep(0.05)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def asked():
        async with running(long, Limits(seconds=0.1)) as client:
            return await client.get("/export")

    assert asyncio.run(asked()).content == b"xxxx"


def test_a_timeout_of_the_application_itself_is_not_ours():
    async def broken(scope, receive, send):
        raise TimeoutError("a query")

    async def asked():
        async with running(broken) as client:
            return await client.get("/export")

    assert asyncio.run(asked()).json()["error"]["code"] == "internal_error"


def test_more_than_the_limit_at_once_are_turned_away_and_health_is_not():
    async def asked():
        gate = asyncio.Event()

        async def waiting(scope, receive, send):
            if scope["path"] != "/livez":
                await gate.wait()
            await respond(send)

        async with running(waiting, Limits(at_once=2)) as client:
            first = [asyncio.create_task(client.get("/export")) for _ in range(2)]
            await asyncio.sleep(0.05)
            turned_away, health = await client.get("/export"), await client.get("/livez")
            gate.set()
            served = [told.status_code for told in await asyncio.gather(*first)]
            again = await client.get("/export")
        return turned_away, health, served, again

    turned_away, health, served, again = asyncio.run(asked())
    assert turned_away.status_code == 503
    assert turned_away.json()["error"]["code"] == "busy"
    assert turned_away.headers["retry-after"] == "1"
    assert health.status_code == 200
    assert served == [200, 200]
    assert again.status_code == 200
