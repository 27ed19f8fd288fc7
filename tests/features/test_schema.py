"""The behaviour table keeps the contract of the catalogue, and breaking it is named."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import ibis
import pytest

from features.catalogue import FEATURES
from features.errors import FeaturesError
from features.schema import check
from features.table import behaviour

AS_OF = date(2024, 6, 1)


def written(plan, path):
    """The table as Parquet and read again: every check is a query."""
    plan.to_parquet(path)
    return ibis.duckdb.connect().read_parquet(path)


@pytest.fixture(scope="module")
def table(rich_log, tmp_path_factory):
    path = tmp_path_factory.mktemp("behaviour") / "table.parquet"
    return written(behaviour(rich_log.inputs(), AS_OF, horizon_days=90), path)


def test_the_table_passes(table):
    check(table)


def test_a_table_of_all_customers_passes_as_such_and_not_as_one_of_buyers(
    rich_log, make_log, tmp_path
):
    known = make_log(known=[("stranger", "x", 1.0, None)])
    both = type(rich_log)(rich_log.transactions, known.customers, rich_log.events)
    plan = behaviour(both.inputs(), AS_OF, horizon_days=90, population="customers")
    everyone = written(plan, tmp_path / "table.parquet")
    check(everyone, population="customers")
    with pytest.raises(FeaturesError, match="frequency has nulls"):
        check(everyone)


FAULTS = {
    "frequency has values that are not from 0 and finite": lambda t: {"frequency": t.frequency - 1},
    "weekend_share has values that are not from 0 to 1 and": lambda t: {
        "weekend_share": t.weekend_share + 1
    },
    "unmatched_refunds has values that are not to 0 and": lambda t: {
        "unmatched_refunds": -t.unmatched_refunds
    },
    "spend_total has values": lambda t: {"spend_total": t.spend_total / 0},
    "T is float64, expected": lambda t: {"T": t.T.cast("float64")},
    "order_max has nulls": lambda t: {"order_max": t.order_max.nullif(t.order_max)},
    "customer_id is repeated": lambda _: {"customer_id": ibis.literal("c0007")},
    "attribute_age has values": lambda t: {"attribute_age": t.attribute_age / 0},
}


@pytest.fixture(scope="module")
def complaint(table):
    """What is said of a table with every fault at once."""
    broken = {}
    for change in FAULTS.values():
        broken |= change(table)
    with pytest.raises(FeaturesError) as caught:
        check(table.mutate(**broken))
    return str(caught.value)


@pytest.mark.parametrize("words", FAULTS)
def test_every_fault_is_named(complaint, words):
    assert words in complaint


def test_columns_without_a_fault_and_customers_are_not_named(complaint):
    assert complaint.count(";") == len(FAULTS) - 1
    assert "c0007" not in complaint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop("T"), r"without \['T'\]"),
        (lambda t: t.mutate(extra=1), r"with \['extra'\] besides"),
        (lambda t: t.relocate("T"), "in another order"),
    ],
)
def test_columns_that_are_not_those_of_the_catalogue_are_named(table, change, message):
    with pytest.raises(FeaturesError, match=message):
        check(change(table))


def retail_folder() -> Path:
    """Folder of the real data: REGULARS_DATA, or shared/data beside the project."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get("REGULARS_DATA", beside)) / "online_retail_ii"


@pytest.fixture(scope="module")
def retail():
    """Online Retail II: all lines with a customer, the days that both sheets hold only once."""
    folder = retail_folder()
    if not folder.is_dir():
        pytest.skip(f"Online Retail II is not in {folder} (set REGULARS_DATA)")
    from features.inputs import Inputs

    connection = ibis.duckdb.connect()
    lines = connection.read_parquet(str(folder / "*.parquet"), table_name="lines").distinct()
    lines = lines.filter(lines["Customer ID"].notnull())
    amount = lines.Quantity.cast("decimal(9, 0)") * lines.Price.cast("decimal(9, 3)")
    log = lines.select(
        customer_id=lines["Customer ID"].cast("int64").cast("string"),
        occurred_at=lines.InvoiceDate.cast("timestamp"),
        day=lines.InvoiceDate.cast("timestamp").date(),
        amount=amount.cast("decimal(18, 6)"),
        order_id=lines.Invoice,
        product_id=lines.StockCode,
        category=ibis.null("string"),
    )
    return Inputs(transactions=connection.create_table("log", log), connection=connection)


def buyers_before(retail, as_of):
    """Customers with a day of positive net spend, counted by a query of its own."""
    query = """
        SELECT count(DISTINCT customer_id) FROM (
            SELECT customer_id FROM log WHERE day < ?
            GROUP BY customer_id, day HAVING sum(amount) > 0
        )
    """
    return retail.connection.con.execute(query, [as_of]).fetchone()[0]


@pytest.mark.realdata
@pytest.mark.parametrize(
    "as_of", [date(2010, 3, 1), date(2010, 12, 1), date(2011, 6, 13), date(2011, 12, 10)]
)
def test_online_retail_keeps_the_contract(retail, as_of, tmp_path):
    table = written(behaviour(retail, as_of, horizon_days=90), tmp_path / "table.parquet")
    check(table)
    assert table.count().to_pyarrow().as_py() == buyers_before(retail, as_of) > 1_500
    # There are neither events nor subscriptions.
    absent = ("care", "subscription")
    known = [feature.name for feature in FEATURES if feature.family not in absent]
    counts = table.aggregate([table[name].count().name(name) for name in known]).to_pyarrow()
    empty = {name for name, (count,) in counts.to_pydict().items() if count == 0}
    # The log has no categories and no margins, and before December 2010 no customer of a year ago.
    unknown = {"categories_distinct", "margin_total", "margin_spend"}
    seasonal = {"same_season_occasions", "same_season_spend"}
    assert empty == unknown | (seasonal if as_of < date(2010, 12, 1) else set())
