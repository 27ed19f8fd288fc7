"""One shape for every error: ``{"error": {"code", "message", "detail"}}``.

In: failures of ours, exceptions nobody foresaw, and the error answers of the libraries below,
each with a shape of its own. Out: the one shape, without a stack trace and without anything
from the request's body.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.observability import whereabouts

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "cannot_answer",
    429: "busy",
    500: "internal_error",
    503: "not_ready",
    504: "timeout",
}
_MESSAGES = {
    400: "The request is not as described in /docs; see detail.",
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not answer this method; /docs lists what it answers.",
    500: "Something failed on our side. The log says where, without your data.",
    503: "Not ready: the model and the score table are not loaded yet.",
}


#: Place of a fault that is of no part of a body.
WHOLE = "body"
# The library's, before the words of our own checks.
_PREFIX = "Value error, "

Place = tuple[str | int, ...]
Known = Callable[[Place], Sequence[str]]
Names = Callable[[str, Place], Sequence[str]]


class Failure(Exception):  # noqa: N818 - an answer, not a mistake in the program
    """A request that is refused, with what to tell the client.

    Parameters
    ----------
    status : int
        HTTP status, 400 or above.
    message : str
        What was got, what was expected, what to do; nothing from the request's body.
    code : str, optional
        Word for machines; the status's usual one when not given.
    detail : JSON value, optional
        More of it.
    headers : dict of str to str, optional
        Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        detail: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or _CODES.get(status, "error")
        self.detail = detail
        self.headers = headers

    def content(self) -> dict[str, Any]:
        """Body of the answer as JSON values."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return {"error": error}

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(self.content(), self.status, headers=self.headers)


def unforeseen(error: Exception) -> Failure:
    """Failure for an exception that nobody foresaw; logs its kind and place, never its words.

    Parameters
    ----------
    error : Exception
        Its message may hold a customer's data.

    Returns
    -------
    Failure
        With status 500.
    """
    _log.error("unforeseen %s", whereabouts(error))
    return Failure(500, _MESSAGES[500])


class OneShape:
    """ASGI middleware that gives every error answer the one shape.

    Parameters
    ----------
    app : ASGI application
    names : callable, optional
        Given a path and a place in its body (names and positions), the names that are known
        there, for the refusal of others.
    """

    def __init__(self, app: ASGIApp, names: Names | None = None) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = partial(self.names, scope["path"]) if self.names else None
        outgoing = _Outgoing(send, known)
        try:
            await self.app(scope, receive, outgoing)
        except Failure as failure:
            error = failure
        except Exception as raised:
            error = unforeseen(raised)
        else:
            return
        if outgoing.started:
            # Half an answer is out: only a broken connection tells the client.
            raise ConnectionAbortedError("the answer broke off")
        await error.response()(scope, receive, send)


class _Outgoing:
    """Sends good answers as they come, and holds error answers back to reshape them."""

    def __init__(self, send: Send, known: Known | None) -> None:
        self.send = send
        self.known = known
        self.started = False
        self.held: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.held = message
            return
        if self.held is None:
            self.started = True
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            self.started = True
            await self._send_held(self.held)

    async def _send_held(self, start: Message) -> None:
        headers = [(key.lower(), value) for key, value in start["headers"]]
        body = self.body
        if not _ours(dict(headers), body):
            body = json.dumps(_reshaped(start["status"], body, self.known).content()).encode()
            dropped = (b"content-type", b"content-length")
            headers = [(key, value) for key, value in headers if key not in dropped]
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(body)).encode()))
        await self.send({**start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _ours(headers: dict[bytes, bytes], body: bytes) -> bool:
    kind = headers.get(b"content-type", b"")
    if kind.startswith(b"text/html"):
        return True
    error = _parsed(body)
    return isinstance(error, dict) and isinstance(error.get("error"), dict)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _reshaped(status: int, body: bytes, known: Known | None = None) -> Failure:
    message = _MESSAGES.get(status, HTTPStatus(status).phrase)
    given = _parsed(body)
    detail = given.get("detail") if isinstance(given, dict) and status == 400 else None
    return Failure(status, message, detail=_faults(detail, known))


def _faults(detail: Any, known: Known | None) -> Any:
    """Faults that pydantic found, each as {where, what}."""
    if not isinstance(detail, list):
        return None
    return [_fault(fault, known) for fault in detail if isinstance(fault, dict)]


def _fault(fault: dict[str, Any], known: Known | None) -> dict[str, str]:
    place, what = tuple(fault.get("loc", ())), str(fault.get("msg", ""))
    if fault.get("type") == "extra_forbidden":
        names = ", ".join(known(place[:-1])) if known else ""
        what = "This name is not known here" + (f"; expected some of: {names}" if names else "")
    where = ".".join(map(str, place)) or WHOLE
    return {"where": where, "what": what.removeprefix(_PREFIX)}
