"""What was learned of each action: `<store>/effects/<action>.json`, a list, the newest last.

An entry holds what was measured in one plan and what was believed after it. Measuring a plan
again replaces its entry, and every belief is drawn anew from the first one, so that no plan
counts twice.
"""

from __future__ import annotations

import json
import re
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
    return {action: _effect(rows[-1], rows[-1]) for action, rows in listed.items() if rows}


def append(store: Path, action: str, measured: Effect, prior: Effect | None = None) -> Effect:
    """Learn from a measurement, whole or not at all.

    Parameters
    ----------
    store : Path
        Folder of the store.
    action : str
        Letters, digits, dashes, dots and underscores.
    measured : Effect
        Estimates with their standard errors above 0, the plan as source, the date.
    prior : Effect, optional
        What was believed before any measurement; without one the measurements speak alone.

    Returns
    -------
    Effect
        What is believed now.

    Raises
    ------
    CampaignError
        If the action's name cannot name a file, or the effect has no date or no error.
    """
    errors = [getattr(measured, name).sd for name in _EFFECTS]
    if not _NAME.fullmatch(action) or measured.since is None or min(errors) <= 0:
        raise CampaignError(
            f"Got the action {action!r}, measured {measured.since} with the errors {errors}; "
            "expected a plain name, a date and errors above 0."
        )
    file = store / "effects" / f"{action}.json"
    told = [_effect(row["measured"], row) for row in (_entries(file) if file.exists() else [])]
    told = [one for one in told if one.source != measured.source] + [measured]
    told.sort(key=lambda one: one.since or date.min)
    rows, now = [], prior
    for one in told:
        now = one if now is None else _after(now, one)
        rows.append({**_plain(now), "source": one.source, "since": str(one.since)})
        rows[-1]["measured"] = _plain(one)
    write_text(file, json.dumps(rows, indent=1, allow_nan=False) + "\n")
    return _effect(rows[-1], rows[-1])


def _after(before: Effect, one: Effect) -> Effect:
    beliefs = {
        name: getattr(before, name).learning(getattr(one, name).mean, getattr(one, name).sd)
        for name in _EFFECTS
    }
    return Effect(**beliefs, source=one.source, since=one.since)


def _plain(effect: Effect) -> dict[str, Any]:
    return {name: dict(vars(getattr(effect, name))) for name in _EFFECTS}


def _effect(beliefs: dict[str, Any], row: dict[str, Any]) -> Effect:
    held = {name: Belief(**beliefs[name]) for name in _EFFECTS}
    return Effect(**held, source=row["source"], since=date.fromisoformat(row["since"]))


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        rows = list(json.loads(file.read_text(encoding="utf-8")))
        for row in rows:
            _effect(row["measured"], row)
            _effect(row, row)
    except (KeyError, TypeError, ValueError) as error:
        raise CampaignError(
            f"Got {file.name} in the store's effects, which cannot be read ({error}); expected "
            "what `regulars measure` writes. Put it right or remove it, and measure again."
        ) from error
    return rows
