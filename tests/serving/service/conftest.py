"""A made shop with a real model and a score table, and the service that answers about it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from tests.serving.service.actions import ACTIONS
from tests.serving.service.browsing import browser, tab  # noqa: F401 - fixtures

AS_OF = date(2024, 7, 1)
HORIZON_DAYS = 60
SCORED_AT = datetime(2024, 7, 2, 4, 5, 6, tzinfo=UTC)
VERSION = "7"
CUSTOMERS = 400

KEYS = {
    "risk": "key-of-retention",
    "value": "key-of-marketing",
    "risk+value": "key-of-both",
    "admin": "key-of-operations",
}


@dataclass(frozen=True)
class Shop:
    """A business: its log, its store with one score table, its model."""

    folder: Path
    log: pd.DataFrame
    scores: pd.DataFrame

    @property
    def config(self) -> Path:
        """Settings file."""
        return self.folder / "regulars.toml"

    @property
    def scorer(self) -> Path:
        """Folder of the model."""
        return self.folder / "scorer"

    @property
    def store(self) -> Path:
        """Folder of the store."""
        return self.folder / "store"

    @property
    def environ(self) -> dict[str, str]:
        """What the service finds in its environment."""
        return {
            "REGULARS_CONFIG": str(self.config),
            "REGULARS_SCORER": str(self.scorer),
            "REGULARS_MODEL_VERSION": VERSION,
        }

    def raw(self, customer_id: str) -> dict[str, Any]:
        """A customer with its transactions, as /score takes them."""
        rows = self.log[self.log["customer_id"] == customer_id].drop(columns="customer_id")
        return {"customer_id": customer_id, "transactions": rows.to_dict("records")}


def made_log(seed: int = 11) -> pd.DataFrame:
    """Two years of purchases: each customer with a rate and a lifetime of its own, 4 % refunds.

    Some rows lie after the as-of date. Ids hold signs that a page has to escape.
    """
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 700, CUSTOMERS)
    gaps = np.maximum(1, rng.exponential(60 / rng.gamma(1.5, 1, (CUSTOMERS, 1)), (CUSTOMERS, 30)))
    stays = rng.random((CUSTOMERS, 30)) > rng.beta(0.8, 3, (CUSTOMERS, 1))
    days = start[:, None] + np.cumsum(np.hstack([np.zeros((CUSTOMERS, 1)), gaps]), axis=1)
    bought = np.hstack([np.full((CUSTOMERS, 1), True), stays.cumprod(axis=1).astype(bool)])
    owner, visit = np.nonzero(bought & (days < 760))
    moment = pd.Timestamp(AS_OF) - pd.Timedelta(days=730)
    moment = moment + pd.to_timedelta(np.floor(days[owner, visit] * 86400), unit="s")
    amount = np.round(rng.gamma(3, 9, len(owner)), 2)
    amount = np.where((visit > 0) & (rng.random(len(owner)) < 0.04), -amount, amount)
    return pd.DataFrame(
        {
            "customer_id": [f"shopper <{number:04d}>" for number in owner],
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S"),
            "amount": amount,
            "order_id": [f"o{number}" for number in range(len(owner))],
            "product_id": [f"p{number}" for number in rng.integers(0, 60, len(owner))],
        }
    )


def write_scores(folder: Path, as_of: date = AS_OF, version: str = VERSION) -> pd.DataFrame:
    """Behaviour, occasions and scores of a date into the shop's store, as the commands do it."""
    import pyarrow.parquet as pq

    from features import occasions, table
    from features.store import Store, write_parquet
    from serving import scores, scoring
    from training.scorer import Scorer

    inputs, store = read_log(folder), Store(folder / "store")
    rows = table.behaviour(inputs, as_of, horizon_days=HORIZON_DAYS).order_by("customer_id")
    write_parquet(rows, store.behaviour(as_of))
    write_parquet(
        occasions.occasions(inputs.transactions, as_of).order_by(["customer_id", "day"]),
        store.occasions(as_of),
    )
    scorer = Scorer.load(folder / "scorer")
    frame, thresholds = scoring.score(
        pq.read_table(store.behaviour(as_of), partitioning=None).to_pandas(),
        scorer,
        thresholds=None,
        as_of=as_of,
        model_version=version,
        scored_at=SCORED_AT,
        currency="GBP",
    )
    meta = scores.Meta(
        name="made-shop",
        currency="GBP",
        timezone="Europe/London",
        as_of=as_of,
        horizon_days=scorer.horizon_days,
        clv_horizon_days=scorer.clv_horizon_days,
        model_version=version,
        run_id=None,
        speaker=scorer.speaker,
        grades=scorer.grades,
        scored_at=SCORED_AT,
        thresholds=thresholds,
        counts=scores.counts(frame),
    )
    scores.write(frame, meta, store.scores(as_of))
    return frame


def read_log(folder: Path) -> Any:
    from features import intake
    from features.settings import Sources

    columns = ("customer_id", "timestamp", "amount", "order_id", "product_id")
    source = {"uri": str(folder / "log.csv"), **{name: name for name in columns}}
    sources = Sources.model_validate({"transactions": source})
    return intake.read(sources, timezone="Europe/London", now=datetime.now(UTC))


