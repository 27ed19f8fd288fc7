"""Customer-days: refunds netted within the day, nothing dropped, nothing from as-of on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from features.occasions import before, occasions, paced

AS_OF = date(2024, 6, 1)

LOG = [
    ("a", "2024-01-10", 30),
    ("a", "2024-01-10", 20),
    ("a", "2024-01-10", -5),
    ("a", "2024-01-12", -10),
    ("a", "2024-01-31", 0),
    ("a", "2024-01-31", 8),
    ("a", "2024-03-01", 0),
    ("a", "2024-03-31", 4),
    ("a", "2024-06-01", 100),
    ("b", "2024-05-31", 7),
    ("b", "2024-05-31", -7),
]


def days_of(log, as_of=AS_OF):
    days = paced(occasions(log.inputs().transactions, as_of), as_of)
    return {(row["customer_id"], row["day"]): row for row in days.to_pyarrow().to_pylist()}


def test_rows_of_the_as_of_day_are_not_seen(make_log):
    log = make_log([("a", "2024-05-31", 1), ("a", "2024-06-01", 2), ("a", "2024-06-02", 3)])
    seen = before(log.inputs().transactions, AS_OF).to_pyarrow()
    assert seen["day"].to_pylist() == [date(2024, 5, 31)]


def test_a_day_is_one_row_net_of_its_refunds(make_log):
    days = days_of(make_log(LOG))
    assert len(days) == 6
    first = days["a", date(2024, 1, 10)]
    assert (first["net"], first["refunded"]) == (Decimal(45), Decimal(5))
    assert (first["lines"], first["refund_lines"], first["is_occasion"]) == (2, 1, True)


def test_a_day_with_nothing_left_is_no_occasion_and_is_kept(make_log):
    days = days_of(make_log(LOG))
    found = {
        key: (day["net"], day["lines"], day["is_occasion"])
        for key, day in days.items()
        if not day["is_occasion"]
    }
    assert found == {
        ("a", date(2024, 1, 12)): (Decimal(-10), 0, False),
        ("a", date(2024, 3, 1)): (Decimal(0), 1, False),
        ("b", date(2024, 5, 31)): (Decimal(0), 1, False),
    }


def test_neighbours_are_occasions_and_not_other_days(make_log):
    days = days_of(make_log(LOG))
    named = [
        (key[1].isoformat(), day["ago"], day["previous_ago"], day["is_first"], day["is_last"])
        for key, day in sorted(days.items())
        if day["is_occasion"]
    ]
    # 2024 has a 29 February: 10 January is 143 days before 1 June.
    assert named == [
        ("2024-01-10", 143, None, True, False),
        ("2024-01-31", 122, 143, False, False),
        ("2024-03-31", 62, 122, False, True),
    ]


def test_a_month_is_opened_by_its_first_occasion(make_log):
    rows = ["2023-01-31", "2023-02-01", "2023-02-28", "2024-02-01", "2024-02-02"]
    days = days_of(make_log([("a", day, 1) for day in rows]))
    opened = [key[1].isoformat() for key, day in sorted(days.items()) if day["opens_month"]]
    assert opened == ["2023-01-31", "2023-02-01", "2024-02-01"]
