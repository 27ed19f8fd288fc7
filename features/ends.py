"""Why subscriptions end: what the customer wanted, and what merely happened (a card expired).

As with the kinds of events, a business has words of its own; the settings put them into the two
that are read. Another word is accepted and changes no feature, and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from features.kinds import known_kind

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What `features.families.subscription` reads.
ENDS = ("voluntary", "involuntary")
_SHOWN = 5
_LONGEST = 60


def known_end(reason: ir.StringValue, words: Mapping[str, str]) -> ir.StringValue:
    """Reasons with a business's own words put into the known ones.

    Parameters
    ----------
    reason : string column
        Lower case, trimmed; null where none is given.
    words : mapping of str to str
        A word as `features.kinds.plain` gives it to one of `ENDS`.

    Returns
    -------
    string column
    """
    return known_kind(reason, words)


def unread(subscriptions: ir.Table) -> str | None:
    """What the reasons are that no feature reads, in a sentence.

    Parameters
    ----------
    subscriptions : ibis table
        Accepted rows with ``end_reason``.

    Returns
    -------
    str or None
        How many, the five most frequent, and what would be read; None when all are.
    """
    from features.compat import arrow

    given = subscriptions.filter(subscriptions.end_reason.notnull())
    counted = given.group_by("end_reason").aggregate(rows_=given.count())
    rows = {row["end_reason"]: row["rows_"] for row in arrow(counted).to_pylist()}
    others = {word: number for word, number in rows.items() if word not in ENDS}
    if not others:
        return None
    first = sorted(others, key=lambda word: (-others[word], word))[:_SHOWN]
    shown = ", ".join(f"{word[:_LONGEST]!r} ({others[word]:,})" for word in first)
    more = "" if len(others) <= _SHOWN else f" and {len(others) - _SHOWN:,} more"
    return (
        f"{sum(others.values()):,} of {sum(rows.values()):,} reasons of ends are not read: "
        f"{shown}{more}. Known are {' and '.join(ENDS)}; give yours one of them in "
        '[sources.subscriptions], as end_reasons = { "card declined" = "involuntary" }.'
    )
