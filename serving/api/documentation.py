"""The OpenAPI document of the service, with an example of every request and answer.

Written from the message types, because BentoML's own document knows neither the export nor the
one error shape, and its page loads a script from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.api import (
    campaign_examples,
    campaign_messages,
    effect_messages,
    examples,
    group_messages,
    limits,
    messages,
    query,
    submitted,
    whatifs,
    why,
)
from serving.api.exports import MEDIA_TYPES
from serving.api.routes import ROUTES
from serving.release import release

_REFERENCE = "#/components/schemas/{model}"

#: Path, request, answer, summary.
_QUESTIONS: tuple[tuple[str, type[BaseModel], type[BaseModel], str], ...] = (
    (
        "/risk",
        messages.IdsRequest,
        messages.RiskAnswer,
        "Will they come back: churn probability and its reasons.",
    ),
    (
        "/value",
        messages.ValueRequest,
        messages.ValueAnswer,
        "What are they worth: expected purchases and spend, over a horizon or between two days; "
        "lifetime value.",
    ),
    (
        "/score",
        submitted.ScoreRequest,
        messages.ScoreAnswer,
        "Score customers never seen before, from their transactions, events and subscriptions.",
    ),
    (
        "/customers",
        messages.CustomersRequest,
        messages.CustomersAnswer,
        "Filter, sort and page the score table.",
    ),
    (
        "/reasons",
        why.ReasonsRequest,
        why.ReasonsAnswer,
        "Why: reasons, their classes, what changed since last time, what the value is made of.",
    ),
    (
        "/whatif",
        whatifs.WhatifRequest,
        whatifs.WhatifAnswer,
        "Scores before and after one behaviour is changed: a purchase, a complaint, a silence; of "
        "subscribers the price, the plan, a payment that failed.",
    ),
    (
        "/plan",
        campaign_messages.PlanRequest,
        campaign_messages.PlanAnswer,
        "Who gets which action for a budget: propose a plan, make it, or read one that is kept.",
    ),
)
_LISTS: tuple[type[BaseModel], ...] = (campaign_messages.PlansAnswer, messages.ErrorAnswer)
#: The same of what is asked by GET, without a body: path, answer, summary.
_LOOKS: tuple[tuple[str, type[BaseModel], str], ...] = (
    (
        "/segments",
        group_messages.SegmentsAnswer,
        "How many customers are in which group, worth what, at what risk; a browser gets the page.",
    ),
    (
        "/satisfaction",
        group_messages.SatisfactionAnswer,
        "Who is pleased and leaves, who is unhappy and stays, and open complaints; a browser gets "
        "the page.",
    ),
    (
        "/effects",
        effect_messages.EffectsAnswer,
        "What measured plans changed, and what the next ones reckon with; a browser gets the page.",
    ),
    (
        "/equity",
        group_messages.EquityAnswer,
        "What all customers together are worth, what better retention would be worth, and how "
        "the equity moved since the score table before.",
    ),
)
_FAULTS = {
    "400": "The request is not as described.",
    "401": "No API key, or one that is not known.",
    "403": "The key has no scope for it; or, without keys, the client is on another machine.",
    "404": "There is no such plan, or it is still being made.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The horizon cannot be answered, or no plan can be made or read.",
    "500": "Something failed on the service's side.",
    "503": "Nothing is scored yet, or too much is under way.",
    "504": "No answer in time.",
}
_DESCRIPTION = (
    "Every answer carries as-of, horizon, model version and staleness as `meta`. One bad item fails"
    " as an item, not as the request. A key shows the columns of its scopes: `risk`, `value`, or "
    '`admin` for all. Errors have one shape: `{"error": {"code", "message", "detail"}}`.'
)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    Returns
    -------
    dict
        JSON values.
    """
    models = [m for _, asked, told, _ in _QUESTIONS for m in (asked, told)]
    models += [told for _, told, _ in _LOOKS]
    wanted = [(model, "validation") for model in dict.fromkeys([*models, *_LISTS])]
    _, schemas = models_json_schema(wanted, ref_template=_REFERENCE)  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Regulars",
            "version": release(),
            "description": _DESCRIPTION,
        },
        "paths": {**_posts(), **_looks(), **_gets()},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{"bearer": []}, {"apiKey": []}, {"basic": []}],
    }


def names(path: str, place: Sequence[str | int]) -> tuple[str, ...]:
    """Names that are known at a place of a request's body.

    Parameters
    ----------
    path : str
    place : sequence of str and int
        Names and positions from the outside in; empty for the body itself.

    Returns
    -------
    tuple of str
        Empty where any name can be, or there is no such place.
    """
    schemas = document()["components"]["schemas"]
    asked = next((asked.__name__ for one, asked, *_ in _QUESTIONS if one == path), None)
    schema = {} if asked is None else schemas[asked]
    for part in place:
        within = schema.get("items") if isinstance(part, int) else _property(schema, part)
        schema = _resolved(within or {}, schemas)
    return tuple(schema.get("properties", ()))


