"""The work behind `regulars measure`: from a plan and what came after to effects and beliefs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from regulars import jobs

if TYPE_CHECKING:
    import pyarrow as pa

    from features.inputs import Inputs
    from features.settings import Sources
    from features.store import Store
    from regulars.settings import Settings
    from serving.campaigns.belief import Belief, Effect
    from serving.campaigns.results import Measurement

#: Deviations of both together by which an assumption is told to be far from what was measured.
FAR = 3.0


@dataclass(frozen=True)
class Measured:
    """A measurement, where it is, and what was learned.

    Attributes
    ----------
    measurement : Measurement
    path : Path
        Its file in the store.
    learned : dict of str to Effect
        What is believed now of each action that something was learned of; empty where nothing was
        to be kept.
    kept_before : bool
        Whether the next plans reckon already with what was found of this plan before.
    notes : tuple of str
        What a person should know besides.
    """

    measurement: Measurement
    path: Path
    learned: dict[str, Effect]
    kept_before: bool
    notes: tuple[str, ...]


def needed(settings: Settings) -> Sources:
    """Sources that say what happened, and what was sent."""
    from features.settings import Sources

    given = settings.sources
    return Sources(
        transactions=given.transactions,
        subscriptions=given.subscriptions,
        events=given.events,
        treatments=given.treatments,
    )


def measure(
    settings: Settings,
    inputs: Inputs,
    plan_id: str,
    *,
    so_far: bool,
    keep: bool,
    now: datetime,
    who: str,
    tell: jobs.Tell,
) -> Measured:
    """Measure a plan of the store, and keep what was found.

    Parameters
    ----------
    settings : Settings
        As loaded.
    inputs : Inputs
        Accepted rows of the sources that `needed` names.
    plan_id : str
    so_far : bool
        Whether a campaign may be measured that is not over yet.
    keep : bool
        Whether the next plans shall reckon with what was found.
    now : datetime
        The instant, with a time zone.
    who : str
        For the audit file.
    tell : callable
        Told of the progress.

    Returns
    -------
    Measured

    Raises
    ------
    CampaignError
        If there is no such plan, nobody in it, nothing of it has been observed, or it is not over
        and that was not asked for.
    """
    from serving import audit
    from serving.campaigns import learned as beliefs
    from serving.campaigns import measurements, shelf

    tell("measure", 0, 1)
    place = jobs.store(settings)
    rows = shelf.assignments(place.plans(), plan_id)
    start, horizon = _window(rows, plan_id)
    known = jobs.day_after(inputs, today=now.date())
    days = _days(settings, start, horizon, known, so_far=so_far, keep=keep)
    records = _records(settings, inputs, rows, start, days, known)
    measured = _measured(rows, place, records, plan_id, start + timedelta(days=days), days)
    measured = _delivered(measured, rows, inputs)
    path = measurements.keep(place.path, measured)
    kept_before = plan_id in beliefs.sources(place.path)
    learned = _learn(settings, place, measured) if keep else {}
    told = {"plan_id": plan_id, "days": days, "learned": sorted(learned)}
    audit.note(place.audit(), who=who, what="measure", now=now, **told)
    tell("measure", 1, 1)
    notes = tuple(_notes(settings, inputs, keep, learned))
    if keep:
        notes += tuple(_unkept(settings, measured, learned))
    return Measured(measured, path, learned, kept_before, notes)


def _window(rows: pa.Table, plan_id: str) -> tuple[date, int]:
    from serving.errors import CampaignError

    if not rows.num_rows:
        raise CampaignError(
            f"Got the plan {plan_id!r}, in which nobody gets anything; expected one with customers."
        )
    first = rows.slice(0, 1).to_pylist()[0]
    return first["as_of"], int(first["horizon_days"])


def _days(
    settings: Settings, start: date, horizon: int, known: date, *, so_far: bool, keep: bool
) -> int:
    """Days of the campaign that are known; refused where they are too few for what was asked."""
    from features.aftermath import observed_days
    from serving.errors import CampaignError

    billing = settings.sources.subscriptions
    # Who left is only known once the grace is over.
    grace = billing.grace_days if billing and settings.churn.rule == "subscription" else 0
    days = observed_days(start, horizon, known - timedelta(days=grace))
    over = start + timedelta(days=horizon + grace)
    if not days or (days < horizon and not so_far):
        raise CampaignError(
            f"Got a log up to {known - timedelta(days=1)}; the campaign of {start} runs until "
            f"{over}: measure it from then on, once rows up to that day are in the log "
            "(`regulars check` shows the last day). "
            + (
                "Of it nothing is known yet: no day of it is in the log, and there is nothing to "
                "show so far."
                if not days
                else f"`--so-far` shows the {days} of {horizon} days that there are."
            )
        )
    if days < horizon and keep:
        raise CampaignError(
            f"Got --keep for a campaign of which {days} of {horizon} days are known; expected one "
            f"that is over: measure it again from {over} on, or leave --keep out."
        )
    return days


def _records(
    settings: Settings, inputs: Inputs, rows: pa.Table, start: date, days: int, known: date
) -> tuple:
    """What became of everybody in the plan, action by action."""
    from features.aftermath import aftermath
    from features.compat import arrow
    from serving.campaigns.records import Costs, gather

    happened = aftermath(
        inputs,
        start,
        days,
        population="subscribers" if settings.churn.rule == "subscription" else "buyers",
        known_until=known,
    )
    costs = {
        name: Costs(action.cost, action.cost_per_spend) for name, action in settings.actions.items()
    }
    return gather(rows, arrow(happened), margin=settings.value.margin, costs=costs)


def _measured(
    rows: pa.Table, place: Store, records: tuple, plan_id: str, until: date, days: int
) -> Measurement:
    from serving.campaigns import holdout, measured, membership
    from serving.campaigns.records import misdrawn
    from serving.campaigns.results import Measurement

    strange = misdrawn(rows, holdout.key_of(place.plans()))
    start, horizon = _window(rows, plan_id)
    found = measured.measure_all(records, drawn=strange == 0)
    treated, held = membership.crossed(place.plans(), plan_id, rows, until)
    return Measurement(plan_id, start, horizon, days, until, strange, found, held, treated)


def _delivered(measured: Measurement, rows: pa.Table, inputs: Inputs) -> Measurement:
    """The measurement with who was contacted, where the treatments tell."""
    from features.compat import arrow
    from features.contracts import treatments
    from serving.campaigns.delivery import deliveries

    if inputs.treatments is None:
        return measured
    sent = arrow(treatments.sent(inputs.treatments, measured.as_of, measured.measured_on))
    told = deliveries(rows, sent)
    found = tuple(replace(one, delivery=told[one.action]) for one in measured.actions)
    return replace(measured, actions=found)


def _learn(settings: Settings, place: Store, measured: Measurement) -> dict[str, Effect]:
    """Keep what each action of the settings showed."""
    from serving.campaigns import learned

    found = {}
    for one in measured.actions:
        if one.action in settings.actions and one.learned and not measured.spoilt(one):
            estimate = learned.Estimate(
                one.learned, measured.plan_id, measured.measured_on, one.ratio.treated
            )
            prior = settings.actions[one.action].assumed
            _doubt(one.action, prior, one.learned)
            found[one.action] = learned.append(place.path, one.action, estimate, prior)
    return found


def _doubt(action: str, prior: Effect, found: Mapping[str, Belief]) -> None:
    """Warn where an assumption lies so far from the data that one of them is wrong."""
    from training.errors import StatisticalWarning

    for name, one in found.items():
        assumed = getattr(prior, name)
        if (distance := assumed.distance(one)) > FAR:
            warnings.warn(
                f"The settings assume {name} = {assumed.mean:g} ± {assumed.sd:g} of {action}; "
                f"measured is {one.mean:.3g} ± {one.sd:.2g}, {distance:.1f} deviations of both "
                "together away. What is kept lies between the two and is backed by neither: check "
                f"the measurement, or give `{name}` of [actions.{action}] another mean or a wider "
                "sd and measure again with --keep.",
                StatisticalWarning,
                stacklevel=2,
            )


def _notes(settings: Settings, inputs: Inputs, keep: bool, learned: dict) -> list[str]:
    notes = []
    if inputs.events is None:
        notes.append(
            "Complaints and unsubscribes are not watched: they need [sources.events], with the "
            "kinds complaint and unsubscribe."
        )
    if inputs.treatments is None:
        notes.append(
            "Who was really contacted is not looked at: that needs [sources.treatments]. The "
            "effect is that of the assignment either way."
        )
    certain = [name for name in learned if settings.actions[name].kept.sd == 0]
    if keep and certain:
        notes.append(
            f"The settings take `kept` of {', '.join(certain)} for certain (sd = 0), so that "
            "measuring changes nothing of it; give it a spread."
        )
    return notes


def _unkept(settings: Settings, measured: Measurement, learned: dict) -> Iterator[str]:
    """What was to be kept and was not, and why."""
    from serving.campaigns.results import MOST_TREATED

    named = [one for one in measured.actions if one.action is not None]
    unsaid = [str(one.action) for one in named if not one.learned]
    spoilt = [str(one.action) for one in named if one.learned and measured.spoilt(one)]
    gone = [str(one.action) for one in named if one.learned and one.action not in settings.actions]
    nothing = "" if learned else " Nothing was kept; the next plans reckon as before."
    told = []
    if unsaid:
        told.append(f"There is too little to keep of {', '.join(unsaid)}.")
    if spoilt:
        told.append(
            f"Nothing is kept of {', '.join(spoilt)}: more than {MOST_TREATED:.0%} of the held out "
            "were treated all the same, so the difference of the arms is not what an action does. "
            "Measure a plan whose holdout was left alone."
        )
    if gone:
        told.append(
            f"Of {', '.join(gone)} nothing is kept: no longer in [actions] of the settings."
        )
    if told:
        told[-1] += nothing
    yield from told
