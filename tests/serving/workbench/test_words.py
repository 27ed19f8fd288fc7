"""Numbers and words on the pages."""

from __future__ import annotations

from datetime import date

import pytest

from serving.desk import Totals
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.workbench import overview, pages


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1234.5, "GBP", "£1,234"),
        (99.994, "EUR", "€99.99"),
        (-0.5, "CHF", "−CHF 0.50"),
        (-1500.0, "USD", "−$1,500"),
        (0.0, "EUR", "€0.00"),
        (None, "EUR", "–"),
    ],
)
def test_money(amount, currency, shown):
    assert pages.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0 %"),
        (0.0004, "<1 %"),
        (0.123, "12 %"),
        (0.9999, ">99 %"),
        (1.0, "100 %"),
        (None, "–"),
    ],
)
def test_shares(share, shown):
    assert pages.percent(share) == shown


def test_other_numbers_and_dates():
    assert pages.cents(1234.5, "GBP") == "£1,234.50"
    assert pages.cents(None, "GBP") == "–"
    assert pages.count(23500) == "23,500"
    assert pages.count(None) == "–"
    assert pages.amount(1.226) == "1.23"
    assert pages.amount(31.4) == "31"
    assert pages.amount(None) == "–"
    assert pages.day(date(2011, 12, 9)) == "9 Dec 2011"
    assert pages.day(None) == "–"


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (-400, "dated in the future"),
        (-1, "dated in the future"),
        (0, "today"),
        (1, "1 day old"),
        (10_370, "10,370 days old"),
    ],
)
def test_an_age_is_never_today_of_a_date_to_come(days, shown):
    assert pages.age(days) == shown


def test_every_stage_and_tier_has_a_word():
    assert {*STAGES, *TIERS} <= set(pages.WORDS)
    assert pages.word(None) == "–"


def totals(cells):
    return Totals(sum(cells.values()), 0, 0.0, 0.0, 0.0, cells)


def test_the_grid_adds_up():
    told = overview.grid(totals({("loyal", "key"): 3, ("loyal", "core"): 2, ("new", "core"): 5}))
    assert [row["stage"] for row in told["rows"]] == list(STAGES)
    assert told["tiers"] == list(TIERS)
    assert sum(row["total"] for row in told["rows"]) == sum(told["totals"]) == 10
    loyal = next(row for row in told["rows"] if row["stage"] == "loyal")
    assert [cell["customers"] for cell in loyal["cells"]] == [3, 0, 2, 0, 0]


def test_customers_without_a_stage_or_tier_have_their_own_place():
    told = overview.grid(totals({("new", None): 1, (None, None): 2}))
    assert told["tiers"][-1] is None
    assert told["rows"][-1]["stage"] is None
    assert told["totals"][-1] == 3


def test_shades_grow_with_the_share_of_customers():
    cells = {("new", "key"): 600, ("new", "core"): 300, ("new", "small"): 99, ("new", "growth"): 1}
    told = overview.grid(totals(cells))
    shades = {cell["tier"]: cell["shade"] for cell in told["rows"][0]["cells"]}
    assert shades["key"] >= shades["core"] > shades["small"] > shades["growth"] > shades["costly"]
    assert shades["costly"] == 0
