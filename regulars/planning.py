"""The work behind `regulars plan`: from settings and a score table to a plan in the store."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from regulars import jobs

if TYPE_CHECKING:
    import pandas as pd

    from features.inputs import Inputs
    from features.settings import Sources
    from regulars.settings import Settings
    from serving.campaigns.planning import Plan


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


def needed(settings: Settings) -> Sources | None:
    """Sources that say who may be contacted; None where nothing asks for them."""
    from features.settings import Sources

    actions, sources = settings.actions.values(), settings.sources
    asked = settings.plan.suppressed or any(one.consent for one in actions)
    cooled = any(one.cooling_off_days for one in actions)
    customers = sources.customers if asked else None
    treatments = sources.treatments if cooled else None
    if customers is None and treatments is None:
        return None
    return Sources(customers=customers, treatments=treatments)


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
        Accepted rows of the sources that `needed` names.
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
        Whether nothing is kept, exported and noted.
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
    from serving import audit
    from serving.campaigns import holdout, learned, planning, shelf

    tell("plan", 0, 1)
    place = jobs.store(settings)
    scores, day = _scores(settings, as_of)
    folder = place.plans()
    # A rehearsal draws too, but leaves no key behind.
    key = secrets.token_bytes(32) if dry and not folder.exists() else holdout.key_of(folder)
    rules = settings.plan
    order = planning.Order(
        plan_id=f"{day.isoformat()}-{secrets.token_hex(4)}",
        key=key,
        margin=settings.value.margin,
        actions=settings.actions,
        rules=rules if budget is None else rules.model_copy(update={"budget": budget}),
        learned=learned.read(place.path),
        customers=_customers(inputs),
        contacts=_contacts(inputs, day),
    )
    made = planning.draw_up(scores, order)
    paths: tuple[Path, ...] = ()
    if not dry:
        paths = shelf.keep(made, folder)
        if out is not None:
            shelf.export(made, out)
            paths += (out,)
        audit.note(
            place.audit(),
            who=who,
            what="plan",
            now=now,
            plan_id=made.plan_id,
            as_of=day,
            treated=made.power.treated,
            holdout=made.power.holdout,
            cost=made.total.cost,
            out=out and str(out),
        )
    tell("plan", 1, 1)
    return Planned(made, paths, tuple(_notes(settings)))


def _scores(settings: Settings, as_of: date | None) -> tuple[pd.DataFrame, date]:
    from serving import scores
    from serving.errors import CampaignError

    place = jobs.store(settings)
    day = as_of or place.latest("scores")
    if day is None or not place.scores(day).exists():
        newest = place.latest("scores")
        there = f"the newest is of {newest}" if newest else "there is none yet"
        raise CampaignError(
            f"Got no score table{f' of {as_of}' if as_of else ''} to plan from; {there}. Make one: "
            f"`regulars score{f' --as-of {as_of}' if as_of else ''}`."
        )
    return scores.read(place.scores(day)), day


def _customers(inputs: Inputs | None) -> pd.DataFrame | None:
    from features.compat import arrow

    if inputs is None or inputs.customers is None:
        return None
    return arrow(inputs.customers.drop("churned")).to_pandas()


def _contacts(inputs: Inputs | None, as_of: date) -> pd.DataFrame | None:
    from features.compat import arrow
    from features.treatments import last_treated

    if inputs is None or inputs.treatments is None:
        return None
    return arrow(last_treated(inputs.treatments, as_of)).to_pandas()


def _notes(settings: Settings) -> list[str]:
    cooled = [name for name, one in settings.actions.items() if one.cooling_off_days]
    if cooled and settings.sources.treatments is None:
        return [
            f"The cooling-off of {', '.join(cooled)} is not kept: it needs [sources.treatments], "
            "which says who was treated when."
        ]
    return []
