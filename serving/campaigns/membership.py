"""Who is in the plans that a store has kept, treated or held out.

In: their assignments. Out: a customer's part in them; the plans that still run, and everyone in
them; the held out of a plan whom others treated.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.campaigns import shelf
from serving.campaigns.assignments import HOLDOUT, TREATED
from serving.errors import CampaignError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Plans that are looked at for one customer, the newest; besides those that run.
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

    def runs(self, day: date) -> bool:
        """Whether its outcome is still watched on a day."""
        return self.as_of <= day < self.as_of + timedelta(days=self.horizon_days)


def running(folder: Path, day: date, plan_id: str | None = None) -> tuple[str, ...]:
    """Plans whose outcome is still watched on a day.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    day : date
    plan_id : str, optional
        A plan that may be among them: only those kept before it are told then.

    Returns
    -------
    tuple of str
        Those with as-of date ≤ day < as-of date + horizon, in the order they were kept in.

    Raises
    ------
    CampaignError
        If the figures of a plan cannot be read.
    """
    found = []
    for name, kept_at in reversed(shelf.listed(folder)):
        if name == plan_id:
            break
        first, end = _span(folder, name, kept_at)
        if first <= day < end:
            found.append(name)
    return tuple(found)


def engaged(folder: Path, plans: Sequence[str]) -> pd.Series | None:
    """Everyone in some plans, treated or held out.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    plans : sequence of str
        Their names.

    Returns
    -------
    pandas.Series or None
        Ids of customers, each once; None where there is no plan.

    Raises
    ------
    CampaignError
        If the assignments of a plan cannot be read.
    """
    import pandas as pd

    if not plans:
        return None
    parts = [_read(folder, name, ["customer_id"])["customer_id"].to_pandas() for name in plans]
    return pd.concat(parts).drop_duplicates()


def crossed(folder: Path, plan_id: str, rows: pa.Table, until: date) -> tuple[int, int]:
    """Held out customers of a plan whom other plans treated while it ran.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    plan_id : str
    rows : pyarrow.Table
        Its assignments.
    until : date
        The day after the last one that was observed.

    Returns
    -------
    tuple of int
        Held out customers whom a plan with an as-of date of those days treats, and all held out.

    Raises
    ------
    CampaignError
        If a plan cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    held = pc.unique(rows.filter(pc.equal(rows["arm"], HOLDOUT))["customer_id"])
    start = rows["as_of"][0].as_py() if rows.num_rows else until
    met = pa.array([False] * len(held), pa.bool_())
    for name, kept_at in shelf.listed(folder):
        if name != plan_id and start <= _span(folder, name, kept_at)[0] < until:
            others = _read(folder, name, ["customer_id", "arm"])
            treated = others.filter(pc.equal(others["arm"], TREATED))["customer_id"]
            met = pc.or_(met, pc.is_in(held, treated.combine_chunks()))
    return int(pc.sum(met).as_py() or 0), len(held)


@lru_cache(maxsize=1024)
def _span(folder: Path, plan_id: str, kept_at: datetime) -> tuple[date, date]:  # noqa: ARG001
    """First day of a plan, and the day after its last, remembered for this keeping."""
    figures = shelf.said(folder, plan_id)
    try:
        assert figures is not None  # noqa: S101 - it was listed
        first = date.fromisoformat(figures["as_of"])
        return first, first + timedelta(days=int(figures["horizon_days"]))
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise CampaignError(
            f"Got {plan_id}.json in the store's plans without its days; expected the figures of a "
            "plan. Bring it back from a backup."
        ) from error


def _read(folder: Path, plan_id: str, columns: list[str]) -> pa.Table:
    """Columns of the assignments of a plan, of whichever version."""
    import pyarrow.parquet as pq

    try:
        return pq.read_table(folder / f"{plan_id}.parquet", columns=columns, partitioning=None)
    except (OSError, ValueError) as error:
        raise CampaignError(
            f"Got {plan_id}.parquet in the store's plans, which cannot be read "
            f"({type(error).__name__}): who is in the plan is then not known, and nothing is "
            "planned beside it. Bring it back from a backup."
        ) from error


def memberships(
    folder: Path, cursor: Any, customer_id: str, also: Sequence[str] = ()
) -> tuple[Membership, ...]:
    """A customer's part in the newest plans.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    cursor : DuckDB cursor
        Of the caller's own.
    customer_id : str
    also : sequence of str, optional
        Plans that are looked at though they are older.

    Returns
    -------
    tuple of Membership
        The newest plan first; empty where the customer is in none of them.
    """
    found: list[Membership] = []
    there = [plan_id for plan_id, _ in shelf.listed(folder)]
    for plan_id in [*there[:PLANS], *(name for name in there[PLANS:] if name in also)]:
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
