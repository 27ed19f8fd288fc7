"""Cohorts: every customer in one of them, nobody from the future, the unfinished month apart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.cohorts import average, cohorts

START = date(2023, 11, 1)
ROWS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(0, 250), st.integers(-3, 20)), max_size=40
)


def days(rows: list[tuple[str, date, int]]) -> ibis.Table:
    """Customer-days from who, when and how much."""
    kinds = {"customer_id": "string", "day": "date", "net": "decimal(18, 6)"}
    plain = [
        {"customer_id": who, "day": day, "net": Decimal(paid)}
        for (who, day), paid in {(who, day): paid for who, day, paid in rows}.items()
    ]
    table = ibis.memtable(plain, schema=ibis.schema(kinds))
    return table.mutate(is_occasion=table.net > 0)


@pytest.mark.golden
def test_the_triangle_by_hand():
    """Ann and Bob first buy in January, Cid in March; March is not over on the 20th."""
    log = days(
        [
            ("ann", date(2024, 1, 3), 10),
            ("ann", date(2024, 2, 3), 5),
            ("ann", date(2024, 2, 9), 5),
            ("bob", date(2024, 1, 31), 7),
            ("bob", date(2024, 2, 2), -7),
            ("bob", date(2024, 3, 1), 4),
            ("cid", date(2024, 3, 19), 2),
            ("dan", date(2024, 3, 20), 2),
        ]
    )
    january, march = cohorts(log, date(2024, 3, 20))
    assert (january.month, january.active, january.spend) == (
        date(2024, 1, 1),
        (2, 1, 1),
        (17, 10, 4),
    )
    assert (january.finished, march.finished) == (2, 0)
    assert march.active == (1,)
    assert january.retention == (1.0, 0.5, 0.5)
    assert average((january, march)) == (1.0, 0.5)


def test_on_the_first_of_a_month_the_month_before_is_over():
    (cohort,) = cohorts(days([("ann", date(2024, 2, 29), 1)]), date(2024, 3, 1))
    assert (cohort.active, cohort.finished) == ((1,), 1)


def test_a_log_without_occasions_has_no_cohort():
    assert cohorts(days([("ann", date(2024, 2, 1), -1)]), date(2024, 3, 1)) == ()
    assert average(()) == ()


@settings(max_examples=30)
@given(ROWS, st.integers(1, 260))
def test_every_buyer_is_in_one_cohort_and_the_future_changes_nothing(rows, ago):
    as_of = START + timedelta(days=ago)
    log = [(who, START + timedelta(days=day), paid) for who, day, paid in rows]
    log = [(who, day, paid) for (who, day), paid in {(w, d): p for w, d, p in log}.items()]
    found = cohorts(days(log), as_of)
    buyers = {who for who, day, paid in log if paid > 0 and day < as_of}
    assert sum(cohort.customers for cohort in found) == len(buyers)
    spent = sum(paid for _, day, paid in log if paid > 0 and day < as_of)
    assert sum(sum(cohort.spend) for cohort in found) == spent
    assert all(0 <= share <= 1 for cohort in found for share in cohort.retention)
    future = [("new", as_of, 9), ("a", as_of + timedelta(days=40), 9)]
    assert cohorts(days([row for row in log if row[1] < as_of] + future), as_of) == found
