"""Similar customers: those whose purchases look most alike.

In: the behaviour table of the score table's date, and a customer. Out: the nearest others. Beside
them one reads what the model says of customers alike, and whether it says the same of this one.

With p_k(i) the midrank of customer i among all by column k, as a share of them, the distance is

    d(i, j) = Σ_k |p_k(i) − p_k(j)| / 4

over the four columns of `COLUMNS`, in [0, 1]. Ranks and not amounts, so that the few who spend a
hundred times as much do not stretch the scale for all others. Ties go by customer.

Null rule: a customer without a purchase on record is like nobody.
"""

from __future__ import annotations

import glob
import threading
from dataclasses import dataclass

from features.store import Store
from serving.desk import Desk

#: How often, how long ago, how much, since when.
COLUMNS = ("frequency", "days_since_last", "order_mean", "T")
_LOCK = threading.Lock()
_TABLE = "similar_ranks"


@dataclass(frozen=True)
class Alike:
    """A customer like the one that was asked about.

    Parameters
    ----------
    customer_id : str
    distance : float
        In [0, 1]; 0 for ranks that are all the same.
    """

    customer_id: str
    distance: float


def nearest(store: Store | None, desk: Desk, customer_id: str, number: int) -> tuple[Alike, ...]:
    """The customers who are most alike.

    Parameters
    ----------
    store : Store or None
    desk : Desk
        The score table; ranks are worked out once for each, and held in its memory.
    customer_id : str
    number : int
        How many.

    Returns
    -------
    tuple of Alike
        Nearest first; empty without a behaviour table or a purchase on record.
    """
    path = None if store is None else store.behaviour(desk.meta.as_of)
    if path is None or not path.is_file():
        return ()
    cursor = desk.cursor()
    with _LOCK:
        cursor.execute(_ranks(), [glob.escape(str(path))])
    apart = " + ".join(f"abs(o.p{k} - own.p{k})" for k in range(len(COLUMNS)))
    sql = (
        f"SELECT o.customer_id, ({apart}) / {len(COLUMNS)} AS distance "  # noqa: S608
        f"FROM {_TABLE} o, (SELECT * FROM {_TABLE} WHERE customer_id = $1) own "
        "WHERE o.customer_id <> $1 ORDER BY distance, o.customer_id LIMIT $2"
    )
    return tuple(Alike(*row) for row in cursor.execute(sql, [customer_id, number]).fetchall())


def _ranks() -> str:
    """Query that makes the table of midranks, once; over distinct values, which are few."""
    values = [f'round("{name}"::DOUBLE, 2)' for name in COLUMNS]
    ranks = ", ".join(
        f"r{k} AS (SELECT v, (sum(n) OVER (ORDER BY v) - n / 2) / sum(n) OVER () AS p "  # noqa: S608
        f"FROM (SELECT {value} AS v, count(*) AS n FROM past GROUP BY v))"
        for k, value in enumerate(values)
    )
    joins = " ".join(f"JOIN r{k} ON r{k}.v = {value}" for k, value in enumerate(values))
    shown = ", ".join(f"r{k}.p::FLOAT AS p{k}" for k in range(len(COLUMNS)))
    return (
        f"CREATE TABLE IF NOT EXISTS {_TABLE} AS WITH past AS (SELECT customer_id, "  # noqa: S608
        f"{', '.join(COLUMNS)} FROM read_parquet(?, hive_partitioning = false) "
        f"WHERE days_since_last IS NOT NULL), {ranks} "
        f"SELECT customer_id, {shown} FROM past {joins}"
    )
