"""The feature plans for raw transactions, prepared once and run on a request's rows.

In: rows of a request, as text. Out: what the contract says of them, and behaviour rows. The
plans are those of the `features` room, the very ones that make the behaviour table. Compiling,
parsing and binding them takes many times longer than running them, so a plan is prepared in
DuckDB once for each as-of date, over rows that are put in its place with each request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa

from features.contract import FUTURE
from serving.desk import SETTINGS

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Columns of the rows of a request; `place` is the position among the customer's rows.
RAW = pa.schema(
    [
        ("customer_id", pa.string()),
        ("place", pa.int64()),
        ("timestamp", pa.string()),
        ("amount", pa.string()),
        ("order_id", pa.string()),
        ("product_id", pa.string()),
        ("category", pa.string()),
    ]
)
_SOURCE = tuple(name for name in RAW.names if name != "place")
# The future is told apart by a parameter; in the plan it would have to be compiled each time.
_NEVER = datetime(9999, 12, 31)
_DATES_KEPT = 16

# The raw row, with its place, is there for rejected rows only.
_VERDICT = """
PREPARE verdict AS
SELECT customer_id,
       min(raw_.place),
       min_by(reason_, raw_.place),
       count(*) FILTER (reason_ IS NULL AND occurred_at > $1::TIMESTAMP),
       count(*) FILTER (reason_ IS NULL AND day >= $2::DATE)
FROM ({judged}) GROUP BY customer_id
"""


@dataclass(frozen=True)
class Behaviour:
    """Behaviour rows of a request, and what was wrong with the others.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows by ``customer_id``, in no order; customers with a rejected row or without
        a purchase before the as-of date are not in it.
    rejected : dict of str to str
        Customer to the place and the reason of its first rejected row.
    ignored : dict of str to int
        Customer to its number of rows from the as-of date on.
    """

    frame: pd.DataFrame
    rejected: dict[str, str]
    ignored: dict[str, int]


class Plans:
    """Prepared plans of one business; one request at a time runs through them.

    Parameters
    ----------
    timezone : str
        IANA name of the business time zone.
    horizon_days : int
        Outcome window that the model was trained for; sets the window of the season's features.
    """

    def __init__(self, timezone: str, horizon_days: int) -> None:
        self._timezone = timezone
        self._horizon_days = horizon_days
        self._lock = threading.Lock()
        self._rows = _Rows()
        self._prepared: OrderedDict[date, str] = OrderedDict()

    def warm(self, as_of: date) -> None:
        """Prepare what a first request at a date would wait for."""
        with self._lock:
            self._prepare(as_of)

    def run(self, rows: pa.Table, *, as_of: date, now: datetime) -> Behaviour:
        """Judge the rows of a request and compute behaviour rows from the accepted ones.

        Parameters
        ----------
        rows : pyarrow.Table
            Of the schema ``RAW``.
        as_of : date
            Everything strictly before it is input.
        now : datetime
            Wall clock of the business, without zone; later rows are rejected.

        Returns
        -------
        Behaviour
        """
        with self._lock:
            plan = self._prepare(as_of)
            self._rows.table = rows
            try:
                told = self._database.execute(
                    f"EXECUTE verdict(TIMESTAMP '{now.isoformat(' ')}', DATE '{as_of}')"
                ).fetchall()
                # As Arrow, so that the frame has the types of one read from Parquet.
                frame = self._database.sql(f"EXECUTE {plan}").to_arrow_table().to_pandas()
            finally:
                self._rows.table = RAW.empty_table()
        rejected = {one: _why(*found) for one, *found, _ in told if found[1] or found[2]}
        ignored = {one: later for one, *_, later in told if later}
        if rejected:
            frame = frame[~frame["customer_id"].isin(rejected)]
        return Behaviour(frame, rejected, ignored)

    @cached_property
    def _database(self) -> Any:
        database = duckdb.connect(config=dict(SETTINGS))
        # As where the behaviour table is made.
        database.execute("SET TimeZone = 'UTC'")
        database.register("raw", self._rows)
        database.execute(_VERDICT.format(judged=self._templates.compile(self._judged)))
        return database

    @cached_property
    def _templates(self) -> Any:
        """Ibis backend with an empty table of raw rows, to compile plans with."""
        import ibis

        database = ibis.duckdb.connect(threads=1)
        columns = {name: "int64" if name == "place" else "string" for name in RAW.names}
        # Temporary, as what is registered under the same name where the plans run.
        database.create_table("raw", schema=ibis.schema(columns), temp=True)
        return database

    @cached_property
    def _judged(self) -> ir.Table:
        from features import contract
        from features.settings import TransactionsSource
        from features.sources import Opened

        named: dict[str, Any] = {name: name for name in _SOURCE}
        source = TransactionsSource(uri="request", **named)
        clock = contract.Clock(self._timezone, _NEVER, "duckdb")
        return contract.transactions(Opened(self._templates.table("raw"), "request"), source, clock)

    def _prepare(self, as_of: date) -> str:
        """Name of the prepared behaviour plan of a date."""
        if as_of in self._prepared:
            self._prepared.move_to_end(as_of)
            return self._prepared[as_of]
        database, name = self._database, f"behaviour_{as_of:%Y%m%d}"
        database.execute(f"PREPARE {name} AS {self._compile(as_of)}")
        self._prepared[as_of] = name
        if len(self._prepared) > _DATES_KEPT:
            _, oldest = self._prepared.popitem(last=False)
            database.execute(f"DEALLOCATE {oldest}")
        return name

    def _compile(self, as_of: date) -> str:
        from features.inputs import Inputs
        from features.table import behaviour

        judged = self._judged
        accepted = judged.filter(judged.reason_.isnull())
        accepted = accepted.drop("reason_", "row_", "zoned_", "raw_")
        inputs = Inputs(transactions=accepted, connection=self._templates)
        plan = behaviour(inputs, as_of, horizon_days=self._horizon_days)
        return str(self._templates.compile(plan))


class _Rows:
    """Rows that a prepared plan reads; another table can be put in their place.

    DuckDB asks for the stream at each run. A table that it holds itself, or one registered
    anew, would make it bind the plan again.
    """

    def __init__(self) -> None:
        self.table = RAW.empty_table()

    def __arrow_c_schema__(self) -> Any:
        return RAW.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


def _why(place: int | None, reason: str | None, late: int) -> str:
    if reason is None:
        return f"transactions: {late} with a {FUTURE}."
    return f"transactions[{place}]: {reason}."
