"""Behaviour of subscribers: equal to a slow reference, and blind to the future bit for bit."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FAMILIES, FEATURES
from features.compat import arrow
from features.errors import InputError
from features.families import subscription
from features.inputs import Inputs
from features.schema import check
from features.table import behaviour
from tests.features import subscribers
from tests.features.subscribers import GRACE, by_customer, described, inputs, row, table

AS_OF = date(2024, 6, 1)
NAMES = [feature.name for feature in FEATURES if feature.family == "subscription"]
FAMILY = next(family for family in FAMILIES if family.name == "subscription")


def build(rows, as_of=AS_OF, *, threads=1, horizon_days=90):
    plan = behaviour(
        inputs(rows, threads), as_of, horizon_days=horizon_days, population="subscribers"
    )
    return arrow(plan.order_by("customer_id"))


def seen(rows, as_of=AS_OF):
    """Columns of the family by customer."""
    return {
        one["customer_id"]: {n: one[n] for n in NAMES} for one in build(rows, as_of).to_pylist()
    }


@pytest.fixture(scope="module")
def rich():
    """60 customers of either shape over two and a half years to the day before AS_OF."""
    start = date(2021, 12, 1)
    return {
        period: subscribers.random_rows(5 + period, start, AS_OF, range(60), period=period)
        for period in (False, True)
    }


DAYS = st.integers(-60, 420)
LENGTHS = st.one_of(st.integers(0, 400), st.sampled_from([28, 29, 30, 31, 59, 60, 61, 365]))
ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        DAYS,
        st.one_of(LENGTHS, st.none()),
        st.sampled_from(["basic", "gold", None]),
        st.sampled_from([0, 10, 12.5, None]),
        st.sampled_from(["voluntary", "involuntary", None]),
        st.sampled_from([(1, 0), (3, 0), (12, 0), (0, 7), (0, 28)]),
    ),
    min_size=1,
    max_size=14,
)


def as_rows(drawn, *, period):
    found = []
    for who, age, length, plan, price, reason, (months, days) in drawn:
        day = AS_OF - timedelta(days=age)
        # A paid period has a length.
        length = (length or 30) if period else length
        end = None if length is None else day + timedelta(days=length)
        found.append(
            row(
                who,
                day,
                end,
                plan=plan,
                price=price,
                reason=reason if end else None,
                period=period,
                months=months,
                days=days,
            )
        )
    return found


@pytest.fixture(scope="module")
def plan():
    """From rows to the family's columns: the plan is written once and run on every log."""
    connection = ibis.duckdb.connect(threads=1)
    rows = connection.create_table("rows", schema=ibis.schema(subscribers.SCHEMA))
    totals = subscription.totals(rows, AS_OF)
    query = connection.compile(totals.select("customer_id", **subscription.features(totals)))

    def run(given):
        connection.con.execute("DELETE FROM rows")
        connection.insert("rows", table(given))
        return {
            one.pop("customer_id"): one
            for one in connection.con.sql(query).to_arrow_table().to_pylist()
        }

    return run


@settings(max_examples=50)
@given(drawn=ROWS, period=st.booleans())
def test_equals_a_slow_reference(plan, drawn, period):
    rows = as_rows(drawn, period=period)
    ours = plan(rows)
    expected = {who: described(some, AS_OF) for who, some in by_customer(rows).items()}
    assert ours.keys() == {who for who, told in expected.items() if told is not None}
    for who, found in ours.items():
        for name in NAMES:
            value = expected[who].get(name)
            close = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert found[name] == close, (who, name)


@pytest.mark.parametrize("period", [False, True])
def test_rows_from_as_of_on_change_nothing_bit_for_bit(rich, period):
    """Neither rows that begin later, nor ends that had not come."""
    later = [
        row(f"s{k:03}", AS_OF + timedelta(days=k % 3), None, plan="new", price=99, period=False)
        for k in range(80)
    ]
    if period:
        later = [one | {"repeats": False, "end": one["day"] + timedelta(days=30)} for one in later]
    ended = [
        one | {"end": AS_OF + timedelta(days=place % 40), "end_reason": "involuntary"}
        if one["end"] is None
        else one
        for place, one in enumerate(rich[period])
    ]
    assert period or ended != rich[period]
    assert build([*ended, *later], threads=2).equals(build(rich[period]))


