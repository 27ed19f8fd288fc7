"""What cannot be answered from the data as they are: stale sources, and who was left without.

In: accepted rows and the last score table of the store. Out: how fresh each source is at a date,
for which customers the last scores are silent and why, and what data would mend it; as tables for
people and as values for machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from regulars import tables

if TYPE_CHECKING:
    from rich.table import Table

    from features.freshness import Freshness
    from features.inputs import Inputs
    from regulars.jobs import Scored
    from regulars.settings import Settings
    from serving.groups.unanswered import Unanswered


@dataclass(frozen=True)
class Doubts:
    """Freshness of the sources, and what the last scores do not say.

    Parameters
    ----------
    freshness : tuple of Freshness
        Of the sources that are fed day by day.
    scored : date or None
        As-of date of the last score table; None where there is none.
    unanswered : tuple of Unanswered
        Of that table.
    """

    freshness: tuple[Freshness, ...]
    scored: date | None
    unanswered: tuple[Unanswered, ...]

    def to_dict(self) -> dict[str, Any]:
        """The doubts as plain values, for machines."""
        return {
            "freshness": [asdict(one) | {"stale": one.is_stale} for one in self.freshness],
            "scored": self.scored,
            "unanswered": [one.to_dict() for one in self.unanswered],
        }


def find(settings: Settings, inputs: Inputs, as_of: date) -> Doubts:
    """Look for doubts at a date.

    Parameters
    ----------
    settings : Settings
        Whose store holds the last score table.
    inputs : Inputs
        Accepted rows.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    Doubts
        Without the last scores where they cannot be read.
    """
    from features import freshness
    from regulars import jobs
    from serving.errors import ScoreTableError
    from serving.groups import unanswered

    fresh, place = freshness.of(inputs, as_of), jobs.store(settings)
    scored = max(place.dates("scores"), default=None)
    try:
        told = () if scored is None else unanswered.of_file(place.scores(scored))
    except ScoreTableError:
        scored, told = None, ()
    return Doubts(fresh, scored, told)


def fresh(doubts: Doubts) -> Table:
    """How fresh each source is."""
    rows = [
        (
            one.source,
            one.last_day,
            one.silent_days,
            one.usual_gap,
            one.longest_gap,
            one.limit_days,
            "stale" if one.is_stale else "fresh",
        )
        for one in doubts.freshness
    ]
    heads = ("source", "last day", "silent", "usual gap", "longest gap", "believed", "verdict")
    return tables.table("How fresh the sources are, in days", heads, rows)


def silent(doubts: Doubts) -> Table | None:
    """Whom the last scores do not answer in full, and what would mend it; None where all are."""
    rows = [
        (
            one.customers,
            ", ".join(f"{name} {number:,}" for name, number in one.stages[:3]),
            ", ".join(one.answers),
            one.reason,
            one.mend,
        )
        for one in doubts.unanswered
    ]
    heads = ("customers", "stages", "not said", "why", "what would mend it")
    return (
        tables.table(f"What the scores of {doubts.scored} do not say", heads, rows)
        if rows
        else None
    )


def of_scores(done: Scored) -> Sequence[str]:
    """What a model could not back in scores that were just made, a sentence each.

    Parameters
    ----------
    done : Scored

    Returns
    -------
    sequence of str
        Without what is never asked of such customers; empty where there is nothing else.
    """
    from serving.groups import unanswered

    return [one.in_words() for one in unanswered.of_file(done.paths[0]) if one.is_unbacked]
