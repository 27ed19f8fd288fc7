"""The split of a subscriber's value: its factors multiply back, and renewals are those that fit."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.store import Store
from serving.insight import renewal_split
from serving.scores import to_table

MARGIN = 0.3
AS_OF = date(2024, 7, 1)


def split(prices: list[float | None], **columns: list) -> dict[str, list]:
    usual = {"expected_purchases": 1.8, "expected_spend": 18.0, "clv": 24.0}
    told = {name: [value] * len(prices) for name, value in usual.items()} | columns
    table = pa.table({name: pa.array(v, pa.float64()) for name, v in told.items()})
    return renewal_split.split(table, prices, MARGIN).to_pydict()


@pytest.mark.golden
def test_by_hand():
    """N = 1.8, S = 18, c = 0.3, V = 24: s = 18 / 1.8 = 10; m = 0.3 · 10 = 3; r = 24 / 3 = 8."""
    told = split([None])
    assert {name: one for name, (one,) in told.items()} == pytest.approx(
        {"renewals": 1.8, "price": 10.0, "lifetime_renewals": 8.0, "profit_per_renewal": 3.0}
    )


@pytest.mark.golden
def test_a_year_that_is_not_up_yet_goes_by_the_price_that_is_kept():
    """Nothing within the horizon; V = 21.36 of an annual price of 89: 21.36 / (0.3 · 89) = 0.8."""
    told = split([89.0], expected_purchases=[0.0], expected_spend=[0.0], clv=[21.36])
    assert (told["renewals"], told["price"]) == ([0.0], [89.0])
    assert told["lifetime_renewals"] == [pytest.approx(0.8)]


@given(
    st.floats(1e-6, 400),
    st.floats(1e-3, 1e6),
    st.floats(0, 1e7),
    st.sampled_from([0.3, 1.0, -0.2]),
)
def test_factors_multiply_back(renewals, price, clv, rate):
    clv = -clv if rate < 0 else clv
    spend = renewals * price
    told = split(
        [None],
        margin_rate=[rate],
        expected_purchases=[renewals],
        expected_spend=[spend],
        clv=[clv],
    )
    for names, whole in ((renewal_split.SPEND, spend), (renewal_split.LIFETIME, clv)):
        product = np.prod([told[name][0] for name in names])
        assert product == pytest.approx(whole, rel=1e-12, abs=1e-300)
    assert told["lifetime_renewals"][0] >= 0


def test_the_score_rows_of_subscribers_multiply_back_in_renewals_that_fit(
    subscribers, scored, retention
):
    table = to_table(scored(subscribers, scorer=retention)[0])
    told = renewal_split.split(table, [None] * len(table), MARGIN).to_pandas()
    names = table["customer_id"].to_pylist()
    said = [name not in ("back", "gone") for name in names]
    assert told.notna().all(axis=1).tolist() == said
    assert told[~np.array(said)].isna().all(axis=None)
    product = (told["renewals"] * told["price"])[said]
    assert product.to_numpy() == pytest.approx(table["expected_spend"].to_numpy()[said])
    worth = (told["lifetime_renewals"] * told["profit_per_renewal"])[said]
    assert worth.to_numpy() == pytest.approx(table["clv"].to_numpy()[said])
    assert told["price"][said].to_numpy() == pytest.approx(10.0)
    # Of ninety days no more than three or, of who is overdue, four months can come up.
    assert told["renewals"][said].max() <= 4
    assert told["lifetime_renewals"][said].between(0, 13).all()


@pytest.mark.parametrize("name", ["expected_purchases", "expected_spend"])
def test_without_a_figure_there_is_no_split(name):
    told = split([10.0], **{name: [None]})
    assert list(told.values()) == [[None]] * 4


def test_prices_are_those_of_the_behaviour_table(tmp_path):
    store = Store(tmp_path)
    path = store.behaviour(AS_OF)
    path.parent.mkdir(parents=True)
    table = {"customer_id": ["a", "b", "c"], "subscription_price": [5.0, None, 7.0]}
    pq.write_table(pa.table(table), path)
    with duckdb.connect() as engine:
        asked = ["c", "nobody", "b", "a"]
        assert renewal_split.prices(store, engine, AS_OF, asked) == [7.0, None, None, 5.0]
        assert renewal_split.prices(store, engine, date(2024, 6, 1), ["a"]) == [None]
        assert renewal_split.prices(None, engine, AS_OF, ["a"]) == [None]
