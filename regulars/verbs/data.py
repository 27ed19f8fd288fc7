"""Verbs about data: check the sources, build a behaviour table, get a sample."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars import screen, tables
from regulars.options import CONFIG, AsOf, Config, Json

if TYPE_CHECKING:
    from features.inputs import Inputs
    from regulars.data_report import DataReport


def check(config: Config = CONFIG, json: Json = False) -> None:
    """Read every source and report on it.

    Says how many rows were accepted and how many rejected and why (they are kept in a file),
    the span, the customers, and whether that is enough to answer each question.
    """
    from regulars import data_report, jobs
    from regulars.settings import load

    settings = load(config)
    now = jobs.instant(settings)
    with screen.steps() as tell:
        inputs = jobs.read(settings, now=now, tell=tell)
        as_of = jobs.day_after(inputs, today=now.date())
        tell("count", 0, 1)
        rejects = jobs.store(settings).rejects()
        report = data_report.make(inputs, settings, as_of, rejects)
    if json:
        screen.figures(report.to_dict())
    else:
        show(report)


def show(report: DataReport) -> None:
    """Print the data report."""
    out = screen.out()
    out.print(tables.sources(report))
    if (rejected := tables.rejected(report)) is not None:
        out.print(rejected)
        screen.say(f"The rejected rows are in {report.rejects}.")
    for source in report.sources:
        for note in source.notes:
            screen.say(f"{source.source}: {note}")
    for name in report.unread:
        screen.say(f"{name}: not read; measuring effects comes with a later version.")
    if (came_back := tables.repeat_rate(report)) is not None:
        screen.say(came_back)
    out.print(tables.answers(report))


def day(as_of: date | None, inputs: Inputs, now: datetime) -> date:
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
        inputs = jobs.read(settings, now=now, tell=tell)
        built = jobs.build(settings, inputs, day(as_of, inputs, now), tell=tell)
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
