"""Frequency, recency, T and monetary value against hand counts, `lifetimes` and the paper."""

from __future__ import annotations

import csv
import warnings
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

import pytest

from features.compat import arrow
from features.table import behaviour

CDNOW_AS_OF = date(1997, 10, 1)


def rfm_columns(row):
    return tuple(row[name] for name in ("frequency", "recency", "T", "monetary_value"))


@pytest.mark.golden
def test_by_hand(rows_of):
    rows = rows_of(
        [
            ("thrice", "2024-05-01", 10),
            ("thrice", "2024-05-04", 20),
            ("thrice", "2024-05-04", 5),
            ("thrice", "2024-05-20", 15),
            ("once", "2024-05-30", 3),
            ("yesterday", "2024-05-31", 4),
        ]
    )
    assert rfm_columns(rows["thrice"]) == (2, 19, 30, 20.0)
    assert rfm_columns(rows["once"]) == (0, 0, 1, 0.0)
    assert rfm_columns(rows["yesterday"]) == (0, 0, 0, 0.0)


@pytest.mark.golden
def test_a_refund_of_another_day_is_no_occasion_and_leaves_the_mean_of_the_others(rows_of):
    rows = rows_of(
        [("a", "2024-05-01", 10), ("a", "2024-05-10", 30), ("a", "2024-05-20", -30)],
    )
    assert rfm_columns(rows["a"]) == (1, 9, 30, 30.0)


def dataset(name):
    """Text of a file that `lifetimes` carries, without importing it."""
    path = distribution("lifetimes").locate_file(f"lifetimes/datasets/{name}")
    return Path(path).read_text()


def cdnow(name):
    """Purchases of CDNOW that come with `lifetimes`: (customer, day, amount as text)."""
    for line in dataset(name).splitlines():
        fields = line.split()
        if len(fields) < 4 or not fields[0].isdigit():
            continue
        customer, day, _, amount = fields[-4:]
        yield customer, date(int(day[:4]), int(day[4:6]), int(day[6:])), amount


@pytest.fixture(scope="module")
def master():
    return list(cdnow("CDNOW_master.txt"))


@pytest.fixture(scope="module")
def ours(make_log, master):
    inputs = make_log(master).inputs()
    table = behaviour(inputs, CDNOW_AS_OF, horizon_days=273)
    columns = ("customer_id", "frequency", "recency", "T", "monetary_value")
    return {
        row["customer_id"]: rfm_columns(row) for row in arrow(table.select(*columns)).to_pylist()
    }


def summary_of_lifetimes(rows):
    """Rows of `lifetimes.utils.summary_data_from_transaction_data` in days, by customer."""
    with warnings.catch_warnings():
        # It sets deprecated pandas options when it is imported.
        warnings.simplefilter("ignore")
        import pandas as pd
        from lifetimes.utils import summary_data_from_transaction_data

        frame = pd.DataFrame(rows, columns=["customer", "day", "amount"])
        frame["day"] = pd.to_datetime(frame["day"])
        frame["amount"] = frame["amount"].astype(float)
        summary = summary_data_from_transaction_data(
            frame, "customer", "day", "amount", observation_period_end="1997-09-30"
        )
    return {row.Index: tuple(row)[1:] for row in summary.itertuples()}


@pytest.mark.parity
def test_equals_lifetimes_on_all_of_cdnow_where_every_purchase_has_a_price(master, ours):
    paid = [row for row in master if float(row[2]) > 0]
    theirs = summary_of_lifetimes(paid)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 23_500
    assert sum(x for x, _, _, _ in ours.values()) > 20_000
    for customer, expected in theirs.items():
        assert ours[customer][:3] == expected[:3]
        assert ours[customer][3] == pytest.approx(expected[3], rel=1e-12)


@pytest.mark.parity
def test_differs_from_lifetimes_only_by_days_on_which_nothing_was_paid(master, ours):
    """`lifetimes` counts a day with purchases of zero as a transaction; an occasion is paid."""
    theirs = summary_of_lifetimes(master)
    differ = {
        customer
        for customer, expected in theirs.items()
        if customer not in ours or ours[customer] != pytest.approx(expected, rel=1e-12)
    }
    paid = {}
    for customer, day, amount in master:
        if day < CDNOW_AS_OF:
            paid[customer, day] = paid.get((customer, day), 0.0) + float(amount)
    unpaid = {customer for (customer, _), amount in paid.items() if amount == 0}
    assert differ == unpaid
    assert len(unpaid) == 73


@pytest.mark.golden
def test_equals_the_published_summary_of_the_sample_in_weeks(make_log):
    """The 1/10 sample of Fader, Hardie & Lee (2005) as their spreadsheet has it.

    `CDNOW_sample.txt` holds the purchases and `cdnow_customers_summary.csv` the summary, both
    published by Fader and Hardie and carried by `lifetimes`; weeks to two decimals.
    """
    text = dataset("cdnow_customers_summary.csv")
    published = {
        int(row["ID"]): (int(row["frequency"]), float(row["recency"]), float(row["T"]))
        for row in csv.DictReader(text.splitlines())
    }
    rows = [(str(int(c)), day, amount) for c, day, amount in cdnow("CDNOW_sample.txt")]
    table = behaviour(make_log(rows).inputs(), CDNOW_AS_OF, horizon_days=273)
    ours = {
        int(row["customer_id"]): (
            row["frequency"],
            round(row["recency"] / 7, 2),
            round(row["T"] / 7, 2),
        )
        for row in table.to_pyarrow().to_pylist()
    }
    # Their single purchase was of 0.00: no occasion, so they are no buyers. All others are equal.
    free = {87, 155, 227, 286, 1080, 1195, 1293, 2086}
    assert {customer for customer in published if customer not in ours} == free
    assert {int(customer) for customer, _, amount in rows if float(amount) == 0} >= free
    assert len(published) == 2357
    assert ours == {customer: row for customer, row in published.items() if customer not in free}
