"""The application beside the API: pages, export, metrics, documentation, static files.

Handlers are thin: they read the request, call a room's function and hand the result to a
template. No page puts a customer's id into an address: a customer is opened by a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from prometheus_client import CONTENT_TYPE_LATEST
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from serving import catalogue, questions
from serving.api import answers, documentation, exports, observability, parameters, query
from serving.api import effects as told_effects
from serving.api import groups as told_groups
from serving.api import satisfaction as told_satisfaction
from serving.api.failures import Failure
from serving.api.security import granted
from serving.workbench import (
    campaign,
    charts,
    check,
    customer,
    customers,
    effects,
    groups,
    language,
    lists,
    models,
    moods,
    overview,
    pages,
    subscription,
)
from serving.worker import Worker

_HERE = Path(__file__).parent
# What browsers may keep for an hour: nothing about customers.
_KEPT = {"Cache-Control": "private, max-age=3600"}
# A form's answer that browsers must not keep cannot be gone back to; any other view asks again.
_GONE_BACK_TO = {"Cache-Control": "private, no-cache"}
# A page and what was asked of it; nothing that another host or header could be made of.
_OURS = re.compile(r"/[a-z]*(\?[^\s\\#]*)?")

WorkerOf = Callable[[], Worker]


def application(worker: WorkerOf) -> Starlette:
    """Put the application together.

    Parameters
    ----------
    worker : callable
        Gives the worker of this process; called with each request.

    Returns
    -------
    Starlette
    """

    def with_worker(answer: Callable[[Worker, Request], Response]) -> Callable[[Request], Response]:
        return lambda request: answer(worker(), request)

    async def customer_page(request: Request) -> Response:
        customer_id, form = await _form_value(request, "customer_id"), await _form(request)
        return await run_in_threadpool(_customer, worker(), request, customer_id, form)

    async def plan_made(request: Request) -> Response:
        return await run_in_threadpool(campaign.make, worker(), await _form(request))

    async def list_changed(request: Request) -> Response:
        return await run_in_threadpool(lists.change, worker(), await _form(request))

    return Starlette(
        routes=[
            Route("/", with_worker(_overview), methods=["GET"]),
            Route("/customers", with_worker(_customers), methods=["GET"]),
            Route("/customers/lists", list_changed, methods=["POST"]),
            Route("/customer", customer_page, methods=["POST"]),
            Route("/customer", _to_customers, methods=["GET"]),
            Route("/segments", with_worker(_segments), methods=["GET"]),
            Route("/plan", with_worker(campaign.page), methods=["GET"]),
            Route("/plan/make", plan_made, methods=["POST"]),
            Route("/plan/export", with_worker(campaign.export), methods=["GET"]),
            Route("/plans", with_worker(campaign.listing), methods=["GET"]),
            Route("/effects", with_worker(_effects), methods=["GET"]),
            Route("/equity", with_worker(_equity), methods=["GET"]),
            Route("/satisfaction", with_worker(_satisfaction), methods=["GET"]),
            Route("/models", with_worker(_models), methods=["GET"]),
            Route("/models/plot", with_worker(_plot), methods=["GET"]),
            Route("/data", with_worker(_data), methods=["GET"]),
            Route("/language", _language, methods=["GET"]),
            Route("/export", with_worker(_export), methods=["GET"]),
            Route("/metrics", _metrics, methods=["GET"]),
            Route("/openapi.json", _openapi, methods=["GET"]),
            # BentoML's own document under this name knows half of it.
            Route("/docs.json", _openapi, methods=["GET"]),
            Route("/docs", _docs, methods=["GET"]),
            Route("/static/vega.js", _vega, methods=["GET"]),
            Mount("/static", _Static(directory=_HERE / "static"), name="static"),
        ],
        exception_handlers={Failure: _refused},
    )


class _Static(StaticFiles):
    """Files of ours, which browsers may keep for an hour."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        response = super().file_response(*args, **named)
        response.headers.update(_KEPT)
        return response


def _overview(worker: Worker, request: Request) -> Response:
    desk = worker.desk
    if desk is None:
        return _empty(worker, request)
    return pages.render("overview.html", request, **overview.content(worker, desk, granted()))


def _empty(worker: Worker, request: Request) -> Response:
    return pages.render("empty.html", request, worker=worker, trained=worker.scorer is not None)


def _customers(worker: Worker, request: Request) -> Response:
    desk = worker.desk
    if desk is None:
        return _empty(worker, request)
    shown = customers.content(worker, desk, request, granted())
    return pages.render("customers.html", request, **shown)


def _to_customers(request: Request) -> Response:
    """A customer's page has no address of its own: people go where one is opened from."""
    if not query.for_people(request.headers):
        raise Failure(405, "A customer is asked for by POST.", headers={"Allow": "POST"})
    return RedirectResponse("/customers", status_code=303)


