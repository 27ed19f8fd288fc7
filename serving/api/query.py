"""What an address may ask, after its question mark: the names of each path of the API.

One table for the documentation and for the refusal of everything else: a name that is not looked
at would answer another question than the one that was asked. Pages for people take what they know
and leave the rest, but for lists and exports (`serving.api.parameters`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import questions
from serving.api import messages, routes
from serving.api.exports import MEDIA_TYPES
from serving.api.failures import Failure

#: Paths that have a page, too, for browsers.
PAGED = frozenset({"/segments", "/effects", "/satisfaction"})
# What reads like a name may be said back; anything else could be a customer's.
_NAME = re.compile(r"[a-z_]{1,40}")
_SHOWN = 5


def _parameter(name: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, **more}


def _format() -> dict[str, Any]:
    return _parameter("format", {"enum": list(MEDIA_TYPES), "default": "csv"}, example="csv")


def _export() -> tuple[dict[str, Any], ...]:
    chosen = messages.Filter.model_json_schema()["properties"]

    def several(items: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": items}

    bounds = [f"{end}_{name}" for name in questions.MEASURES for end in ("min", "max")]
    return (
        _format(),
        _parameter("stage", several(chosen["stage"]["items"]), example=["at_risk"]),
        _parameter("tier", several(chosen["tier"]["items"]), example=["key"]),
        *(_parameter(name, {"type": "number"}) for name in bounds),
        _parameter(
            "plan",
            {"type": "string"},
            description="Of subscribers: only those who have this plan.",
        ),
        _parameter("sort", several({"type": "string"}), example=["-clv"]),
    )


#: Parameters of what is asked by GET, as OpenAPI has them. A POST is asked in its body alone.
PARAMETERS: Mapping[str, tuple[dict[str, Any], ...]] = MappingProxyType(
    {
        "/segments": (),
        "/satisfaction": (),
        "/effects": (),
        "/equity": (
            _parameter(
                "retention",
                {"type": "number", "minimum": 0, "maximum": 1, "default": 0.05},
                description="Relative raise of retention to value: 0.05 is five per cent more.",
                example=0.05,
            ),
        ),
        "/plans": (),
        "/export": _export(),
        "/plan/export": (
            _parameter("plan", {"type": "string"}, example="2011-12-10-5c1f09ab")
            | {"required": True},
            _format(),
        ),
    }
)


class Asked:
    """ASGI middleware that refuses names in an address that its path does not take.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises
        ------
        Failure
            400 for such a name.
        """
        known = _taken(scope) if scope["type"] == "http" else None
        if known is not None:
            given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            unknown = [name for name, _ in given if name not in known]
            if unknown:
                raise refused(unknown, known)
        await self.app(scope, receive, send)


def refused(unknown: Iterable[str], known: Iterable[str]) -> Failure:
    """Failure for names that a path does not take.

    Parameters
    ----------
    unknown, known : iterable of str

    Returns
    -------
    Failure
        400; says a name back only where it reads like one.

    Examples
    --------
    >>> refused(["plan"], []).message
    'Got `plan` in the address, which is not known here; expected no parameters.'
    >>> refused(["C-1021"], ["sort"]).message
    'Got an unknown name in the address, which is not known here; expected sort.'
    """
    names = [name for name in dict.fromkeys(unknown) if _NAME.fullmatch(name)][:_SHOWN]
    got = ", ".join(f"`{name}`" for name in names) or "an unknown name"
    expected = ", ".join(known) or "no parameters"
    told = f"Got {got} in the address, which is not known here; expected {expected}."
    return Failure(400, told)


def _taken(scope: Scope) -> tuple[str, ...] | None:
    """Names that a request may have in its address; None where others are left alone."""
    path = scope["path"]
    if scope["method"] == "POST":
        return () if routes.of(path).json else None
    if path not in PARAMETERS or (path in PAGED and for_people(Headers(scope=scope))):
        return None
    return tuple(one["name"] for one in PARAMETERS[path])


def for_people(headers: Mapping[str, str]) -> bool:
    """Whether a page is wanted, as browsers say; programs want the figures."""
    return "text/html" in headers.get("accept", "")
