"""Satisfaction and loyalty: who is pleased and stays, who is pleased and leaves, and the others.

In: a score table with its behaviour beside it, in the engine. Out: the four fields, and the few
customers of three lists: open complaints, satisfied ones who are leaving, unhappy ones who stay.

A customer says something by a mark or a complaint. Satisfied is whose last mark is above the
middle of the scale and who has no complaint open; the scale is what the marks of all customers
span, and its middle m = (lowest + highest) / 2. Unhappy is who has a complaint open or a last mark
of m or less; without any mark, who complained in the last 90 days. Who never said anything, or
complained longer ago and was helped, is neither: silence is no praise, and stands beside the
fields. Loyal is who is in rhythm: in the stages new, growing, loyal and won_back; at_risk and
lapsed are leaving.

Null rule: without an events source nothing is said of anyone; without a stage a customer is
counted nowhere. Where nobody has a stage no field is known, and where nobody ever gave a mark none
of the satisfied: that is null and not 0. So is a sum of lifetime values none of which is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from features.compat import arrow
from serving.groups.ledger import money, number
from serving.groups.lifecycle import STAGES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.store import Store

LEAVING = ("at_risk", "lapsed")
STAYING = tuple(stage for stage in STAGES if stage not in LEAVING)
SATISFIED, UNHAPPY, SILENT = "satisfied", "unhappy", "silent"
MOODS = (SATISFIED, UNHAPPY, SILENT)
#: Columns that are read of the score table, and of the behaviour table.
SAID = ("stage", "tier", "churn_probability", "clv")
READ = (
    "complaints_open",
    "complaints_90",
    "complaints_total",
    "days_since_complaint",
    "satisfaction_last",
)
_SHOWN = ("customer_id", *SAID, "complaints_open", "days_since_complaint", "satisfaction_last")


@dataclass(frozen=True)
class Field:
    """Customers of one mood who stay or leave.

    Parameters
    ----------
    mood : {"satisfied", "unhappy", "silent"}
    staying : bool
    customers : int or None
        None where it is not known: nobody has a stage or, of the satisfied, nobody gave a mark.
    share : float or None
        Of all who are counted, in [0, 1]; None where `customers` is.
    churn_probability : float or None
        Mean; None where none is said.
    equity : float or None
        Sum of the lifetime values, in currency; None where none is said.
    """

    mood: str
    staying: bool
    customers: int | None
    share: float | None
    churn_probability: float | None
    equity: float | None


@dataclass(frozen=True)
class Satisfaction:
    """Satisfaction and loyalty of a score table.

    Parameters
    ----------
    fields : mapping of (mood, staying) to Field
        All six.
    complaints : tuple of dict
        Customers with an open complaint, those with the most lifetime value or risk first.
    leaving : tuple of dict
        Satisfied and at risk; not those who have lapsed.
    staying : tuple of dict
        Unhappy, and in rhythm still; without those of `complaints`.
    scale : (float, float) or None
        Lowest and highest mark; None where nobody gave one.
    open : int
        Customers with an open complaint.
    """

    fields: Mapping[tuple[str, bool], Field]
    complaints: tuple[dict[str, Any], ...]
    leaving: tuple[dict[str, Any], ...]
    staying: tuple[dict[str, Any], ...]
    scale: tuple[float, float] | None
    open: int


def satisfaction(table: ir.Table, most: int, *, by: str = "clv") -> Satisfaction | None:
    """Set satisfaction beside loyalty.

    Parameters
    ----------
    table : ibis table
        ``customer_id`` and the columns of `SAID` and `READ`, a row a customer.
    most : int
        Customers of a list at most.
    by : {"clv", "churn_probability"}
        What the lists are ordered by, the greatest first; ties by customer.

    Returns
    -------
    Satisfaction or None
        None where nothing is known of events.
    """
    import ibis

    (ends,) = arrow(
        table.aggregate(
            known=table.complaints_total.count(),
            low=table.satisfaction_last.min(),
            high=table.satisfaction_last.max(),
            open=table.count(where=table.complaints_open > 0),
        )
    ).to_pylist()
    if not ends["known"]:
        return None
    scale = None if ends["low"] is None else (ends["low"], ends["high"])
    said = table.mutate(
        mood=_mood(table, scale), staying=table.stage.isin(STAYING), worth=money(table.clv)
    ).filter(table.stage.notnull())
    open_, first = said.complaints_open > 0, [ibis.desc(by), "customer_id"]

    def listed(*where: Any) -> tuple[dict[str, Any], ...]:
        rows = said.filter(*where).order_by(first).limit(most).select(*_SHOWN)
        return tuple(arrow(rows).to_pylist())

    return Satisfaction(
        _fields(said, marked=scale is not None),
        listed(open_),
        listed(said.mood == SATISFIED, said.stage == LEAVING[0]),
        listed(said.mood == UNHAPPY, said.staying, ~open_),
        scale,
        ends["open"],
    )


def of_store(store: Store, day: date, most: int, *, by: str = "clv") -> Satisfaction | None:
    """Satisfaction beside loyalty, of the tables that a store holds.

    Parameters
    ----------
    store : Store
    day : date
        Of the score table and the behaviour table.
    most : int
    by : {"clv", "churn_probability"}
        As `satisfaction` takes them.

    Returns
    -------
    Satisfaction or None

    Raises
    ------
    ScoreTableError
        If one of the tables is missing.
    """
    from features.opening import connection
    from serving.groups import ledger

    engine = connection.duckdb()
    said = ledger.scores(engine, store.scores(day)).select("customer_id", *SAID)
    known = ledger.behaviour(engine, store.behaviour(day)).select("customer_id", *READ)
    with ledger.together(said, known).cache() as table:
        return satisfaction(table, most, by=by)


def _mood(table: ir.Table, scale: tuple[float, float] | None) -> ir.StringValue:
    import ibis

    middle = 0.0 if scale is None else (scale[0] + scale[1]) / 2
    mark = table.satisfaction_last
    unhappy = (
        (table.complaints_open > 0)
        | (mark.notnull() & (mark <= middle))
        | (mark.isnull() & (table.complaints_90 > 0))
    )
    return ibis.cases(
        (unhappy.fill_null(False), UNHAPPY), (mark.notnull(), SATISFIED), else_=SILENT
    )


def _fields(said: ir.Table, *, marked: bool) -> dict[tuple[str, bool], Field]:
    grouped = said.group_by("mood", "staying").aggregate(
        customers=said.count(), churn=said.churn_probability.mean(), equity=said.worth.sum()
    )
    found = {(row["mood"], row["staying"]): row for row in arrow(grouped).to_pylist()}
    whole = sum(row["customers"] for row in found.values())
    nobody: dict[str, Any] = {"customers": 0, "churn": None, "equity": None}
    fields = {}
    for key in ((mood, staying) for mood in MOODS for staying in (True, False)):
        if not whole or (key[0] == SATISFIED and not marked):
            fields[key] = Field(*key, None, None, None, None)
            continue
        row = found.get(key, nobody)
        counted = row["customers"]
        fields[key] = Field(*key, counted, counted / whole, row["churn"], number(row["equity"]))
    return fields
