"""The plans of a store: each as its assignments and its figures, and the export for who acts.

Every file is whole or not there at all. The figures are written last, so a plan that has them has
its assignments too.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.store import replacing, write_parquet, write_text
from serving.campaigns.assignments import SCHEMA
from serving.errors import CampaignError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.campaigns.planning import Plan

KINDS = (".parquet", ".csv")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def figures(plan: Plan) -> dict[str, Any]:
    """What is said of a plan, as plain values; no customer is in it."""
    return {
        "plan_id": plan.plan_id,
        "as_of": plan.as_of.isoformat(),
        "horizon_days": plan.horizon_days,
        "budget": plan.budget,
        "total": asdict(plan.total),
        "actions": [
            {**asdict(one), "since": one.since and one.since.isoformat()} for one in plan.lines
        ],
        "assumed": list(plan.assumed),
        "held_back": dict(plan.held_back),
        "unscored": plan.unscored,
        "curve": asdict(plan.curve),
        "holdout": asdict(plan.power),
        "gap": plan.gap,
    }


def keep(plan: Plan, folder: Path) -> tuple[Path, Path]:
    """Write a plan into the store.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Folder of the plans.

    Returns
    -------
    tuple of Path
        ``<plan_id>.parquet`` with the assignments and ``<plan_id>.json`` with the figures.

    Raises
    ------
    CampaignError
        If there is such a plan already: what went out is never rewritten.
    """
    rows, said = folder / f"{plan.plan_id}.parquet", folder / f"{plan.plan_id}.json"
    if not _ID.fullmatch(plan.plan_id) or said.exists():
        raise CampaignError(
            f"Got the plan {plan.plan_id!r}, which is there already or is no plain name; expected "
            "a new one: plan again under another id."
        )
    write_parquet(plan.assignments, rows)
    write_text(said, json.dumps(figures(plan), indent=1, allow_nan=False, default=str) + "\n")
    return rows, said


def assignments(folder: Path, plan_id: str) -> pa.Table:
    """Assignments of a plan in the store.

    Raises
    ------
    CampaignError
        If there is no such plan, or it has other columns.
    """
    import pyarrow.parquet as pq

    file = folder / f"{plan_id}.parquet"
    if not _ID.fullmatch(plan_id) or not file.exists():
        there = sorted(path.stem for path in folder.glob("*.parquet"))
        raise CampaignError(
            f"Got the plan {plan_id!r}; expected one of the store: {', '.join(there) or 'none'}."
        )
    table = pq.read_table(file, partitioning=None)
    if table.schema.remove_metadata() != SCHEMA:
        raise CampaignError(
            f"Got {file.name} with other columns than assignments have; plan again with this "
            "version."
        )
    return table.replace_schema_metadata(None)


def export(plan: Plan, path: Path) -> int:
    """Write the assignments for who acts on them, whole or not at all.

    Parameters
    ----------
    plan : Plan
    path : Path
        ``.csv`` or ``.parquet``. The held out are in it, marked by ``arm``: they get nothing.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    OutputError
        If the file is of another kind.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise OutputError(f"got {path.name}; plans are written as .parquet or .csv: name one")
    if kind == ".parquet":
        return write_parquet(plan.assignments, path)
    from pyarrow import csv

    with replacing(path) as partial:
        csv.write_csv(plan.assignments, partial, csv.WriteOptions(quoting_style="needed"))
    return int(plan.assignments.num_rows)
