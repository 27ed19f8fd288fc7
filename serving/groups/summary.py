"""Groups of customers: how many they are, what they are worth, how likely they leave.

In: a score table in the engine (`ledger`), its behaviour beside it where rule segments
are asked for. Out: one `Group` for each stage, tier, named segment or rule segment that has
somebody in it. Stages, tiers and named segments cut the table into parts; rule segments may
overlap and leave customers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.compat import arrow
from serving.groups import rules
from serving.groups.ledger import NONE, money, number

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from serving.groups.rules import SegmentSettings


@dataclass(frozen=True)
class Group:
    """Figures of a group.

    Parameters
    ----------
    name : str
    customers : int
    share : float
        Of the customers of the table, in [0, 1].
    equity : float or None
        Sum of the lifetime values, in currency; None where none is said.
    equity_share : float or None
        Of the table's equity; None where that is 0 or the group's is not said.
    churn_probability : float or None
        Mean, in [0, 1]; None where none is said.
    expected_spend : float or None
        Sum over the horizon, in currency; None where none is said.
    """

    name: str
    customers: int
    share: float
    equity: float | None
    equity_share: float | None
    churn_probability: float | None
    expected_spend: float | None


def by(table: ir.Table, column: str, order: Sequence[str]) -> tuple[Group, ...]:
    """Parts of a table by a column of words.

    Parameters
    ----------
    table : ibis table
        From `serving.groups.ledger.scores`.
    column : str
        ``stage``, ``tier`` or ``named_segment``.
    order : sequence of str
        Its words, in the order in which they are told; those without a word come last.

    Returns
    -------
    tuple of Group
        They add up to the table.
    """
    grouped = table.group_by(name=table[column].fill_null(NONE)).aggregate(**_figures(table))
    found = {row["name"]: row for row in arrow(grouped).to_pylist()}
    whole = _whole(table)
    return tuple(_group(name, found[name], whole) for name in (*order, NONE) if name in found)


def of_rules(table: ir.Table, segments: Mapping[str, SegmentSettings]) -> tuple[Group, ...]:
    """Rule segments of a table.

    Parameters
    ----------
    table : ibis table
        From `serving.groups.ledger.together`.
    segments : mapping of str to SegmentSettings

    Returns
    -------
    tuple of Group
        In the order of the settings, empty ones too.

    Raises
    ------
    InputError, SettingsError
        As `serving.groups.rules.belongs`.
    """
    if not segments:
        return ()
    whole = _whole(table)
    sums: dict[str, Any] = {}
    for place, (name, rule) in enumerate(segments.items()):
        inside = rules.belongs(table, name, rule)
        sums |= {f"{key}_{place}": sum_ for key, sum_ in _figures(table, inside).items()}
    (row,) = arrow(table.aggregate(**sums)).to_pylist()
    return tuple(
        _group(name, {key: row[f"{key}_{place}"] for key in _KEYS}, whole)
        for place, name in enumerate(segments)
    )


_KEYS = ("customers", "equity", "churn", "spend")


def _figures(table: ir.Table, where: ir.BooleanValue | None = None) -> dict[str, ir.Value]:
    sums = (
        table.count(where=where),
        money(table.clv).sum(where=where),
        table.churn_probability.mean(where=where),
        money(table.expected_spend).sum(where=where),
    )
    return dict(zip(_KEYS, sums, strict=True))


def _whole(table: ir.Table) -> dict[str, Any]:
    (row,) = arrow(table.aggregate(**_figures(table))).to_pylist()
    return row


def _group(name: str, row: Mapping[str, Any], whole: Mapping[str, Any]) -> Group:
    # A sum of nothing is not nothing: null, as the engine has it.
    equity, total = row["equity"], whole["equity"]
    return Group(
        name,
        row["customers"],
        row["customers"] / whole["customers"] if whole["customers"] else 0.0,
        number(equity),
        float(equity / total) if total and equity is not None else None,
        row["churn"],
        number(row["spend"]),
    )
