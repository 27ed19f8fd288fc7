"""Subscriptions as they would be: the rows of the store with one thing changed.

In: subscriptions of the store and a change. Out: rows as a request has them, for the feature plans
that make the behaviour table. What is changed is the latest payment: its price, its plan, or that
it failed at first. A row that renews until it ends is parted at that payment, so that the changes
before it stay what they were; a row of one paid period is that payment.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from serving.api import rows
from serving.errors import ScoringError

if TYPE_CHECKING:
    from features.store import Store
    from serving.insight.supposed import Change

#: Kinds of a change that only subscribers have.
KINDS = ("price_change", "plan_change", "failed_payment")
#: Days by which a payment that failed comes late; at most the grace, and before as-of.
LATE_DAYS = 3
#: Plans that are offered, those of most subscribers first.
MOST_PLANS = 50
_MONTH_DAYS = 30.4375
_COLUMNS = ["customer_id", "day", "end", "plan", "price", "end_reason", "margin"]

# The row that counts now is that of `features.families.subscription`; `paid` is the day of its
# latest payment: of a month that has no such day, the last one.
_MARKED = """
WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY
        coalesce("end", DATE '9999-12-31') DESC, day DESC, plan DESC NULLS FIRST,
        price DESC NULLS FIRST, end_reason DESC NULLS FIRST) AS place,
        datediff('month', day, $as_of) // greatest(term_months, 1) AS months
    FROM subscriptions
), marked AS (
    SELECT *, place = 1 AS current,
        CASE WHEN NOT repeats THEN day
            WHEN term_months = 0 THEN day + (($as_of - day - 1) // term_days * term_days)::INTEGER
            WHEN (day + to_months(months::INTEGER * term_months::INTEGER))::DATE < $as_of
                THEN (day + to_months(months::INTEGER * term_months::INTEGER))::DATE
            ELSE (day + to_months((months::INTEGER - 1) * term_months::INTEGER))::DATE
        END AS paid
    FROM placed
)
"""
_AS_IS = 'SELECT customer_id, day, "end", plan, price, end_reason, margin FROM marked'
# The latest payment at another price or for another plan: a lower price comes off the margin, and
# another plan has the margin of its subscribers.
_OTHER = f"""
{_AS_IS} WHERE NOT current
UNION ALL SELECT customer_id, day, paid, plan, price, NULL, margin
FROM marked WHERE current AND paid > day
UNION ALL SELECT customer_id, paid,
    CASE WHEN repeats OR $plan IS NULL OR (term_months = $months AND term_days = $days) THEN "end"
        ELSE (paid + to_months($months) + to_days($days))::DATE END,
    coalesce($plan, plan),
    CASE WHEN $price IS NULL OR (plan = $plan AND NOT $given) THEN price * $factor
        ELSE $price END,
    end_reason,
    CASE WHEN $price IS NULL OR (plan = $plan AND NOT $given) THEN margin + price * ($factor - 1)
    END
FROM marked WHERE current
"""  # noqa: S608 - no more than the names above
# The latest payment failed and came some days later: who has not renewed yet has none that could.
_FAILED = """
, before AS (
    SELECT m.customer_id, max(m."end") AS ended FROM marked m JOIN marked c
    ON m.customer_id = c.customer_id AND c.current AND NOT m.current
        AND m."end" BETWEEN c.day - c.grace_days::INTEGER AND c.day
    GROUP BY ALL
), failed AS (
    SELECT c.*, CASE WHEN paid > day THEN paid ELSE ended END AS due, ended,
        greatest(0, least($late, grace_days, $as_of - 1
            - CASE WHEN paid > day THEN paid ELSE ended END))::INTEGER AS late
    FROM marked c LEFT JOIN before USING (customer_id)
    WHERE current AND (paid > day OR ended IS NOT NULL)
)
SELECT m.customer_id, m.day, m."end", m.plan, m.price,
    CASE WHEN f.paid = f.day AND m."end" = f.ended THEN 'involuntary' ELSE m.end_reason END,
    m.margin
FROM marked m JOIN failed f USING (customer_id) WHERE NOT m.current
UNION ALL SELECT customer_id, day, due, plan, price, 'involuntary', margin
FROM failed WHERE paid > day
UNION ALL SELECT customer_id, greatest(paid, due + late), "end", plan, price, end_reason,
    margin
FROM failed
"""
# Some days later, with each payment made on its day: only paid periods have to be added.
_LATER = f"""
{_AS_IS}
UNION ALL SELECT customer_id,
    (begins + to_months(n::INTEGER * term_months::INTEGER)
        + to_days(n::INTEGER * term_days::INTEGER))::DATE AS day,
    (begins + to_months((n::INTEGER + 1) * term_months::INTEGER)
        + to_days((n::INTEGER + 1) * term_days::INTEGER))::DATE,
    plan, price, NULL, margin
FROM (SELECT *, greatest("end", $as_of) AS begins FROM marked WHERE current AND NOT repeats),
    unnest(range(0, $silent)) AS t(n)
WHERE (begins + to_months(n::INTEGER * term_months::INTEGER)
        + to_days(n::INTEGER * term_days::INTEGER))::DATE < $as_of + $silent
"""  # noqa: S608
_TEXT = """
SELECT customer_id, row_number() OVER () AS place, day::VARCHAR AS start, "end"::VARCHAR AS end,
    plan, price::DECIMAL(18, 6)::VARCHAR AS price, end_reason,
    margin::DECIMAL(18, 6)::VARCHAR AS margin
FROM changed
"""
_PLANS = """
SELECT subscription_plan, median(subscription_price), mode(subscription_term_days)
FROM read_parquet(?, hive_partitioning = false) WHERE subscription_plan IS NOT NULL
GROUP BY 1 ORDER BY count(*) DESC, 1
"""


@dataclass(frozen=True)
class Plan:
    """A plan that somebody has.

    Parameters
    ----------
    name : str
        As the subscriptions have it.
    price : float or None
        Of a term, in currency: the middle one of its subscribers; None where none is known.
    term_days : float
        Days of a term, a month being 30.4375.
    """

    name: str
    price: float | None
    term_days: float

    @property
    def term(self) -> tuple[int, int]:
        """Months and days of a term, of which one is 0."""
        months = round(self.term_days / _MONTH_DAYS)
        if abs(self.term_days - months * _MONTH_DAYS) < 1e-6:
            return months, 0
        return 0, round(self.term_days)


def plans(store: Store, cursor: Any, as_of: date) -> list[Plan]:
    """Read which plans subscribers have, by the behaviour table.

    Parameters
    ----------
    store : Store
    cursor : DuckDB cursor
        Of the caller's own.
    as_of : date

    Returns
    -------
    list of Plan
        Those of most subscribers first; empty where no table or no plan is there.
    """
    path = store.behaviour(as_of)
    if not path.is_file():
        return []
    found = cursor.execute(_PLANS, [glob.escape(str(path))]).fetchall()
    return [Plan(*row) for row in found]


def changed(
    kept: pa.Table, change: Change, as_of: date, engine: Any, known: list[Plan]
) -> pa.Table:
    """Rows of a request that give the subscriptions as they would be.

    Parameters
    ----------
    kept : pyarrow.Table
        Subscriptions of the store.
    change : Change
        Of any kind; those of purchases and events leave the rows as they are.
    as_of : date
        Of the store; a silence goes beyond it.
    engine : DuckDB connection
        In which rows are written out; a cursor of the caller's own.
    known : list of Plan
        Needed for a change of plan.

    Returns
    -------
    pyarrow.Table
        Of ``serving.api.rows.SUBSCRIPTIONS``. A failed payment leaves out who has not renewed yet.

    Raises
    ------
    ScoringError
        If nobody has the plan.
    """
    sql, parameters = _asked(change, known)
    if "margin" not in kept.column_names:
        kept = kept.append_column("margin", pa.nulls(len(kept), pa.decimal128(18, 6)))
    engine.register("subscriptions", kept)
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    made = engine.sql(f"{_MARKED} {sql}", params={"as_of": as_of, **used}).to_arrow_table()
    engine.register("changed", made.rename_columns(_COLUMNS))
    return engine.sql(_TEXT).to_arrow_table().cast(rows.SUBSCRIPTIONS)


def _asked(change: Change, known: list[Plan]) -> tuple[str, dict[str, Any]]:
    """The query of a change, and what stands in for its parameters."""
    usual: dict[str, Any] = {"plan": None, "price": None, "given": False, "factor": 1.0}
    usual |= {"months": 0, "days": 0}
    if change.kind == "silence":
        return _LATER, {"silent": change.days}
    if change.kind == "failed_payment":
        return _FAILED, {"late": LATE_DAYS}
    if change.kind == "price_change":
        return _OTHER, {**usual, "factor": 1.0 + (change.percent or 0.0) / 100.0}
    if change.kind != "plan_change":
        return _AS_IS, {}
    plan = next((one for one in known if one.name == change.plan), None)
    if plan is None:
        names = ", ".join(one.name for one in known[:MOST_PLANS]) or "none"
        raise ScoringError(f"nobody has the plan {change.plan!r}; expected one of: {names}")
    months, days = plan.term
    price = plan.price if change.amount is None else change.amount
    given = change.amount is not None
    return _OTHER, {
        **usual,
        "plan": plan.name,
        "price": price,
        "given": given,
        "months": months,
        "days": days,
    }
