"""A scored request against a BentoML endpoint that does nothing, from one client in turns.

The service is the real one, started as `regulars serve` does, with one worker, on the model and
the score table of `regulars demo` (CDNOW, 23,502 customers); the other is `benchmarks.nothing`.
Every request goes over one open connection and waits for its answer.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_SECONDS = 180.0
_WARM_UP = 20


@dataclass(frozen=True)
class Question:
    """A request that is sent again and again.

    Parameters
    ----------
    what : str
        For the table.
    path : str
    body : object
        Sent as JSON.
    """

    what: str
    path: str
    body: Any


@dataclass(frozen=True)
class Waits:
    """How long answers took, in milliseconds.

    Parameters
    ----------
    what : str
    ours, nothing : tuple of float
        Of our service, and of the one that does nothing, in turns.
    """

    what: str
    ours: tuple[float, ...]
    nothing: tuple[float, ...]


def ask(folder: Path, requests: int) -> list[Waits]:
    """Start both services, ask them in turns, stop them.

    Parameters
    ----------
    folder : Path
        Where the demonstration is made, unless it is there already.
    requests : int
        Timed requests of each kind.

    Returns
    -------
    list of Waits
    """
    home = demonstration(folder)
    with serving(regulars(home / "regulars.toml")) as ours, serving(_nothing()) as nothing:
        return [_turns(question, ours, nothing, requests) for question in _questions(home)]


def demonstration(folder: Path) -> Path:
    """The folder that `regulars demo` makes.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path
        With data, settings, model and score table.
    """
    home = folder / "regulars-demo"
    if not (home / "scores.csv").exists():
        command = [sys.executable, "-m", "regulars", "demo", "--no-serve"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return home


def _questions(home: Path) -> list[Question]:
    log = pd.read_csv(home / "cdnow.csv", dtype={"customer_id": "str"})
    sizes = log["customer_id"].value_counts()
    # Half of the customers bought once; these have a history.
    chosen = sizes[sizes.between(4, 12)].sort_index().index[:100]
    raw = [
        {
            "customer_id": one,
            "transactions": [
                {"timestamp": day, "amount": amount}
                for day, amount in log.loc[log["customer_id"] == one, ["date", "amount"]].values
            ],
        }
        for one in chosen
    ]
    ids = list(chosen)
    return [
        Question("/risk, 1 customer", "/risk", {"customer_ids": ids[:1]}),
        Question("/value, 1 customer", "/value", {"customer_ids": ids[:1]}),
        Question("/risk, 100 customers", "/risk", {"customer_ids": ids}),
        Question("/score, 1 customer", "/score", {"customers": raw[:1]}),
        Question("/score, 100 customers", "/score", {"customers": raw}),
    ]


def _turns(question: Question, ours: str, nothing: str, requests: int) -> Waits:
    waits: dict[str, list[float]] = {ours: [], nothing: []}
    pairs = [(ours, question.path, question.body), (nothing, "/nothing", {})]
    with contextlib.ExitStack() as stack:
        lines = {
            address: stack.enter_context(
                contextlib.closing(http.client.HTTPConnection(address, timeout=60))
            )
            for address in waits
        }
        for _ in range(_WARM_UP + requests):
            for address, path, body in pairs:
                waits[address].append(_wait(lines[address], path, body))
    return Waits(question.what, tuple(waits[ours][_WARM_UP:]), tuple(waits[nothing][_WARM_UP:]))


def _wait(line: http.client.HTTPConnection, path: str, body: Any) -> float:
    """Milliseconds from sending a request to having its whole answer."""
    sent = json.dumps(body)
    start = time.perf_counter()
    line.request("POST", path, sent, {"Content-Type": "application/json"})
    answer = line.getresponse()
    said = answer.read()
    taken = time.perf_counter() - start
    if answer.status != 200 or b'"error":{' in said:
        raise RuntimeError(f"{path} answered {answer.status}: {said[:400]!r}")
    return 1e3 * taken


def percentiles(waits: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile.

    Parameters
    ----------
    waits : sequence of float

    Returns
    -------
    tuple of float
    """
    middle, slow = np.percentile(waits, [50, 95])
    return float(middle), float(slow)


def regulars(config: Path) -> tuple[list[str], Mapping[str, str], int]:
    """Command, environment and port of our service over a settings file, with one worker."""
    from regulars import server

    port = _free_port()
    environment = server.environment(config, 1, os.environ)
    return server.command("127.0.0.1", port), environment, port


def _nothing() -> tuple[list[str], Mapping[str, str], int]:
    port = _free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "benchmarks.nothing:Nothing"]
    return [*command, "--host", "127.0.0.1", "--port", str(port)], os.environ, port


@contextlib.contextmanager
def serving(service: tuple[list[str], Mapping[str, str], int]) -> Iterator[str]:
    """A service that is ready, by its address; stopped at the end."""
    command, environment, port = service
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(environment), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _await(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(line), contextlib.suppress(OSError):
            line.request("GET", "/readyz")
            if line.getresponse().status == 200:
                return
        time.sleep(0.5)
    raise RuntimeError(f"{process.args!r} did not get ready (it ended with {process.poll()}).")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