def test_an_end_becomes_known_the_day_after_it_came():
    rows = [row("a", "2024-01-10", "2024-05-10", reason="involuntary")]
    assert seen(rows, date(2024, 5, 10)).keys() == {"a"}
    assert seen(rows, date(2024, 5, 11)) == {}


def test_a_paid_period_runs_until_its_grace_is_over():
    rows = [row("a", "2024-01-10", "2024-02-10", period=True)]
    due = date(2024, 2, 10)
    for late in (0, GRACE):
        found = seen(rows, due + timedelta(days=late))
        assert found["a"]["subscription_days_to_renewal"] == -late
    assert seen(rows, due + timedelta(days=GRACE + 1)) == {}


@pytest.mark.parametrize("gap", [0, 1, GRACE, GRACE + 1])
def test_a_gap_within_the_grace_is_a_late_renewal_and_a_longer_one_a_pause(gap):
    again = date(2024, 3, 10) + timedelta(days=gap)
    rows = [row("a", "2024-01-10", "2024-03-10"), row("a", again, None)]
    found = seen(rows)["a"]
    paused = gap > GRACE
    assert found["subscription_earlier"] == paused
    assert found["subscription_pause_days"] == (gap if paused else None)
    assert found["subscription_late_renewals"] == (0 < gap <= GRACE)
    began = again if paused else date(2024, 1, 10)
    assert found["subscription_tenure_days"] == (AS_OF - began).days


def test_the_plan_changes_without_a_gap_or_an_overlap_counting_as_an_end():
    rows = [
        row("a", "2024-01-10", "2024-03-10", plan="basic", price=10),
        row("a", "2024-03-08", None, plan="gold", price=15, months=3),
    ]
    found = seen(rows)["a"]
    assert found["subscription_plan"] == "gold"
    assert found["subscription_plan_changes"] == 1
    assert found["subscription_days_since_plan_change"] == 85
    # 5 a month after 10.
    assert found["subscription_price_ratio"] == 0.5
    assert found["subscription_tenure_days"] == 143
    assert found["subscription_earlier"] == 0
    # Three months after 8 March.
    assert found["subscription_days_to_renewal"] == 7


@pytest.mark.parametrize(
    ("price", "months", "days", "ratio"),
    [
        (89.0, 12, 0, 89 / 12 / 10.99),  # cheaper by the month than 10.99
        (131.88, 12, 0, None),  # twelve times 10.99: no change
        (150.0, 12, 0, 150 / 12 / 10.99),
        (10.99, 0, 28, None),  # of days: as the prices stand
        (5.0, 0, 14, 5 / 10.99),
    ],
)
def test_prices_of_terms_of_months_are_compared_by_the_month(price, months, days, ratio):
    rows = [
        row("a", "2024-01-10", "2024-05-10", price=10.99),
        row("a", "2024-05-10", None, plan="other", price=price, months=months, days=days),
    ]
    found = seen(rows)["a"]
    assert found["subscription_price_ratio"] == (ratio and pytest.approx(ratio, rel=1e-12))
    assert found["subscription_days_since_price_change"] == (ratio and 22)


