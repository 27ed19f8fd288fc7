"""Whoever reads the output may go before its end, as `head` does, and is told nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

VERB = """\
import sys
from regulars import cli, screen

def many() -> None:
    for number in range(20_000):
        {call}

def refused() -> None:
    raise BrokenPipeError(32, "Broken pipe")

cli.app.command("many")(many)
cli.app.command("refused")(refused)
cli.main()
"""


def started(verb: str, call: str = "pass") -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", VERB.format(call=call), verb],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )


@pytest.mark.parametrize(
    "call",
    [
        'screen.say(f"line {number}")',
        "screen.figures([number] * 100)",
        'sys.stdout.write(f"line {number}\\n")',
    ],
)
def test_output_that_nobody_reads_any_more_ends_in_silence(call):
    with started("many", call) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_another_pipe_that_breaks_is_said():
    with started("refused") as process:
        assert process.stderr is not None
        assert b"Broken pipe" in process.stderr.read()
    assert process.returncode == 1
