"""The service: `bentoml serve serving.service:Regulars`, with `REGULARS_CONFIG` set.

`/risk`, `/value`, `/score`, `/customers`, `/plan`, `/reasons`, `/whatif` are BentoML methods with
typed requests and answers; the exports, the pages for people, the metrics and the documentation are
a Starlette application mounted beside them. Every request passes the same middleware: security
headers, the record of requests, the one error shape, the gate for keys, the limits, the names in
the address.

Environment: `REGULARS_CONFIG`, `REGULARS_API_KEYS`, `REGULARS_WORKERS` (2 when not given); see
`serving.deployment` for what pins the model's version.
"""

# ruff: noqa: E402 - the environment has to be set before the libraries that read it
from __future__ import annotations

import logging
import os

from serving import surroundings

surroundings.prepare(os.environ)

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic_core import to_json
from starlette.responses import Response

from serving import deployment
from serving.api import (
    answers,
    campaigns,
    documentation,
    observability,
    query,
    routes,
    security,
    whatifs,
    why,
)
from serving.api.campaign_messages import PlanAnswer, PlanRequest
from serving.api.failures import Failure, OneShape, unforeseen
from serving.api.limits import Limited
from serving.api.messages import (
    CustomersAnswer,
    CustomersRequest,
    IdsRequest,
    RiskAnswer,
    ScoreAnswer,
    ValueAnswer,
    ValueRequest,
)
from serving.api.submitted import ScoreRequest
from serving.api.whatifs import WhatifAnswer, WhatifRequest
from serving.api.why import ReasonsAnswer, ReasonsRequest
from serving.errors import ServingError
from serving.workbench.app import application
from serving.workbench.door import Door
from serving.worker import Worker, start
from training.errors import TrainingError

observability.be_discreet()

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")


def _respond(route: str, answer: Callable[..., dict[str, Any]], *given: Any) -> Response:
    """Carry an answer over HTTP; failures become answers here, before BentoML words them."""
    try:
        content = answer(*given)
    except Failure as failure:
        return failure.response()
    except Exception as error:
        return unforeseen(error).response()
    _count(route, content.get("items", content.get("rows", ())))
    return Response(to_json(content), media_type="application/json")


def _count(route: str, items: Iterable[Mapping[str, Any]]) -> None:
    outcomes = Counter(item["error"]["code"] if "error" in item else "answered" for item in items)
    for outcome, number in outcomes.items():
        observability.ITEMS.labels(route, outcome).inc(number)


@bentoml.service(
    name="Regulars",
    workers=surroundings.workers(os.environ),
    # Threads of a worker: one question to the score table need not wait for another.
    threads=4,
    # Without keys, only this machine.
    http={"host": surroundings.host(os.environ)},
    # Both repeat paths as clients send them; ours know routes only.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    # Ours answers sooner, and in the one error shape.
    traffic={"timeout": 3600},
)
class Regulars:
    """Who is about to leave, and what each customer is worth."""

    def __init__(self) -> None:
        self.worker: Worker = start(os.environ, _bundle())

    @bentoml.on_deployment
    @staticmethod
    def pin() -> None:
        """Check the settings and fix the model's version for all workers, before they start."""
        try:
            keys = security.read_keys(os.environ.get(security.KEYS, ""))
            deployment.pin(os.environ, _bundle())
        except (ServingError, TrainingError) as error:
            # BentoML's command shows the words of its own errors without a trace.
            raise BentoMLException(str(error)) from error
        if not keys:
            _log.info("no API keys (%s): only this machine is answered", security.KEYS)

    @bentoml.api(route="/risk", output_spec=RiskAnswer)
    def risk(self, request: IdsRequest, /) -> Response:
        """Will they come back: churn probability and its reasons, by customer id."""
        return _respond("/risk", answers.about, self.worker, request, routes.RISK)

    @bentoml.api(route="/value", output_spec=ValueAnswer)
    def value(self, request: ValueRequest, /) -> Response:
        """What are they worth: expected purchases and spend, lifetime value, by customer id."""
        return _respond("/value", answers.about, self.worker, request, routes.VALUE)

    @bentoml.api(route="/score", output_spec=ScoreAnswer)
    def score(self, request: ScoreRequest, /) -> Response:
        """Score customers never seen before, from their transactions and events."""
        return _respond("/score", answers.score, self.worker, request, security.granted())

    @bentoml.api(route="/customers", output_spec=CustomersAnswer)
    def customers(self, request: CustomersRequest, /) -> Response:
        """Filter, sort and page the score table."""
        return _respond("/customers", answers.customers, self.worker, request, security.granted())

    @bentoml.api(route="/plan", output_spec=PlanAnswer)
    def plan(self, request: PlanRequest, /) -> Response:
        """Propose a plan for a budget, make it, or read one that is kept."""
        who = security.caller()
        return _respond("/plan", campaigns.answer, self.worker, request, security.granted(), who)

    @bentoml.api(route="/reasons", output_spec=ReasonsAnswer)
    def reasons(self, request: ReasonsRequest, /) -> Response:
        """Why: reasons, their classes, what changed since last time, what the value is made of."""
        return _respond("/reasons", why.reasons, self.worker, request, security.granted())

    @bentoml.api(route="/whatif", output_spec=WhatifAnswer)
    def whatif(self, request: WhatifRequest, /) -> Response:
        """Scores before and after one behaviour is changed: a purchase, a complaint, a silence."""
        return _respond("/whatif", whatifs.answer, self.worker, request, security.granted())

    def __is_ready__(self) -> bool:
        return self.worker.ready


# The decorator makes a service of the class, which type checkers do not see.
SERVICE: Any = Regulars


def _bundle() -> Path | None:
    """Folder of the model in the bento that this process runs from, if any."""
    if SERVICE.bento is None:
        return None
    return Path(bentoml.models.get(f"{deployment.MODEL}:latest").path)


SERVICE.mount_asgi_app(application(lambda: bentoml.get_current_service().worker), path="/")
# The first is the outermost.
for middleware, options in (
    (security.Hardened, {}),
    (observability.Record, {}),
    (OneShape, {"names": documentation.names}),
    (Door, {}),
    (security.Gate, {}),
    (Limited, {}),
    (query.Asked, {}),
):
    SERVICE.add_asgi_middleware(middleware, **options)
