"""The options that several verbs share, each described once."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

#: The settings file when none is named.
CONFIG = Path("regulars.toml")

_YEARS = range(1900, 2200)


def day(text: str) -> date:
    """Read a date given on the command line.

    Parameters
    ----------
    text : str
        ``YYYY-MM-DD``.

    Returns
    -------
    date
        A day of the calendar, in 1900 to 2199.

    Raises
    ------
    typer.BadParameter
        It is written otherwise, or there is no such day.

    Examples
    --------
    >>> day("1997-10-01")
    datetime.date(1997, 10, 1)
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise typer.BadParameter(f"{text!r} is not a date; write YYYY-MM-DD, as 2024-02-29.")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a day of the calendar; write YYYY-MM-DD, as 2024-02-29."
        ) from None
    if found.year not in _YEARS:
        raise typer.BadParameter(f"{text!r} is out of reach; give a year from 1900 to 2199.")
    return found


def kind(out: Path | None) -> Path | None:
    """Check that an output file is of a kind that is written.

    Parameters
    ----------
    out : Path or None

    Returns
    -------
    Path or None
        The same.

    Raises
    ------
    typer.BadParameter
        It ends in neither ``.parquet`` nor ``.csv``.
    """
    if out is not None and out.suffix.lower() not in (".parquet", ".csv"):
        raise typer.BadParameter(f"{str(out)!r} has to end in .parquet or .csv.")
    return out


Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="REGULARS_CONFIG", help="The settings file."),
]
# Below `models`, whose own -c stands in when this one is not given.
SubConfig = Annotated[Path | None, typer.Option("--config", "-c", help="The settings file.")]
AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=day,
        metavar="YYYY-MM-DD",
        help="Only what happened before this day is seen. \\[default: the day after the last row]",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", callback=kind, help="A file, .parquet or .csv; replaced if it is there."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON, for machines.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept with the change.")]
