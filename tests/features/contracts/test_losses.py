"""Rows lost in reading: when it is worth a word, and when nothing should be built."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.contract import (
    DUPLICATE,
    NO_CUSTOMER,
    NO_DATE,
    REASONS,
    UNKNOWN_ARM,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_COST,
    UNPARSEABLE_DATE,
    UNPARSEABLE_END,
    UNPARSEABLE_PRICE,
    UNPARSEABLE_VALUE,
)
from features.contracts.losses import notice, obstacle
from features.inputs import SourceReport

REJECTS = Path("/store/rejects")
UNREAD = {
    *(UNPARSEABLE_DATE, UNPARSEABLE_AMOUNT, UNPARSEABLE_VALUE),
    *(UNPARSEABLE_END, UNPARSEABLE_PRICE),
    *(UNPARSEABLE_COST, UNKNOWN_ARM),
}
COUNTS = st.dictionaries(st.sampled_from(REASONS), st.integers(1, 1000), max_size=6)


def _report(accepted: int, source: str = "transactions", **given: object) -> SourceReport:
    rejected = given.pop("rejected", {})
    read = accepted + sum(rejected.values())  # type: ignore[attr-defined]
    return SourceReport(source, read, accepted, rejected, **given)  # type: ignore[arg-type]


@given(st.integers(0, 3000), COUNTS)
def test_more_than_one_rejected_row_in_twenty_is_worth_a_word(
    accepted: int, rejected: dict[str, int]
) -> None:
    report = _report(accepted, rejected=rejected)
    told = notice(report, REJECTS)
    assert (told is not None) == (20 * sum(rejected.values()) > report.read)
    if told is not None:
        most = max(rejected.values())
        assert any(f"'{reason}'" in told for reason in rejected if rejected[reason] == most)


def test_the_notice_says_how_many_why_and_where() -> None:
    rejected = {UNPARSEABLE_DATE: 28_000, NO_CUSTOMER: 264}
    assert notice(_report(17_234, rejected=rejected), REJECTS) == (
        "transactions: 28,264 of 45,498 rows (62%) were rejected, most of them for "
        "'unparseable date'; see /store/rejects."
    )


@pytest.mark.parametrize(
    ("rejected", "words"),
    [
        ({NO_DATE: 9}, "all of them for 'no date'"),
        ({NO_DATE: 5, DUPLICATE: 4}, "most of them for 'no date'"),
        ({NO_DATE: 4, DUPLICATE: 3, NO_CUSTOMER: 3}, "most often for 'no date'"),
    ],
)
def test_most_is_more_than_half(rejected: dict[str, int], words: str) -> None:
    assert words in (notice(_report(1, rejected=rejected), REJECTS) or "")


@given(st.integers(1, 3000), COUNTS)
def test_more_than_half_unreadable_stands_in_the_way_and_nothing_else(
    accepted: int, rejected: dict[str, int]
) -> None:
    report = _report(accepted, rejected=rejected)
    unread = sum(rows for reason, rows in rejected.items() if reason in UNREAD)
    found = obstacle((report,), "transactions")
    assert (found is not None) == (2 * unread > report.read)
    assert found is None or not found.is_total


@given(st.integers(1, 1000), COUNTS.filter(bool))
def test_no_accepted_row_stands_in_the_way_where_rows_are_needed(
    accepted: int, rejected: dict[str, int]
) -> None:
    empty, other = _report(0, rejected=rejected), _report(accepted, "customers")
    found = obstacle((empty, other), "transactions")
    assert found is not None
    assert found.is_total
    assert found.why.startswith("transactions: no row was accepted; ")
    # Without events there is still an answer, if they could be read.
    beside = obstacle((_report(accepted), _report(0, "events", rejected=rejected)), "transactions")
    assert (beside is None) == (2 * sum(rejected.get(r, 0) for r in UNREAD) <= empty.read)


def test_a_quarter_without_customer_id_is_a_shop_with_passers_by() -> None:
    report = _report(75, rejected={NO_CUSTOMER: 25})
    assert obstacle((report,), "transactions") is None
    assert "25 of 100 rows (25%)" in (notice(report, REJECTS) or "")


def test_an_obstacle_says_which_settings_to_look_at_and_shows_a_value() -> None:
    advice = {UNPARSEABLE_DATE: "'at' holds 'x'.", UNPARSEABLE_AMOUNT: "'paid' holds '1,5'."}
    rejected = {UNPARSEABLE_AMOUNT: 30, UNPARSEABLE_DATE: 31}
    report = _report(39, rejected=rejected, advice=advice)
    assert str(obstacle((report,), "transactions")) == (
        "transactions: 61 of 100 rows (61%) were rejected for 'unparseable date' or 'unparseable "
        "amount', which is nearly always a wrong setting. Look at timestamp_format; amount and "
        "decimal in [sources.transactions]. 'at' holds 'x'. 'paid' holds '1,5'."
    )


def test_the_reason_of_an_empty_source_is_its_most_frequent_one() -> None:
    report = _report(0, rejected={NO_CUSTOMER: 2, NO_DATE: 3})
    assert str(obstacle((report,), "transactions")) == (
        "transactions: no row was accepted; 5 of 5 rows (100%) were rejected, most of them for "
        "'no date'."
    )
