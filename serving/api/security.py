"""Who may ask: API keys with scopes, or nobody but this machine.

Keys are in the environment as ``scope[+scope]:sha256-of-the-key`` in hexadecimal, separated by
commas, so that no key can be read there. A key comes as ``Authorization: Bearer``, as
``X-API-Key``, or as the password of HTTP Basic, which lets a browser sign in. ``admin`` opens
everything; ``risk`` and ``value`` open their question, and elsewhere show their columns.

A key is long and random, so its plain SHA-256 tells nothing about it; `entry` writes one. Keys
travel in the clear unless TLS ends before the service.

Without keys only clients on this machine are answered, and only under a name of this machine:
a page elsewhere that points its own name here (DNS rebinding) is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api import routes
from serving.api.failures import Failure
from serving.errors import ServingError

#: Environment variable with the keys.
KEYS = "REGULARS_API_KEYS"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_OURS = frozenset({"localhost", "127.0.0.1", "::1"})
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Regulars", charset="UTF-8"'}
_EVERYTHING = frozenset(routes.SCOPES)

_HEADERS = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; "
     b"frame-ancestors 'none'; object-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip
_NO_STORE = (b"cache-control", b"no-store")

_scopes: ContextVar[frozenset[str]] = ContextVar("scopes", default=frozenset())
_caller: ContextVar[str] = ContextVar("caller", default="")
#: Who asks where there are no keys.
LOCAL = "this machine"


@dataclass(frozen=True)
class Key:
    """One key that is let in.

    Parameters
    ----------
    digest : str
        SHA-256 of the key, 64 small hexadecimal digits.
    scopes : frozenset of str
        Some of ``routes.SCOPES``; ``admin`` brings all.
    """

    digest: str
    scopes: frozenset[str]


def read_keys(text: str) -> tuple[Key, ...]:
    """Read the keys from the environment's text.

    Parameters
    ----------
    text : str
        ``risk:<sha256>,risk+value:<sha256>``; blanks around commas are allowed.

    Returns
    -------
    tuple of Key
        None for an empty text.

    Raises
    ------
    ServingError
        If an entry has an unknown scope or no SHA-256; its digest is not repeated.

    Examples
    --------
    >>> read_keys("risk+value:" + "0" * 64)[0].scopes == {"risk", "value"}
    True
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return tuple(_key(entry, place) for place, entry in enumerate(entries, start=1))


def entry(key: str, scopes: Sequence[str]) -> str:
    """What lets a key in, for the environment.

    Parameters
    ----------
    key : str
        Long and random, such as ``secrets.token_urlsafe(32)``.
    scopes : sequence of str
        Some of ``routes.SCOPES``.

    Returns
    -------
    str
        ``scope[+scope]:sha256``; the key cannot be told from it.

    Raises
    ------
    ServingError
        If a scope is unknown or none is given.
    """
    if not scopes or not set(scopes) <= _EVERYTHING:
        raise ServingError(
            f"got the scopes {', '.join(scopes) or '(none)'}; expected some of "
            f"{', '.join(routes.SCOPES)}"
        )
    named = "+".join(scope for scope in routes.SCOPES if scope in scopes)
    return f"{named}:{hashlib.sha256(key.encode()).hexdigest()}"


def _key(entry: str, place: int) -> Key:
    names, _, digest = entry.partition(":")
    scopes = frozenset(names.split("+"))
    if not scopes <= _EVERYTHING or not _DIGEST.fullmatch(digest.strip().lower()):
        raise ServingError(
            f"{KEYS}: entry {place} is not scope[+scope]:sha256; expected scopes among "
            f"{', '.join(routes.SCOPES)} and the key's SHA-256 in 64 hexadecimal digits"
        )
    everything = _EVERYTHING if routes.ADMIN in scopes else scopes
    return Key(digest.strip().lower(), everything)


def granted() -> frozenset[str]:
    """Scopes of the request that is being answered."""
    return _scopes.get()


def caller() -> str:
    """Who sent the request that is being answered, for the audit file.

    Returns
    -------
    str
        ``key 1a2b3c4d``, the beginning of the key's SHA-256 as REGULARS_API_KEYS has it; without
        keys `LOCAL`.
    """
    return _caller.get()


def scopes_of(keys: tuple[Key, ...], presented: str) -> frozenset[str] | None:
    """Scopes of a presented key.

    Every key is compared, each in constant time, so that the time taken tells nothing.

    Parameters
    ----------
    keys : tuple of Key
    presented : str

    Returns
    -------
    frozenset of str or None
        None for a key that is not let in.
    """
    digest = hashlib.sha256(presented.encode()).hexdigest()
    found = [key.scopes for key in keys if hmac.compare_digest(key.digest, digest)]
    return frozenset().union(*found) if found else None


class Gate:
    """ASGI middleware that lets in who may ask.

    Parameters
    ----------
    app : ASGI application
    environ : mapping of str to str, optional
        Where the keys are; the process's environment when not given.
    """

    def __init__(self, app: ASGIApp, environ: Mapping[str, str] | None = None) -> None:
        self.app = app
        self.keys = read_keys((os.environ if environ is None else environ).get(KEYS, ""))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            _scopes.set(self._admit(scope))
        await self.app(scope, receive, send)

    def _admit(self, scope: Scope) -> frozenset[str]:
        route = routes.of(scope["path"])
        headers = Headers(scope=scope)
        _caller.set(LOCAL)
        if not self.keys:
            _check_local(scope, headers)
            return _EVERYTHING
        if route.open:
            return frozenset()
        presented = _presented(headers)
        scopes = None if presented is None else scopes_of(self.keys, presented)
        if presented is None or scopes is None:
            got = "An API key is needed" if presented is None else "This API key is not known"
            raise Failure(
                401,
                f"{got}: send one as Authorization: Bearer, as X-API-Key, or as the password of "
                "HTTP Basic.",
                headers=_CHALLENGE,
            )
        if route.needs and routes.ADMIN not in scopes and not scopes & set(route.needs):
            raise Failure(
                403, f"This key has no scope for it; expected one of: {', '.join(route.needs)}."
            )
        _caller.set(f"key {hashlib.sha256(presented.encode()).hexdigest()[:8]}")
        return scopes


class Hardened:
    """ASGI middleware that adds the security headers to every answer.

    Scripts, styles and images come from this service only; no page may frame it; answers about
    customers are not kept by browsers or proxies.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def hardening(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {key.lower() for key, _ in message["headers"]}
                more = [_NO_STORE] if _NO_STORE[0] not in named else []
                message = {**message, "headers": [*message["headers"], *_HEADERS, *more]}
            await send(message)

        await self.app(scope, receive, hardening)


def _presented(headers: Headers) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        return _password(value.strip())
    return headers.get("x-api-key")


def _password(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _check_local(scope: Scope, headers: Headers) -> None:
    peer = (scope.get("client") or ("",))[0]
    if not _is_loopback(peer):
        raise Failure(
            403,
            f"Without API keys only this machine is answered; set {KEYS} to answer others.",
            code="loopback_only",
        )
    if _hostname(headers.get("host", "")) not in _OURS:
        raise Failure(
            403,
            "Without API keys the service answers as localhost, 127.0.0.1 or [::1] only; got "
            f"another host name. Set {KEYS} to answer under other names.",
            code="loopback_only",
        )


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _hostname(host: str) -> str:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")
