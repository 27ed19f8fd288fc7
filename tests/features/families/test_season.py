"""The same season last year, weekends and the first month, against hand counts."""

from __future__ import annotations

from datetime import date

import pytest

AS_OF = date(2024, 6, 1)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("day", "inside"),
    [
        # 2023-06-02 is 365 days before 2024-06-01, as there is a 29 February between them.
        ("2023-06-01", False),
        ("2023-06-02", True),
        ("2023-08-30", True),
        ("2023-08-31", False),
    ],
)
def test_the_window_is_the_horizon_365_days_earlier(rows_of, day, inside):
    row = rows_of([("a", "2020-01-01", 1), ("a", day, 5)], AS_OF, horizon_days=90)["a"]
    assert row["same_season_occasions"] == int(inside)
    assert row["same_season_spend"] == (5.0 if inside else 0.0)


@pytest.mark.golden
@pytest.mark.parametrize("horizon_days", [365, 366, 730])
def test_a_horizon_of_a_year_or_more_ends_the_window_at_as_of(rows_of, horizon_days):
    days = ["2023-06-01", "2023-06-02", "2024-05-31", "2024-06-01", "2024-06-02"]
    row = rows_of([("a", day, 1) for day in days], AS_OF, horizon_days=horizon_days)["a"]
    assert row["same_season_occasions"] == 2


@pytest.mark.golden
def test_a_refund_in_the_season_lowers_its_spend_and_adds_no_occasion(rows_of):
    log = [("a", "2020-01-01", 1), ("a", "2023-07-01", 10), ("a", "2023-07-02", -4)]
    row = rows_of(log, AS_OF)["a"]
    assert (row["same_season_occasions"], row["same_season_spend"]) == (1, 6.0)


@pytest.mark.golden
@pytest.mark.parametrize(("first", "known"), [("2023-06-02", True), ("2023-06-03", False)])
def test_nothing_is_said_of_last_year_before_the_customer_came(rows_of, first, known):
    row = rows_of([("a", first, 1), ("a", "2024-05-01", 1)], AS_OF)["a"]
    assert (row["same_season_occasions"] is not None) == known
    assert (row["same_season_spend"] is not None) == known


@pytest.mark.golden
def test_weekends_and_first_month(rows_of):
    # 4 and 5 May 2024 are a Saturday and a Sunday; 3 and 6 May a Friday and a Monday.
    days = ["2024-05-03", "2024-05-04", "2024-05-05", "2024-05-06", "2024-05-13"]
    row = rows_of([("a", day, 1) for day in days], AS_OF)["a"]
    assert (row["weekend_share"], row["first_month"]) == (2 / 5, "5")


def test_the_first_month_is_that_of_the_first_occasion_and_not_of_a_refund(rows_of):
    row = rows_of([("a", "2023-11-30", -1), ("a", "2023-12-01", 1), ("a", "2024-02-01", 1)])["a"]
    assert row["first_month"] == "12"
