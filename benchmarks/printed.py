"""Pages of tables: aligned in a terminal, and Markdown when kept as a page."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from typing import Any


def heading(title: str, about: str, command: str, packages: Sequence[str], today: date) -> str:
    """Head of a page: what it shows, how it was made, and with what.

    Parameters
    ----------
    title, about : str
        What is on the page.
    command : str
        What prints it.
    packages : sequence of str
        Whose releases are named.
    today : datetime.date
        Day of the run.

    Returns
    -------
    str
        Markdown.
    """
    releases = ", ".join(f"{name} {version(name)}" for name in packages)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    made = f"Printed by `{command}` on {today} ({machine}; {releases})."
    return f"# {title}\n\n{about}\n\n{made}\n"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as an aligned pipe table; the first column is text, numbers stand to the right.

    Parameters
    ----------
    rows : sequence of mapping
        With the same keys, which are the headings.

    Returns
    -------
    str

    Examples
    --------
    >>> print(table([{"what": "fit", "s": "1.5"}, {"what": "predict", "s": "10.25"}]))
    | what    |     s |
    |:--------|------:|
    | fit     |   1.5 |
    | predict | 10.25 |
    """
    if not rows:
        return "(nothing)"
    columns = {name: [str(name), *(str(row[name]) for row in rows)] for name in rows[0]}
    numeric = {name: _numbers(cells[1:]) for name, cells in columns.items()}
    width = {name: max(3, *map(len, cells)) for name, cells in columns.items()}
    lines = [
        "| "
        + " | ".join(
            cells[k].rjust(width[name]) if numeric[name] else cells[k].ljust(width[name])
            for name, cells in columns.items()
        )
        + " |"
        for k in range(len(rows) + 1)
    ]
    rule = [
        "-" * (width[name] + 1) + ":" if numeric[name] else ":" + "-" * (width[name] + 1)
        for name in columns
    ]
    return "\n".join([lines[0], "|" + "|".join(rule) + "|", *lines[1:]])


def tell(text: str) -> None:
    """Say on the error stream what is being done, so that tables can be piped.

    Parameters
    ----------
    text : str
    """
    print(text, file=sys.stderr, flush=True)


def _numbers(cells: Sequence[str]) -> bool:
    """Whether most cells of a column begin like a number."""
    told = [cell.lstrip("*+-−<≥ ") for cell in cells if cell not in ("", "–")]
    return bool(told) and sum(cell[:1].isdigit() for cell in told) * 2 > len(told)
