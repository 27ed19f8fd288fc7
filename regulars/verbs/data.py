"""Verbs about data: check the sources, build a behaviour table, get a sample."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars import doubts, exits, screen
from regulars.options import CONFIG, AsOf, Config, Json

if TYPE_CHECKING:
    from features.inputs import Inputs
    from regulars.data_report import DataReport
    from regulars.jobs import Tell
    from regulars.settings import Settings


def check(config: Config = CONFIG, json: Json = False) -> None:
    """Read every source and report on it.

    Says how many rows were accepted and how many rejected and why (they are kept in a file),
    the span, the customers, whether that is enough to answer each question, how fresh each source
    is, whom the last scores do not answer in full, and what the next ones will not say. Refuses
    when no row was accepted.
    """
    from regulars import data_report, jobs
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        inputs = read(settings, now=now, tell=tell)
        as_of = jobs.day_after(inputs, today=now.date())
        tell("count", 0, 1)
        rejects = jobs.store(settings).rejects()
        report = data_report.make(inputs, settings, as_of, rejects)
        data_report.keep(report, jobs.store(settings))
    if json:
        screen.figures(report.to_dict())
    else:
        show(report)
    for sentence in report.doubts.notes if report.doubts else ():
        screen.note(f"Note: {sentence}")
    if report.obstacle is not None:
        screen.note(str(report.obstacle))
        if report.obstacle.is_total:
            raise typer.Exit(exits.REFUSED)


def read(settings: Settings, *, now: datetime, tell: Tell) -> Inputs:
    """Read every source; notes where many of its rows were rejected."""
    from features.contracts import losses
    from regulars import jobs

    inputs = jobs.read(settings, now=now, tell=tell)
    for report in inputs.reports:
        if notice := losses.notice(report, jobs.store(settings).rejects()):
            screen.note(notice)
    return inputs


def prepare(
    settings: Settings, as_of: date | None, *, now: datetime, tell: Tell
) -> tuple[Inputs, date]:
    """Read every source for what is to be made of it, as of a date.

    Parameters
    ----------
    settings : Settings
        Which sources.
    as_of : date or None
        The date asked for.
    now : datetime
        The instant, in the business time zone.
    tell : callable
        Told of the progress.

    Returns
    -------
    Inputs
        Accepted rows.
    date
        The date asked for, or the day after the last row.

    Raises
    ------
    typer.BadParameter
        If the date lies beyond tomorrow.
    RejectedError
        If so many rows were rejected that a setting is likely to be wrong.
    """
    from features.errors import RejectedError
    from regulars import jobs

    tomorrow = now.date() + timedelta(days=1)
    if as_of is not None and as_of > tomorrow:
        # Its scores would be the newest ones until that day comes.
        raise typer.BadParameter(
            f"{as_of} lies in the future: today is {now.date()} in {settings.timezone}. "
            f"Give a day up to {tomorrow}.",
            param_hint="--as-of",
        )
    inputs = read(settings, now=now, tell=tell)
    if (obstacle := jobs.obstacle(settings, inputs)) is not None:
        raise RejectedError(str(obstacle))
    return inputs, _day(as_of, inputs, now)


def show(report: DataReport) -> None:
    """Print the data report."""
    from regulars import data_report

    out = screen.out()
    out.print(data_report.sources(report))
    if (rejected := data_report.rejected(report)) is not None:
        out.print(rejected)
        screen.say(f"The rejected rows are in {report.rejects}.")
    for source in report.sources:
        for note in source.notes:
            screen.say(f"{source.source}: {note}")
    if (came_back := data_report.repeat_rate(report)) is not None:
        screen.say(came_back)
    out.print(data_report.answers(report))
    if report.doubts is not None:
        if report.doubts.freshness:
            out.print(doubts.fresh(report.doubts))
        if (silent := doubts.silent(report.doubts)) is not None:
            out.print(silent)


def _day(as_of: date | None, inputs: Inputs, now: datetime) -> date:
    """The as-of date asked for, or the day after the last row; says so when it lies beyond."""
    from regulars import jobs

    after = jobs.day_after(inputs, today=now.date())
    if as_of is not None and as_of > after:
        screen.note(
            f"Note: the last row is of {after - timedelta(days=1)}; the days from then to {as_of} "
            "count as days without purchases."
        )
    return as_of or after


def build(config: Config = CONFIG, as_of: AsOf = None, json: Json = False) -> None:
    """Write the behaviour table of one date into the store.

    One row a customer with everything that was known before that day; nothing after it is read.
    """
    from regulars import jobs
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        inputs, day = prepare(settings, as_of, now=now, tell=tell)
        built = jobs.build(settings, inputs, day, tell=tell)
    if json:
        screen.figures(vars(built))
    else:
        screen.say(f"{built.customers:,} customers as of {built.as_of}: {built.path}")


def sample(
    name: Annotated[str, typer.Argument(help="cdnow or complete-journey.")],
    to: Annotated[Path, typer.Option("--to", help="The folder to write it to.")],
) -> None:
    """Write a real data set that comes with an installed package.

    cdnow: purchases at an online music shop, 1997 and 1998. complete-journey: a year of grocery
    baskets. The folder examples/ of the project holds settings for both.
    """
    from regulars import samples

    screen.say(f"Written: {samples.write(name, to)}")
