"""What a customer's page says beyond the scores: drivers, changes, split, others alike, a what-if.

In: a customer of the score table and what its form asks for. Out: what the templates
`customer_why.html` and `customer_whatif.html` speak of, the scopes' part only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from serving import questions
from serving.api import whatifs, why
from serving.api.failures import Failure
from serving.api.whatifs import ChangeRequest
from serving.desk import Desk
from serving.insight import changes, drivers, similar, subscribed, supposed, whatif
from serving.workbench import facts, subscription
from serving.worker import Worker

#: Others alike that are shown.
ALIKE = 5
#: Days of silence that the form offers: a plan is prepared for each.
SILENCES = (7, 14, 30, 60, 90)
#: Changes of the price that the form offers, in percent.
PERCENTS = (-50, -25, -10, 10, 25)
#: Changes in words, as the form offers them.
CHANGES: Mapping[str, str] = {
    "purchase": "a purchase yesterday",
    "silence": "nothing more for some days",
    "no_refunds": "no refund ever",
    "complaint": "a complaint yesterday",
    "resolution": "an open complaint resolved yesterday",
    "price_change": "the latest payment at another price",
    "plan_change": "the latest payment for another plan",
    "failed_payment": "the latest payment failed at first",
}
assert set(CHANGES) == set(supposed.KINDS)  # noqa: S101 - every kind has words

#: Fields of the form.
FIELDS = ("change", "amount", "days", "percent", "plan")

Form = Sequence[tuple[str, str]]


def content(
    worker: Worker,
    desk: Desk,
    customer_id: str,
    form: Form,
    scopes: Iterable[str],
    known: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Gather what the page says beyond the scores.

    Parameters
    ----------
    worker : Worker
    desk : Desk
    customer_id : str
        In the score table.
    form : sequence of (str, str)
        Fields ``change``, ``amount``, ``days``, ``percent`` and ``plan`` of a what-if, where one
        is asked for.
    scopes : iterable of str
    known : mapping, optional
        Of its behaviour row, as `serving.workbench.facts` gives it.

    Returns
    -------
    dict
        ``why``, ``since``, ``drivers``, ``alike``, ``whatif``.
    """
    held = tuple(scopes)
    store, explained = worker.deployment.store, why.explained(worker, desk, [customer_id], held)
    row = desk.rows([customer_id], ["reasons"]).get(customer_id, {})
    return {
        "why": explained.get(customer_id, {}),
        "since": changes.since(store, desk.meta),
        "drivers": drivers.told(row.get("reasons"), subscribers=desk.totals.contracts),
        "alike": _alike(worker, desk, customer_id, held),
        "whatif": _whatif(worker, desk, customer_id, dict(form), held, known),
    }


def _alike(
    worker: Worker, desk: Desk, customer_id: str, scopes: Sequence[str]
) -> list[dict[str, Any]]:
    store = worker.deployment.store
    found = similar.nearest(store, desk, customer_id, ALIKE)
    ids = [one.customer_id for one in found]
    rows = desk.rows(ids, questions.columns(scopes))
    return subscription.named(store, desk, [rows[one] for one in ids if one in rows])


def _whatif(
    worker: Worker,
    desk: Desk,
    customer_id: str,
    form: Mapping[str, str],
    scopes: Sequence[str],
    known: Mapping[str, Any],
) -> dict[str, Any] | None:
    """What the form offers, and the answer where it asked; None where nothing can be asked."""
    store, plans = worker.deployment.store, worker.plans
    if store is None or plans is None:
        return None
    as_of, contract = desk.meta.as_of, plans.subscribers
    if not all(path.is_file() for path in whatif.starts(store, as_of, subscribers=contract)):
        return None
    with_events = store.events(as_of).is_file()
    kinds = whatif.offered(subscribers=contract)
    named = subscribed.plans(store, desk.cursor(), as_of) if contract else []
    shown: dict[str, Any] = {
        "offered": [
            (kind, words)
            for kind, words in CHANGES.items()
            if kind in kinds
            and (with_events or kind not in supposed.EVENTS)
            and (named or kind != "plan_change")
        ],
        "silences": SILENCES,
        "contract": contract,
        "percents": PERCENTS,
        "plans": [one.name for one in named[: subscribed.MOST_PLANS]],
        "asked": {name: form.get(name, "") for name in FIELDS},
        "said": None,
        "refused": None,
        "unchanged": None,
    }
    if form.get("change"):
        try:
            said = whatifs.both(worker, desk, [customer_id], _asked(form), scopes)
            shown["said"] = said.get(customer_id)
            shown["unchanged"] = facts.unchanged(known, shown["asked"], shown["said"])
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
        if kind == "price_change" and form.get("percent"):
            given["percent"] = float(form["percent"])
        if kind == "plan_change" and form.get("plan"):
            given["plan"] = form["plan"]
        return ChangeRequest(**given)
    except (ValueError, ValidationError):
        raise Failure(
            400,
            "This change cannot be; expected one of the list, an amount above 0, 1 to 365 days.",
        ) from None
