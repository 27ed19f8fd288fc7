"""Running the service: `bentoml serve serving.service:Regulars`, started, watched and stopped.

The champion is asked for once, here; every worker gets that version through the environment.
"""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from features.errors import InputError

# How long the service may take to stop by itself.
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.5


def check_port(host: str, port: int) -> None:
    """Make sure that an address is free before anything heavy starts.

    Parameters
    ----------
    host : str
        Address to bind to.
    port : int
        Port, 1 to 65535.

    Raises
    ------
    InputError
        Another program listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(
                    f"Port {port} is taken by another program; choose one with --port."
                ) from None
            raise InputError(
                f"{host}:{port} cannot be served: {error.strerror or error}."
            ) from None


def environment(config: Path, workers: int, given: Mapping[str, str]) -> dict[str, str]:
    """What the service's processes find in their environment.

    Parameters
    ----------
    config : Path
        The settings file.
    workers : int
        Worker processes, at least 1.
    given : mapping of str to str
        The environment of this process.

    Returns
    -------
    dict of str to str
        With the settings named and the champion's version pinned, where there is a champion.
    """
    from serving import deployment

    named = {
        **given,
        deployment.CONFIG: str(config.absolute()),
        "REGULARS_WORKERS": str(workers),
    }
    found = deployment.resolve(named)
    if found.scorer is not None:
        named |= {deployment.SCORER: str(found.scorer), deployment.VERSION: found.model_version}
    return named


def command(host: str, port: int) -> list[str]:
    """The service's command line.

    Parameters
    ----------
    host : str
        Address to bind to.
    port : int
        Port.
    """
    return [
        *(sys.executable, "-m", "bentoml", "serve", "serving.service:Regulars"),
        *("--host", host, "--port", str(port)),
    ]


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds a service that is bound to `host`.

    Examples
    --------
    >>> address("0.0.0.0", 3000)
    'http://127.0.0.1:3000'
    """
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared only
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def run(
    command: Sequence[str], environment: Mapping[str, str], url: str, *, ready: Callable[[], None]
) -> int:
    """Serve until stopped by Ctrl-C or a signal to end.

    Parameters
    ----------
    command : sequence of str
        The service's command line.
    environment : mapping of str to str
        Of the service's processes.
    url : str
        Where it answers; ``/livez`` there says that it is up.
    ready : callable
        Called once, when it answers.

    Returns
    -------
    int
        0 when it was stopped; else what the service ended with.
    """
    # In a session of its own the service gets one signal, from here, and not the terminal's too.
    service = subprocess.Popen(command, env=dict(environment), start_new_session=True)
    usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _await(service, f"{url}/livez", ready)
        return service.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(service)
        signal.signal(signal.SIGTERM, usual)


def _await(service: subprocess.Popen[bytes], url: str, ready: Callable[[], None]) -> None:
    while service.poll() is None:
        if _answers(url):
            ready()
            return
        time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - ours, http
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _stop(service: subprocess.Popen[bytes]) -> None:
    if service.poll() is not None:
        return
    service.terminate()
    try:
        service.wait(_PATIENCE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        service.kill()
        service.wait()
