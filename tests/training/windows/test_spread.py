"""Intervals hold what they promise, on the whole and where customers differ."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.grading import reliability
from training.windows.spread import Spread, learn, tails
from training.windows.window import Window


def drawn(customers: int, seed: int, level: float = 1.0) -> Window:
    """Customers of known chances, whose outcomes are drawn from them; `level` is the season's."""
    random = np.random.default_rng(seed)
    stays = random.beta(0.6, 0.9, customers).clip(0.01, 0.99)
    more = random.gamma(1.0, 2.0, customers)
    worth = random.lognormal(3.0, 0.6, customers)
    back = random.random(customers) < stays
    counts = np.where(back, 1 + random.poisson(random.gamma(1.5, level * more / 1.5)), 0)
    paid = counts * worth * random.lognormal(-0.08, 0.4, customers)
    told = {
        "return_probability": stays,
        "expected_purchases": stays * (1 + more),
        "expected_spend": stays * (1 + more) * worth,
    }
    came = {"returned": back.astype(int), "occasions": counts, "spend": paid}
    return Window(pd.DataFrame(told), pd.DataFrame(came))


@pytest.fixture(scope="module")
def spread() -> Spread:
    found = learn([drawn(8_000, 1), drawn(8_000, 2)])
    assert found is not None
    return found


def test_eight_of_ten_outcomes_of_another_window_lie_inside(spread: Spread) -> None:
    window = drawn(20_000, 3)
    kinds = pd.DataFrame({"chance": pd.qcut(window.predicted["return_probability"], 4).astype(str)})
    told = reliability.table([window], [kinds], [spread])
    assert told["purchases_coverage"].between(0.76, 0.84).all()
    assert told["spend_coverage"].between(0.76, 0.84).all()
    # Where nothing is bought more often than the interval has to hold, it holds more.
    assert (told["spend_inside"] >= told["spend_coverage"] - 0.02).all()


def test_the_level_of_a_window_does_not_widen_the_intervals(spread: Spread) -> None:
    other = learn([drawn(8_000, 1, level=2.0), drawn(8_000, 2, level=0.5)])
    assert other is not None
    window = drawn(4_000, 5).predicted
    columns = [window[name].to_numpy() for name in window]
    widths = [np.mean(np.subtract(*one.spend(*columns)[::-1])) for one in (spread, other)]
    assert widths[1] == pytest.approx(widths[0], rel=0.35)


@given(stays=st.floats(0.01, 0.99), more=st.floats(0, 50), worth=st.floats(0.01, 1e5))
def test_bounds_are_in_order_and_scale_with_the_currency(spread, stays, more, worth) -> None:
    p, often = np.array([stays]), np.array([stays * (1 + more)])
    low, high = spread.spend(p, often, often * worth)
    assert 0 <= low[0] <= high[0]
    cents = spread.spend(p, often, often * worth * 100)
    assert np.array(cents) == pytest.approx(np.array([low, high]) * 100)
    first, last = spread.purchases(p, often)
    assert 0 <= first[0] <= last[0]
    assert float(first[0]).is_integer() and float(last[0]).is_integer()


def test_an_interval_begins_at_nothing_where_nothing_is_likely() -> None:
    low, high = tails(np.array([0.05, 0.9, 0.95]))
    assert low == pytest.approx([0.0, 0.0, 0.1])
    assert high - low == pytest.approx(0.8)


def test_who_hardly_returns_has_nothing_to_expect(spread: Spread) -> None:
    p = np.array([0.1])
    assert spread.spend(p, p * 2, p * 100)[1][0] == 0
    assert spread.purchases(p, p * 2)[1][0] == 0


def test_a_probability_has_an_interval_without_amounts_too() -> None:
    told = pd.DataFrame({"return_probability": np.full(2_000, 0.5)})
    came = pd.DataFrame({"returned": np.tile([1, 0, 0, 0], 500)})
    found = learn([Window(told, came)])
    assert found is not None
    assert found.ratios == ()
    # Half as many returned as was said: log 3 away, with the prior of two windows beside it.
    assert found.swing.returns == pytest.approx(np.sqrt((2 * 0.2**2 + np.log(3) ** 2) / 3), 0.01)
    bounds = found.bounds({"return_probability": np.array([0.5])})
    assert bounds["churn_probability_lower"][0] < 0.3
    assert bounds["churn_probability_upper"][0] > 0.7


def test_without_a_window_in_which_somebody_returned_nothing_is_known() -> None:
    nobody = drawn(100, 1)
    nobody.came[["returned", "occasions", "spend"]] = 0
    assert learn([]) is None
    assert learn([nobody]) is None


def test_returners_who_were_refunded_everything_teach_no_amounts() -> None:
    window = drawn(500, 1)
    window.came["spend"] = 0.0
    found = learn([window])
    assert found is not None
    assert found.swing.returns > 0
    assert found.ratios == ()


def test_what_is_null_gets_no_interval(spread: Spread) -> None:
    null = np.array([np.nan])
    given_ = dict.fromkeys(
        ("return_probability", "expected_purchases", "expected_spend", "clv"), null
    )
    given_ |= {"lifetime_return": null, "lifetime_purchases": null}
    assert all(np.isnan(ends).all() for ends in spread.bounds(given_).values())


def test_a_saved_spread_is_the_same(spread: Spread, tmp_path: Path) -> None:
    spread.save(tmp_path)
    assert Spread.load(tmp_path) == spread
    assert Spread.load(tmp_path / "nowhere") is None
    longer = replace(spread, lifetime=spread.swing)
    longer.save(tmp_path)
    assert Spread.load(tmp_path) == longer


def test_a_spread_saved_before_lifetime_values_had_a_level_is_read(
    spread: Spread, tmp_path: Path
) -> None:
    spread.save(tmp_path)
    (file,) = tmp_path.iterdir()
    told = json.loads(file.read_text())
    del told["lifetime"]
    file.write_text(json.dumps(told))
    assert Spread.load(tmp_path) == spread


def test_row_order_changes_nothing() -> None:
    window = drawn(3_000, 4)
    turned = Window(window.predicted.iloc[::-1], window.came.iloc[::-1])
    one, other = learn([window]), learn([turned])
    assert one is not None and other is not None
    assert one.edges == pytest.approx(other.edges)
    assert np.array(one.ratios) == pytest.approx(np.array(other.ratios))
