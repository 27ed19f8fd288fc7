"""Words of rows in a request, put as the tables of the business have them.

In: the settings' own words for kinds of events, and the plans that subscribers have. Out: the kind
and the plan that a word stands for, capitals and blanks aside. It is done to the rows of a request
alone: rows of the store have these words already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.kinds import plain

if TYPE_CHECKING:
    from serving.desk import Desk
    from serving.worker import Worker

_PLAN = "subscription_plan"


@dataclass(frozen=True)
class Wording:
    """Words that rows of a request may have.

    Parameters
    ----------
    kinds : mapping of str to str
        From `serving.event_words.checked`.
    plans : tuple of str
        Plans that are known, those of most subscribers first.
    complete : bool
        Whether these are all the plans that somebody has.
    """

    kinds: Mapping[str, str]
    plans: tuple[str, ...] = ()
    complete: bool = False

    def kind(self, word: str | None) -> str | None:
        """The known kind that a word stands for; other words stay as they are."""
        return word if word is None else self.kinds.get(plain(word), word)

    def plan(self, word: str | None) -> str | None:
        """The plan that a word stands for, None for one that is not known."""
        if word is None or word.strip() in self.plans:
            return word if word is None else word.strip()
        return self._plain.get(plain(word))

    @cached_property
    def _plain(self) -> dict[str, str]:
        # Of two plans that differ by capitals alone, that of most subscribers.
        return {plain(plan): plan for plan in reversed(self.plans)}


def of(worker: Worker, desk: Desk | None) -> Wording:
    """Words of a business.

    Parameters
    ----------
    worker : Worker
    desk : Desk or None
        Score table whose behaviour rows tell which plans there are; the model tells those of many
        renewals.

    Returns
    -------
    Wording
    """
    store = worker.deployment.store
    told = () if desk is None or store is None else had(store.behaviour(desk.meta.as_of))
    # Of a model of buyers there is none.
    hazard = getattr(worker.scorer, "hazard", None)
    learned = () if hazard is None else [plan for plan, _ in hazard.plans.plans]
    plans = tuple(dict.fromkeys([*told, *learned]))
    return Wording(worker.deployment.kinds, plans, complete=bool(told))


def had(behaviour: Path) -> tuple[str, ...]:
    """Plans in a behaviour table, those of most subscribers first; none where there is no table.

    Parameters
    ----------
    behaviour : Path

    Returns
    -------
    tuple of str
    """
    if not behaviour.is_file():
        return ()
    return _had(behaviour, behaviour.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _had(behaviour: Path, written: int) -> tuple[str, ...]:
    """Plans of a table as it was written."""
    del written
    import pyarrow.parquet as pq

    table = pq.ParquetFile(behaviour)
    if _PLAN not in table.schema_arrow.names:
        return ()
    counts = table.read([_PLAN])[_PLAN].drop_null().value_counts().to_pylist()
    return tuple(one["values"] for one in sorted(counts, key=_most))


def _most(count: Mapping[str, Any]) -> tuple[int, str]:
    return -count["counts"], count["values"]


def listed(plans: Iterable[str], most: int = 50) -> str:
    """Plans as a list in a sentence.

    Parameters
    ----------
    plans : iterable of str
    most : int, default 50

    Returns
    -------
    str
    """
    return ", ".join(list(plans)[:most]) or "none"
