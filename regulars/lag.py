"""A leading source that ends well before the rest: what the default as-of date would hide.

In: accepted rows, the newest score table, the champion's training. Out: the days by which the
source that sets the as-of date should hold rows, and a sentence where it does not by more than its
own past makes believable (`features.freshness`). It is a warning: scores as of that early date are
honest ones, of a day that is long past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from regulars import jobs, likeness

if TYPE_CHECKING:
    from features.freshness import Freshness
    from features.inputs import Inputs
    from regulars.settings import Settings

#: Sources by which the as-of date is set, as `regulars.jobs.day_after` takes them.
LEADING = ("transactions", "subscriptions", "events")


@dataclass(frozen=True)
class Mark:
    """Something that is of a later day than the default as-of date may be.

    Parameters
    ----------
    what : str
        In words, with its article.
    day : date
        Last day of a source, or the as-of date of a score table or a training.
    as_of : date
        Day before which the leading source should hold rows then.
    """

    what: str
    day: date
    as_of: date


def marks(settings: Settings, inputs: Inputs, *, servers: bool) -> tuple[Mark, ...]:
    """Find the days that the sources and what was made of them reach.

    Parameters
    ----------
    settings : Settings
        Store and registry.
    inputs : Inputs
        Accepted rows and the reports of their sources.
    servers : bool
        Whether a registry that is no file may be asked.

    Returns
    -------
    tuple of Mark
        Of the sources that are fed day by day, the newest score table, the champion.
    """
    from features.freshness import FED

    day = timedelta(days=1)
    found = [
        Mark(f"the {report.source}", report.last_day, report.last_day + day)
        for report in inputs.reports
        if report.source in FED and report.last_day is not None
    ]
    scored = max(jobs.store(settings).dates("scores"), default=None)
    for what, reached in (
        ("the newest score table", scored),
        ("the training of the champion", _trained(settings, servers=servers)),
    ):
        if reached is not None:
            found.append(Mark(what, reached, reached))
    return tuple(found)


def latest(found: Sequence[Mark], as_of: date) -> date:
    """Latest day that anything reaches, `as_of` at least: the day to judge freshness at."""
    return max([as_of, *(mark.as_of for mark in found)])


def sentences(found: Sequence[Mark], fresh: Sequence[Freshness]) -> tuple[str, ...]:
    """Say by how much the leading source ends before the rest.

    Parameters
    ----------
    found : sequence of Mark
        From `marks`.
    fresh : sequence of Freshness
        Of the sources at the `latest` day of them.

    Returns
    -------
    tuple of str
        One sentence, or none where the source reaches every mark within the silence that its own
        past makes believable.
    """
    told = {one.source: one for one in fresh}
    lead = next((told[name] for name in LEADING if name in told), None)
    if lead is None or lead.limit_days is None:
        return ()
    last, limit = lead.last_day, lead.limit_days
    # Whole days without a row before the mark, as of `Freshness.silent_days`.
    ahead = [mark for mark in found if (mark.as_of - last).days - 1 > limit]
    if not ahead:
        return ()
    passed = " and ".join(
        f"{(mark.day - last).days:,} days before {mark.what} ({mark.day})" for mark in ahead
    )
    return (
        f"The {lead.source} end on {last}, {passed}; {limit:,} days without a row are believed. "
        "Bring them up to date, or ask for the day that is meant: `regulars score --as-of DAY`.",
    )


def find(settings: Settings, inputs: Inputs, as_of: date) -> tuple[str, ...]:
    """Say by how much the leading source ends before the rest, for scores by default.

    Parameters
    ----------
    settings : Settings
    inputs : Inputs
        Accepted rows.
    as_of : date
        The day after the last row of the leading source.

    Returns
    -------
    tuple of str
        As `sentences`.
    """
    from features import freshness

    found = marks(settings, inputs, servers=True)
    return sentences(found, freshness.of(inputs, latest(found, as_of)))


def _trained(settings: Settings, *, servers: bool) -> date | None:
    """As-of date of the champion's training; None without a champion that can be asked."""
    from training.runs import registry
    from training.runs.registry import CHAMPION

    uri = str(settings.tracking.uri)
    if not likeness.has_registry(settings) and (uri.startswith("sqlite") or not servers):
        return None
    for version in registry.versions(uri, settings.name):
        if CHAMPION in version.aliases and "trained_as_of" in version.tags:
            return date.fromisoformat(version.tags["trained_as_of"])
    return None
