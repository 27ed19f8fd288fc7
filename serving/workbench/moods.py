"""What the page of satisfaction and loyalty shows, worked out once for each score table.

In: the newest score table of a store and its behaviour table. Out: the four fields beside who is
silent, and the three lists; or that no events are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from serving.api import answers
from serving.desk import Desk
from serving.workbench import customers
from serving.worker import Worker

if TYPE_CHECKING:
    from features.store import Store
    from serving.satisfaction import Satisfaction

#: Customers of a list.
LISTED = 15


def content(worker: Worker, desk: Desk, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the page shows.

    Parameters
    ----------
    worker : Worker
        With a store.
    desk : Desk
    scopes : iterable of str
        Lists are ordered by value where it may be seen, else by risk.

    Returns
    -------
    dict
    """
    from serving.satisfaction import MOODS

    store, sees = worker.deployment.store, customers.seen(scopes)
    assert store is not None  # noqa: S101 - the table is from it
    paths = store.scores(desk.meta.as_of), store.behaviour(desk.meta.as_of)
    found = None
    if all(path.is_file() for path in paths):
        written = tuple(path.stat().st_mtime_ns for path in paths)
        by = "clv" if sees["value"] else "churn_probability"
        found = _found(store, desk.meta.as_of, written, by)
    return {
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": sees,
        "found": found,
        "built": paths[1].is_file(),
        "moods": MOODS,
    }


@lru_cache(maxsize=8)
def _found(store: Store, day: date, written: object, by: str) -> Satisfaction | None:
    """Satisfaction of tables as they were written."""
    from serving.satisfaction import of_store

    del written
    return of_store(store, day, LISTED, by=by)
