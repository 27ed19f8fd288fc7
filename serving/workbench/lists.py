"""The saved lists on the page of the customers: those that a key may open, saving, removing."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import RedirectResponse, Response

from serving import audit, lists, questions
from serving.api import answers, parameters
from serving.api.failures import Failure
from serving.api.messages import CustomersRequest
from serving.api.security import caller, granted
from serving.errors import CampaignError, ServingError
from serving.workbench import subscription
from serving.worker import Worker

#: What a form of ours is sealed for.
_FORM = "lists"


def content(
    worker: Worker,
    asked: CustomersRequest,
    scopes: Iterable[str],
    chosen: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Gather what the page shows of lists.

    Parameters
    ----------
    worker : Worker
    asked : CustomersRequest
        What the page shows; its filter and order can be saved.
    scopes : iterable of str
        A list that filters or sorts by another scope's column is not shown.
    chosen : sequence of (name, value), optional
        What the address asks for besides.

    Returns
    -------
    dict
        ``seal`` is None where nothing can be saved.
    """
    store, shown = worker.deployment.store, questions.columns(scopes)
    told = [] if store is None else lists.listed(store)
    return {
        "lists": [
            (one.name, one.digest, "/customers?" + urlencode(one.filter))
            for one in told
            if _opens(one.filter, shown)
        ],
        "saved_filter": urlencode([*parameters.pairs(asked), *chosen]),
        "seal": _seal(worker),
    }


def change(worker: Worker, form: Sequence[tuple[str, str]]) -> Response:
    """Save the list of a form, or remove one, and go back to the customers.

    Raises
    ------
    Failure
        400 for a name or a filter that cannot be, 403 for a form that no page of ours gave or a
        column of another scope, 503 where nothing can be saved.
    """
    given, seal = dict(form), _seal(worker)
    store = worker.deployment.store
    if store is None or seal is None:
        raise Failure(503, "This service has no store in which it could save a list.")
    # A page elsewhere can send a browser's key along, but cannot read what ours says.
    if not hmac.compare_digest(seal.encode(), given.get("seal", "").encode()):
        raise Failure(403, "This form is not of a page of this service; open /customers again.")
    if "remove" in given:
        gone = lists.remove(store, given["remove"])
        if gone is not None:
            _note(worker, "list removed", list=gone.digest)
        return RedirectResponse("/customers", status_code=303)
    plan, filter_ = subscription.parted(parse_qsl(given.get("filter", "")))
    asked = parameters.read(filter_)
    answers.query(asked.filter, asked.sort, questions.columns(granted()))
    pairs = parameters.pairs(asked) + ([(subscription.PLAN, plan)] if plan else [])
    try:
        saved = lists.save(store, given.get("name", ""), pairs, who=caller(), now=worker.clock())
    except ServingError as error:
        raise Failure(400, str(error)) from error
    except OSError:
        raise Failure(503, "The store cannot be written, so no list is saved.") from None
    _note(worker, "list saved", list=saved.digest, filter=pairs)
    return RedirectResponse("/customers?" + urlencode(pairs), status_code=303)


def _note(worker: Worker, what: str, **facts: Any) -> None:
    store = worker.deployment.store
    assert store is not None  # noqa: S101 - asked before
    audit.note(store.audit(), who=caller(), what=what, now=worker.clock(), **facts)


def _seal(worker: Worker) -> str | None:
    try:
        return None if worker.office is None else worker.office.seal(_FORM, caller())
    except CampaignError:
        return None


def _opens(filter_: Sequence[tuple[str, str]], shown: Iterable[str]) -> bool:
    try:
        asked = parameters.read(subscription.parted(filter_)[1])
        answers.query(asked.filter, asked.sort, shown)
    except Failure:
        return False
    return True
