"""Saved lists: filters of the score table under a name, kept in the store for everybody who asks.

A list is a filter and an order, not customers: it holds whoever fits it in the newest scores. Each
is one file that is whole or not there, named after a digest of the list's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from features.store import Store, write_text
from serving.errors import ServingError

#: Lists that a store holds, and characters of a name.
MOST, LONGEST = 200, 60


@dataclass(frozen=True)
class Saved:
    """A list.

    Parameters
    ----------
    name : str
        For people.
    filter : tuple of (name, value)
        As in an address of the page of the customers; never a customer's id.
    who : str
        Who saved it.
    at : str
        When, ISO 8601.
    """

    name: str
    filter: tuple[tuple[str, str], ...]
    who: str
    at: str

    @property
    def digest(self) -> str:
        """What its file is called, and what the audit file calls it: names may tell anything."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]


def folder(store: Store) -> Path:
    """Folder of the lists."""
    return store.path / "lists"


def save(
    store: Store, name: str, filter_: Sequence[tuple[str, str]], *, who: str, now: datetime
) -> Saved:
    """Keep a list; one of the same name is replaced.

    Parameters
    ----------
    store : Store
    name : str
    filter_ : sequence of (name, value)
    who : str
    now : datetime
        The instant, with a time zone.

    Returns
    -------
    Saved

    Raises
    ------
    ServingError
        If the name cannot be, or there are too many lists.
    """
    told = " ".join(name.split())
    if not told or len(told) > LONGEST or not told.isprintable():
        raise ServingError(f"Got a name of {len(told)} characters; expected 1 to {LONGEST}.")
    saved = Saved(told, tuple(filter_), who, now.isoformat())
    file = folder(store) / f"{saved.digest}.json"
    if not file.exists() and len(list(folder(store).glob("*.json"))) >= MOST:
        raise ServingError(f"There are {MOST} lists already; remove one first.")
    write_text(file, json.dumps(asdict(saved), ensure_ascii=False, indent=1) + "\n")
    return saved


def remove(store: Store, digest: str) -> Saved | None:
    """Remove a list.

    Parameters
    ----------
    store : Store
    digest : str
        Of its name.

    Returns
    -------
    Saved or None
        The one that was there.
    """
    found = next((one for one in listed(store) if one.digest == digest), None)
    if found is not None:
        (folder(store) / f"{digest}.json").unlink(missing_ok=True)
    return found


def listed(store: Store) -> tuple[Saved, ...]:
    """Lists of a store by name; files that cannot be read are passed over."""
    found = [_read(file) for file in folder(store).glob("*.json")]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.name))


def _read(file: Path) -> Saved | None:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        pairs = tuple((str(name), str(value)) for name, value in told["filter"])
        return Saved(str(told["name"]), pairs, str(told["who"]), str(told["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
