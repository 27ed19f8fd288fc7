"""Money in windows and the size of the orders, against hand sums."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import numpy as np
import pytest

# Ages on 1 June 2024: 365, 366, 200, 100, 90, 91, 30 and 5 days.
LOG = [
    ("a", "2023-06-01", 1),  # 366
    ("a", "2023-06-02", 2),  # 365
    ("a", "2023-11-14", 4),  # 200
    ("a", "2024-02-22", 8),  # 100
    ("a", "2024-03-02", 16),  # 91
    ("a", "2024-03-03", 32),  # 90
    ("a", "2024-05-02", 64),  # 30
    ("a", "2024-05-20", -10),  # 12
    ("a", "2024-05-27", 140),  # 5
    ("a", "2024-05-27", -12),
]


@pytest.mark.golden
def test_by_hand(rows_of):
    row = rows_of(LOG)["a"]
    orders = [1, 2, 4, 8, 16, 32, 64, 128]
    mean = 255 / 8
    squares = sum(order * order for order in orders)
    expected = {
        "spend_total": 245.0,
        "spend_30": 64 + 128 - 10.0,
        "spend_60": 182.0,
        "spend_90": 214.0,
        "spend_180": 238.0,
        "spend_365": 244.0,
        # 90 to 180 days before as-of: 16 + 8; 180 to 360: 4.
        "spend_trend_90": 214.0 - 24,
        "spend_trend_180": 238.0 - 4,
        "order_mean": mean,
        "order_max": 128.0,
        "order_last": 128.0,
        "order_last_ratio": 128 / mean,
        "first_order": 1.0,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["order_std"] == pytest.approx(sqrt((squares - 255**2 / 8) / 7), rel=1e-15)


@pytest.mark.golden
def test_a_single_order_has_no_spread(rows_of):
    row = rows_of([("a", "2024-05-01", 10)])["a"]
    assert (row["order_mean"], row["order_std"], row["order_last_ratio"]) == (10.0, None, 1.0)


@pytest.mark.parametrize("price", ["9.99", "0.000001", "99999999.99"])
def test_orders_that_are_all_alike_have_no_spread_at_all(rows_of, price):
    row = rows_of([("a", f"2024-0{month}-15", price) for month in range(1, 6)])["a"]
    assert row["order_std"] == 0.0


def test_large_orders_that_are_nearly_alike_keep_their_spread(rows_of):
    """A cent between two orders of 1,000,000: s = 0.01 √(1/2)."""
    row = rows_of([("a", "2024-05-01", "1000000"), ("a", "2024-05-02", "1000000.01")])["a"]
    assert row["order_std"] == pytest.approx(0.01 * sqrt(0.5), rel=1e-12)


@pytest.mark.golden
@pytest.mark.parametrize("first", ["9999999999.999999", "0.000001"])
def test_the_greatest_and_the_smallest_orders_have_an_exact_spread(rows_of, first):
    """Of x and 1 alone, s = |x − 1| / √2."""
    parts = [("a", "2024-05-01", min(999_999_999, int(float(first)))) for _ in range(10)]
    rest = Decimal(first) - sum(amount for _, _, amount in parts)
    parts = [part for part in parts if part[2]]
    row = rows_of([*parts, ("a", "2024-05-01", rest), ("a", "2024-05-20", 1)])["a"]
    assert row["first_order"] == float(first)
    assert row["order_std"] == pytest.approx(abs(float(first) - 1) / sqrt(2), rel=1e-15)


def test_money_adds_up_to_the_cent(rows_of):
    """Ten payments of 0.10 are 1.00: binary fractions would give 0.9999999999999999."""
    row = rows_of([("a", "2024-05-01", "0.10")] * 10)["a"]
    assert row["spend_total"] == 1.0
    assert np.cumsum([0.1] * 10)[-1] != 1.0


def test_refunds_can_make_spend_negative_and_leave_the_orders(rows_of):
    row = rows_of([("a", "2024-05-01", 10), ("a", "2024-05-02", -25)])["a"]
    assert (row["spend_total"], row["spend_30"], row["order_mean"]) == (-15.0, -25.0 + 0, 10.0)
