"""Verbs that answer: score everybody, serve the answers, and the whole job as a demonstration."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars import doubts, lag, screen, tables
from regulars.options import CONFIG, AsOf, Config, Json, Out
from regulars.verbs import data, models

if TYPE_CHECKING:
    from regulars.scoring import Scored
    from regulars.settings import Settings

_SHOWN = 10

Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="The port.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes that answer.")]


def score(
    config: Config = CONFIG,
    as_of: AsOf = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Score every customer with the champion.

    The table goes into the store, where the service finds it, and to --out.
    """
    from regulars import jobs, scoring
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        inputs, day = data.prepare(settings, as_of, now=now, tell=tell)
        done = scoring.score(settings, inputs, day, now=now, out=out, tell=tell)
    # Who asks for a date knows that it is not today's.
    late = lag.find(settings, inputs, day) if as_of is None else ()
    notes = [
        *late,
        *doubts.of_date(done),
        *doubts.of_scores(done),
        *doubts.of_nothing(done, settings),
    ]
    for sentence in notes:
        screen.note(f"Note: {sentence}")
    if json:
        given = {name: value for name, value in vars(done).items() if name != "frame"}
        paths = list(map(str, done.paths))
        screen.figures({**given, "grades": dict(done.grades), "paths": paths, "notes": notes})
        return
    spoken = ", ".join(f"{question} {letter}" for question, letter in done.grades.items())
    graded = f"grades: {spoken}" if spoken else "ungraded"
    screen.say(
        f"{len(done.frame):,} customers as of {done.as_of}, scored by version "
        f"{done.model_version} ({done.speaker} model, {graded}): {done.paths[-1]}"
    )
    _show_totals(done, settings)
    _show_first(done, settings)


def _show_totals(done: Scored, settings: Settings) -> None:
    """What to expect of all together."""
    from serving import totals

    told = totals.in_words(
        done.counts["expected"], settings.currency, int(done.frame["horizon_days"].iloc[0])
    )
    if told:
        screen.say(told)


def _show_first(done: Scored, settings: Settings) -> None:
    """Whom to look after first."""
    from serving.groups import watchlist

    listed = watchlist.top(done.frame, _SHOWN)
    if listed.rows:
        screen.out().print(tables.at_risk(listed, settings))
    elif listed.heading == watchlist.UNSAID:
        why = "; ".join(doubts.of_risk(done)) or "no score says how likely a customer leaves"
        screen.say(f"{listed.heading}: {why}.")
    else:
        screen.say(f"{listed.heading}: nobody.")


def serve(
    config: Config = CONFIG,
    port: Port = 3000,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            help="The address to bind. \\[default: this machine only without API keys, else all]",
        ),
    ] = None,
    workers: Workers = 2,
) -> None:
    """Serve the scores: pages for people, an API for machines.

    Without API keys (REGULARS_API_KEYS) only this machine is answered. Ctrl-C stops it.
    """
    from regulars.settings import load

    load(config)
    _serve(config, port, host, workers)


def _serve(config: Path, port: int, host: str | None, workers: int) -> None:
    from regulars import server
    from serving import surroundings

    bound = host or surroundings.host(os.environ)
    server.check_port(bound, port)
    environment = server.environment(config, workers, os.environ)
    if surroundings.host(os.environ) == surroundings.LOOPBACK:
        screen.say("No API keys are set (REGULARS_API_KEYS): only this machine is answered.")
    screen.say("Starting …")
    url = server.address(bound, port)
    ended = server.run(
        server.command(bound, port),
        environment,
        url,
        ready=lambda: screen.say(f"Regulars answers at {url} (Ctrl-C stops it)."),
    )
    if ended:
        screen.note("The service ended by itself; what it said is above.")
        raise typer.Exit(1)


def key(
    scopes: Annotated[
        list[str], typer.Argument(help="risk, value or admin; more than one will do.")
    ],
) -> None:
    """Make an API key, and what to put into REGULARS_API_KEYS to let it in.

    The key is shown once and kept nowhere; the service knows its SHA-256 only.
    """
    import secrets

    from serving.api import security
    from serving.errors import ServingError

    made = secrets.token_urlsafe(32)
    try:
        entry = security.entry(made, scopes)
    except ServingError as error:
        raise typer.BadParameter(str(error)) from None
    screen.say(f"The key, for whoever asks:  {made}")
    screen.say(f"For the service:            export {security.KEYS}={entry}")
    screen.note("More keys are separated by commas. Let TLS end before the service.")


def bento(config: Config = CONFIG) -> None:
    """Put the champion into BentoML's model store, for `bentoml build`.

    The bento then scores without an MLflow server; build it in the project's folder.
    """
    from regulars.settings import load
    from serving import bento as packing
    from serving import deployment

    load(config)
    found = deployment.resolve({**os.environ, deployment.CONFIG: str(config.absolute())})
    screen.say(f"{packing.put(found)} is in the model store. Now: bentoml build")


def demo(
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="Stop after the printed table.")
    ] = False,
    to: Annotated[Path, typer.Option("--to", help="The folder to work in.")] = Path(
        "regulars-demo"
    ),
    port: Port = 3000,
) -> None:
    """Do the whole job on a real data set: CDNOW, an online music shop in 1997 and 1998.

    Check, build, train, promote, score, print whom to look after first; then serve. What it
    leaves in the folder is yours to go on from.
    """
    from regulars import demo as work
    from regulars import jobs
    from regulars.settings import load

    config = work.prepare(to)
    screen.say(f"Settings and data are in {to}.")
    settings = load(config)
    clock = partial(jobs.instant, settings)
    with screen.steps(logged=True) as tell:
        inputs, _ = data.prepare(settings, None, now=clock(), tell=tell)
        done = work.run(settings, inputs, clock=clock, out=to / "scores.csv", tell=tell)
    data.show(done.report)
    models.show(done.training)
    _show_first(done.scored, settings)
    screen.say(work.closing(done))
    if no_serve:
        screen.say(f"Serve them: {work.again('serve', config)}")
        return
    _serve(config, port, None, 2)
