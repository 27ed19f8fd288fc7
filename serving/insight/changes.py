"""What changed about customers since the score table before: risk, stage, tier, value, reasons.

In: rows of two score tables. Out: one row for each customer of the later one, with what it was
then beside what it is now. Whole columns, in the engine.

A reason came when its family did not move the risk this way then, and went when it no longer
does; only the three that a table tells are compared. Null rule: of a customer who was not in the
earlier table everything of then is null, and so is a change of what is null at one of the dates.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from features.store import Store
from serving import scores
from serving.desk import SETTINGS, Desk
from serving.errors import ScoreTableError
from serving.groups import ledger

#: Columns of a score table that are compared.
READ = ("customer_id", "churn_probability", "stage", "tier", "clv", "reasons")
SCHEMA = pa.schema([scores.SCHEMA.field(name) for name in READ])
#: Of then and of the difference, by the question that they belong to.
RISK = ("churn_probability_before", "churn_probability_change", "came", "went")
VALUE = ("clv_before", "clv_change", "tier_before")
COMMON = ("there_before", "stage_before")

# A reason is the same one where family and direction are.
_TOLD = "list_transform(coalesce(reasons, []), lambda r: r.direction || ' ' || r.family)"
_SQL = f"""
SELECT
    n.customer_id,
    b.customer_id IS NOT NULL AS there_before,
    b.stage AS stage_before,
    b.churn_probability AS churn_probability_before,
    n.churn_probability - b.churn_probability AS churn_probability_change,
    CASE WHEN b.customer_id IS NOT NULL THEN list_filter(coalesce(n.reasons, []), lambda r:
        NOT list_contains(b.told, r.direction || ' ' || r.family)) END AS came,
    CASE WHEN b.customer_id IS NOT NULL THEN list_filter(coalesce(b.reasons, []), lambda r:
        NOT list_contains(n.told, r.direction || ' ' || r.family)) END AS went,
    b.clv AS clv_before,
    n.clv - b.clv AS clv_change,
    b.tier AS tier_before
FROM (SELECT *, {_TOLD} AS told FROM now) n
LEFT JOIN (SELECT *, {_TOLD} AS told FROM before) b USING (customer_id)
ORDER BY n.customer_id
"""  # noqa: S608 - of constants only


@dataclass(frozen=True)
class Since:
    """An earlier score table that a later one can be compared with.

    Parameters
    ----------
    as_of : date
        The earlier one's.
    notes : tuple of str
        Doubts about the comparison, as `ledger.doubts` says them.
    """

    as_of: date
    notes: tuple[str, ...]


def compare(before: pa.Table, now: pa.Table, engine: Any = None) -> pa.Table:
    """Compare customers of two score tables.

    Parameters
    ----------
    before, now : pyarrow.Table
        With the columns of `SCHEMA`; a customer once in each.
    engine : DuckDB cursor, optional
        Of the caller's own; opening another one takes longer than comparing a few customers.

    Returns
    -------
    pyarrow.Table
        The customers of `now` by ``customer_id``: ``there_before`` boolean; ``stage_before``,
        ``tier_before`` string; ``churn_probability_before``, ``…_change``, ``clv_before``,
        ``…_change`` float64, a change being now − then; ``came`` and ``went``, lists of reasons.
    """
    own = duckdb.connect(config=dict(SETTINGS)) if engine is None else engine
    own.register("before", before)
    own.register("now", now)
    return own.sql(_SQL).to_arrow_table()


def since(store: Store | None, now: scores.Meta) -> Since | None:
    """The score table before the newest one.

    Parameters
    ----------
    store : Store or None
    now : Meta
        Of the newest.

    Returns
    -------
    Since or None
        None where there is none, or where the two cannot be compared.
    """
    if store is None:
        return None
    earlier = max((day for day in store.dates("scores") if day < now.as_of), default=None)
    if earlier is None:
        return None
    try:
        return Since(earlier, ledger.doubts(scores.read_meta(store.scores(earlier)), now))
    except ScoreTableError:
        return None


def of(store: Store, desk: Desk, earlier: Since, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What changed about some customers.

    Parameters
    ----------
    store : Store
    desk : Desk
        The newest score table.
    earlier : Since
        From `since`.
    ids : sequence of str

    Returns
    -------
    dict of str to dict
        Rows of `compare` by customer; only those of the newest table.
    """
    found = list(desk.rows(ids, READ).values())
    if not found:
        return {}
    marks = ", ".join("?" * len(found))
    sql = (
        f"SELECT {', '.join(READ)} FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608
        f"WHERE customer_id IN ({marks})"
    )
    path = glob.escape(str(store.scores(earlier.as_of)))
    given = [path, *(row["customer_id"] for row in found)]
    engine = desk.cursor()
    before = engine.sql(sql, params=given).to_arrow_table().cast(SCHEMA)
    told = compare(before, pa.Table.from_pylist(found, schema=SCHEMA), engine).to_pylist()
    return {row["customer_id"]: row for row in told}