def _property(schema: dict[str, Any], name: str) -> Any:
    return schema.get("properties", {}).get(name)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference leads to; of one that may be null the other."""
    chosen = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    reference = chosen.get("$ref", "")
    return schemas[reference.rpartition("/")[2]] if reference else chosen


def told_limits() -> tuple[str, ...]:
    """The limits of requests as sentences for people; the document's schemas have them too.

    Returns
    -------
    tuple of str
    """
    usual = limits.Limits()
    sources = (limits.MAX_TRANSACTIONS, limits.MAX_EVENTS, limits.MAX_SUBSCRIPTIONS)
    rows = "{:,} transactions, {:,} events and {:,} subscriptions".format(*sources)
    return (
        f"/risk, /value and /reasons: {limits.MAX_IDS:,} customers in one request; /whatif: "
        f"{whatifs.MOST:,}.",
        f"/score: {limits.MAX_CUSTOMERS:,} customers in one request, with {rows} of all of them.",
        f"/customers and /plan: {limits.MAX_PAGE_SIZE:,} rows on a page; /export has no limit.",
        f"Ids: {limits.MAX_ID_LENGTH:,} characters.",
        f"A body of {usual.body_bytes / 2**20:g} MiB; {usual.seconds:g} seconds until the answer "
        f"begins; {usual.at_once:,} requests under way at once in each worker, then 503 with "
        "Retry-After.",
        "A name in an address that it does not take is refused, not left aside.",
    )


def _posts() -> dict[str, Any]:
    return {
        path: {
            "post": {
                "summary": summary,
                "description": _scopes(path),
                "operationId": path.strip("/"),
                "requestBody": {
                    "required": True,
                    "content": _request(path, asked),
                },
                "responses": {
                    "200": {
                        "description": "The answer.",
                        "content": _json(told, examples.ANSWERS[path]),
                    },
                    **_faults(*(one for one in _FAULTS if one != "404" or path == "/plan")),
                },
            }
        }
        for path, asked, told, summary in _QUESTIONS
    }


def _looks() -> dict[str, Any]:
    return {
        path: {
            "get": {
                "summary": summary,
                "description": _scopes(path),
                "operationId": path.strip("/"),
                **({"parameters": list(asked)} if (asked := query.PARAMETERS[path]) else {}),
                "responses": {
                    "200": {
                        "description": "The answer.",
                        "content": _json(told, examples.ANSWERS[path]),
                    },
                    **_faults("400", "401", "403", "503"),
                },
            }
        }
        for path, told, summary in _LOOKS
    }


def _gets() -> dict[str, Any]:
    plain = {"200": {"description": "Yes.", "content": _text("\n")}}
    return {
        "/export": {"get": _export()},
        "/plans": {
            "get": {
                "summary": "The plans that are kept, the newest first.",
                "description": _scopes("/plans"),
                "responses": {
                    "200": {
                        "description": "The answer.",
                        "content": _json(campaign_messages.PlansAnswer, examples.ANSWERS["/plans"]),
                    },
                    **_faults("401", "403", "503"),
                },
            }
        },
        "/plan/export": {"get": _plan_export()},
        "/metrics": {
            "get": {
                "summary": "Counts and durations in Prometheus' format.",
                "description": _scopes("/metrics"),
                "responses": {
                    "200": {"description": "Metrics.", "content": _text(examples.METRICS)},
                    **_faults("401", "403"),
                },
            }
        },
        "/livez": {"get": {"summary": "Is the process alive?", "security": [], "responses": plain}},
        "/readyz": {
            "get": {
                "summary": "Are the model and the score table loaded?",
                "security": [],
                "responses": {**plain, **_faults("503")},
            }
        },
    }


def _export() -> dict[str, Any]:
    return {
        "summary": "The score table as a file, streamed.",
        "description": _scopes("/export"),
        "parameters": list(query.PARAMETERS["/export"]),
        "responses": {
            "200": {"description": "CSV or Parquet.", "content": _files(examples.CSV)},
            **_faults("400", "401", "403", "503"),
        },
    }


def _plan_export() -> dict[str, Any]:
    return {
        "summary": "The assignments of a plan that is kept, for who acts; noted in the audit file.",
        "description": _scopes("/plan/export"),
        "parameters": list(query.PARAMETERS["/plan/export"]),
        "responses": {
            "200": {"description": "CSV or Parquet.", "content": _files(campaign_examples.CSV)},
            **_faults("400", "401", "403", "404", "422", "503"),
        },
    }


def _files(csv: str) -> dict[str, Any]:
    return {
        MEDIA_TYPES["csv"].partition(";")[0]: {"schema": {"type": "string"}, "example": csv},
        MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}},
    }


def _request(path: str, model: type[BaseModel]) -> dict[str, Any]:
    """Body of a request, with one example or several."""
    content, more = _json(model, examples.REQUESTS[path]), examples.MORE.get(path)
    if more:
        told = content["application/json"]
        told["examples"] = {"usual": {"value": told.pop("example")}, **more}
    return content


def _json(model: type[BaseModel], example: Any) -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"application/json": {"schema": reference, "example": example}}


def _text(example: str) -> dict[str, Any]:
    return {"text/plain": {"schema": {"type": "string"}, "example": example}}


def _scopes(path: str) -> str:
    scopes = dict.fromkeys((*ROUTES[path].needs, "admin"))
    return f"Needs a key with one of the scopes: {', '.join(scopes)}."


def _faults(*statuses: str) -> dict[str, Any]:
    return {
        status: {
            "description": words,
            "content": _json(messages.ErrorAnswer, examples.ERRORS[status]),
        }
        for status, words in _FAULTS.items()
        if status in statuses
    }
