"""A short text that is the same exactly when the training data are the same.

In: the accepted log before an as-of date. Out: a SHA-256 over its daily totals (rows, customers,
exact amounts), so row order and engine do not matter and no customer can be read from it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Fingerprint:
    """What the data were.

    Attributes
    ----------
    digest : str
        64 hexadecimal digits.
    rows : int
        Accepted rows before the as-of date.
    first_day, last_day : str
        ISO dates; empty where there are no rows.
    """

    digest: str
    rows: int
    first_day: str
    last_day: str


def of_transactions(transactions: ir.Table, as_of: date) -> Fingerprint:
    """Fingerprint of the log before a date.

    Parameters
    ----------
    transactions : ibis Table
        Accepted transactions.
    as_of : date
        Rows from this day on do not count.

    Returns
    -------
    Fingerprint
        Equal for equal rows in any order, on DuckDB and Spark.
    """
    import ibis

    past = transactions.filter(transactions.day < ibis.literal(as_of))
    daily = past.group_by("day").agg(
        rows=past.count(), customers=past.customer_id.nunique(), amount=past.amount.sum()
    )
    days = daily.order_by("day").to_pyarrow().to_pylist()
    lines = [f"{d['day']} {d['rows']} {d['customers']} {d['amount']:.6f}" for d in days]
    return Fingerprint(
        digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        rows=sum(d["rows"] for d in days),
        first_day=str(days[0]["day"]) if days else "",
        last_day=str(days[-1]["day"]) if days else "",
    )


def of_customers(customers: ir.Table) -> Fingerprint:
    """Fingerprint of a customers table (label rule): its columns and how often each value stands.

    Parameters
    ----------
    customers : ibis Table
        Accepted customers.

    Returns
    -------
    Fingerprint
        Equal for equal rows in any order; days are empty.
    """
    names = [name for name in customers.columns if name != "customer_id"]
    tallies = {
        name: sorted(
            (str(row[name]), row["n"])
            for row in customers.group_by(name).agg(n=customers.count()).to_pyarrow().to_pylist()
        )
        for name in names
    }
    text = json.dumps(tallies, sort_keys=True)
    rows = int(customers.count().to_pyarrow().as_py())
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest(), rows, "", "")
