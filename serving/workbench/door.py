"""What a browser is told that may not come in: a page, where programs get the one shape.

In: the refusals of the gate. Out: a page that says how to sign in, or what the key does not open.
The first has no style: without a key not even that is given.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.api import query
from serving.api.failures import Failure
from serving.workbench import pages

_UNKNOWN, _CLOSED = 401, 403
#: Headers in which a key can come.
_KEY_IN = ("authorization", "x-api-key")


class Door:
    """ASGI middleware that turns the refusals of the gate into pages for people.

    Parameters
    ----------
    app : ASGI application
        The gate, with what it guards.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises
        ------
        Failure
            Of programs, and of what is no matter of keys.
        """
        try:
            await self.app(scope, receive, send)
        except Failure as failure:
            if failure.status not in (_UNKNOWN, _CLOSED):
                raise
            headers = Headers(scope=scope)
            if not query.for_people(headers):
                raise
            sent = any(name in headers for name in _KEY_IN)
            template = "signin.html" if failure.status == _UNKNOWN else "refused.html"
            page = pages.render(
                template, Request(scope), failure.status, failure=failure, sent=sent
            )
            # The browser asks for the key by this header.
            page.headers.update(failure.headers or {})
            await page(scope, receive, send)
