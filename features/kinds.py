"""Kinds of events: those that are read, and a business's own words for them.

An event of another kind is accepted and changes no feature; the report on the source says how
many there are and what they are called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What `features.families.care` reads.
KINDS = ("complaint", "resolution", "satisfaction", "contact", "usage")
#: No feature: who wants no more messages. The measurement of campaigns counts it.
UNSUBSCRIBE = "unsubscribe"
READ = (*KINDS, UNSUBSCRIBE)
_SHOWN = 5
_LONGEST = 60


def plain(word: str) -> str:
    """Name of a kind as it is compared: without capitals and without blanks around it.

    Parameters
    ----------
    word : str

    Returns
    -------
    str

    Examples
    --------
    >>> plain(" Reklamation ")
    'reklamation'
    """
    return word.strip().lower()


def known_kind(kind: ir.StringValue, kinds: Mapping[str, str]) -> ir.StringValue:
    """Kinds with a business's own words put into the known ones.

    Parameters
    ----------
    kind : string column
        Lower case, trimmed.
    kinds : mapping of str to str
        A word as `plain` gives it to the known kind; other words stay as they are.

    Returns
    -------
    string column
    """
    import ibis

    if not kinds:
        return kind
    return ibis.cases(*((kind == word, known) for word, known in kinds.items()), else_=kind)


def unread(events: ir.Table) -> str | None:
    """What the accepted events are that nothing reads, in a sentence.

    Parameters
    ----------
    events : ibis table
        Accepted rows with ``kind``.

    Returns
    -------
    str or None
        How many, the five most frequent kinds, and what would be read; None when all are.
    """
    from features.compat import arrow

    counted = events.group_by("kind").aggregate(rows_=events.count())
    rows = {row["kind"]: row["rows_"] for row in arrow(counted).to_pylist()}
    others = {kind: number for kind, number in rows.items() if kind not in READ}
    if not others:
        return None
    first = sorted(others, key=lambda kind: (-others[kind], kind))[:_SHOWN]
    shown = ", ".join(f"{kind[:_LONGEST]!r} ({others[kind]:,})" for kind in first)
    total = sum(rows.values())
    if len(others) == len(rows):
        said = f"No event of {total:,} is of a kind that is read, so they change nothing"
    else:
        said = f"{sum(others.values()):,} of {total:,} events are of kinds that are not read"
    more = "" if len(others) <= _SHOWN else f" and {len(others) - _SHOWN:,} more"
    return (
        f"{said}: {shown}{more}. Known kinds are {', '.join(READ)}; "
        f'give yours one of them in [sources.events], as kinds = {{ "your word" = "{KINDS[0]}" }}.'
    )
