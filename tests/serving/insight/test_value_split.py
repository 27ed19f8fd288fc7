"""The split of a value: its factors multiply back, and nothing is made of nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.insight import value_split
from serving.scores import to_table

MARGIN = 0.3


def split(**columns: list) -> dict[str, list]:
    usual = {
        "return_probability": 0.5,
        "expected_purchases": 1.0,
        "expected_spend": 40.0,
        "clv": 60.0,
        "horizon_days": 90,
    }
    length = max((len(values) for values in columns.values()), default=1)
    told = {name: [value] * length for name, value in usual.items()} | columns
    types = {name: pa.int64() if name == "horizon_days" else pa.float64() for name in told}
    table = pa.table({name: pa.array(v, types[name]) for name, v in told.items()})
    return value_split.split(table, MARGIN).to_pydict()


@pytest.mark.golden
def test_by_hand():
    """The module's formulas with p = 0.5, N = 1, S = 40, h = 91 days, c = 0.3, V = 60.

    n = 1 / 0.5 = 2; s = 40; m = 0.3 · 40 = 12; a = 2 / (91 / 30.4375); l = 60 / (a · 12).
    """
    told = split(horizon_days=[91])
    assert told["purchases_if_back"] == [2.0]
    assert told["spend_per_purchase"] == [40.0]
    assert told["profit_per_purchase"] == [12.0]
    assert told["purchases_a_month"] == [pytest.approx(2 / (91 / 30.4375))]
    assert told["months"] == [pytest.approx(60 / (2 / (91 / 30.4375) * 12))]


@given(
    st.floats(1e-6, 1),
    st.floats(1e-6, 400),
    st.floats(1e-3, 1e7),
    st.floats(0, 1e7),
    st.integers(1, 730),
    st.sampled_from([0.3, 1.0, -0.2]),
)
def test_factors_multiply_back(back, purchases, spend, clv, days, rate):
    clv = -clv if rate < 0 else clv
    told = split(
        margin_rate=[rate],
        return_probability=[back],
        expected_purchases=[purchases],
        expected_spend=[spend],
        clv=[clv],
        horizon_days=[days],
    )
    product = {
        group: np.prod([told[name][0] for name in group])
        for group in (value_split.SPEND, value_split.LIFETIME)
    }
    assert product[value_split.SPEND] == pytest.approx(spend, rel=1e-12)
    assert product[value_split.LIFETIME] == pytest.approx(clv, rel=1e-12, abs=1e-300)


def test_the_whole_table_multiplies_back(people, scored):
    frame, _ = scored(people(500))
    table = to_table(frame)
    told = value_split.split(table, MARGIN)
    for names, whole in ((value_split.SPEND, "expected_spend"), (value_split.LIFETIME, "clv")):
        product = np.prod([told[name].to_numpy() for name in names], axis=0)
        expected = table[whole].to_numpy()
        said = np.isfinite(product)
        assert said.mean() > 0.9
        assert product[said] == pytest.approx(expected[said], rel=1e-12)


@pytest.mark.parametrize("name", ["return_probability", "expected_purchases", "expected_spend"])
@pytest.mark.parametrize("nothing", [None, 0.0])
def test_without_a_figure_there_is_no_lifetime_split(name, nothing):
    told = split(**{name: [nothing]})
    assert [told[factor] for factor in value_split.LIFETIME] == [[None]] * 3


def test_without_a_lifetime_value_the_spend_is_split_still():
    told = split(clv=[None])
    assert [told[factor] for factor in value_split.LIFETIME] == [[None]] * 3
    assert [told[factor] for factor in value_split.SPEND] == [[0.5], [2.0], [40.0]]


def test_a_customer_who_will_not_spend_has_purchases_of_nothing():
    assert split(expected_spend=[0.0])["spend_per_purchase"] == [0.0]
