"""What was sent back, against hand sums."""

from __future__ import annotations

from datetime import date

import pytest

from features.table import behaviour

NAMES = (
    "refund_lines",
    "refund_amount",
    "refund_share",
    "refunds_90",
    "unmatched_refunds",
    "days_since_refund",
)


def refunds(row):
    return tuple(row[name] for name in NAMES)


@pytest.mark.golden
def test_by_hand(rows_of):
    rows = rows_of(
        [
            ("a", "2023-01-10", 100),
            ("a", "2023-01-10", -20),  # netted within the day
            ("a", "2023-02-10", -30),  # of another day
            ("a", "2024-05-02", 10),
            ("a", "2024-05-02", -15),  # what is left is −5
            ("a", "2024-05-02", -5),  # and now −10
            ("none", "2024-05-02", 10),
        ]
    )
    # 2 May 2024 is 30 days before 1 June; 110 were bought and 70 given back.
    assert refunds(rows["a"]) == (4, 70.0, 70 / 110, 2, -40.0, 30)
    assert refunds(rows["none"]) == (0, 0.0, 0.0, 0, 0.0, None)


@pytest.mark.golden
def test_more_can_be_refunded_than_was_bought_in_the_log(rows_of):
    rows = rows_of([("a", "2024-05-01", 10), ("a", "2024-05-02", -25)])
    assert refunds(rows["a"]) == (1, 25.0, 2.5, 1, -25.0, 30)


def test_spend_is_occasions_and_what_is_left_of_refunds(rich_log):
    """spend_total = occasions × order_mean + unmatched_refunds, for every customer."""
    table = behaviour(rich_log.inputs(), date(2024, 6, 1), horizon_days=90)
    rows = table.to_pyarrow().to_pylist()
    assert sum(row["unmatched_refunds"] < 0 for row in rows) > 20
    for row in rows:
        occasions = (row["frequency"] + 1) * row["order_mean"]
        left = row["spend_total"] - row["unmatched_refunds"]
        assert left == pytest.approx(occasions, rel=1e-12)
