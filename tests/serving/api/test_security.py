"""The gate without keys, and keys that cannot be read. With keys: tests/serving/service."""

from __future__ import annotations

import asyncio
import hashlib

import httpx
import pytest

from serving.api.failures import OneShape
from serving.api.security import KEYS, LOCAL, Gate, caller, entry, granted, read_keys, scopes_of
from serving.errors import ServingError


async def inside(scope, receive, send):
    body = ",".join(sorted(granted())).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(keys: str, path: str = "/", *, peer: str = "127.0.0.1", host: str = "localhost"):
    async def asked():
        app = OneShape(Gate(inside, {KEYS: keys}))
        transport = httpx.ASGITransport(app, client=(peer, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path, headers={"host": host})

    return asyncio.run(asked())


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1:80", "[::1]:3000"])
@pytest.mark.parametrize("path", ["/", "/risk", "/metrics", "/livez", "/nothing"])
def test_without_keys_this_machine_may_ask_everything(peer, host, path):
    told = ask("", path, peer=peer, host=host)
    assert told.status_code == 200
    assert told.text == "admin,risk,value"


@pytest.mark.parametrize(
    "peer", ["10.0.0.7", "192.168.1.2", "8.8.8.8", "fe80::1", "", "testclient"]
)
@pytest.mark.parametrize("path", ["/", "/risk", "/livez"])
def test_without_keys_other_machines_are_refused(peer, path):
    told = ask("", path, peer=peer)
    assert told.status_code == 403
    assert told.json()["error"]["code"] == "loopback_only"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7", "", "[::1"],
)
def test_without_keys_a_name_of_elsewhere_is_refused(host):
    assert ask("", host=host).status_code == (200 if host == "[::1" else 403)


def test_with_keys_other_machines_and_names_are_answered():
    digest = hashlib.sha256(b"k").hexdigest()
    told = ask(f"risk:{digest}", "/livez", peer="10.0.0.7", host="shop.example")
    assert told.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "risk",
        "risk:",
        "risk:abc",
        "boss:" + "0" * 64,
        "risk+:" + "0" * 64,
        ":" + "0" * 64,
        "0" * 64,
        "risk:" + "g" * 64,
        "risk:" + "0" * 64 + ";value:" + "1" * 64,
    ],
)
def test_keys_that_cannot_be_read_stop_the_service_without_being_repeated(text):
    with pytest.raises(ServingError, match=f"{KEYS}: entry 2") as caught:
        read_keys(f"admin:{'a' * 64}, {text}")
    assert "0000" not in str(caught.value)


def test_a_key_brings_the_union_of_its_entries():
    digest = hashlib.sha256(b"both").hexdigest()
    keys = read_keys(f"risk:{digest.upper()}, value:{digest},")
    assert scopes_of(keys, "both") == {"risk", "value"}
    assert scopes_of(keys, "other") is None


def test_an_entry_lets_its_key_in_and_does_not_show_it():
    made = entry("a long and random key", ["value", "risk"])
    assert "random" not in made
    (key,) = read_keys(made)
    assert key.scopes == {"risk", "value"}
    assert key.digest == hashlib.sha256(b"a long and random key").hexdigest()


@pytest.mark.parametrize("scopes", [[], ["risks"], ["risk", ""]])
def test_an_entry_of_an_unknown_scope_is_refused(scopes):
    with pytest.raises(ServingError, match="expected some of risk, value, admin"):
        entry("key", scopes)


def test_admin_brings_every_scope():
    (key,) = read_keys("admin:" + "0" * 64)
    assert key.scopes == {"risk", "value", "admin"}


def test_no_text_is_no_key():
    assert read_keys("") == ()
    assert read_keys(" , ") == ()


@pytest.mark.parametrize("keyed", [True, False])
def test_who_asks_is_told_by_the_beginning_of_the_digest(keyed):
    """What the audit file says; neither the key nor all of its digest."""
    key, seen = "key-of-somebody", []

    async def noting(scope, receive, send):
        seen.append(caller())
        await inside(scope, receive, send)

    async def asked():
        app = OneShape(Gate(noting, {KEYS: entry(key, ["value"]) if keyed else ""}))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/", headers={"x-api-key": key})

    assert asyncio.run(asked()).status_code == 200
    digest = hashlib.sha256(key.encode()).hexdigest()
    assert seen == [f"key {digest[:8]}" if keyed else LOCAL]
