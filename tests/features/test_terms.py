"""Terms: renewals counted by the calendar, against a calendar walked in plain Python."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import terms
from features.compat import arrow

DAYS = st.dates(date(2019, 12, 1), date(2024, 12, 31))
TERMS = st.sampled_from([*terms.WORDS, "1 day", "28 days", "45 days"])


def renewal(start: date, term: terms.Term, number: int) -> date:
    """Day of a renewal: the day of the month that it began on, or the last there is."""
    if term.days:
        return start + timedelta(days=term.days * number)
    year, month = divmod(start.year * 12 + start.month - 1 + term.months * number, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def walked(start: date, term: terms.Term, end: date) -> list[date]:
    """The start and every renewal before a day."""
    number, found = 0, []
    while (day := renewal(start, term, number)) < end:
        found.append(day)
        number += 1
    return found


@pytest.fixture(scope="module")
def connection():
    return ibis.duckdb.connect(threads=1)


def rows(connection, starts, words):
    read = [terms.term(one) for one in words]
    table = pa.table(
        {
            "place": list(range(len(starts))),
            "day": starts,
            "repeats": [True] * len(starts),
            "term_months": [one.months for one in read],
            "term_days": [one.days for one in read],
        }
    )
    return connection.create_table("rows", table, overwrite=True)


# Each example compiles a query of its own: few of them, with many rows.
@settings(max_examples=12)
@given(st.lists(st.tuples(DAYS, TERMS), min_size=20, max_size=60), DAYS)
def test_payments_and_the_next_renewal_are_those_of_the_calendar(connection, begun, as_of):
    starts, words = zip(*begun, strict=True)
    table = rows(connection, starts, words)
    asked = table.select(
        "place",
        paid=terms.payments_before(table, ibis.literal(as_of)),
        ahead=terms.days_to_renewal(table, as_of),
    )
    found = arrow(asked.order_by("place")).to_pylist()
    for (start, words_), row in zip(begun, found, strict=True):
        term = terms.term(words_)
        paid = walked(start, term, as_of)
        assert row["paid"] == len(paid), (start, term, as_of)
        if paid:
            due = renewal(start, term, len(paid))
            assert row["ahead"] == (due - as_of).days, (start, term, as_of)


def test_a_paid_period_is_paid_once(connection):
    table = rows(connection, [date(2024, 1, 1)], ["month"]).mutate(repeats=False)
    asked = [
        terms.payments_before(table, ibis.literal(date(2024, *day))) for day in ((1, 1), (9, 9))
    ]
    assert arrow(table.select(*(one.name(f"n{k}") for k, one in enumerate(asked)))).to_pylist() == [
        {"n0": 0, "n1": 1}
    ]


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        ((2024, 1, 31), (2024, 2, 29), (1, 0)),
        ((2024, 2, 1), (2024, 2, 29), (1, 0)),
        ((2024, 1, 1), (2024, 4, 1), (3, 0)),
        ((2024, 1, 1), (2024, 7, 1), (6, 0)),
        ((2023, 1, 1), (2024, 1, 1), (12, 0)),
        ((2024, 1, 1), (2024, 1, 8), (0, 7)),
        ((2024, 1, 1), (2024, 2, 15), (0, 45)),
    ],
)
def test_a_period_tells_its_term_by_its_length_last_day_counted_or_not(first, end, expected):
    for short in (0, 1):
        days = (date(*end) - date(*first)).days - short
        found = [ibis.duckdb.connect().execute(one) for one in terms.of_length(ibis.literal(days))]
        assert tuple(found) == (expected if expected[0] else (0, days))


@pytest.mark.parametrize("words", ["", "fortnight", "0 days", "-3 days", "1.5 days", "12345 days"])
def test_a_term_that_is_none_is_refused_with_those_there_are(words):
    with pytest.raises(ValueError, match=r'expected week, month, .* as "28 days"'):
        terms.term(words)


def test_capitals_and_blanks_make_no_other_term():
    assert terms.term(" Year ") == terms.Term(12, 0)
    assert terms.term("1 day") == terms.Term(0, 1)
