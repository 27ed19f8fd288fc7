"""Whether a customer is in a plan, or held out of one.

In: the assignments of the plans that a store has kept. Out: the customer's part in them, the
newest plan first.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from serving.campaigns import shelf
from serving.campaigns.assignments import HOLDOUT

#: Plans that are looked at, the newest.
PLANS = 12


@dataclass(frozen=True)
class Membership:
    """A customer's part in a plan.

    Parameters
    ----------
    plan_id : str
    as_of : date
        Day of the plan's scores.
    action, arm : str
        What it is for, and ``treated`` or ``holdout``.
    horizon_days : int
        For so long the outcome is watched.
    """

    plan_id: str
    as_of: date
    action: str
    arm: str
    horizon_days: int

    @property
    def held_out(self) -> bool:
        """Whether nothing is done, so that the effect can be seen."""
        return self.arm == HOLDOUT


def memberships(folder: Path, cursor: Any, customer_id: str) -> tuple[Membership, ...]:
    """A customer's part in the newest plans.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    cursor : DuckDB cursor
        Of the caller's own.
    customer_id : str

    Returns
    -------
    tuple of Membership
        The newest plan first; empty where the customer is in none of them.
    """
    found: list[Membership] = []
    for plan_id, _ in shelf.listed(folder)[:PLANS]:
        file = folder / f"{plan_id}.parquet"
        if file.is_file():
            sql = (
                "SELECT plan_id, as_of, action, arm, horizon_days "
                "FROM read_parquet(?, hive_partitioning = false) WHERE customer_id = ? "
                "ORDER BY action"
            )
            rows = cursor.execute(sql, [glob.escape(str(file)), customer_id]).fetchall()
            found += [Membership(*row) for row in rows]
    return tuple(found)
