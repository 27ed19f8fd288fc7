"""Small random logs against a slow reference in plain Python, written from the definitions."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import sqrt

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.inputs import Inputs
from features.table import behaviour

AS_OF = date(2024, 3, 10)
WINDOWS = (30, 60, 90, 180, 365)
CENTS = st.one_of(st.integers(-5_000, 10_000), st.just(0), st.just(1_999), st.just(-1_999))
# Days of two years around as-of, many of them shared and beside window edges.
AGES = st.one_of(st.integers(-40, 500), st.sampled_from([0, 1, 30, 31, 90, 91, 180, 181, 365, 366]))
ROWS = st.lists(st.tuples(st.sampled_from("abc"), AGES, CENTS), min_size=1, max_size=40)


def reference(rows):
    """RFM, rhythm and spend of each buyer, in exact arithmetic until the last step."""
    net = defaultdict(lambda: defaultdict(Fraction))
    for customer, age, cents in rows:
        if age >= 1:
            net[customer][age] += Fraction(cents, 100)
    found = {customer: describe(days) for customer, days in net.items()}
    return {customer: row for customer, row in found.items() if row is not None}


def describe(days):
    """Row of a customer from net spend by age in days; None without an occasion."""
    ages = sorted((age for age, amount in days.items() if amount > 0), reverse=True)
    if not ages:
        return None
    orders = [days[age] for age in ages]
    gaps = [earlier - later for earlier, later in pairwise(ages)]
    mean = float(Fraction(sum(gaps), len(gaps))) if gaps else None
    std = spread(gaps)
    spend = {
        n: sum((a for age, a in days.items() if age <= n), Fraction(0)) for n in (*WINDOWS, 360)
    }
    since = {day_of(age).replace(day=1) for age in ages if age <= 365}
    row = {
        "frequency": len(ages) - 1,
        "recency": ages[0] - ages[-1],
        "T": ages[0] - 1,
        "monetary_value": float(sum(orders[1:]) / len(gaps)) if gaps else 0.0,
        "days_since_last": ages[-1],
        "gap_mean": mean,
        "gap_std": std,
        "gap_max": max(gaps, default=None),
        "gap_last": gaps[-1] if gaps else None,
        "overdue_ratio": ages[-1] / mean if gaps else None,
        "overdue_score": (ages[-1] - mean) / std if std else None,
        "gap_trend": gaps[-1] / mean if gaps else None,
        "active_months_365": len(since),
        "spend_total": float(sum(days.values())),
        "spend_trend_90": float(2 * spend[90] - spend[180]),
        "spend_trend_180": float(2 * spend[180] - spend[360]),
        "order_mean": float(sum(orders) / len(orders)),
        "order_std": spread(orders),
        "order_max": float(max(orders)),
        "order_last": float(orders[-1]),
        "order_last_ratio": float(orders[-1] * len(orders) / sum(orders)),
        "first_order": float(orders[0]),
    }
    row |= {f"occasions_{n}": sum(age <= n for age in ages) for n in WINDOWS}
    return row | {f"spend_{n}": float(spend[n]) for n in WINDOWS}


def spread(values):
    """Sample standard deviation by its definition; None below two values."""
    if len(values) < 2:
        return None
    mean = Fraction(sum(values), len(values))
    return sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def day_of(age):
    return AS_OF - timedelta(days=age)


@pytest.fixture(scope="module")
def build(make_log):
    """From rows to the behaviour table: the plan is written once and run on every log."""
    connection = ibis.duckdb.connect(threads=1)
    log = connection.create_table("log", schema=ibis.schema(make_log([]).transactions.schema))
    plan = behaviour(Inputs(transactions=log, connection=connection), AS_OF, horizon_days=90)
    query = connection.compile(plan)

    def run(rows):
        bought = [(customer, day_of(age), f"{cents / 100:.2f}") for customer, age, cents in rows]
        connection.con.execute("DELETE FROM log")
        connection.insert("log", make_log(bought).transactions)
        found = connection.con.sql(query).to_arrow_table().to_pylist()
        return {row["customer_id"]: row for row in found}

    return run


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=ROWS)
def test_equals_a_slow_reference(rows, build):
    ours, expected = build(rows), reference(rows)
    assert ours.keys() == expected.keys()
    for customer, row in expected.items():
        for name, value in row.items():
            close = None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)
            assert ours[customer][name] == close, (customer, name)
