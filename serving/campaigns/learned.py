"""What was learned of each action: `<store>/effects/<action>.json`, a list, the newest last.

An entry holds what was measured in one plan and what was believed after it. Measuring a plan
again replaces its entry, and every belief is drawn anew from the first one, so that no plan
counts twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from features.store import write_text
from serving.campaigns.belief import Belief, Effect
from serving.errors import CampaignError

_EFFECTS = ("kept", "lift")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def read(store: Path) -> dict[str, Effect]:
    """Newest belief of each action that was ever measured.

    Parameters
    ----------
    store : Path
        Folder of the store.

    Returns
    -------
    dict of str to Effect
        By the action's name; empty where nothing was measured.

    Raises
    ------
    CampaignError
        If a file is not what `append` writes.
    """
    files = sorted((store / "effects").glob("*.json"))
    listed = {file.stem: _entries(file) for file in files}
    return {action: _effect(rows[-1]) for action, rows in listed.items() if rows}


def sources(store: Path) -> frozenset[str]:
    """Plans of which something was learned.

    Parameters
    ----------
    store : Path
        Folder of the store.

    Returns
    -------
    frozenset of str
        Their names.

    Raises
    ------
    CampaignError
        If a file is not what `append` writes.
    """
    files = (store / "effects").glob("*.json")
    return frozenset(row["source"] for file in files for row in _entries(file))


@dataclass(frozen=True)
class Estimate:
    """What one plan showed of an action.

    Attributes
    ----------
    effects : mapping of str to Belief
        ``kept`` or ``lift`` or both, with standard errors above 0.
    source : str
        The plan.
    since : date
        When it was measured.
    treated : int
        Customers.
    """

    effects: Mapping[str, Belief]
    source: str
    since: date
    treated: int


def append(store: Path, action: str, measured: Estimate, prior: Effect) -> Effect:
    """Learn from a measurement, whole or not at all.

    Parameters
    ----------
    store : Path
        Folder of the store.
    action : str
        Letters, digits, dashes, dots and underscores.
    measured : Estimate
    prior : Effect
        What was believed before any measurement; what is certain in it stays as it is.

    Returns
    -------
    Effect
        What is believed now.

    Raises
    ------
    CampaignError
        If the action's name cannot name a file, or the estimate has no effect or no error.
    """
    errors = {name: one.sd for name, one in measured.effects.items()}
    known = bool(errors) and set(errors) <= set(_EFFECTS)
    if not _NAME.fullmatch(action) or not known or min(errors.values()) <= 0:
        raise CampaignError(
            f"Got the action {action!r}, measured with the errors {errors}; expected a plain name, "
            f"one of {' and '.join(_EFFECTS)} or both, and errors above 0."
        )
    file = store / "effects" / f"{action}.json"
    told = [_estimate(row) for row in (_entries(file) if file.exists() else [])]
    told = [one for one in told if one.source != measured.source] + [measured]
    told.sort(key=lambda one: one.since)
    rows, now = [], replace(prior, treated=0)
    for one in told:
        now = _after(now, one)
        rows.append(
            {
                **_plain({name: getattr(now, name) for name in _EFFECTS}),
                "source": one.source,
                "since": str(one.since),
                "treated": now.treated,
                "measured": {**_plain(one.effects), "treated": one.treated},
            }
        )
    write_text(file, json.dumps(rows, indent=1, allow_nan=False) + "\n")
    return now


def _after(before: Effect, one: Estimate) -> Effect:
    beliefs = {
        name: getattr(before, name).learning(found.mean, found.sd)
        for name, found in one.effects.items()
    }
    treated = (before.treated or 0) + one.treated
    return replace(before, **beliefs, source=one.source, since=one.since, treated=treated)


def _plain(effects: Mapping[str, Belief]) -> dict[str, Any]:
    return {name: dict(vars(one)) for name, one in effects.items()}


def _effect(row: dict[str, Any]) -> Effect:
    held = {name: Belief(**row[name]) for name in _EFFECTS}
    since = date.fromisoformat(row["since"])
    return Effect(**held, source=row["source"], since=since, treated=int(row["treated"]))


def _estimate(row: dict[str, Any]) -> Estimate:
    found = row["measured"]
    effects = {name: Belief(**found[name]) for name in _EFFECTS if name in found}
    since = date.fromisoformat(row["since"])
    return Estimate(effects, row["source"], since, int(found["treated"]))


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        rows = list(json.loads(file.read_text(encoding="utf-8")))
        for row in rows:
            _estimate(row)
            _effect(row)
    except (KeyError, TypeError, ValueError) as error:
        raise CampaignError(
            f"Got {file.name} in the store's effects, which cannot be read ({error}); expected "
            "what `regulars measure` writes. Put it right or remove it, and measure again."
        ) from error
    return rows
