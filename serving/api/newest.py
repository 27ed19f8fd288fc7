"""Keeps the newest score table of a store at hand while the service runs.

The store is looked at once in a few seconds at most, by whoever asks first. A new file is
loaded beside the table in use and takes its place in one step; one that cannot be read is
passed over, so the table in use stays, and is tried again once it changes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from features.store import Store
from serving import desk
from serving.api import observability
from serving.api.observability import whereabouts
from serving.desk import Desk
from serving.errors import ScoreTableError

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")

#: What tells one version of a file from another: path, inode, size, time of change.
_Mark = tuple[str, int, int, int]


class Newest:
    """The newest score table of a store.

    Parameters
    ----------
    store : Store
        Its folder need not be there yet.
    seconds : float
        Least time between two looks.
    clock : callable
        Seconds that only grow.
    loaded : callable, optional
        Called with each new table, in a thread of its own.
    """

    def __init__(
        self,
        store: Store,
        *,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        loaded: Callable[[Desk], None] | None = None,
    ) -> None:
        self._store = store
        self._loaded = loaded
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._desk: Desk | None = None
        self._mark: _Mark | None = None
        self._unreadable: set[_Mark] = set()
        self._next_look = clock() + seconds
        self.look()

    def current(self) -> Desk | None:
        """Table to answer from, or None before the first full scoring.

        Never waits: when there is a new file, the table in use is given until it is loaded.
        """
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + self._seconds
            if self._wanted() is not None:
                threading.Thread(target=self.look, name="score-table", daemon=True).start()
        return self._desk

    def look(self) -> None:
        """Load the newest readable file now, unless it is the one in use."""
        with self._lock:
            while (mark := self._wanted()) is not None:
                self._load(mark)

    def _load(self, mark: _Mark) -> None:
        try:
            new = desk.load(Path(mark[0]))
        except (ScoreTableError, OSError) as error:
            self._unreadable.add(mark)
            observability.RELOADS.labels("failed").inc()
            _log.warning("a new score table is not used: %s", whereabouts(error))
            return
        if _mark(Path(mark[0])) != mark:
            return  # replaced while it was read: the rows may not be those of its metadata
        self._desk, self._mark = new, mark
        as_of = datetime.combine(new.meta.as_of, datetime.min.time(), UTC)
        observability.RELOADS.labels("loaded").inc()
        observability.CUSTOMERS.set(new.totals.customers)
        observability.AS_OF.set(as_of.timestamp())
        _log.info("score table of %s: %d customers", new.meta.as_of, new.totals.customers)
        if self._loaded is not None:
            # No daemon: a process does not end in the middle of the engine's work.
            threading.Thread(target=self._loaded, args=(new,), name="warm").start()

    def _wanted(self) -> _Mark | None:
        """The newest file that may be readable, or None when it is in use already.

        Never one of an earlier date than the table in use, whatever became of its file.
        """
        newest = next((mark for mark in self._marks() if mark not in self._unreadable), None)
        if newest is None or (self._mark is not None and newest[0] < self._mark[0]):
            return None
        return None if newest == self._mark else newest

    def _marks(self) -> Iterator[_Mark]:
        """Score files, newest as-of date first."""
        folder = self._store.path / "scores"
        for path in sorted(folder.glob("as_of=????-??-??.parquet"), reverse=True):
            mark = _mark(path)
            if mark is not None:
                yield mark


def _mark(path: Path) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_ino, found.st_size, found.st_mtime_ns
