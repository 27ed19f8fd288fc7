"""The behaviour table as a whole: nothing of the future, no order of rows, one schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue import FEATURES, names
from features.compat import arrow
from features.errors import FeaturesError, InputError
from features.inputs import Inputs
from features.table import behaviour

AS_OF = date(2024, 6, 1)
ATTRIBUTES = ("attribute_plan", "attribute_age")
# Subscriptions have their own source, and tests of their own.
LOGGED = [feature.name for feature in FEATURES if feature.family != "subscription"]


def build(log, as_of=AS_OF, *, threads=1, horizon_days=90, population="buyers"):
    table = behaviour(log.inputs(threads), as_of, horizon_days=horizon_days, population=population)
    return arrow(table.order_by("customer_id"))


def bits(column):
    """Values of a column by their bits, nulls told apart: 0.0 and -0.0 differ."""
    if pa.types.is_floating(column.type):
        column = pa.chunked_array(
            [
                pa.array(
                    chunk.fill_null(0.0).to_numpy().view(np.int64), mask=np.array(chunk.is_null())
                )
                for chunk in column.chunks
            ],
            type=pa.int64(),
        )
    return column.to_pylist()


def differing(left, right):
    """Columns that are not bit-equal."""
    assert left.column_names == right.column_names
    return [name for name in left.column_names if bits(left[name]) != bits(right[name])]


@pytest.fixture(scope="module")
def built(rich_log):
    return build(rich_log)


@pytest.fixture(scope="module")
def built_with_future(rich_log, future_log):
    both = replace(
        rich_log,
        transactions=pa.concat_tables([future_log.transactions, rich_log.transactions]),
        events=pa.concat_tables([future_log.events, rich_log.events]),
    )
    return build(both, threads=2)


@pytest.fixture(scope="module")
def built_with_past(rich_log, future_log):
    """The rows of the future log moved to before as-of, and again to before the log begins."""

    def earlier(table, days):
        past = pc.subtract(table["day"].cast(pa.int32()), pa.scalar(days, pa.int32()))
        at = pc.subtract(table["occurred_at"], pa.scalar(timedelta(days=days)))
        for name, column in {"day": past.cast(pa.date32()), "occurred_at": at}.items():
            place = table.column_names.index(name)
            table = table.set_column(place, table.schema.field(name), column)
        return table

    def with_past(table, future):
        return pa.concat_tables([earlier(future, 2_000), earlier(future, 401), table])

    return build(
        replace(
            rich_log,
            transactions=with_past(rich_log.transactions, future_log.transactions),
            events=with_past(rich_log.events, future_log.events),
        )
    )


@pytest.mark.parametrize("name", ["customer_id", "as_of", *names(), *ATTRIBUTES])
def test_events_at_and_after_as_of_change_nothing_bit_for_bit(name, built, built_with_future):
    assert bits(built[name]) == bits(built_with_future[name])


@pytest.mark.parametrize("name", LOGGED)
def test_the_same_events_before_as_of_change_every_feature(name, built, built_with_past):
    known = built_with_past.filter(pc.is_in(built_with_past["customer_id"], built["customer_id"]))
    assert known["customer_id"].to_pylist() == built["customer_id"].to_pylist()
    assert bits(built[name]) != bits(known[name])


@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_and_threads_change_nothing_bit_for_bit(seed, rich_log, built):
    rng = np.random.default_rng(seed)
    shuffled = rich_log.map(lambda table: table.take(rng.permutation(table.num_rows)))
    assert differing(build(shuffled, threads=1 + seed), built) == []


def test_a_customer_again_under_another_id_has_the_same_row_and_changes_no_other(rich_log, built):
    def again(table):
        same = table.filter(pc.equal(table["customer_id"], "c0031"))
        renamed = pa.array(["twin"] * same.num_rows)
        return pa.concat_tables([table, same.set_column(0, "customer_id", renamed)])

    doubled = build(rich_log.map(again))
    twin = doubled.filter(pc.equal(doubled["customer_id"], "twin"))
    original = built.filter(pc.equal(built["customer_id"], "c0031"))
    assert twin.num_rows == original.num_rows == 1
    assert differing(twin, original) == ["customer_id"]
    others = doubled.filter(pc.not_equal(doubled["customer_id"], "twin"))
    assert differing(others, built) == []


def test_amounts_in_pence_multiply_money_by_100_and_nothing_else(rich_log, built):
    log = rich_log.transactions
    for name in ("amount", "margin"):
        pence = pc.multiply(log[name], pa.scalar(100)).cast(pa.decimal128(18, 6))
        log = log.set_column(log.column_names.index(name), name, pence)
    dear = build(replace(rich_log, transactions=log))
    money = {f.name for f in FEATURES if f.unit == "currency" and f.name in LOGGED}
    ratios = {"order_last_ratio", "refund_share"}
    assert set(differing(dear, built)) >= money
    assert set(differing(dear, built)) <= money | ratios
    for name in money | ratios:
        scale = 100 if name in money else 1
        expected = [None if value is None else scale * value for value in built[name].to_pylist()]
        assert dear[name].to_pylist() == [
            None if value is None else pytest.approx(value, rel=1e-12) for value in expected
        ], name


def test_every_table_has_all_columns_of_the_catalogue_in_order(rich_log, make_log):
    bare = make_log([("a", "2024-01-01", 5)])
    people = make_log(known=[("a", "x", 30.0, True)])
    for log, population, attributes in (
        (rich_log, "buyers", ATTRIBUTES),
        (rich_log, "customers", ATTRIBUTES),
        (bare, "buyers", ()),
        (people, "customers", ATTRIBUTES),
    ):
        table = build(log, population=population)
        assert table.column_names == ["customer_id", "as_of", *names(), *attributes]
        expected = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}
        for feature in FEATURES:
            assert table.schema.field(feature.name).type == expected[feature.kind], feature.name
        assert set(table["as_of"].to_pylist()) == {AS_OF}


def test_parquet_written_by_the_engine_keeps_the_types(rich_log, tmp_path):
    import pyarrow.parquet as pq

    table = behaviour(rich_log.inputs(), AS_OF, horizon_days=90)
    table.to_parquet(tmp_path / "table.parquet")
    written = pq.read_schema(tmp_path / "table.parquet")
    assert written.names == list(table.columns)
    assert written.types == list(table.schema().to_pyarrow().types)


def test_buyers_are_those_with_an_occasion_before_as_of(make_log):
    log = make_log(
        [
            ("buyer", "2024-05-31", 1),
            ("tomorrow", "2024-06-01", 1),
            ("refunds only", "2024-05-01", -1),
            ("undone the same day", "2024-05-01", 7),
            ("undone the same day", "2024-05-01", -7),
            ("free", "2024-05-01", 0),
        ]
    )
    assert build(log)["customer_id"].to_pylist() == ["buyer"]


def test_customers_without_an_occasion_have_zero_counts_and_no_rhythm(make_log):
    log = make_log(
        [("a", "2024-05-01", 10), ("b", "2024-05-01", -4), ("stranger", "2024-05-01", 3)],
        known=[("a", "x", 30.0, None), ("b", None, None, None), ("c", "y", 1.0, None)],
        seen=[("c", "2024-05-30T10:00:00", "complaint")],
    )
    table = build(log, population="customers")
    assert table["customer_id"].to_pylist() == ["a", "b", "c"]
    assert table["attribute_plan"].to_pylist() == ["x", None, "y"]
    assert table["spend_total"].to_pylist() == [10.0, -4.0, 0.0]
    assert table["unmatched_refunds"].to_pylist() == [0.0, -4.0, 0.0]
    assert table["refund_lines"].to_pylist() == [0, 1, 0]
    assert table["occasions_90"].to_pylist() == [1, 0, 0]
    assert table["complaints_open"].to_pylist() == [0, 0, 1]
    for name in ("frequency", "recency", "T", "monetary_value", "days_since_last", "order_mean"):
        assert table[name].null_count == 2, name
    without = {feature.name for feature in FEATURES if feature.without is not None}
    for feature in FEATURES:
        value = table[feature.name].to_pylist()[2]
        if feature.family == "subscription":
            assert value is None, feature.name
        elif feature.family != "care":
            assert value == (0 if feature.name in without else None), feature.name


def test_an_attribute_of_a_buyer_who_is_not_listed_is_null(make_log):
    log = make_log([("a", "2024-05-01", 1)], known=[("b", "x", 30.0, None)])
    table = build(log)
    assert table["customer_id"].to_pylist() == ["a"]
    assert table["attribute_plan"].to_pylist() == [None]


def test_a_missing_source_is_null_and_a_customer_missing_in_it_is_zero(make_log):
    rows = [("a", "2024-05-01", 1)]
    care = [feature for feature in FEATURES if feature.family == "care"]
    no_source = build(make_log(rows))
    assert all(no_source[feature.name].to_pylist() == [None] for feature in care)
    no_row = build(make_log(rows, seen=[("b", "2024-05-01T10:00:00", "complaint")]))
    assert {feature.name: no_row[feature.name].to_pylist() for feature in care} == {
        feature.name: [feature.without] for feature in care
    }


def test_huge_amounts_neither_overflow_nor_lose_a_cent(make_log):
    rows = [("whale", "2024-05-01", "999999999.99")] * 2_000
    table = build(make_log([*rows, ("whale", "2024-05-02", "0.01")]))
    assert table["spend_total"].to_pylist() == [1_999_999_999_980.01]
    assert table["order_last"].to_pylist() == [0.01]
    assert table["order_std"].to_pylist() == [None]


def test_the_plan_reads_the_log_once_for_days_and_once_for_each_id(rich_log):
    """More would not change a number, and would cost seconds on a log of ten million rows."""
    inputs = rich_log.inputs()
    query = inputs.connection.compile(behaviour(inputs, AS_OF, horizon_days=90))
    assert query.count('FROM "memory"."main"."transactions"') == 1 + 3
    assert query.count('FROM "memory"."main"."events"') == 1
    # Two neighbours of a day from one sort, and the last mark among the events.
    assert query.count(" OVER (") == 3


@pytest.mark.parametrize("horizon_days", [0, -1, 731])
def test_a_horizon_out_of_range_is_refused(make_log, horizon_days):
    with pytest.raises(FeaturesError, match=f"horizon_days={horizon_days}, expected 1 to 730"):
        build(make_log([("a", "2024-05-01", 1)]), horizon_days=horizon_days)


@pytest.mark.parametrize(
    ("population", "source"), [("buyers", "transactions"), ("customers", "customers")]
)
def test_a_population_without_its_source_is_refused(population, source):
    with pytest.raises(InputError, match=f"no {source} source"):
        behaviour(Inputs(), AS_OF, horizon_days=90, population=population)


# Amounts at the ends of what a decimal(18,6) and the squares of a spread hold.
EXTREMES = [
    ("dust", "2024-01-05", "0.000001"),
    ("dust", "2024-02-05", "0.000003"),
    ("dust", "2024-02-29", "0.333333"),
    ("odd", "2023-01-05", "123456789.654321"),
    ("odd", "2023-07-05", "7.000007"),
    ("odd", "2024-05-05", "999999999.999999"),
    *[("whale", "2024-03-05", "999999999.999999")] * 12,
    ("whale", "2024-05-05", "1"),
]
MARKS = [
    ("odd", "2024-05-05T10:00:00", kind, value)
    for kind in ("satisfaction", "usage")
    for value in (1 / 3, 2 / 3, 12345.678901, 0.1 + 0.2)
]


@pytest.mark.spark
@pytest.mark.parity
@pytest.mark.parametrize("population", ["buyers", "customers"])
def test_duckdb_equals_spark_bit_for_bit(
    spark, rich_log, future_log, make_log, tmp_path, population
):
    import pyarrow.parquet as pq

    extremes = make_log(EXTREMES, seen=MARKS)
    logs = (future_log, rich_log, extremes)
    both = replace(
        rich_log,
        # The extremes state no margin.
        transactions=pa.concat_tables(
            [log.transactions for log in logs], promote_options="default"
        ),
        events=pa.concat_tables([log.events for log in logs]),
    )
    tables = {}
    for name, table in both.sources().items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
        tables[name] = spark.read_parquet(tmp_path / f"{name}.parquet", table_name=name)
    on_spark = Inputs(**tables, connection=spark)
    plan = behaviour(on_spark, AS_OF, horizon_days=400, population=population)
    there = arrow(plan.order_by("customer_id"))
    here = build(both, horizon_days=400, population=population)
    assert there.schema.types == here.schema.types
    assert differing(there, here) == []


@pytest.mark.parametrize("as_of", ["2024-06-01", datetime(2024, 6, 1), None])
def test_an_as_of_that_is_no_plain_date_is_refused(rich_log, as_of):
    with pytest.raises(FeaturesError, match="expected a date"):
        behaviour(rich_log.inputs(), as_of, horizon_days=90)
