"""What the page of satisfaction and loyalty shows: the figures that the API answers with.

In: the newest score table of a store and its behaviour table. Out: the four fields beside who is
silent, and the three lists; or that no events are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from serving.api import answers
from serving.api import satisfaction as told
from serving.desk import Desk
from serving.workbench import customers
from serving.worker import Worker


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
    from serving.satisfaction import MOODS, SILENT

    found, built = told.satisfaction(worker, scopes)
    return {
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": customers.seen(scopes),
        "found": found,
        "staged": found is not None and found.fields[SILENT, True].customers is not None,
        "built": built,
        "moods": MOODS,
    }
