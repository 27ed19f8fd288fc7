"""What a customer's page says beyond the scores: drivers, changes, split, others alike, a what-if.

In: a customer of the score table and what its form asks for. Out: what the templates
`customer_why.html` and `customer_whatif.html` speak of, the scopes' part only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from serving import changes, drivers, questions, similar, whatif
from serving.api import whatifs, why
from serving.api.failures import Failure
from serving.api.whatifs import ChangeRequest
from serving.desk import Desk
from serving.worker import Worker

#: Others alike that are shown.
ALIKE = 5
#: Days of silence that the form offers: a plan is prepared for each.
SILENCES = (7, 14, 30, 60, 90)
#: Changes in words, as the form offers them.
CHANGES: Mapping[str, str] = {
    "purchase": "a purchase yesterday",
    "silence": "nothing more for some days",
    "no_refunds": "no refund ever",
    "complaint": "a complaint yesterday",
    "resolution": "an open complaint resolved yesterday",
}
assert set(CHANGES) == set(whatif.KINDS)  # noqa: S101 - every kind has words

Form = Sequence[tuple[str, str]]


def content(
    worker: Worker, desk: Desk, customer_id: str, form: Form, scopes: Iterable[str]
) -> dict[str, Any]:
    """Gather what the page says beyond the scores.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    customer_id : str
        In the score table.
    form : sequence of (str, str)
        Fields ``change``, ``amount`` and ``days`` of a what-if, where one is asked for.
    scopes : iterable of str

    Returns
    -------
    dict
        ``why``, ``since``, ``drivers``, ``alike``, ``whatif``.
    """
    held = tuple(scopes)
    store = worker.deployment.store
    return {
        "why": why.explained(worker, desk, [customer_id], held).get(customer_id, {}),
        "since": changes.since(store, desk.meta),
        "drivers": {driver.name: driver for driver in drivers.DRIVERS},
        "alike": _alike(worker, desk, customer_id, held),
        "whatif": _whatif(worker, desk, customer_id, dict(form), held),
    }


def _alike(
    worker: Worker, desk: Desk, customer_id: str, scopes: Sequence[str]
) -> list[dict[str, Any]]:
    found = similar.nearest(worker.deployment.store, desk, customer_id, ALIKE)
    ids = [one.customer_id for one in found]
    rows = desk.rows(ids, questions.columns(scopes))
    return [rows[one] for one in ids if one in rows]


def _whatif(
    worker: Worker, desk: Desk, customer_id: str, form: Mapping[str, str], scopes: Sequence[str]
) -> dict[str, Any] | None:
    """What the form offers, and the answer where it asked; None where nothing can be asked."""
    store, plans = worker.deployment.store, worker.plans
    if store is None or plans is None or plans.subscribers:
        return None
    if not store.occasions(desk.meta.as_of).is_file():
        return None
    with_events = store.events(desk.meta.as_of).is_file()
    offered = [kind for kind in CHANGES if with_events or kind not in whatif.EVENTS]
    shown: dict[str, Any] = {
        "offered": [(kind, CHANGES[kind]) for kind in offered],
        "silences": SILENCES,
        "asked": {name: form.get(name, "") for name in ("change", "amount", "days")},
        "said": None,
        "refused": None,
    }
    if form.get("change"):
        try:
            said = whatifs.both(worker, desk, [customer_id], _asked(form), scopes)
            shown["said"] = said.get(customer_id)
        except Failure as failure:
            shown["refused"] = failure.message
    return shown


def _asked(form: Mapping[str, str]) -> ChangeRequest:
    """The change that a form asks for; fields of other kinds are left as they are."""
    kind = form["change"]
    given: dict[str, Any] = {"kind": kind}
    try:
        if kind == "purchase" and form.get("amount"):
            given["amount"] = float(form["amount"])
        if kind == "silence" and form.get("days"):
            given["days"] = int(form["days"])
        return ChangeRequest(**given)
    except (ValueError, ValidationError):
        raise Failure(
            400,
            "This change cannot be; expected one of the list, an amount above 0, 1 to 365 days.",
        ) from None
