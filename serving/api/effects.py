"""The answers of the service about measured plans.

In: a worker with a store. Out: what `regulars measure` found, and what the next plans reckon with.
"""

from __future__ import annotations

from dataclasses import asdict
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
