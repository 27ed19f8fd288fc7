"""Small logs by hand and one rich log at random, as inputs of either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from features.inputs import Inputs
from features.table import behaviour

AS_OF = date(2024, 6, 1)
HORIZON_DAYS = 90

TRANSACTIONS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("day", pa.date32()),
        ("amount", pa.decimal128(18, 6)),
        ("order_id", pa.string()),
        ("product_id", pa.string()),
        ("category", pa.string()),
    ]
)
MARGIN = pa.field("margin", pa.decimal128(18, 6))
EVENTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("day", pa.date32()),
        ("kind", pa.string()),
        ("value", pa.float64()),
    ]
)
CUSTOMERS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("attribute_plan", pa.string()),
        ("attribute_age", pa.float64()),
        ("churned", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Log:
    """Accepted rows of the three sources as Arrow tables; None for a source that is not there."""

    transactions: pa.Table | None = None
    customers: pa.Table | None = None
    events: pa.Table | None = None

    def sources(self) -> dict[str, pa.Table]:
        """The sources that are there, by name."""
        return {name: table for name, table in self.__dict__.items() if table is not None}

    def inputs(self, threads: int = 1) -> Inputs:
        """The rows as tables of a DuckDB of their own."""
        connection = ibis.duckdb.connect(threads=threads)
        tables = {
            name: connection.create_table(name, table) for name, table in self.sources().items()
        }
        return Inputs(**tables, connection=connection)

    def map(self, change: Callable[[pa.Table], pa.Table]) -> Log:
        """The log with every source changed."""
        return replace(self, **{name: change(table) for name, table in self.sources().items()})


def transactions(rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Rows of (customer, day, amount[, order, product, category[, margin]]); noon of the day.

    The log states margins where a row has a place for one.
    """
    records, stated = [], False
    for row in rows:
        customer, day, amount, *ids = row
        day = date.fromisoformat(day) if isinstance(day, str) else day
        order, product, category, margin = (*ids, None, None, None, None)[:4]
        stated = stated or len(ids) > 3
        records.append(
            {
                "customer_id": customer,
                "occurred_at": datetime(day.year, day.month, day.day, 12),
                "day": day,
                "amount": Decimal(str(amount)),
                "order_id": order,
                "product_id": product,
                "category": category,
                "margin": None if margin is None else Decimal(str(margin)),
            }
        )
    return pa.Table.from_pylist(records, TRANSACTIONS.append(MARGIN) if stated else TRANSACTIONS)


def events(rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Rows of (customer, moment as ISO text, kind[, value])."""
    records = []
    for customer, moment, kind, *value in rows:
        at = datetime.fromisoformat(moment)
        records.append(
            {
                "customer_id": customer,
                "occurred_at": at,
                "day": at.date(),
                "kind": kind,
                "value": value[0] if value else None,
            }
        )
    return pa.Table.from_pylist(records, EVENTS)


def customers(rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Rows of (customer, plan, age, churned)."""
    names = CUSTOMERS.names
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], CUSTOMERS)


def by_customer(table: Any) -> dict[str, dict[str, Any]]:
    """Computed rows of a lazy table by customer id."""
    return {row.pop("customer_id"): row for row in table.to_pyarrow().to_pylist()}


def _rows_of(
    log: Sequence[Sequence[Any]],
    as_of: date = AS_OF,
    *,
    seen: Sequence[Sequence[Any]] | None = None,
    horizon_days: int = HORIZON_DAYS,
) -> dict[str, dict[str, Any]]:
    """Behaviour rows of a small log, and of its events where they are given, by customer."""
    source = Log(transactions(log), events=None if seen is None else events(seen))
    return by_customer(behaviour(source.inputs(), as_of, horizon_days=horizon_days))


