"""Answers about satisfaction beside loyalty, worked out once for each score table.

In: a worker, and the scopes of the key. Out: the figures of `serving.satisfaction`, those that the
command line prints and the page shows. A key is not told what is of another scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from serving.api import answers
from serving.api.routes import ADMIN, RISK, VALUE
from serving.worker import Worker

if TYPE_CHECKING:
    from features.store import Store
    from serving.satisfaction import Satisfaction

#: Customers of a list.
LISTED = 15
#: Why nothing is said: no events, or no table to read them from.
UNKNOWN = "Nothing is known of complaints and satisfaction: the settings have no [sources.events]."
UNBUILT = "The behaviour table of these scores is not in the store; run `regulars score` again."
#: What a key without a scope is not told, of a field and of a listed customer.
_OF = {VALUE: ("equity", "clv", "tier"), RISK: ("churn_probability",)}


def answer(worker: Worker, scopes: Iterable[str]) -> dict[str, Any]:
    """Answer with the fields and the lists.

    Parameters
    ----------
    worker : Worker
    scopes : iterable of str

    Returns
    -------
    dict
        As `group_messages.SatisfactionAnswer`.

    Raises
    ------
    Failure
        503 before the first full scoring.
    """
    desk, held = worker.need_desk(), set(scopes)
    found, built = satisfaction(worker, held)
    told: dict[str, Any] = {
        "meta": answers.meta(worker, desk),
        "fields": [],
        **dict.fromkeys(("open", "scale")),
        **{name: [] for name in ("complaints", "leaving", "staying")},
        "notes": [UNKNOWN if built else UNBUILT] if found is None else [],
    }
    if found is None:
        return told
    hidden = {name for scope, names in _OF.items() if not {scope, ADMIN} & held for name in names}
    told |= {"fields": [_told(asdict(one), hidden) for one in found.fields.values()]}
    told |= {"open": found.open, "scale": found.scale}
    lists = {"complaints": found.complaints, "leaving": found.leaving, "staying": found.staying}
    return told | {name: [_told(row, hidden) for row in rows] for name, rows in lists.items()}


def satisfaction(worker: Worker, scopes: Iterable[str]) -> tuple[Satisfaction | None, bool]:
    """Satisfaction of the newest score table.

    Parameters
    ----------
    worker : Worker
        With a score table.
    scopes : iterable of str
        Lists are ordered by value where it may be seen, else by risk.

    Returns
    -------
    Satisfaction or None
        None where nothing is known of events, or the behaviour table is gone.
    bool
        Whether the behaviour table is there.
    """
    desk, store = worker.need_desk(), worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    paths = store.scores(desk.meta.as_of), store.behaviour(desk.meta.as_of)
    if not all(path.is_file() for path in paths):
        return None, paths[1].is_file()
    written = tuple(path.stat().st_mtime_ns for path in paths)
    by = "clv" if {VALUE, ADMIN} & set(scopes) else "churn_probability"
    return _found(store, desk.meta.as_of, written, by), True


@lru_cache(maxsize=8)
def _found(store: Store, day: date, written: object, by: str) -> Satisfaction | None:
    """Satisfaction of tables as they were written."""
    from serving.satisfaction import of_store

    del written
    return of_store(store, day, LISTED, by=by)


def _told(row: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {name: None if name in hidden else value for name, value in row.items()}
