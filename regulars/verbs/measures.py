"""The verb about campaigns that went out: measure one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from regulars import screen
from regulars.options import CONFIG, Config, Json
from regulars.verbs import data
from regulars.verbs.plans import user

if TYPE_CHECKING:
    from regulars.measuring import Measured
    from regulars.settings import Settings


def measure(
    plan: Annotated[str, typer.Argument(help="The plan's name, as `regulars plan` prints it.")],
    config: Config = CONFIG,
    so_far: Annotated[
        bool, typer.Option("--so-far", help="Show what there is of a campaign that is not over.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Let the next plans reckon with what was found.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what a plan changed, against those who were held out at random.

    Compares everybody who was assigned, reached or not: returns, purchases, spend, profit, and
    guardrails, with 95 % intervals. Says so where there is too little, or where the arms are not
    as they were drawn.
    """
    from regulars import jobs, measuring
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        read = settings.model_copy(update={"sources": measuring.needed(settings)})
        done = measuring.measure(
            settings,
            data.read(read, now=now, tell=tell),
            plan,
            so_far=so_far,
            keep=keep,
            now=now,
            who=user(),
            tell=tell,
        )
    for said in done.notes:
        screen.note(f"Note: {said}")
    if json:
        screen.figures(
            {
                **done.measurement.to_dict(),
                "currency": settings.currency,
                "believed": {name: asdict(one) for name, one in done.learned.items()},
                "path": str(done.path),
            }
        )
    else:
        _show(done, settings)


def _show(done: Measured, settings: Settings) -> None:
    from regulars import measure_report

    found, page = done.measurement, screen.out()
    for shown in (
        measure_report.effects(found, settings.currency),
        measure_report.guardrails(found),
        measure_report.delivery(found),
    ):
        if shown is not None:
            page.print(shown)
    for sentence in (*measure_report.sentences(found), *measure_report.learned(done.learned)):
        screen.say(sentence)
    if found.over and not done.learned and any(one.learned for one in found.actions):
        screen.say(
            "The next plans reckon with what was kept of it before; `--keep` renews that."
            if done.kept_before
            else "The next plans do not reckon with it yet: `--keep` lets them."
        )
