"""Purchases through time, laid out: everything within the drawing and in its place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.workbench import timeline

AS_OF = date(2024, 7, 1)


def test_without_a_day_there_is_no_drawing():
    assert timeline.draw([], AS_OF) is None


@given(
    days=st.lists(st.integers(1, 9000), min_size=1, max_size=60, unique=True),
    nets=st.lists(st.floats(-1e6, 1e6), min_size=60, max_size=60),
    due=st.one_of(st.none(), st.integers(-3000, 30_000)),
)
def test_everything_lies_within_the_drawing(days, nets, due):
    ages = sorted(days, reverse=True)
    told = [(AS_OF - timedelta(days=ago), net) for ago, net in zip(ages, nets, strict=False)]
    chart = timeline.draw(told, AS_OF, None if due is None else AS_OF + timedelta(days=due))
    assert chart is not None
    assert len(chart.bars) == len(told)
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= chart.width
        assert 0 <= bar.y <= bar.y + bar.height <= chart.height + 1
        assert bar.height > 0
    places = [bar.x for bar in chart.bars]
    assert places == sorted(places)
    assert 0 <= chart.as_of <= chart.width
    assert chart.due is None or 0 <= chart.due <= chart.width
    assert all(0 <= x <= chart.width for x, _ in chart.ticks)
    assert len(chart.ticks) <= 12


def test_spend_goes_up_and_refunds_go_down():
    told = [(date(2024, 1, 1), 10.0), (date(2024, 2, 1), -5.0), (date(2024, 3, 1), 20.0)]
    chart = timeline.draw(told, AS_OF)
    assert chart is not None
    first, refund, last = chart.bars
    assert first.y + first.height == pytest.approx(chart.line, abs=0.2)
    assert refund.y == chart.line
    assert last.height == pytest.approx(2 * first.height, abs=0.3)


def test_a_purchase_that_is_due_after_the_as_of_date_is_drawn_after_it():
    told = [(AS_OF - timedelta(days=100), 5.0), (AS_OF - timedelta(days=10), 5.0)]
    chart = timeline.draw(told, AS_OF, AS_OF + timedelta(days=20))
    assert chart is not None
    assert chart.due is not None
    assert chart.due > chart.as_of > chart.bars[-1].x


def test_one_that_is_due_far_from_now_is_left_out():
    told = [(AS_OF - timedelta(days=100), 5.0)]
    chart = timeline.draw(told, AS_OF, AS_OF + timedelta(days=4000))
    assert chart is not None
    assert chart.due is None


def test_years_are_named_in_january_and_months_otherwise():
    chart = timeline.draw([(date(2023, 6, 20), 5.0)], AS_OF)
    assert chart is not None
    words = [word for _, word in chart.ticks]
    assert "2024" in words
    assert set(words) - {"2024"} <= {"Jul", "Sep", "Nov", "Mar", "May", "Aug", "Oct", "Dec", "Apr"}


@given(st.lists(st.tuples(st.integers(-50, 900), st.sampled_from([*timeline.KINDS, "usage"]))))
def test_contacts_since_the_first_purchase_are_dots_apart_from_each_other_by_kind(given_):
    contacts = [timeline.Contact(AS_OF - timedelta(days=ago), kind) for ago, kind in given_]
    chart = timeline.draw([(AS_OF - timedelta(days=400), 5.0)], AS_OF, None, contacts)
    assert chart is not None
    shown = [
        one for ago, kind in given_ if 0 < ago <= 400 and kind in timeline.KINDS for one in [kind]
    ]
    assert [dot.contact.kind for dot in chart.dots] == shown
    for dot in chart.dots:
        assert 0 <= dot.x <= chart.as_of
        assert 0 < dot.y < chart.line
    assert len({(dot.contact.kind, dot.y) for dot in chart.dots}) == len(set(shown))
