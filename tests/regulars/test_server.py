"""Starting, watching and stopping the service, with a small server in its place."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from features.errors import InputError
from regulars import server

# Says that it is alive, and writes down that it was asked to stop.
SERVICE = """\
import http.server, pathlib, signal, sys

class Alive(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

def stop(*_):
    pathlib.Path(sys.argv[2]).write_text("stopped")
    raise SystemExit

signal.signal(signal.SIGTERM, stop)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Alive).serve_forever()
"""


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_is_found_before_anything_starts():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {taken} is taken by another program; .*--port"):
            server.check_port("127.0.0.1", taken)


def test_an_address_of_another_machine_cannot_be_served(port: int):
    # 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has it.
    with pytest.raises(InputError, match=r"192\.0\.2\.1:\d+ cannot be served"):
        server.check_port("192.0.2.1", port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104
        ("::1", "http://[::1]:3000"),
        ("shop.example", "http://shop.example:3000"),
    ],
)
def test_the_address_that_is_shown_can_be_opened_here(host: str, url: str):
    assert server.address(host, 3000) == url


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_stopping_stops_the_service_and_is_no_failure(
    sent: signal.Signals, port: int, tmp_path: Path
):
    mark = tmp_path / "mark"
    program = textwrap.dedent(f"""\
        import os, sys
        from regulars import server
        command = [sys.executable, "-c", {SERVICE!r}, "{port}", {str(mark)!r}]
        print(server.run(command, os.environ, "http://127.0.0.1:{port}",
                         ready=lambda: print("ready", flush=True)))
    """)
    root = Path(server.__file__).parent.parent
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    running.send_signal(sent)
    out, _ = running.communicate(timeout=60)
    assert out == "0\n"
    assert mark.read_text() == "stopped"


def test_a_service_that_ends_by_itself_gives_its_code_and_is_never_ready(port: int):
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    told: list[str] = []
    ended = server.run(
        command, os.environ, f"http://127.0.0.1:{port}", ready=lambda: told.append("ready")
    )
    assert (ended, told) == (7, [])


def test_the_signal_handler_of_before_comes_back(port: int):
    before = signal.getsignal(signal.SIGTERM)
    server.run([sys.executable, "-c", ""], os.environ, f"http://127.0.0.1:{port}", ready=print)
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_champion_the_service_starts_unpinned(tracked: Path):
    given = server.environment(tracked, 3, {"PATH": "/bin"})
    assert given["REGULARS_CONFIG"] == str(tracked)
    assert given["REGULARS_WORKERS"] == "3"
    assert "REGULARS_MODEL_VERSION" not in given
    assert given["PATH"] == "/bin"
