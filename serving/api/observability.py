"""What operators see of the service: counts, durations, one log line a request.

Labels are routes, methods, statuses and outcomes; never an id, and never a path as the client
sent it. The registry is our own: BentoML's labels every path that was ever asked for. With
several workers each writes to files in one folder, and any of them adds them up.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api import routes

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")

#: Folder where the workers of one service keep their counts; set by the process above them.
DIRECTORY = "REGULARS_METRICS_DIR"
_LIBRARY = "PROMETHEUS_MULTIPROC_DIR"

_QUIET = ("/livez", "/readyz", "/healthz", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "regulars_requests", "Requests answered.", ["route", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "regulars_request_seconds",
    "Seconds from a request to the end of its answer.",
    ["route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
ITEMS = Counter(
    "regulars_items", "Customers answered about.", ["route", "outcome"], registry=REGISTRY
)
RELOADS = Counter(
    "regulars_score_table_loads", "Score tables loaded.", ["outcome"], registry=REGISTRY
)
CUSTOMERS = Gauge(
    "regulars_score_table_customers",
    "Customers in the score table that is served.",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
AS_OF = Gauge(
    "regulars_score_table_as_of_seconds",
    "As-of date of the score table that is served, as Unix time.",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)


def report() -> bytes:
    """Everything counted so far, in Prometheus' text format.

    Returns
    -------
    bytes
        Added up over the workers where there are several.
    """
    folder = os.environ.get(_LIBRARY)
    if not folder or not Path(folder).is_dir():
        return generate_latest(REGISTRY)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone, path=folder)
    return generate_latest(everyone)


def whereabouts(error: BaseException) -> str:
    """Kind and place of an error, without its words, which may hold a customer's data.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        Such as ``"ValueError at desk.py:88 in page"``.
    """
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    place = f"{Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}"
    return f"{type(error).__name__} at {place}"


class Discreet(logging.Filter):
    """Log filter that replaces an exception's words and trace by its kind and place.

    A request that is not as described is the client's affair: its record is dropped, for the
    answer tells what is wrong, and the line of the request tells its status.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record where it carries an exception."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ValidationError):
            return False
        if error is not None:
            record.msg, record.args = f"{record.getMessage()}: {whereabouts(error)}", ()
            record.exc_info = record.exc_text = None
        return True


def be_discreet() -> None:
    """Keep the words of exceptions out of the logs of BentoML and its server."""
    filter_ = Discreet()
    for name in ("bentoml._internal.server.http_app", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, Discreet) for known in logger.filters):
            logger.addFilter(filter_)


class Record:
    """ASGI middleware that counts, times and logs each request under its route.

    Parameters
    ----------
    app : ASGI application
    clock : callable, default time.perf_counter
        Seconds that only grow.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        self.app = app
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = self.clock(), [500]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            _note(scope, status[0], self.clock() - start)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = routes.of(scope["path"]).path
    method = scope["method"] if scope["method"] in _METHODS else routes.OTHER
    REQUESTS.labels(route, method, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    if route not in _QUIET:
        _log.info("%s %s %d %.1f ms", method, route, status, seconds * 1000)