def fit_scorer(folder: Path) -> None:
    """Train on what was known one horizon before the as-of date, and save."""
    from training.asked import Asked
    from training.fitting import fit_origin
    from training.settings import ChurnSettings, ValueSettings
    from training.windows import panel
    from training.windows.known import know
    from training.windows.spread import learn
    from training.windows.window import Window

    inputs, then = read_log(folder), AS_OF - timedelta(days=HORIZON_DAYS)
    asked = Asked(ChurnSettings(horizon_days=HORIZON_DAYS), ValueSettings())
    window = {"horizon_days": HORIZON_DAYS}
    past = know(panel.snapshot(inputs, then, known_until=AS_OF, **window), asked)
    now = know(panel.behaviour_frame(inputs, AS_OF, **window), asked)
    fitted = fit_origin(panel.Origin(AS_OF, (then,)), {then: past}, now, asked)
    told = fitted.scorer("blend", asked, {}).predict(past.frame)
    spread = learn([Window(told, past.seen(HORIZON_DAYS))])
    fitted.scorer("blend", asked, {"risk": "A", "value": "B"}, spread).save(folder / "scorer")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """400 customers, a LightGBM scorer over 60 days, one score table."""
    folder = tmp_path_factory.mktemp("shop")
    log = made_log()
    log.to_csv(folder / "log.csv", index=False)
    (folder / "regulars.toml").write_text(
        'name = "made-shop"\ncurrency = "GBP"\ntimezone = "Europe/London"\n'
        '[sources.transactions]\nuri = "log.csv"\ncustomer_id = "customer_id"\n'
        'timestamp = "timestamp"\namount = "amount"\norder_id = "order_id"\n'
        'product_id = "product_id"\n[churn]\nhorizon_days = 60\n[store]\npath = "store"\n' + ACTIONS
    )
    fit_scorer(folder)
    return Shop(folder, log, write_scores(folder))


@pytest.fixture
def no_plans(shop: Shop) -> None:
    """Plans of other tests are put away: who is in one that runs is in no other."""
    for file in (shop.store / "plans").glob("*"):
        if file.suffix in (".json", ".parquet"):
            file.unlink()


@pytest.fixture(scope="session")
def scored() -> Any:
    """`scored(folder, as_of)`: a further score table of the shop."""
    return write_scores


class Service:
    """The service in this process, on an event loop of its own, asked as over HTTP."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._loop.run_until_complete(self._live())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())

    async def _live(self) -> None:
        async with self._app.router.lifespan_context(self._app):
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=60
            ) as self._client:
                self._started.set()
                await self._stop.wait()

    def __enter__(self) -> Service:
        self._thread.start()
        assert self._started.wait(120), "the service did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        self._loop.close()

    def __call__(
        self,
        method: str,
        path: str,
        *,
        key: str | None = KEYS["admin"],
        headers: Mapping[str, str] | None = None,
        **given: Any,
    ) -> httpx.Response:
        """Ask; with the key of operations unless another one, or None, is given."""
        sent = {**({} if key is None else {"X-API-Key": key}), **(headers or {})}
        asked = self._client.request(method, path, headers=sent, **given)
        # Each request stands alone: a language that one test chooses is not that of the next.
        self._client.cookies.clear()
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60)

    def get(self, path: str, **given: Any) -> httpx.Response:
        """Ask by GET."""
        return self("GET", path, **given)

    def post(self, path: str, json: Any, **given: Any) -> httpx.Response:
        """Ask by POST with JSON."""
        return self("POST", path, json=json, **given)


def keys_text() -> str:
    """What REGULARS_API_KEYS holds."""
    return ", ".join(
        f"{scopes}:{hashlib.sha256(key.encode()).hexdigest()}" for scopes, key in KEYS.items()
    )


@pytest.fixture(scope="session")
def service(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`bentoml serve serving.service:Regulars` within this process, with keys."""
    with pytest.MonkeyPatch.context() as patch:
        # BentoML makes its folder when it is imported.
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        for name, value in {**shop.environ, "REGULARS_API_KEYS": keys_text()}.items():
            patch.setenv(name, value)
        from serving.service import Regulars

        with Service(Regulars.to_asgi()) as running:
            # The middleware reads the keys when the first request comes.
            assert running.get("/livez", key=None).status_code == 200
            yield running


@pytest.fixture(scope="session")
def keys() -> Mapping[str, str]:
    """Key of each set of scopes."""
    return KEYS


@pytest.fixture(scope="session")
def known(shop: Shop) -> list[str]:
    """Ids in the score table."""
    return [str(one) for one in shop.scores["customer_id"]]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def address(service: Service) -> Iterator[str]:
    """Address of the service of this process, over real HTTP."""
    import uvicorn

    port = free_port()
    # Its own lifespan is under way already, on the same loop.
    config = uvicorn.Config(service._app, port=port, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.run_coroutine_threadsafe(server.serve(), service._loop)
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    running.result(30)


@dataclass(frozen=True)
class Started:
    """A service in processes of its own."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def start(what: str, folder: Path, environ: Mapping[str, str], cwd: Path) -> Iterator[Started]:
    """`bentoml serve` until the block ends; waits until it is ready."""
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "bentoml", "serve", what, "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environ), stdout=out, stderr=out, start_new_session=True
        )
    started = Started(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(started)
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(started: Started) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and started.process.poll() is None:
        try:
            if httpx.get(f"{started.url}/readyz", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    pytest.fail(f"the service did not get ready:\n{started.said[-3000:]}", pytrace=False)


@pytest.fixture(scope="session")
def starting() -> Any:
    """`with starting(what, folder, environ, cwd) as started`: a service in its own processes."""
    return start


@pytest.fixture(scope="session")
def quiet_environ() -> dict[str, str]:
    """Environment of this process without what tests of the service set."""
    gone = ("REGULARS_", "BENTOML_", "PROMETHEUS_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(gone)}
