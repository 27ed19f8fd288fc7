"""The newest data report of a store: what the sources held when they were last checked.

In: the file that `regulars check` leaves in the store. Out: its content for the page.
"""

from __future__ import annotations

import json
from typing import Any

from features.store import Store


def content(store: Store | None) -> dict[str, Any]:
    """Gather what the page of the data shows.

    Parameters
    ----------
    store : Store or None

    Returns
    -------
    dict
        ``report`` as `regulars check --json` prints it; None where there is none, or none that
        can be read.
    """
    if store is None:
        return {"report": None}
    try:
        report = json.loads(store.report().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"report": None}
    return {"report": report}
