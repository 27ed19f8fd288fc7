"""Migration: who went from which stage, or tier, to which between two score tables.

In: two score tables side by side (`ledger.beside`). Out: one `Flow` for each pair with a
customer in it. Customers who are in one of the tables only have a row or a column of their own,
so the customers of either table, and their lifetime values, add up to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from features.compat import arrow
from serving.groups.ledger import GONE, NEW, NONE, number
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS

if TYPE_CHECKING:
    import ibis.expr.types as ir

Kind = Literal["stage", "tier"]
#: Words of each kind, in the order in which they are told.
WORDS: dict[Kind, tuple[str, ...]] = {"stage": STAGES, "tier": TIERS}


@dataclass(frozen=True)
class Flow:
    """Customers who went from one word to another.

    Parameters
    ----------
    before, now : str
        Stages or tiers; "(new)" before: not in the earlier table; "(gone)" now: not in the later
        one; "(none)": nothing said.
    customers : int
    share : float
        Of the customers with the same word before, in [0, 1]: p(now | before).
    clv_before, clv_now : float or None
        Their lifetime values together, in currency; None where none is said, 0 where they were
        not, or are no longer, on record.
    """

    before: str
    now: str
    customers: int
    share: float
    clv_before: float | None
    clv_now: float | None


def migration(beside: ir.Table, kind: Kind) -> tuple[Flow, ...]:
    """Count and value the moves.

    Parameters
    ----------
    beside : ibis table
        From `serving.groups.ledger.beside`.
    kind : {"stage", "tier"}

    Returns
    -------
    tuple of Flow
        By the word before, then by the word now, in the order of ``WORDS``.
    """
    moved = beside.group_by(before=beside[f"{kind}_before"], now=beside[f"{kind}_now"]).aggregate(
        customers=beside.count(),
        clv_before=beside.clv_before.sum(),
        clv_now=beside.clv_now.sum(),
    )
    rows = arrow(moved).to_pylist()
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["before"]] = sizes.get(row["before"], 0) + row["customers"]
    order = {word: place for place, word in enumerate((*WORDS[kind], NONE, NEW, GONE))}
    return tuple(
        Flow(
            row["before"],
            row["now"],
            row["customers"],
            row["customers"] / sizes[row["before"]],
            0.0 if row["before"] == NEW else number(row["clv_before"]),
            0.0 if row["now"] == GONE else number(row["clv_now"]),
        )
        for row in sorted(rows, key=lambda row: (order[row["before"]], order[row["now"]]))
    )