def random_log(seed: int, start: date, end: date, purchases: int, customers_: range) -> Log:
    """A log with everything in it that the features look at.

    The first customers buy hundreds of times and the last hardly once, in orders of one to five
    lines; one order in eight sends part of itself back on its day, one in twelve all of it, and
    one in ten is a refund of another day. Some lines are free, some name no product and no margin,
    some are sold at a loss. Complaints, resolutions, marks, contacts and usage come beside them; a
    third of the customers has no event. Some customers have no attribute.
    """
    rng = np.random.default_rng(seed)
    span = (end - start).days
    weights = 1 / np.arange(1, len(customers_) + 1) ** 1.5
    bought, seen = [], []
    for order in range(purchases):
        customer = f"c{rng.choice(customers_, p=weights / weights.sum()):04d}"
        day = start + timedelta(days=int(rng.integers(span)))
        lines = [_line(rng, customer, day, f"o{seed}-{order}") for _ in range(rng.integers(1, 6))]
        fate = rng.random()
        if fate < 1 / 8:
            lines.append(_back(lines[0], 2))
        elif fate < 1 / 8 + 1 / 12:
            lines += [_back(line) for line in lines]
        elif fate < 1 / 8 + 1 / 12 + 1 / 10:
            lines = [_back(lines[0])]
        bought += lines
        if customer[-1] < "7":
            seen += _event(rng, customer, day)
    known = [(f"c{k:04d}", "ab"[k % 2], 20.0 + k, None) for k in customers_ if k % 5]
    return Log(transactions(bought), customers(known), events(seen))


def _line(rng: np.random.Generator, customer: str, day: date, order: str) -> tuple[Any, ...]:
    product = int(rng.integers(40))
    amount = Decimal(int(rng.integers(0, 10_000))) / 100 if rng.random() > 0.05 else Decimal(0)
    named = rng.random() > 0.1
    product_id = f"p{product}" if named else None
    ids = (order, product_id, f"k{product % 6}") if named else (order, None, None)
    # Some products are sold at a loss; of those without a name the margin is not known.
    return (customer, day, amount, *ids, amount * (product % 7 - 1) / 10 if named else None)


def _back(line: tuple[Any, ...], part: int = 1) -> tuple[Any, ...]:
    """The refund of a line, or of a part of it, with its margin."""
    *known, margin = line
    known[2] = -known[2] / part
    return (*known, None if margin is None else -margin / part)


def _event(rng: np.random.Generator, customer: str, day: date) -> list[tuple[Any, ...]]:
    """An event, or two of the same instant that disagree."""
    kind = str(rng.choice(["complaint", "resolution", "satisfaction", "contact", "usage", "visit"]))
    value = None if rng.random() < 0.2 else float(rng.integers(1, 100)) / 10
    event = (customer, f"{day}T{rng.integers(10, 20)}:00:00", kind, value)
    again = (*event[:3], float(rng.integers(1, 100)) / 10)
    return [event, again] if rng.random() < 0.3 else [event]


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., dict[str, dict[str, Any]]]:
    """From a small log to its behaviour rows by customer."""
    return _rows_of


@pytest.fixture(scope="session")
def make_log() -> Callable[..., Log]:
    """From rows by hand to a log: transactions, and customers and events where given."""

    def make(
        bought: Sequence[Sequence[Any]] | None = None,
        *,
        known: Sequence[Sequence[Any]] | None = None,
        seen: Sequence[Sequence[Any]] | None = None,
    ) -> Log:
        return Log(
            None if bought is None else transactions(bought),
            None if known is None else customers(known),
            None if seen is None else events(seen),
        )

    return make


@pytest.fixture(scope="session")
def rich_log() -> Log:
    """120 customers over three and a half years to the day before AS_OF."""
    return random_log(7, date(2020, 12, 1), AS_OF, 3_000, range(120))


@pytest.fixture(scope="session")
def future_log() -> Log:
    """The same customers and forty new ones from AS_OF on, that day included."""
    log = random_log(8, AS_OF, AS_OF + timedelta(days=400), 1_500, range(160))
    at_midnight = transactions(
        [(f"c{k:04d}", AS_OF, 900 + k, f"f{k}", "pX", "kX", 300 + k) for k in range(160)]
    )
    complaints = events(
        [
            (f"c{k:04d}", f"{AS_OF}T00:00:00", kind, 9.0)
            for k in range(160)
            for kind in ("complaint", "satisfaction", "contact", "usage")
        ]
    )
    return Log(
        pa.concat_tables([log.transactions, at_midnight]),
        None,
        pa.concat_tables([log.events, complaints]),
    )
