"""The work behind `regulars plan`: from settings and a score table to a plan in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from regulars import jobs

if TYPE_CHECKING:
    from features.inputs import Inputs
    from regulars.settings import Settings
    from serving.campaigns.planning import Plan
    from serving.campaigns.terms import Terms


@dataclass(frozen=True)
class Planned:
    """A plan and where it is.

    Attributes
    ----------
    plan : Plan
    paths : tuple of Path
        Assignments and figures in the store, then the export; empty after a dry run.
    notes : tuple of str
        What a person should know besides.
    """

    plan: Plan
    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def terms(settings: Settings) -> Terms:
    """What every plan of the business keeps to."""
    from serving.campaigns import terms as campaigns

    return campaigns.terms(
        settings.actions,
        settings.plan,
        settings.sources,
        margin=settings.value.margin,
        currency=settings.currency,
        timezone=settings.timezone,
    )


def plan(
    settings: Settings,
    inputs: Inputs | None,
    *,
    as_of: date | None,
    budget: float | None,
    now: datetime,
    who: str,
    out: Path | None,
    dry: bool,
    tell: jobs.Tell,
) -> Planned:
    """Plan from a score table of the store, and keep the plan.

    Parameters
    ----------
    settings : Settings
        As loaded.
    inputs : Inputs or None
        Accepted rows of the sources that the terms name.
    as_of : date or None
        Day of the score table; the newest when not given.
    budget : float or None
        In currency; that of the settings when not given.
    now : datetime
        The instant, with a time zone.
    who : str
        For the audit file.
    out : Path or None
        File for who acts, ``.csv`` or ``.parquet``.
    dry : bool
        Whether nothing is kept, exported and noted; the store's key is made all the same, so that
        the plan that is then made has the same name and figures.
    tell : callable
        Told of the progress.

    Returns
    -------
    Planned

    Raises
    ------
    CampaignError
        If there is no such score table, no action, or nobody whose value is known.
    """
    from serving import scores
    from serving.campaigns import holdout, learned, making, membership, planning, remarks

    tell("plan", 0, 1)
    place, kept_to = jobs.store(settings), terms(settings)
    day = making.newest(place, as_of)
    folder, told = place.plans(), learned.read(place.path)
    meta, running = scores.read_meta(place.scores(day)), membership.running(folder, day)
    order = making.order(
        kept_to,
        making.facts(inputs, day),
        told,
        plan_id="",
        # A rehearsal draws too, by the key that the plan will be drawn by.
        key=holdout.key_of(folder),
        budget=budget,
        running=running,
    )
    order = replace(order, plan_id=making.name(kept_to, meta, told, order))
    scored = making.score_rows(place.scores(day), kept_to)
    made = planning.draw_up(scored, making.beside(order, folder))
    kept = () if dry else making.keep(made, place, who=who, now=now, out=out, running=running)
    tell("plan", 1, 1)
    return Planned(made, kept, remarks.notes(kept_to, meta))
