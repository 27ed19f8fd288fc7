"""The plans of a store: each as its assignments and its figures, and the export for who acts.

Every file is whole or not there at all. The figures are written last, so a plan that has them has
its assignments too.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
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
        "kept_from": {name: list(actions) for name, actions in plan.kept_from.items()},
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


def said(folder: Path, plan_id: str) -> dict[str, Any] | None:
    """Figures of a plan in the store, as `figures` gives them; None where there is no such plan.

    Raises
    ------
    CampaignError
        If they cannot be read.
    """
    file = folder / f"{plan_id}.json"
    if not _ID.fullmatch(plan_id) or not file.is_file():
        return None
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return told
    except (OSError, ValueError) as error:
        raise CampaignError(
            f"Got {file.name} in the store's plans, which cannot be read "
            f"({type(error).__name__}); expected the figures of a plan. Bring it back from a "
            "backup."
        ) from error


def listed(folder: Path) -> list[tuple[str, datetime]]:
    """Plans of the store and when each was kept, in UTC, the newest first."""
    times = [(path.stem, path.stat().st_mtime) for path in folder.glob("*.json")]
    times.sort(key=lambda pair: (-pair[1], pair[0]))
    return [(name, datetime.fromtimestamp(when, UTC)) for name, when in times]


@contextlib.contextmanager
def claimed(folder: Path, plan_id: str) -> Iterator[bool]:
    """Claim the making of a plan for as long as the block runs.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    plan_id : str

    Yields
    ------
    bool
        False where another process, or another thread, is making it.
    """
    file = _claim(folder, plan_id)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


def under_way(folder: Path, plan_id: str) -> bool:
    """Whether a plan is being made now, by whichever process."""
    try:
        descriptor = os.open(_claim(folder, plan_id), os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _claim(folder: Path, plan_id: str) -> Path:
    if not _ID.fullmatch(plan_id):
        raise CampaignError("Got a plan whose id is no plain name; expected one as plans have.")
    return folder / f".{plan_id}.lock"


def assignments(folder: Path, plan_id: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Assignments of a plan in the store.

    Parameters
    ----------
    folder : Path
        Folder of the plans.
    plan_id : str
    columns : sequence of str, optional
        Names of the columns that are read; all when not given.

    Returns
    -------
    pyarrow.Table
        The most profitable first.

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
    if pq.read_schema(file).remove_metadata() != SCHEMA:
        raise CampaignError(
            f"Got {file.name} with other columns than assignments have; plan again with this "
            "version."
        )
    named = None if columns is None else list(columns)
    return pq.read_table(file, columns=named, partitioning=None).replace_schema_metadata(None)


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
