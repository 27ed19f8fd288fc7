"""How much one client may ask at once: size, kind and time of a request.

A body is read whole before it is handed on, never more of it than the limit; so a chunked body
without a length cannot grow either. Time counts until the first byte of the answer: a long
export may go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api import routes
from serving.api.failures import Failure

#: Customers in one request to /risk or /value.
MAX_IDS = 1_000
#: Customers, and transactions, events and subscriptions of all of them, in one request to /score.
MAX_CUSTOMERS = 200
MAX_TRANSACTIONS = 50_000
MAX_EVENTS = 50_000
MAX_SUBSCRIPTIONS = 50_000
#: Rows of one page of /customers.
MAX_PAGE_SIZE = 500
#: Characters of a customer's id, a product's, an order's.
MAX_ID_LENGTH = 256


@dataclass(frozen=True)
class Limits:
    """Limits of one worker.

    Parameters
    ----------
    body_bytes : int
        Largest body.
    seconds : float
        Longest time to the first byte of an answer, reading the body included.
    at_once : int
        Requests under way at once; health checks are not counted.
    """

    body_bytes: int = 16 * 2**20
    seconds: float = 30.0
    at_once: int = 64


class Limited:
    """ASGI middleware that holds requests to the limits.

    Parameters
    ----------
    app : ASGI application
    limits : Limits, optional
    """

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits()
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises
        ------
        Failure
            413 for a body too large, 415 for one that is not JSON where JSON is expected, 503
            when too much is under way, 504 when it takes too long.
        """
        route = routes.of(scope["path"]) if scope["type"] == "http" else None
        if route is None or route.open:
            await self.app(scope, receive, send)
            return
        if self.under_way >= self.limits.at_once:
            raise Failure(
                503,
                "Too many requests are under way; ask again in a moment.",
                code="busy",
                headers={"Retry-After": "1"},
            )
        _check_kind(scope, route)
        self.under_way += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self.under_way -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.limits.seconds) as clock:

                async def starting(message: Message) -> None:
                    clock.reschedule(None)
                    await send(message)

                body = await self._read(scope, receive)
                await self.app(scope, _replay(body, receive), starting)
        except TimeoutError:
            if not clock.expired():
                raise
            raise Failure(
                504,
                f"No answer within {self.limits.seconds:g} seconds; ask for less at once.",
            ) from None

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self.limits.body_bytes:
            raise self._too_large()
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Failure(400, "The connection closed before the body was whole.")
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > self.limits.body_bytes:
                raise self._too_large()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_large(self) -> Failure:
        largest = f"{self.limits.body_bytes / 2**20:g} MiB"
        return Failure(413, f"The body is larger than {largest}; send it in parts.")


def _check_kind(scope: Scope, route: routes.Route) -> None:
    if not (route.json and scope["method"] == "POST"):
        return
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Failure(415, "Expected JSON: send Content-Type: application/json.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Receive that gives the body once, then what the connection says."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed
