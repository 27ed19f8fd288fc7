"""What a worker works out as soon as a score table is loaded, before anybody asks.

In: what is served, and the new table. Out: nothing; the caches of `remembered` are full. It runs
beside the answers, in a thread of its own; who asks for one of these meanwhile waits for it. Should
it fail, the question itself will say so.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from serving.api.observability import whereabouts
from serving.desk import Desk
from serving.groups import remembered

if TYPE_CHECKING:
    from serving.deployment import Deployment

#: Relative raise of retention that is worth knowing before anyone asks.
RAISED = 0.05

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")


def warm(deployment: Deployment, desk: Desk) -> None:
    """Work out what the page of the groups starts with.

    Parameters
    ----------
    deployment : Deployment
        With a store.
    desk : Desk
        The new score table.
    """
    store, day, policy = deployment.store, desk.meta.as_of, deployment.policy
    assert store is not None  # noqa: S101 - the table is from it
    try:
        remembered.segments(store, day, policy.segments)
        remembered.gains(store, day, policy.value, raised=RAISED)
        if (before := remembered.earlier(store, day)) is not None:
            remembered.since(store, day, before)
    except Exception as error:
        _log.info("not everything is worked out ahead: %s", whereabouts(error))
