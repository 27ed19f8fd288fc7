"""What the page of the groups shows: tiers, stages and segments, and what changed since last time.

In: the newest score table of a store, and the one before. Out: figures of groups, the parts of
the change of equity, who went from which stage to which, and key accounts whose risk rose. They
are worked out once for each score table, in the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.api import answers
from serving.desk import Desk
from serving.errors import ScoreTableError
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.workbench import charts, customers
from serving.worker import Worker

if TYPE_CHECKING:
    from serving.groups.equity import Movement
    from serving.groups.migration import Flow
    from serving.groups.rises import Rise
    from serving.groups.summary import Group

#: Key accounts of the list of rises.
RISES = 15


@dataclass(frozen=True)
class Since:
    """What changed since an earlier score table.

    Parameters
    ----------
    as_of : date
        The earlier one's.
    movement : Movement
    flows : dict of (str, str) to Flow
        By stage before and now.
    rises : tuple of Rise
    notes : tuple of str
        Doubts about the comparison.
    """

    as_of: date
    movement: Movement
    flows: dict[tuple[str, str], Flow]
    rises: tuple[Rise, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """Groups of a score table.

    Parameters
    ----------
    tiers, stages, named : tuple of Group
    since : Since or None
        None without an earlier score table, or one that cannot be compared.
    """

    tiers: tuple[Group, ...]
    stages: tuple[Group, ...]
    named: tuple[Group, ...]
    since: Since | None


def content(worker: Worker, desk: Desk, scopes: Iterable[str]) -> dict[str, Any]:
    """Gather what the page of the groups shows.

    Parameters
    ----------
    worker : Worker
        With a store.
    desk : Desk
    scopes : iterable of str

    Returns
    -------
    dict
    """
    from serving.groups import named

    store = worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    earlier = max((day for day in store.dates("scores") if day < desk.meta.as_of), default=None)
    paths = [store.scores(day) for day in (desk.meta.as_of, earlier) if day is not None]
    found = _found(*(pair for path in paths for pair in (path, path.stat().st_mtime_ns)))
    sees = customers.seen(scopes)
    return {
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": sees,
        "groups": found,
        "words": {item.name: item.words for item in named.TABLE},
        "stages": STAGES,
        "chart": _drawn(found) if sees["value"] else None,
    }


@lru_cache(maxsize=4)
def _found(now: Path, written: int, before: Path | None = None, _: int = 0) -> Groups:
    """Groups of a file as it was written, beside an earlier one."""
    from features import connection
    from serving.groups import ledger, named
    from serving.groups import summary as groups
    from serving.groups.rules import NAMED

    del written
    engine = connection.duckdb()
    table = ledger.scores(engine, now)
    return Groups(
        groups.by(table, "tier", TIERS),
        groups.by(table, "stage", STAGES),
        groups.by(table, NAMED, named.NAMES),
        None if before is None else _since(engine, table, now, before),
    )


def _since(engine: Any, table: Any, now: Path, before: Path) -> Since | None:
    from serving import scores
    from serving.groups import equity, ledger, migration, rises

    try:
        earlier, current = scores.read_meta(before), scores.read_meta(now)
        notes = ledger.doubts(earlier, current)
        both = ledger.beside(ledger.scores(engine, before), table).cache()
    except ScoreTableError:
        return None
    with both:
        return Since(
            earlier.as_of,
            equity.movement(both),
            {(flow.before, flow.now): flow for flow in migration.migration(both, "stage")},
            rises.rises(both, RISES),
            notes,
        )


def _drawn(found: Groups) -> charts.Figure | None:
    """Equity by tier as bars."""
    import altair as alt
    import pandas as pd

    if not found.tiers:
        return None
    rows = [
        {"tier": one.name, "held": share, "of": of}
        for one in found.tiers
        for of, share in (("customers", one.share), ("equity", one.equity_share or 0.0))
    ]
    names = [one.name for one in found.tiers]
    drawn = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y("tier:N", sort=names, title=None),
            yOffset=alt.YOffset("of:N", sort=["customers", "equity"]),
            x=alt.X("held:Q", title="Share", axis=alt.Axis(format=".0%")),
            color=alt.Color(
                "of:N",
                title=None,
                scale=alt.Scale(domain=["customers", "equity"], range=["#8C8C8C", "#0072B2"]),
            ),
            tooltip=["tier:N", "of:N", alt.Tooltip("held:Q", format=".1%")],
        )
        .properties(width=460, height=alt.Step(14))
    )
    return charts.figure(drawn, "Share of the customers and of the equity that each tier holds")
