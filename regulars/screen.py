"""What a person or a machine reads: figures on standard output, everything else on the other.

Consoles are made when asked for, so that they write to wherever the streams point now.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# The rooms' names of their steps, in words.
_STEPS = {
    "count": "counting customers",
    "behaviour": "building the behaviour table",
    "snapshots": "looking at past dates",
    "search": "searching for better settings of the learner",
    "backtest": "testing on past windows",
    "cross-fit": "testing on customers held out",
    "fit": "fitting the models",
    "track": "recording in MLflow",
    "champion": "fetching the champion",
    "score": "scoring every customer",
    "plan": "choosing who gets what",
    "measure": "comparing the treated with the held out",
}
# Wide enough for the tables where no terminal says its width (a pipe, a log).
_PIPE_WIDTH = 120


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def out() -> Console:
    """Console on standard output: tables and sentences that were asked for."""
    return _console(stderr=False)


def aside() -> Console:
    """Console on standard error: progress, notes, refusals."""
    return _console(stderr=True)


def say(text: str) -> None:
    """Print a line for a person on standard output; square brackets are plain text."""
    out().print(text, markup=False, soft_wrap=True)


def note(text: str) -> None:
    """Print a remark on standard error; square brackets are plain text."""
    aside().print(text, markup=False, soft_wrap=True)


def figures(content: Any) -> None:
    """Print JSON for a machine on standard output.

    Parameters
    ----------
    content : dict or list
        Dates and paths become text; numbers that are not finite are refused.
    """
    text = json.dumps(content, default=str, indent=2, allow_nan=False, ensure_ascii=False)
    print(text, flush=True)  # noqa: T201


def unread() -> bool:
    """Whether whoever read standard output has gone, as `head` does; it is silenced then.

    What is left of it goes nowhere, so that the interpreter's end has nothing to complain of.
    """
    try:
        there = sys.stdout.fileno()
    except OSError:  # a stream in memory
        return False
    poll = select.poll()
    poll.register(there, 0)
    # Nothing is asked about: only a broken end is told.
    if not poll.poll(0):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, there)
    os.close(nowhere)
    return True


class Lines:
    """The progress of one piece of work in a log: a line for each step, when it begins.

    Parameters
    ----------
    clock : callable
        Gives seconds; the first call is the beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._step = ""

    def __call__(self, step: str, _done: int | None = None, total: int | None = None) -> None:
        """Say that a step begins.

        Parameters
        ----------
        step : str
            What is being done, as "reading transactions"; said once while it goes on.
        total : int, optional
            Parts in all.
        """
        if step != self._step:
            self._step = step
            parts = f" ({total} parts)" if total and total > 1 else ""
            self.say(f"{_STEPS.get(step, step)}{parts}")

    def say(self, text: str) -> None:
        """Print a line with the time since the beginning.

        Parameters
        ----------
        text : str
        """
        seconds = round(self._clock() - self._begun)
        note(f"[{seconds // 60:3d}:{seconds % 60:02d}] {text}")


class Steps:
    """The progress of one piece of work: a line that says what is being done.

    Called by the rooms with the name of the step that begins, and, in steps of known length,
    with how many parts are done of how many.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, parts="")
        self._step = ""

    def __call__(self, step: str, done: int | None = None, total: int | None = None) -> None:
        """Show the step that is under way.

        Parameters
        ----------
        step : str
            What is being done, as "reading transactions".
        done, total : int, optional
            Parts done and parts in all.
        """
        # One part in all says nothing about how far it is: the bar only moves.
        known = total if total is not None and total > 1 else None
        parts = f"{done or 0} of {known}" if known else ""
        if step != self._step:
            self._step = step
            self._progress.reset(self._task)
        self._progress.update(
            self._task,
            description=_STEPS.get(step, step),
            completed=done or 0,
            total=known,
            parts=parts,
        )


@contextmanager
def steps(*, logged: bool = False) -> Iterator[Steps | Lines]:
    """Show progress on standard error while the block runs.

    Parameters
    ----------
    logged : bool
        Whether to print a line for each step where standard error is no terminal; else nothing
        is printed there.

    Yields
    ------
    Steps or Lines
        To be called with each step's name.
    """
    console = aside()
    if logged and not console.is_terminal:
        lines = Lines()
        yield lines
        lines.say("done")
        return
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[parts]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield Steps(progress)


@contextmanager
def doubts(kind: type[Warning]) -> Iterator[None]:
    """Turn warnings of a kind into notes, each said once; other warnings go their usual way.

    Parameters
    ----------
    kind : type of Warning
        The class whose warnings are meant for the user.
    """
    said: set[str] = set()
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if not issubclass(category, kind):
            usual(message, category, *rest, **more)
        elif str(message) not in said:
            said.add(str(message))
            note(f"Note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", kind)
        warnings.showwarning = show
        yield
