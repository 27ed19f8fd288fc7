"""What the page of the data shows: the newest data report, and whom the scores do not answer.

In: the file that `regulars check` leaves in the store, and the score table that is served. Out:
their content for the page. What is not said is worked out once for each score table.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import abstention
from serving.worker import Worker

if TYPE_CHECKING:
    from features.store import Store
    from serving.groups.unanswered import Unanswered


def content(worker: Worker) -> dict[str, Any]:
    """Gather what the page of the data shows.

    Parameters
    ----------
    worker : Worker

    Returns
    -------
    dict
        ``report`` as `regulars check --json` prints it, None where there is none, or none that
        can be read; ``scored``, the as-of date of the scores, None without any; ``unanswered``.
    """
    store, desk = worker.deployment.store, worker.desk
    if store is None or desk is None:
        return {"report": _report(store), "scored": None, "unanswered": ()}
    path = store.scores(desk.meta.as_of)
    told = _unanswered(path, path.stat().st_mtime_ns)
    if desk.totals.contracts:
        told = tuple(one for one in told if one.reason != abstention.OF_PURCHASES)
    return {"report": _report(store), "scored": desk.meta.as_of, "unanswered": told}


def _report(store: Store | None) -> dict[str, Any] | None:
    if store is None:
        return None
    try:
        report: dict[str, Any] = json.loads(store.report().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report


@lru_cache(maxsize=4)
def _unanswered(path: Path, written: int) -> tuple[Unanswered, ...]:
    """What a file, as it was written, does not say."""
    from serving.groups import unanswered

    del written
    return unanswered.of_file(path)
