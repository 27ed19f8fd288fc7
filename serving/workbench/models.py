"""What the page of the models shows: versions, grades, champions, and the chosen one's card.

In: MLflow's registry and the runs behind it. What is read there is kept for a minute, as a
tracking server may be far.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from serving.api.failures import Failure
from serving.worker import Worker

if TYPE_CHECKING:
    from training.runs.records import Record
    from training.runs.registry import Change, Version

#: Seconds for which the registry's answer is believed.
KEPT = 60.0
#: Figures of the card's tables that people compare models by, by question.
QUESTIONS = ("risk", "purchases", "spend", "value")


@dataclass(frozen=True)
class Registered:
    """The registry of a business.

    Parameters
    ----------
    versions : tuple of Version
        Newest first.
    champions : tuple of Change
        Promotions and rollbacks that were carried out, newest first.
    """

    versions: tuple[Version, ...]
    champions: tuple[Change, ...]


def content(worker: Worker, version: str | None) -> dict[str, Any]:
    """Gather what the page of the models shows.

    Parameters
    ----------
    worker : Worker
    version : str or None
        Whose card; the champion's when not given, else the newest.

    Returns
    -------
    dict

    Raises
    ------
    Failure
        404 for a version that there is not.
    """
    found = registered(worker)
    chosen = _chosen(found.versions, version)
    record = None if chosen is None else _record(worker, chosen)
    return {
        "versions": found.versions,
        "champions": found.champions,
        "chosen": chosen,
        "card": "" if record is None else _html(record.card),
        "plots": () if record is None else tuple(record.plots),
        "known": worker.deployment.tracking is not None,
        "questions": QUESTIONS,
    }


def plot(worker: Worker, version: str | None, name: str | None) -> bytes:
    """A picture of a version's run, as PNG.

    Parameters
    ----------
    worker : Worker
    version, name : str or None
        As the page links them.

    Returns
    -------
    bytes

    Raises
    ------
    Failure
        404 where there is none.
    """
    chosen = _chosen(registered(worker).versions, version)
    record = None if chosen is None else _record(worker, chosen)
    picture = None if record is None else record.plots.get(name or "")
    if picture is None:
        raise Failure(404, "There is no such picture.", code="unknown_plot")
    return picture


def registered(worker: Worker, clock: Callable[[], float] = time.monotonic) -> Registered:
    """Versions and champions of the business; nobody where there is no tracking store.

    Parameters
    ----------
    worker : Worker
    clock : callable, optional
        Seconds that only grow.

    Returns
    -------
    Registered
    """
    if worker.deployment.tracking is None:
        return Registered((), ())
    return _asked(worker.deployment.tracking, worker.deployment.names.name, int(clock() / KEPT))


@lru_cache(maxsize=4)
def _asked(tracking: str, name: str, minute: int) -> Registered:
    from training.runs import registry

    del minute
    changes = registry.reigns(tracking, name)
    return Registered(tuple(registry.versions(tracking, name)), tuple(reversed(changes)))


def _chosen(versions: tuple[Version, ...], wanted: str | None) -> Version | None:
    if wanted:
        found = next((one for one in versions if one.version == wanted), None)
        if found is None:
            raise Failure(404, "There is no such version.", code="unknown_version")
        return found
    champion = (one for one in versions if "champion" in one.aliases)
    return next(champion, versions[0] if versions else None)


def _record(worker: Worker, version: Version) -> Record | None:
    from training.errors import RegistryError

    assert worker.deployment.tracking is not None  # noqa: S101 - there are versions
    try:
        return _read(worker.deployment.tracking, version.run_id)
    except RegistryError:
        return None


@lru_cache(maxsize=16)
def _read(tracking: str, run_id: str) -> Record:
    from training.runs import records

    return records.read(tracking, run_id)


def _html(card: str) -> str:
    """The card as HTML: tables are tables, and HTML within it is text."""
    from markdown_it import MarkdownIt

    written = MarkdownIt("commonmark", {"html": False}).enable("table")
    # The page has its own first heading.
    html: str = written.render(card.partition("\n")[2] if card.startswith("# ") else card)
    return html.replace("<h2>", "<h3>").replace("</h2>", "</h3>")