@pytest.mark.parametrize("period", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_order_of_rows_and_threads_change_nothing_bit_for_bit(rich, period, seed):
    shuffled = table(rich[period])
    shuffled = shuffled.take(np.random.default_rng(seed).permutation(shuffled.num_rows))
    assert build(shuffled, threads=2).equals(build(rich[period]))


@pytest.mark.parametrize("period", [False, True])
def test_the_rows_fit_the_catalogue_and_every_column_says_something(rich, period):
    source = inputs(rich[period])
    plan = behaviour(source, AS_OF, horizon_days=90, population="subscribers")
    with plan.cache() as kept:
        check(kept, population="subscribers")
        rows = arrow(kept)
    assert rows.num_rows > 20
    for name in NAMES:
        # Only paid periods are late, and all of these have a term of a month.
        if name != "subscription_term_days":
            assert len(pc.unique(rows[name])) > 1, name
    assert len({FAMILY.say(one, way) for one in rows.to_pylist() for way in (1, -1)}) > 10


def test_other_sources_join_where_they_are_and_are_null_where_not(make_log):
    log = make_log(
        [("a", "2024-05-01", 7), ("stranger", "2024-05-01", 3)],
        known=[("a", "x", 30.0, None)],
        seen=[("a", "2024-05-30T10:00:00", "complaint")],
    )
    connection = ibis.duckdb.connect()
    given = {name: connection.create_table(name, rows) for name, rows in log.sources().items()}
    rows = table(
        [row("a", "2024-01-10"), row("b", "2024-01-10"), row("gone", "2023-01-10", "2024-01-10")]
    )
    given["subscriptions"] = connection.create_table("subscriptions", rows)
    source = Inputs(**given, connection=connection)

    def rows_of(population, *names):
        plan = behaviour(source, AS_OF, horizon_days=90, population=population)
        found = arrow(plan.select("customer_id", *names)).to_pylist()
        return {one["customer_id"]: tuple(one[name] for name in names) for one in found}

    names = ("subscription_renewals", "spend_total", "complaints_open", "attribute_plan")
    assert rows_of("subscribers", *names) == {"a": (4, 7.0, 1, "x"), "b": (4, 0.0, 0, None)}
    assert rows_of("buyers", "subscription_renewals", "subscription_earlier") == {
        "a": (4, 0),
        "stranger": (None, 0),
    }


def test_without_the_source_its_columns_are_null_and_its_population_is_refused(make_log):
    bought = make_log([("a", "2024-05-01", 7)]).inputs()
    rows = arrow(behaviour(bought, AS_OF, horizon_days=90))
    assert all(rows[name].null_count == 1 for name in NAMES)
    with pytest.raises(InputError, match="no subscriptions source"):
        behaviour(bought, AS_OF, horizon_days=90, population="subscribers")


@pytest.mark.parametrize(
    ("values", "direction", "text"),
    [
        ({"subscription_days_to_renewal": -1}, 1, "renewal 1 day overdue"),
        ({"subscription_days_to_renewal": -4}, 1, "renewal 4 days overdue"),
        ({"subscription_involuntary_ends": 1}, 1, "1 payment failed before"),
        ({"subscription_involuntary_ends": 2}, 1, "2 payments failed before"),
        (
            {"subscription_price_ratio": 1.2, "subscription_days_since_price_change": 40},
            1,
            "price went up 40 days ago",
        ),
        (
            {"subscription_price_ratio": 1.2, "subscription_days_since_price_change": 400},
            1,
            "subscriber for 95 days; renewed 3 times",
        ),
        (
            {"subscription_price_ratio": 0.8, "subscription_days_since_price_change": 40},
            -1,
            "price went down 40 days ago",
        ),
        ({"subscription_late_renewals": 2}, 1, "renewed late 2 times before"),
        (
            {"subscription_pause_days": 60},
            -1,
            "came back 95 days ago, after 60 days without a subscription",
        ),
        ({"subscription_renewals": 0}, 1, "subscriber for 95 days; no renewal yet"),
        ({}, 0, "subscriber for 95 days; renewed 3 times"),
    ],
)
def test_what_a_clerk_reads(values, direction, text):
    usual = {
        "subscription_tenure_days": 95,
        "subscription_renewals": 3,
        "subscription_days_to_renewal": 12,
        "subscription_late_renewals": 0,
        "subscription_involuntary_ends": 0,
    }
    assert FAMILY.say(usual | values, direction) == text


def test_who_has_no_subscription_is_told_so():
    assert FAMILY.say({"subscription_involuntary_ends": 3, "subscription_earlier": 1}) == (
        "no subscription"
    )


@pytest.mark.spark
@pytest.mark.parity
def test_duckdb_equals_spark_bit_for_bit(spark, rich, tmp_path):
    import pyarrow.parquet as pq

    odd = [
        row("feb", "2024-01-31", None, months=1),
        row("feb", "2023-01-31", "2023-02-28", months=1),
        row("week", "2024-03-30", None, days=7),
        row("year", "2020-02-29", None, months=12, price="0.333333"),
    ]
    periods = [one | {"customer_id": f"p{one['customer_id']}"} for one in rich[True]]
    rows = table([*rich[False], *periods, *odd])
    pq.write_table(rows, tmp_path / "subscriptions.parquet")
    there = spark.read_parquet(tmp_path / "subscriptions.parquet", table_name="subscriptions")
    here = inputs(rows).subscriptions
    found = []
    for source in (there, here):
        totals = subscription.totals(source, AS_OF)
        columns = totals.select("customer_id", **subscription.features(totals))
        found.append(arrow(columns.order_by("customer_id")))
    assert found[0].schema.types == found[1].schema.types
    assert found[0].equals(found[1])
    assert found[0].num_rows > 100
