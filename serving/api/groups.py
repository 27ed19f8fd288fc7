"""Answers about groups of customers: segments, customer equity, how it moved.

In: a worker, the scopes of the key, and how much retention is raised. Out: the figures of
`serving.groups.standing`, those that the command line prints. A key is not told sums and means of
columns that are not of its scopes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from features.errors import FeaturesError
from serving import questions
from serving.api import answers
from serving.api.failures import Failure
from serving.api.routes import ADMIN, RISK, VALUE
from serving.errors import ScoreTableError
from serving.groups import remembered, standing
from serving.groups.rules import SegmentSettings
from serving.groups.standing import Segments, Since
from serving.groups.summary import Group
from serving.scores import SCHEMA
from serving.warm import RAISED
from serving.worker import Worker

#: Figures of a group by the scope that they need.
_OF = {VALUE: ("equity", "equity_share", "expected_spend"), RISK: ("churn_probability",)}
_NAMES = re.compile(r"[A-Za-z_]\w*")


def segments(worker: Worker, scopes: Iterable[str]) -> dict[str, Any]:
    """Answer with the groups of the score table.

    Parameters
    ----------
    worker : Worker
    scopes : iterable of str

    Returns
    -------
    dict
        As `group_messages.SegmentsAnswer`.

    Raises
    ------
    Failure
        503 before the first full scoring.
    """
    desk, held = worker.need_desk(), set(scopes)
    rules = worker.deployment.policy.segments
    found, notes = groups(worker, held)
    own = [
        {**told, "where": rules[told["name"]].where, "description": rules[told["name"]].description}
        for told in _told(found.rules, held)
    ]
    return {
        "meta": answers.meta(worker, desk),
        "tiers": _told(found.tiers, held) if _sees(VALUE, held) else [],
        "stages": _told(found.stages, held),
        "named": _told(found.named, held),
        "rules": own,
        "notes": notes,
    }


def groups(worker: Worker, scopes: Iterable[str]) -> tuple[Segments, list[str]]:
    """Groups of the score table; of the settings' segments those that a key may know of.

    Parameters
    ----------
    worker : Worker
        With a score table.
    scopes : iterable of str
        A segment whose condition names a column of another scope is left out: who is in it would
        tell that column.

    Returns
    -------
    Segments
    list of str
        Why the settings' segments are missing; empty where they are not.
    """
    desk, store = worker.need_desk(), worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    shown = _open(worker.deployment.policy.segments, scopes)
    try:
        return remembered.segments(store, desk.meta.as_of, shown), []
    except (ScoreTableError, FeaturesError) as error:
        if not shown:
            raise
        note = f"The segments of the settings are left out: {error}"
        return remembered.segments(store, desk.meta.as_of, {}), [note]


def equity(
    worker: Worker, scopes: Iterable[str], given: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """Answer with the customer equity, what better retention is worth, and what changed.

    Parameters
    ----------
    worker : Worker
    scopes : iterable of str
    given : iterable of (name, value)
        Of the query string: ``retention``, the relative raise in [0, 1]; others are left alone.

    Returns
    -------
    dict
        As `group_messages.EquityAnswer`.

    Raises
    ------
    Failure
        400 for a raise that cannot be; 503 before the first full scoring.
    """
    desk, held, store = worker.need_desk(), set(scopes), worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    raised, value = raise_of(given), worker.deployment.policy.value
    found, _ = groups(worker, held)
    changed, notes = since(worker)
    gains = remembered.gains(store, desk.meta.as_of, value, raised=raised)
    total = standing.total(desk.meta, found.tiers)
    plain = standing.plain(
        standing.Equity(desk.meta.as_of, total, found.tiers, found.stages, raised, gains, changed)
    )
    if changed is not None and not _sees(RISK, held):
        plain["since"]["rises"] = []
    return {
        "meta": answers.meta(worker, desk),
        "total": plain["total"],
        "tiers": _told(found.tiers, held),
        "stages": _told(found.stages, held),
        "raised": raised,
        "gains": plain["gains"],
        "since": plain["since"],
        "notes": notes,
    }


def since(worker: Worker) -> tuple[Since | None, list[str]]:
    """What changed since the score table before.

    Parameters
    ----------
    worker : Worker
        With a score table.

    Returns
    -------
    Since or None
        None where there is no earlier table, or none that can be compared.
    list of str
        Why it cannot be.
    """
    desk, store = worker.need_desk(), worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    before = remembered.earlier(store, desk.meta.as_of)
    if before is None:
        return None, ["With a second score table of another date, this answer says what changed."]
    try:
        return remembered.since(store, desk.meta.as_of, before), []
    except ScoreTableError as error:
        return None, [f"Not compared: {error}."]


def raise_of(given: Iterable[tuple[str, str]]) -> float:
    """Relative raise of retention in a query string.

    Raises
    ------
    Failure
        400 for no number in [0, 1].

    Examples
    --------
    >>> raise_of([("retention", "0.1")]), raise_of([])
    (0.1, 0.05)
    """
    raised = RAISED
    for name, text in given:
        if name == "retention" and text.strip():
            raised = _share(text)
    return raised


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise Failure(400, "retention is no number from 0 to 1; send 0.05 for five per cent more.")
    return share


def _told(found: Iterable[Group], held: set[str]) -> list[dict[str, Any]]:
    """Groups without the figures of other scopes."""
    hidden = {name for scope, names in _OF.items() if not _sees(scope, held) for name in names}
    return [
        {name: None if name in hidden else value for name, value in asdict(group).items()}
        for group in found
    ]


def _sees(scope: str, held: set[str]) -> bool:
    return bool({scope, ADMIN} & held)


def _open(
    rules: Mapping[str, SegmentSettings], scopes: Iterable[str]
) -> dict[str, SegmentSettings]:
    """Segments whose condition names no column that the scopes do not show."""
    hidden = set(SCHEMA.names) - set(questions.columns(scopes))
    return {
        name: rule for name, rule in rules.items() if not hidden & set(_NAMES.findall(rule.where))
    }
