"""Tables for people: any, and those of a training, the versions, who is at risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from regulars.settings import Settings
    from serving.groups.watchlist import Watchlist
    from training.runs.registry import Change, Version

_NONE = "–"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; numbers stand right.

    Parameters
    ----------
    title : str
        Printed above.
    columns : sequence of str
        Heads.
    rows : iterable of sequences
        Cells: whole numbers get thousands separators, None is a dash, the rest is text as is.

    Returns
    -------
    rich.table.Table
    """
    listed = [list(row) for row in rows]
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for place, head in enumerate(columns):
        numbers = bool(listed) and all(
            isinstance(row[place], int | float) and not isinstance(row[place], bool)
            for row in listed
            if row[place] is not None
        )
        made.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in listed:
        made.add_row(*(Text(_cell(cell)) for cell in row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def versions(listed: Sequence[Version]) -> Table:
    """Registered versions with what is known of each, newest first."""
    known = sorted({key for version in listed for key in version.tags if key.startswith("grade_")})
    heads = ["version", "role", "trained as of", "horizon", "speaks"]
    heads += [f"{key.removeprefix('grade_')} grade" for key in known]
    rows = [
        [
            version.version,
            ", ".join(version.aliases) or None,
            version.tags.get("trained_as_of"),
            version.tags.get("horizon_days"),
            version.tags.get("speaker"),
            *(version.tags.get(key) for key in known),
        ]
        for version in listed
    ]
    return table("Versions", heads, rows)


def reigns(changes: Sequence[Change]) -> Table:
    """Which version was champion from when to when, and why it came."""
    ends: list[str | None] = [*(change.at for change in changes[1:]), None]
    rows = [
        (change.to_version, _minute(change.at), _minute(end), change.kind, change.why)
        for change, end in zip(changes, ends, strict=True)
    ]
    return table("Champions", ("version", "from", "until", "by", "why"), rows)


def _minute(instant: str | None) -> str | None:
    return None if instant is None else instant[:16].replace("T", " ")


def grades(found: Mapping[str, Any]) -> Table | None:
    """The grade of each question and its sentence; None when nothing could be graded."""
    rows = [(question, grade.letter, grade.sentence) for question, grade in found.items()]
    return table("Grades", ("question", "grade", "why"), rows) if rows else None


def at_risk(listed: Watchlist, settings: Settings) -> Table:
    """Customers to look after first, with what speaks for and against them.

    Parameters
    ----------
    listed : Watchlist
        Who, and what stands above.
    settings : Settings
        Currency and churn rule, for the legend.
    """
    rows = listed.rows
    # Under the rule `label` nobody has a value where there is no transaction log.
    valued = any(row["clv"] is not None for row in rows)
    money = ("expected_spend", "clv") if valued else ()
    cells = [
        (
            row["customer_id"],
            _percent(row["churn_probability"]),
            *(row[name] for name in money),
            _why(row["reasons"] or ()),
        )
        for row in rows
    ]
    heads = ("customer", "leaves", *(("spend", "worth") if valued else ()), "why")
    made = table(listed.heading, heads, cells)
    if rows:
        made.caption = Text("; ".join(_legend(rows[0], settings, valued=valued)))
        made.caption_justify = "left"
    return made


def _legend(row: Mapping[str, Any], settings: Settings, *, valued: bool) -> list[str]:
    """What the columns mean, for people who compare one with another."""
    days = f"within {row['horizon_days']} days"
    leaving = "of no purchase" if settings.churn.rule == "inactivity" else "to leave"
    told = [f"leaves: chance {leaving} {days}"]
    if valued:
        told += [
            f"spend: revenue expected {days}",
            f"worth: profit (the margin of the revenue) expected within "
            f"{row['clv_horizon_days']} days, discounted",
            f"money in {settings.currency}",
        ]
    return [*told, "▲ raises the risk, ▼ lowers it"]


def _raises(reason: Mapping[str, Any]) -> bool:
    return str(reason["direction"]).startswith("raises")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _why(reasons: Sequence[Mapping[str, Any]]) -> str:
    """A line of what raises the risk and one of what lowers it, each the heaviest first."""
    raising = [str(reason["text"]) for reason in reasons if _raises(reason)]
    lowering = [str(reason["text"]) for reason in reasons if not _raises(reason)]
    told = [
        f"{sign} {' · '.join(texts)}" for sign, texts in (("▲", raising), ("▼", lowering)) if texts
    ]
    return "\n".join(told)
