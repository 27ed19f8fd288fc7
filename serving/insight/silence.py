"""How long customers had been silent at two dates: days since the last purchase, then and now.

In: the behaviour tables beside two score tables. Out: both figures by customer, so that a risk
that rose is told with what changed, whichever reasons were told. Read for a few customers only.

Null rule: nothing of a customer without a purchase on record at the later date, nor without its
behaviour table; `then` alone is null where that date does not know it.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from features.store import Store


@dataclass(frozen=True)
class Silence:
    """Days since a customer's last purchase at two dates.

    Parameters
    ----------
    then : int or None
        At the earlier date, at least 1; None where nothing is on record.
    now : int
        At the later date, at least 1.
    """

    then: int | None
    now: int

    @property
    def text(self) -> str:
        """For people, in English."""
        ago = f"last purchase {self.now:,} day{'' if self.now == 1 else 's'} ago"
        return ago if self.then is None else f"{ago} (then {self.then:,})"


def silences(
    store: Store, before: date, now: date, ids: Sequence[str], engine: Any = None
) -> dict[str, Silence]:
    """Days since the last purchase at two dates.

    Parameters
    ----------
    store : Store
    before, now : date
        Of the earlier and the later score table.
    ids : sequence of str
    engine : DuckDB cursor, optional
        Of the caller's own.

    Returns
    -------
    dict of str to Silence
    """
    own = duckdb.connect() if engine is None else engine
    then, told = (_days(own, store.behaviour(day), ids) for day in (before, now))
    return {one: Silence(then.get(one), days) for one, days in told.items()}


def _days(engine: Any, path: Path, ids: Sequence[str]) -> dict[str, int]:
    if not ids or not path.is_file():
        return {}
    given = [glob.escape(str(path)), list(ids)]
    held = engine.execute(
        "SELECT name FROM parquet_schema(?) WHERE name = 'days_since_last'", given[:1]
    )
    if not held.fetchall():
        return {}
    sql = (
        "SELECT customer_id, days_since_last::BIGINT FROM read_parquet(?, hive_partitioning = "
        "false) WHERE list_contains(?::VARCHAR[], customer_id) AND days_since_last IS NOT NULL"
    )
    return dict(engine.execute(sql, given).fetchall())
