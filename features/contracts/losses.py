"""What was lost in reading: whether so many rows were rejected that someone should know.

In: the report on a source. Out: a sentence for people, or None. A few rejected rows are usual; a
quarter without a customer id is a shop's walk-in trade; more than half that cannot be read is
nearly always a wrong setting, and a model of the rest would look as good as any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from features.contracts.contract import (
    UNKNOWN_ARM,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_COST,
    UNPARSEABLE_DATE,
    UNPARSEABLE_END,
    UNPARSEABLE_PRICE,
    UNPARSEABLE_VALUE,
)
from features.inputs import SourceReport

#: More rejected rows than this share of those read are worth a word.
WORTH_A_WORD = 0.05
#: More unreadable rows than this share of those read are taken for a wrong setting.
WRONG_SETTING = 0.5

# Reason to the settings that decide how such a value is read.
_READ_BY = {
    UNPARSEABLE_DATE: "timestamp_format",
    UNPARSEABLE_AMOUNT: "amount and decimal",
    UNPARSEABLE_VALUE: "value and decimal",
    UNPARSEABLE_END: "timestamp_format",
    UNPARSEABLE_PRICE: "price and decimal",
    UNPARSEABLE_COST: "cost and decimal",
    UNKNOWN_ARM: "arm and arms",
}


@dataclass(frozen=True)
class Obstacle:
    """Why nothing should be built from a source.

    Parameters
    ----------
    why : str
        What happened to its rows; a clause without a full stop.
    advice : str
        What to look at, in whole sentences; may be empty.
    is_total : bool
        Whether no row was accepted at all.
    """

    why: str
    advice: str
    is_total: bool

    def __str__(self) -> str:
        return f"{self.why}. {self.advice}".rstrip()


def notice(report: SourceReport, rejects: Path) -> str | None:
    """Say that more rows of a source were rejected than is usual.

    Parameters
    ----------
    report : SourceReport
    rejects : Path
        Folder with the rejected rows.

    Returns
    -------
    str or None
        A sentence; None for at most one row in twenty.
    """
    rows = sum(report.rejected.values())
    if rows <= WORTH_A_WORD * report.read:
        return None
    return f"{report.source}: {_of(rows, report)} were rejected, {_mostly(report)}; see {rejects}."


def obstacle(reports: Sequence[SourceReport], needed: str) -> Obstacle | None:
    """Find what stands in the way of building anything.

    Parameters
    ----------
    reports : sequence of SourceReport
        One for each source that was read.
    needed : str
        Name of the source without whose rows there is nothing to answer.

    Returns
    -------
    Obstacle or None
        Of the first source of which no row was accepted, if it is the needed one, or of which
        more than half of the rows have a date or a number that cannot be read.
    """
    for report in reports:
        if report.source == needed and not report.accepted:
            return _nothing(report)
        unread = {reason: report.rejected.get(reason, 0) for reason in _READ_BY}
        if sum(unread.values()) > WRONG_SETTING * report.read:
            return _unreadable(report, {reason: rows for reason, rows in unread.items() if rows})
    return None


def _nothing(report: SourceReport) -> Obstacle:
    all_ = _of(sum(report.rejected.values()), report)
    why = f"{report.source}: no row was accepted; {all_} were rejected, {_mostly(report)}"
    return Obstacle(why, report.advice.get(_first(report), ""), is_total=True)


def _unreadable(report: SourceReport, unread: dict[str, int]) -> Obstacle:
    reasons = sorted(unread, key=lambda reason: -unread[reason])
    told = " or ".join(f"'{reason}'" for reason in reasons)
    why = (
        f"{report.source}: {_of(sum(unread.values()), report)} were rejected for {told}, which is "
        "nearly always a wrong setting"
    )
    look = "; ".join(dict.fromkeys(_READ_BY[reason] for reason in reasons))
    told_of = [report.advice[reason] for reason in reasons if reason in report.advice]
    advice = " ".join([f"Look at {look} in [sources.{report.source}].", *told_of])
    return Obstacle(why, advice, is_total=False)


def _of(rows: int, report: SourceReport) -> str:
    return f"{rows:,} of {report.read:,} rows ({rows / report.read:.0%})"


def _first(report: SourceReport) -> str:
    """The most frequent reason."""
    return max(report.rejected, key=lambda reason: report.rejected[reason])


def _mostly(report: SourceReport) -> str:
    first, rows = _first(report), sum(report.rejected.values())
    if report.rejected[first] == rows:
        return f"all of them for '{first}'"
    often = "most of them" if report.rejected[first] > rows / 2 else "most often"
    return f"{often} for '{first}'"
