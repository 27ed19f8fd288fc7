"""Contenders side by side: each in a process of its own, taking turns, timed by the same clock.

Turns matter on a shared machine: what disturbs one contender disturbs the other, so that the
ratio of their medians says more than either of them. A process of its own keeps one contender's
memory, threads and caches out of the other's figures. Only one of them works at a time.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd

Action = Callable[[], pd.DataFrame]

# A warm-up of more seconds than this is a run: what takes so long does not hang on caches.
_LONG = 20.0
_FEW = 2


@dataclass(frozen=True)
class Contender:
    """Somebody who does the job.

    Parameters
    ----------
    name : str
    prepare : callable
        A function of a module, called in the contender's process with `given`; does what is not
        timed (loading, fitting before) and gives the action that is.
    given : mapping
        Keyword arguments of `prepare`.
    """

    name: str
    prepare: Callable[..., Action]
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """What a contender took.

    Parameters
    ----------
    name : str
    seconds, cpu_seconds : tuple of float
        Of each run: on the wall, and of processor time in all threads.
    peak_bytes : int
        Most memory that the process held during the runs, the data included.
    answer : Path
        The result of the last run, as Parquet.
    """

    name: str
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    peak_bytes: int
    answer: Path

    @property
    def median(self) -> float:
        """Median seconds on the wall."""
        return statistics.median(self.seconds)

    @property
    def cpu_median(self) -> float:
        """Median seconds of processor time."""
        return statistics.median(self.cpu_seconds)


def race(contenders: Sequence[Contender], folder: Path, *, runs: int) -> list[Timing]:
    """Let contenders do the same job in turns, after a warm-up each.

    Parameters
    ----------
    contenders : sequence of Contender
    folder : Path
        Where their results go.
    runs : int
        Timed runs of each; 2 where a warm-up took more than 20 seconds, which then counts too.

    Returns
    -------
    list of Timing
        In the order of the contenders.

    Raises
    ------
    RuntimeError
        If a contender fails; with what it said.
    """
    with _started(contenders) as lines:
        warm = [_ask(line, "run") for line in lines]
        taken = [[one] if one[0] > _LONG else [] for one in warm]
        turns = min(runs, _FEW) if any(taken) else runs
        for _ in range(turns):
            for line, runs_of in zip(lines, taken, strict=True):
                runs_of.append(_ask(line, "run"))
        timings = []
        for number, (contender, line) in enumerate(zip(contenders, lines, strict=True)):
            answer = folder / f"answer-{number}.parquet"
            peak = _ask(line, str(answer))
            wall, cpu = zip(*taken[number], strict=True)
            timings.append(Timing(contender.name, wall, cpu, peak, answer))
    return timings


@contextmanager
def _started(contenders: Sequence[Contender]) -> Iterator[list[Connection]]:
    """Processes that have prepared and wait for their turns."""
    context = multiprocessing.get_context("spawn")
    lines, processes = [], []
    try:
        for contender in contenders:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(contender, theirs), daemon=True)
            process.start()
            lines.append(ours)
            processes.append(process)
            _ask(ours, None)
        yield lines
    finally:
        for line, process in zip(lines, processes, strict=True):
            line.close()
            process.join(10)
            if process.is_alive():
                process.terminate()


def _ask(line: Connection, what: str | None) -> Any:
    if what is not None:
        line.send(what)
    answer = line.recv()
    if isinstance(answer, str):
        raise RuntimeError(f"A contender failed:\n{answer}")
    return answer


def _serve(contender: Contender, line: Connection) -> None:
    """In the contender's process: prepare, then run when told to."""
    try:
        action = contender.prepare(**contender.given)
        _forget_peak()
        line.send(0)
        result = pd.DataFrame()
        while True:
            what = line.recv()
            if what == "run":
                del result
                start, cpu = time.perf_counter(), time.process_time()
                result = action()
                line.send((time.perf_counter() - start, time.process_time() - cpu))
            else:
                peak = _peak()
                result.to_parquet(what)
                line.send(peak)
    except EOFError:
        return
    except Exception:
        line.send(traceback.format_exc())


def _forget_peak() -> None:
    """Let the peak of memory start anew, where the kernel can (Linux)."""
    control = Path("/proc/self/clear_refs")
    if control.exists():
        control.write_text("5", encoding="ascii")


def _peak() -> int:
    """Peak of the process's memory in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for text in status.read_text(encoding="ascii").splitlines():
            if text.startswith("VmHWM:"):
                return int(text.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
