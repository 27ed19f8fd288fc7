"""Being told to stop: what is under way is put in order before the process ends.

SIGTERM and SIGHUP end a Python process where it stands: no temporary file is removed, and a
training stays RUNNING in MLflow. Here they become `SystemExit`, which every block sees.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly() -> Iterator[None]:
    """Leave the block by `SystemExit` on SIGTERM and SIGHUP; a second one ends at once.

    The exit code is 128 and the signal's number, as a shell gives it. A signal that is ignored
    (`nohup`) or handled already is left alone, as is a thread that is not the main one, which
    gets no signals.
    """
    ours = _ours()
    for one in ours:
        signal.signal(one, _end)
    try:
        yield
    finally:
        for one in ours:
            signal.signal(one, signal.SIG_DFL)


def _ours() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    return [one for one in _SIGNALS if signal.getsignal(one) is signal.SIG_DFL]


def _end(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    raise SystemExit(128 + number)
