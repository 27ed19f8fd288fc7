"""The answers of the service about measured plans.

In: a worker with a store. Out: what `regulars measure` found, and what the next plans reckon with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from serving.api import answers
from serving.api.failures import Failure
from serving.errors import CampaignError

if TYPE_CHECKING:
    from serving.campaigns.belief import Effect
    from serving.campaigns.results import Measurement
    from serving.worker import Worker

#: Measured plans in an answer, the newest.
LISTED = 50


def found(worker: Worker) -> tuple[tuple[Measurement, ...], dict[str, Effect]]:
    """Measured plans of the store, the newest first, and what is believed of each action.

    Parameters
    ----------
    worker : Worker

    Returns
    -------
    tuple of Measurement
        Empty where there is no store.
    dict of str to Effect

    Raises
    ------
    Failure
        503 where a file of the store cannot be read.
    """
    from serving.campaigns import learned, measurements

    store = worker.deployment.store
    if store is None:
        return (), {}
    try:
        return measurements.read(store.path)[:LISTED], learned.read(store.path)
    except CampaignError as error:
        raise Failure(503, str(error), code="unreadable") from error


def waiting(worker: Worker, measured: Sequence[Measurement]) -> list[tuple[str, date]]:
    """Plans of the store that were not measured yet, and the day from which they can be.

    Parameters
    ----------
    worker : Worker
    measured : sequence of Measurement

    Returns
    -------
    list of (str, date)
        The newest first, at most `LISTED`.

    Raises
    ------
    Failure
        503 where a file of the store cannot be read.
    """
    from serving.campaigns import shelf

    store = worker.deployment.store
    if store is None:
        return []
    known, folder = {one.plan_id for one in measured}, store.plans()
    names = [name for name, _ in shelf.listed(folder) if name not in known][:LISTED]
    try:
        figures = [(name, shelf.said(folder, name)) for name in names]
    except CampaignError as error:
        raise Failure(503, str(error), code="unreadable") from error
    return [
        (name, date.fromisoformat(one["as_of"]) + timedelta(days=one["horizon_days"]))
        for name, one in figures
        if one is not None
    ]


def answer(worker: Worker) -> dict[str, Any]:
    """Answer with all of it.

    Parameters
    ----------
    worker : Worker

    Returns
    -------
    dict
        As `effect_messages.EffectsAnswer`.

    Raises
    ------
    Failure
        As `found`.
    """
    plans, beliefs = found(worker)
    names = worker.deployment.names
    return {
        "meta": answers.latest(worker),
        "name": names.name,
        "currency": names.currency,
        "plans": [one.to_dict() for one in plans],
        "beliefs": [{"action": name, **asdict(beliefs[name])} for name in sorted(beliefs)],
    }
