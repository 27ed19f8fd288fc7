"""The verb about campaigns before they go out: plan one."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars import options, screen
from regulars.options import CONFIG, AsOf, Config, Json
from regulars.verbs import data

if TYPE_CHECKING:
    from regulars.planning import Planned
    from regulars.settings import Settings


def plan(
    config: Config = CONFIG,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget", min=0.0, help="What it may cost. \\[default: that of the settings]"
        ),
    ] = None,
    as_of: AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            callback=options.kind,
            help="A new file for who acts, .csv or .parquet: the assignments, the held out marked.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan; keep and export nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Let --out take the place of a file that is there.")
    ] = False,
    json: Json = False,
) -> None:
    r"""Choose who gets which action, for the most profit within the budget and all limits.

    Plans from the newest score table (or that of --as-of) and the \[actions] of the settings. A
    part of the chosen is held out at random, so that the effect can be measured.
    """
    from regulars import jobs, planning
    from regulars.settings import load

    settings = load(config)
    if out is not None and not (force or dry_run):
        _refuse_existing(out)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        sources = planning.terms(settings).sources
        read = settings.model_copy(update={"sources": sources})
        done = planning.plan(
            settings,
            None if sources is None else data.read(read, now=now, tell=tell),
            as_of=as_of,
            budget=budget,
            now=now,
            who=user(),
            out=out,
            dry=dry_run,
            tell=tell,
        )
    for said in done.notes:
        screen.note(f"Note: {said}")
    if json:
        from serving.campaigns import shelf

        screen.figures({**shelf.figures(done.plan), "paths": [str(path) for path in done.paths]})
    else:
        _show(done, settings)


def _refuse_existing(out: Path) -> None:
    """Refuse a file that is there: it may be the plan that somebody acts on."""
    from serving.errors import OutputError

    if out.exists():
        raise OutputError(
            f"got {out}, which is there already and may be a plan that somebody acts on; name "
            "another file, or let this one be replaced by --force"
        )


def user() -> str:
    """Who runs the command, for the audit file."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container without a user database.
        return "unknown"


def _show(done: Planned, settings: Settings) -> None:
    from regulars import plan_report
    from serving.campaigns import remarks, shelf

    made, currency, page = done.plan, settings.currency, screen.out()
    page.print(plan_report.actions(made, currency))
    for shown in (plan_report.guardrails(made), plan_report.curve(made, currency)):
        if shown is not None:
            page.print(shown)
    for sentence in remarks.sentences(shelf.figures(made), currency):
        screen.say(sentence)
    if done.paths:
        screen.say(f"The assignments: {done.paths[-1] if len(done.paths) > 2 else done.paths[0]}")
    else:
        screen.say("A dry run: nothing was kept or exported.")
