"""Verbs about groups of customers: segments, equity, cohorts and accounts, from the store."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars import group_tables, options, screen
from regulars.options import CONFIG, Config, Json, Out

# Accounts on the screen.
_SHOWN = 20

AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=options.day,
        metavar="YYYY-MM-DD",
        help="Date of a table in the store. \\[default: the last one]",
    ),
]


def segments(
    config: Config = CONFIG,
    as_of: AsOf = None,
    name: Annotated[
        str | None, typer.Option("--name", help="A segment whose customers are written to --out.")
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    r"""Show tiers, stages, named segments and your own: how many, worth what, at what risk.

    Your own are the sections \[segments.<name>] of the settings. With --name and --out the
    score rows of one segment are written to a file.
    """
    from regulars import review
    from regulars.settings import load

    if (name is None) != (out is None):
        raise typer.BadParameter("--name and --out go together.")
    settings = load(config)
    if name is not None and out is not None:
        written = review.members(settings, as_of, name, out)
        if json:
            screen.figures({"segment": name, "customers": written, "path": str(out)})
        else:
            screen.say(f"{written:,} customers of {name}: {out}")
        return
    found = review.segments(settings, as_of)
    if json:
        screen.figures(asdict(found))
        return
    for shown in group_tables.segments(found, settings):
        screen.out().print(shown)


def equity(
    config: Config = CONFIG,
    as_of: AsOf = None,
    since: Annotated[
        date | None,
        typer.Option(
            "--since",
            parser=options.day,
            metavar="YYYY-MM-DD",
            help="Compare with the scores of this date. \\[default: the score table before]",
        ),
    ] = None,
    retention: Annotated[
        float,
        typer.Option("--retention", min=0.0, max=1.0, help="Raise of retention to value: 0.05."),
    ] = 0.05,
    json: Json = False,
) -> None:
    """Show what all customers together are worth, how it moved and why.

    The sum of the lifetime values by tier and stage; what raised retention would be worth;
    and since an earlier score table: won, lost, grew and shrank, who moved between stages and
    tiers, and key accounts whose risk rose.
    """
    from regulars import review
    from regulars.settings import load
    from serving.groups import standing

    settings = load(config)
    found = review.equity(settings, as_of, since, raised=retention)
    if json:
        screen.figures(standing.plain(found))
        return
    if whole := group_tables.worth(found, settings):
        screen.say(whole)
    for shown in group_tables.equity(found, settings):
        screen.out().print(shown)
    for note in found.since.notes if found.since else ():
        screen.note(f"Note: {note}")


def cohorts(config: Config = CONFIG, as_of: AsOf = None, json: Json = False) -> None:
    """Show who came back how many months after the first purchase, by month of it.

    From the customer-days of the store. A month that is not over stands in brackets and is not
    in the average.
    """
    from features.cohorts import average
    from regulars import review
    from regulars.settings import load

    day, triangle = review.cohorts(load(config), as_of)
    if json:
        rows = [{**asdict(cohort), "retention": cohort.retention} for cohort in triangle]
        screen.figures({"as_of": day, "cohorts": rows, "average": average(triangle)})
    else:
        screen.out().print(group_tables.cohorts(day, triangle))


def accounts(
    config: Config = CONFIG,
    as_of: AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            callback=options.kind,
            help="All of them, .parquet or .csv; replaced if it is there.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Roll the scores up to accounts, where the customers source names them.

    Shown are those with the most lifetime value at risk. An account leaves when all of its
    customers do; a customer without one is an account of its own.
    """
    import ibis

    from features.compat import arrow
    from regulars import review
    from regulars.settings import load

    settings = load(config)
    day, table = review.accounts(settings, as_of)
    if out is not None:
        _write(table, out)
    first = table.order_by([ibis.desc("clv_at_risk"), "account", "named"]).limit(_SHOWN)
    rows, number = arrow(first).to_pylist(), int(table.count().execute())
    if json:
        path = None if out is None else str(out)
        screen.figures({"as_of": day, "accounts": number, "at_risk": rows, "path": path})
    else:
        screen.out().print(group_tables.accounts(day, number, rows, settings))


def satisfaction(config: Config = CONFIG, as_of: AsOf = None, json: Json = False) -> None:
    """Set satisfaction beside loyalty: open complaints, and who is pleased and leaves.

    From the events (complaints, their resolutions, marks) and the stages; where the settings have
    no source of events it says so.
    """
    from regulars import review
    from regulars.settings import load

    settings = load(config)
    day, found = review.satisfaction(settings, as_of, _SHOWN)
    if json:
        told = None if found is None else {**asdict(found), "fields": _fields(found)}
        screen.figures({"as_of": day, "satisfaction": told})
        return
    if found is None:
        screen.note("Nothing is known of complaints and satisfaction: add [sources.events].")
        return
    for shown in group_tables.satisfaction(day, found, settings):
        screen.out().print(shown)


def _fields(found: Any) -> list[dict[str, Any]]:
    return [asdict(one) for one in found.fields.values()]


def _write(table: Any, out: Path) -> None:
    from features import store
    from features.compat import arrow

    if out.suffix.lower() == ".parquet":
        store.write_parquet(table, out)
        return
    from pyarrow import csv

    with store.replacing(out) as partial:
        csv.write_csv(arrow(table), partial, csv.WriteOptions(quoting_style="needed"))
