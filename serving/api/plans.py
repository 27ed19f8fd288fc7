"""The feature plans for raw rows, prepared once and run on a request's.

In: transactions of a request, as text, its events and its subscriptions where it brings any. Out:
what the contract says of them, and behaviour rows. The plans are those of the `features` room, the
very ones that make the behaviour table. Compiling, parsing and binding them takes many times longer
than running them, so a plan is prepared in DuckDB once for each as-of date, over rows that are put
in its place with each request; one over further sources only when a request first brings them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa

from serving.api import rows
from serving.api.rows import SCHEMAS, Rejected, Rows, Source
from serving.desk import SETTINGS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.table import Population

_PLANS_KEPT = 16
# Of a customer with several broken rows the last of these sources is told.
_TOLD_LAST: tuple[Source, ...] = ("events", "subscriptions", "transactions")


@dataclass(frozen=True)
class Behaviour:
    """Behaviour rows of a request, and what was wrong with the others.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows by ``customer_id``, in no order; customers with a rejected row, or without
        a purchase before the as-of date (of subscribers, a subscription that runs on it), are not
        in it.
    rejected : dict of str to Rejected
        Customer to its first rejected transaction or, where all of them were accepted,
        subscription, or event.
    ignored : dict of str to dict of str to int
        Source to customer to its number of rows that are not looked at, as `Verdict` has it.
    """

    frame: pd.DataFrame
    rejected: dict[str, Rejected]
    ignored: Mapping[Source, dict[str, int]]


class Plans:
    """Prepared plans of one business; one request at a time runs through them.

    Parameters
    ----------
    timezone : str
        IANA name of the business time zone.
    horizon_days : int
        Outcome window that the model was trained for; sets the window of the season's features.
    billing : mapping, optional
        How subscriptions are kept (`serving.api.billing.kept`); without it none can be read.
    subscribers : bool, default False
        Whether the rows are of those whose subscription runs, rather than of those who bought.
    """

    def __init__(
        self,
        timezone: str,
        horizon_days: int,
        *,
        billing: Mapping[str, Any] | None = None,
        subscribers: bool = False,
    ) -> None:
        self._timezone = timezone
        self._billing = billing
        self._population: Population = "subscribers" if subscribers else "buyers"
        self._horizon_days = horizon_days
        self._lock = threading.Lock()
        self._rows = {source: Rows(source) for source in SCHEMAS}
        self._judged: dict[Source, ir.Table] = {}
        self._prepared: OrderedDict[str, None] = OrderedDict()

    def warm(self, as_of: date) -> None:
        """Prepare what a first request at a date would wait for, with one source."""
        if self.subscribers and not self.reads_subscriptions:
            return
        with self._lock:
            self._prepare(as_of, ("subscriptions" if self.subscribers else "transactions",))

    @property
    def subscribers(self) -> bool:
        """Whether rows are of subscribers."""
        return self._population == "subscribers"

    @property
    def reads_subscriptions(self) -> bool:
        """Whether it is known how the business keeps subscriptions."""
        return self._billing is not None

    def run(
        self,
        transactions: pa.Table | None = None,
        events: pa.Table | None = None,
        subscriptions: pa.Table | None = None,
        *,
        as_of: date,
        now: datetime,
    ) -> Behaviour:
        """Judge the rows of a request and compute behaviour rows from the accepted ones.

        Parameters
        ----------
        transactions, events, subscriptions : pyarrow.Table, optional
            Of the schemas of ``serving.api.rows``; without one there is no such source, and what
            comes of it is null. The first is needed for buyers, the last for subscribers.
        as_of : date
            Everything strictly before it is input.
        now : datetime
            Wall clock of the business, without zone; later rows are rejected.

        Returns
        -------
        Behaviour
        """
        every = {"transactions": transactions, "events": events, "subscriptions": subscriptions}
        given = {source: every[source] for source in SCHEMAS if every[source] is not None}
        with self._lock:
            plan = self._prepare(as_of, tuple(given))
            for source, table in given.items():
                self._rows[source].table = table
            try:
                verdicts = {
                    source: rows.verdict(self._database, source, as_of=as_of, now=now)
                    for source in given
                }
                # As Arrow, so that the frame has the types of one read from Parquet.
                frame = self._database.sql(f"EXECUTE {plan}").to_arrow_table().to_pandas()
            finally:
                for source in given:
                    self._rows[source].clear()
        rejected: dict[str, Rejected] = {}
        for source in _TOLD_LAST:
            rejected |= verdicts[source].rejected if source in verdicts else {}
        if rejected:
            frame = frame[~frame["customer_id"].isin(rejected)]
        ignored = {source: one.ignored for source, one in verdicts.items()}
        return Behaviour(frame, rejected, ignored)

    @cached_property
    def _database(self) -> Any:
        database = duckdb.connect(config=dict(SETTINGS))
        # As where the behaviour table is made.
        database.execute("SET TimeZone = 'UTC'")
        for source, place in self._rows.items():
            database.register(rows.name(source), place)
        return database

    @cached_property
    def _templates(self) -> Any:
        """Ibis backend with empty tables of raw rows, to compile plans with."""
        import ibis

        database = ibis.duckdb.connect(threads=1)
        for source, schema in SCHEMAS.items():
            # Temporary, as what is registered under the same name where the plans run.
            database.create_table(
                rows.name(source), schema=ibis.Schema.from_pyarrow(schema), temp=True
            )
        return database

    def _judge(self, source: Source) -> ir.Table:
        """Judged rows of a source; its verdict is prepared with the first plan that reads it."""
        if source not in self._judged:
            raw = self._templates.table(rows.name(source))
            judged = rows.judged(raw, source, self._timezone, self._billing)
            rows.prepare(self._database, source, self._templates.compile(judged))
            self._judged[source] = judged
        return self._judged[source]

    def _prepare(self, as_of: date, sources: tuple[Source, ...]) -> str:
        """Name of the prepared behaviour plan of a date over some sources."""
        name = "_".join(("behaviour", f"{as_of:%Y%m%d}", *sources))
        if name in self._prepared:
            self._prepared.move_to_end(name)
            return name
        self._database.execute(f"PREPARE {name} AS {self._compile(as_of, sources)}")
        self._prepared[name] = None
        if len(self._prepared) > _PLANS_KEPT:
            oldest, _ = self._prepared.popitem(last=False)
            self._database.execute(f"DEALLOCATE {oldest}")
        return name

    def _compile(self, as_of: date, sources: tuple[Source, ...]) -> str:
        from features.inputs import Inputs
        from features.table import behaviour

        accepted = {str(source): rows.accepted(self._judge(source)) for source in sources}
        inputs = Inputs(**accepted, connection=self._templates)
        plan = behaviour(
            inputs, as_of, horizon_days=self._horizon_days, population=self._population
        )
        return str(self._templates.compile(plan))