def _customer(
    worker: Worker, request: Request, customer_id: str, form: list[tuple[str, str]]
) -> Response:
    # The address holds no customer, so a choice of the language comes with the form.
    chosen = dict(form).get("language", "")
    if chosen in language.LANGUAGES:
        request.state.language = chosen
    asked = [pair for pair in form if pair[0] != "language"]
    shown = customer.content(worker, customer_id, granted(), asked)
    answer = pages.render("customer.html", request, **shown)
    if chosen in language.LANGUAGES:
        language.keep(answer, chosen)
    answer.headers.update(_GONE_BACK_TO)
    return answer


def _segments(worker: Worker, request: Request) -> Response:
    """A page for people, figures for programs."""
    if not query.for_people(request.headers):
        return _json(told_groups.segments(worker, granted()))
    desk = worker.desk
    if desk is None:
        return _empty(worker, request)
    given = request.query_params.multi_items()
    say = language.words(language.of(request)).gettext
    shown = groups.content(worker, desk, granted(), given, say)
    return pages.render("segments.html", request, **shown)


def _equity(worker: Worker, request: Request) -> Response:
    given = request.query_params.multi_items()
    return _json(told_groups.equity(worker, granted(), given))


def _effects(worker: Worker, request: Request) -> Response:
    if not query.for_people(request.headers):
        return _json(told_effects.answer(worker))
    say = language.words(language.of(request)).gettext
    return pages.render("effects.html", request, **effects.content(worker, say))


def _satisfaction(worker: Worker, request: Request) -> Response:
    if not query.for_people(request.headers):
        return _json(told_satisfaction.answer(worker, granted()))
    desk = worker.desk
    if desk is None:
        return _empty(worker, request)
    return pages.render("satisfaction.html", request, **moods.content(worker, desk, granted()))


def _models(worker: Worker, request: Request) -> Response:
    shown = models.content(worker, request.query_params.get("version"))
    return pages.render("models.html", request, **shown)


def _plot(worker: Worker, request: Request) -> Response:
    asked = request.query_params
    picture = models.plot(worker, asked.get("version"), asked.get("name"))
    return Response(picture, media_type="image/png", headers=_KEPT)


def _data(worker: Worker, request: Request) -> Response:
    return pages.render("data.html", request, **check.content(worker))


def _language(request: Request) -> Response:
    """Keep the reader's choice and go back to where it was made."""
    asked = request.query_params
    back = asked.get("back", "/")
    answer = RedirectResponse(back if _OURS.fullmatch(back) else "/", status_code=303)
    if asked.get("to") in language.LANGUAGES:
        language.keep(answer, asked["to"])
    return answer


def _vega(request: Request) -> Response:
    del request
    return Response(charts.bundle(), media_type="text/javascript", headers=_KEPT)


def _export(worker: Worker, request: Request) -> Response:
    desk, shown = worker.need_desk(), questions.columns(granted())
    given = request.query_params.multi_items()
    kind = request.query_params.get("format", "csv")
    if kind not in exports.FORMATS:
        raise Failure(400, f"format is unknown; expected one of: {', '.join(exports.FORMATS)}.")
    plan, rest = subscription.parted(pair for pair in given if pair[0] != "format")
    asked = parameters.read(rest)
    among = subscription.among(worker.deployment.store, desk, plan)
    filtered = parameters.pairs(asked) + ([(subscription.PLAN, plan)] if plan else [])
    wanted = replace(answers.query(asked.filter, asked.sort, shown), among=among)
    name = f"scores-{desk.meta.as_of.isoformat()}.{kind}"
    campaign.noted(worker, "scores", format=kind, filter=filtered)
    return StreamingResponse(
        exports.stream(desk.batches(wanted, shown), kind),
        media_type=exports.MEDIA_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Regulars-As-Of": desk.meta.as_of.isoformat(),
            "X-Regulars-Horizon-Days": str(desk.meta.horizon_days),
            "X-Regulars-Model-Version": desk.meta.model_version,
            "X-Regulars-Staleness-Days": str(worker.staleness_days(desk.meta.as_of)),
        },
    )


def _metrics(request: Request) -> Response:
    del request
    return Response(observability.report(), media_type=CONTENT_TYPE_LATEST)


def _openapi(request: Request) -> Response:
    del request
    return JSONResponse(documentation.document())


def _docs(request: Request) -> Response:
    return pages.render(
        "docs.html",
        request,
        document=documentation.document(),
        limits=documentation.told_limits(),
        columns=catalogue.COLUMNS,
    )


def _refused(request: Request, error: Exception) -> Response:
    """A page for people, the one shape for programs."""
    assert isinstance(error, Failure)  # noqa: S101 - registered for nothing else
    if query.for_people(request.headers):
        return pages.render("refused.html", request, error.status, failure=error)
    return error.response()


def _json(content: dict[str, Any]) -> Response:
    return Response(to_json(content), media_type="application/json", headers={"Vary": "Accept"})


async def _form_value(request: Request, name: str) -> str:
    values = [value for key, value in await _form(request) if key == name]
    if not values:
        raise Failure(400, f"The form has no {name}; send one.")
    return values[0].strip()


async def _form(request: Request) -> list[tuple[str, str]]:
    body = (await request.body()).decode("utf-8", errors="replace")
    try:
        return parse_qsl(body, max_num_fields=128)
    except ValueError:
        raise Failure(400, "The form has too many fields.") from None
