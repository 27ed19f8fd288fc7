"""Lines, products, categories and orders, against hand counts."""

from __future__ import annotations

import pytest

NAMES = (
    "lines_mean",
    "lines_last",
    "products_distinct",
    "products_per_occasion",
    "categories_distinct",
    "orders_total",
)


def basket(row):
    return tuple(row[name] for name in NAMES)


@pytest.mark.golden
def test_by_hand(rows_of):
    rows = rows_of(
        [
            ("a", "2024-05-01", 5, "o1", "tea", "drinks"),
            ("a", "2024-05-01", 5, "o1", "tea", "drinks"),
            ("a", "2024-05-01", 5, "o2", "milk", "drinks"),
            ("a", "2024-05-09", 5, "o3", "tea", "drinks"),
            ("a", "2024-05-09", 0, "o3", "sample", "gifts"),
            ("a", "2024-05-09", -1, "o4", "bread", "food"),
            ("a", "2024-05-20", -1, "o5", "bread", "food"),
        ]
    )
    # Lines 3 and 2; tea, milk | tea, sample; orders o1 to o3: refunds are no part of a basket.
    assert basket(rows["a"]) == (2.5, 2, 3, 2.0, 2, 3)


@pytest.mark.golden
def test_what_the_lines_do_not_name_is_not_known(rows_of):
    rows = rows_of(
        [
            ("nothing", "2024-05-01", 5),
            ("orders", "2024-05-01", 5, "o1"),
            ("some products", "2024-05-01", 5, None, "tea"),
            ("some products", "2024-05-02", 5),
            ("refund", "2024-05-01", 5),
            ("refund", "2024-05-02", -5, "o2", "tea", "drinks"),
        ]
    )
    assert basket(rows["nothing"]) == (1.0, 1, None, None, None, None)
    assert basket(rows["orders"]) == (1.0, 1, None, None, None, 1)
    assert basket(rows["some products"]) == (1.0, 1, 1, 0.5, None, None)
    assert basket(rows["refund"]) == (1.0, 1, None, None, None, None)


def test_one_product_of_two_customers_counts_for_each(rows_of):
    rows = rows_of(
        [("a", "2024-05-01", 5, "o1", "tea", "x"), ("b", "2024-05-01", 5, "o1", "tea", "x")]
    )
    assert basket(rows["a"]) == basket(rows["b"]) == (1.0, 1, 1, 1.0, 1, 1)
