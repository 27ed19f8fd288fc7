"""Verbs about models: train one, see the versions, promote and roll back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars import screen, tables
from regulars.options import CONFIG, AsOf, Config, Json, SubConfig, Why
from regulars.verbs import data

if TYPE_CHECKING:
    from regulars.settings import Settings
    from training.pipeline import Training
    from training.runs.registry import Change


app = typer.Typer(help="Versions and grades; promote one, or roll back.", no_args_is_help=False)


def train(
    config: Config = CONFIG,
    as_of: AsOf = None,
    tune: Annotated[
        int, typer.Option("--tune", min=0, metavar="N", help="Search with N trials first.")
    ] = 0,
    json: Json = False,
) -> None:
    """Fit, test against naive rules, grade, register, and promote through the gate.

    The first model becomes the champion; a later one when it is better on the same fresh test
    window. A model that is not promoted is kept and can be promoted by hand; that is no failure,
    so the exit code is 0.
    """
    from regulars import jobs
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    _close_killed(settings)
    with screen.steps(logged=True) as tell:
        inputs, day = data.prepare(settings, as_of, now=now, tell=tell)
        done = jobs.train(settings, inputs, day, now=now, trials=tune, tell=tell)
    if json:
        screen.figures(figures(done))
    else:
        show(done)
        screen.say(f"Its plots, model card and figures: {_where(settings, done.run_id)}")


def _close_killed(settings: Settings) -> None:
    """End the trainings that MLflow shows as running though their process is gone."""
    from regulars import jobs
    from training.runs import unfinished

    under_way = jobs.store(settings).trainings()
    if not under_way.is_dir():
        return
    for run_id in unfinished.close(jobs.tracking_uri(settings), settings.name, under_way):
        screen.note(
            f"Note: a training before this one was killed; its run {run_id}, RUNNING until now, "
            "is set to KILLED in MLflow."
        )


def _where(settings: Settings, run_id: str) -> str:
    """How to look at a run: the command for a store of one's own, else the server."""
    from features.opening.locations import without_password

    uri = settings.tracking.uri or ""
    if uri.startswith(("sqlite", "postgresql")):
        beside = Path(sys.executable).with_name("mlflow")
        command = str(beside) if beside.is_file() else "mlflow"
        return f"{command} ui --backend-store-uri {without_password(uri)}  (run {run_id})"
    return f"{without_password(uri)}  (run {run_id})"


def figures(done: Training) -> dict[str, Any]:
    """What came of a training, as plain values."""
    found = done.evidence
    return {
        "version": done.version,
        "run_id": done.run_id,
        "trained_as_of": found.scorer.trained_as_of,
        "horizon_days": found.scorer.horizon_days,
        "speaker": found.scorer.speaker,
        "promoted": done.verdict.passed,
        "why": done.verdict.why,
        "gate": dict(done.verdict.figures),
        "grades": {
            question: {"letter": grade.letter, "why": grade.sentence}
            for question, grade in found.grades.items()
        },
        "notes": list(found.notes),
    }


def show(done: Training) -> None:
    """Print what came of a training."""
    found = done.evidence
    if (graded := tables.grades(found.grades)) is not None:
        screen.out().print(graded)
    for note in found.notes:
        screen.say(note)
    fate = "is champion" if done.verdict.passed else "is kept, but was not promoted"
    screen.say(
        f"Version {done.version}, as of {found.scorer.trained_as_of}, {fate}: {done.verdict.why}"
    )


@app.callback(invoke_without_command=True)
def models(context: typer.Context, config: Config = CONFIG, json: Json = False) -> None:
    """List the versions and their grades, and which was champion from when to when."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from training.runs import registry

    name, uri = _registered(config)
    listed, reigns = registry.versions(uri, name), registry.reigns(uri, name)
    if json:
        screen.figures(
            {"versions": [vars(one) for one in listed], "champions": [vars(one) for one in reigns]}
        )
    elif not listed:
        screen.say(f"No version of {name!r} yet. `regulars train` makes the first.")
    else:
        screen.out().print(tables.versions(listed))
        screen.out().print(tables.reigns(reigns))


@app.command("promote")
def promote(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="The version to make champion.")],
    why: Why,
    config: SubConfig = None,
    json: Json = False,
) -> None:
    """Make a version the champion by hand; time and reason are kept."""
    from training.runs import registry

    name, uri = _registered(config or context.obj)
    _tell(registry.promote(uri, name, version, why=why, now=datetime.now(UTC)), json=json)


@app.command("rollback")
def rollback(
    context: typer.Context, why: Why, config: SubConfig = None, json: Json = False
) -> None:
    """Make the champion before this one champion again; time and reason are kept."""
    from training.runs import registry

    name, uri = _registered(config or context.obj)
    _tell(registry.rollback(uri, name, why=why, now=datetime.now(UTC)), json=json)


def _registered(config: Path) -> tuple[str, str]:
    """Name of the business and address of its registry."""
    from regulars import jobs
    from regulars.settings import load

    settings = load(config)
    return settings.name, jobs.tracking_uri(settings)


def _tell(change: Change, *, json: bool) -> None:
    if json:
        screen.figures(vars(change))
        return
    before = f" (before: {change.from_version})" if change.from_version else ""
    screen.say(
        f"Version {change.to_version} is champion{before}. A service takes it up when started."
    )
