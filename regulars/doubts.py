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
    from regulars.scoring import Scored
    from regulars.settings import Settings
    from serving.groups.unanswered import Unanswered
    from training.silence.unsaid import Finding

#: Days after a training up to which the season is about what was expected on its day.
SEASON_DAYS = 45


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
    fresh_at : date
        Day that `freshness` is of: the as-of date, or the latest day that a source, the last
        score table or the champion's training reaches.
    notes : tuple of str
        By how much the source that sets the as-of date ends before the rest, where amounts seem
        to change their unit, and what the champion could not back in the newest rows, a sentence
        each.
    """

    freshness: tuple[Freshness, ...]
    scored: date | None
    unanswered: tuple[Unanswered, ...]
    fresh_at: date
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The doubts as plain values, for machines."""
        return {
            "freshness": [asdict(one) | {"stale": one.is_stale} for one in self.freshness],
            "fresh_at": self.fresh_at,
            "notes": list(self.notes),
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
        The day after the last row of the source that sets it.

    Returns
    -------
    Doubts
        Without the last scores where they cannot be read.
    """
    from features import breaks, freshness
    from regulars import jobs, lag, likeness
    from serving.errors import ScoreTableError
    from serving.groups import unanswered

    marks, place = lag.marks(settings, inputs, servers=False), jobs.store(settings)
    day = lag.latest(marks, as_of)
    fresh = freshness.of(inputs, day)
    scored = max(place.dates("scores"), default=None)
    try:
        told = () if scored is None else unanswered.of_file(place.scores(scored))
    except ScoreTableError:
        scored, told = None, ()
    unlike = likeness.find(settings, inputs, as_of) or ()
    broken = breaks.sentences(inputs.transactions, as_of)
    notes = (*lag.sentences(marks, fresh), *broken, *(_next(one) for one in unlike))
    return Doubts(fresh, scored, told, day, notes)


def _next(finding: Finding) -> str:
    """What the next full scoring will not say."""
    return f"The next scores will not say {', '.join(finding.answers)}: {finding.in_words()}"


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
    return tables.table(f"How fresh the sources are, in days before {doubts.fresh_at}", heads, rows)


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


def of_risk(done: Scored) -> Sequence[str]:
    """Why scores that were just made say of customers no chance to leave, the most first.

    Parameters
    ----------
    done : Scored

    Returns
    -------
    sequence of str
        Reasons, as ``abstained`` has them.
    """
    from serving.groups import unanswered

    told = unanswered.of_file(done.paths[0])
    return [one.reason for one in told if "churn_probability" in one.answers]


def of_date(done: Scored) -> Sequence[str]:
    """Say what scores are worth whose date is not about that of the champion's training.

    Parameters
    ----------
    done : Scored

    Returns
    -------
    sequence of str
        A sentence where the date lies before the training, or over `SEASON_DAYS` after that of a
        model that goes by the level of the season; else empty.
    """
    ahead = (done.as_of - done.trained_as_of).days
    if ahead < 0:
        return [
            f"The champion was trained as of {done.trained_as_of} and has learned from what came "
            f"after {done.as_of}: these scores are no forecast, and what happened then is no test "
            "of them. How well it forecasts is in its grades: `regulars models`. To forecast from "
            f"that day, train as of it, `regulars train --as-of {done.as_of}`, and promote that "
            "version."
        ]
    # Only a blend is set on a level of the season, and it is one of the training's day.
    if ahead <= SEASON_DAYS or done.speaker != "blend":
        return []
    return [
        f"The champion was trained as of {done.trained_as_of}, {ahead:,} days before "
        f"{done.as_of}: the level of the season is the one that was expected on that day, so "
        f"totals may be off. Train again: `regulars train --as-of {done.as_of}`."
    ]


def of_nothing(done: Scored, settings: Settings) -> Sequence[str]:
    """Say that a table forecasts nothing of anybody, and what reads it all the same.

    Parameters
    ----------
    done : Scored
    settings : Settings
        Whose store holds the table.

    Returns
    -------
    sequence of str
        A sentence; empty where something is said, or where a newer table is read.
    """
    from regulars import jobs
    from serving import abstention

    days = jobs.store(settings).dates("scores")
    said = done.frame[list(abstention.MODELLED)].notna().to_numpy().any()
    if said or done.as_of != max(days):
        return []
    before = max((day for day in days if day < done.as_of), default=None)
    back = f" Remove {done.paths[0]} to go back to the scores of {before}." if before else ""
    return [
        f"Nothing is forecast of anybody as of {done.as_of}, and this is the newest score table "
        f"now: pages, plans and groups read it and have nothing to show.{back}"
    ]
