"""The handlers of the plans' addresses: the page, making one, the file for who acts, the list."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from serving import audit
from serving.api import campaigns, exports
from serving.api.failures import Failure
from serving.api.security import caller, granted
from serving.workbench import pages, plan
from serving.worker import Worker

#: Seconds after which a browser looks again for a plan that is being made.
_AGAIN = "5"


def page(worker: Worker, request: Request) -> Response:
    """A proposal for the budget in the address, or the plan that it names."""
    if worker.desk is None:
        trained = worker.scorer is not None
        return pages.render("empty.html", request, worker=worker, trained=trained)
    named = request.query_params.get("plan")
    if named is None:
        shown = plan.content(worker, request, granted(), caller())
        return pages.render("plan.html", request, **shown)
    shown = plan.made(worker, request, named, granted())
    answer = pages.render("plan_made.html", request, **shown)
    if shown["figures"] is None:
        answer.headers["Refresh"] = _AGAIN
    return answer


def make(worker: Worker, form: Sequence[tuple[str, str]]) -> Response:
    """Make the plan of a form that a page of ours gave to who sends it, and show it.

    Raises
    ------
    Failure
        403 for a form that no page of ours gave, 409 where the plan has become another.
    """
    given = dict(form)
    proposed, seal = given.get("plan", ""), given.get("seal", "")
    asked = plan.read([pair for pair in form if pair[0] not in ("plan", "seal") and pair[1]])
    # A page elsewhere can send a browser's key along, but cannot read what ours says.
    expected = worker.need_office().seal(proposed, caller())
    if not hmac.compare_digest(expected.encode(), seal.encode()):
        raise Failure(403, "This form is not of a page of this service; open /plan and try again.")
    found = campaigns.named(worker, asked.budget, asked.actions)
    if found != proposed:
        raise Failure(
            409,
            "The scores, the settings or the effects have changed since this plan was shown, or "
            "another plan was made; look at it again before it is made.",
            code="changed",
        )
    plan_id, _ = campaigns.made(worker, asked.budget, asked.actions, who=caller())
    return RedirectResponse("/plan?" + urlencode({"plan": plan_id}), status_code=303)


def export(worker: Worker, request: Request) -> Response:
    """Assignments of a plan as a file; noted in the audit file before the first byte.

    Raises
    ------
    Failure
        400 for another format, 404 for a plan that is not kept.
    """
    asked = request.query_params
    plan_id, kind = asked.get("plan", ""), asked.get("format", "csv")
    if kind not in exports.FORMATS:
        raise Failure(400, f"format is unknown; expected one of: {', '.join(exports.FORMATS)}.")
    if campaigns.kept(worker, plan_id) is None:
        raise Failure(404, "This plan is still being made; look again in a moment.")
    rows = campaigns.assignments(worker, plan_id, granted())
    noted(worker, "plan", plan_id=plan_id, format=kind, rows=rows.num_rows)
    return StreamingResponse(
        exports.stream(rows.to_reader(), kind),
        media_type=exports.MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="plan-{plan_id}.{kind}"'},
    )


def listing(worker: Worker, request: Request) -> Response:
    """The plans of the store."""
    del request
    return Response(to_json(campaigns.listing(worker)), media_type="application/json")


def noted(worker: Worker, of: str, **facts: Any) -> None:
    """Note an export in the audit file of the store.

    Parameters
    ----------
    worker : Worker
    of : str
        What was exported.
    **facts
        As for `serving.audit.note`.

    Raises
    ------
    Failure
        503 where it cannot be noted: nothing leaves without.
    """
    store = worker.deployment.store
    if store is None:
        return
    try:
        audit.note(store.audit(), who=caller(), what="export", now=worker.clock(), of=of, **facts)
    except OSError:
        raise Failure(
            503, "The audit file of the store cannot be written, so nothing is exported."
        ) from None
