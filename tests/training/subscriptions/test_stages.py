"""Past dates of subscribers: windows follow one another, and end in time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import NotEnoughData
from training.subscriptions.stages import stages

FIRST = date(2022, 1, 1)


@given(st.integers(1, 2_000), st.integers(1, 400))
def test_every_window_ends_before_the_next_stage_begins(days, window):
    plan, span = stages(FIRST, FIRST + timedelta(days=days), window), timedelta(days=window)
    tested = [origin.at for origin in plan.tests]
    assert tested == sorted(tested, reverse=True)
    for origin in (plan.production, *plan.tests):
        assert origin.calibrate is None or origin.calibrate + span <= origin.at
        assert all(day + span <= origin.calibrate for day in origin.train)
        assert origin.has_panel == bool(origin.train)
    for later, earlier in zip([plan.production.at, *tested], tested, strict=False):
        assert earlier + span <= later
    assert set(tested) <= set(plan.dates)


def test_what_cannot_be_used_is_left_out():
    plan = stages(FIRST, FIRST + timedelta(days=600), 97)
    kept = plan.keeping(set(plan.dates) - {plan.tests[0].at, plan.production.calibrate})
    assert kept.production.calibrate is None and not kept.production.has_panel
    assert kept.tests[0].at == plan.tests[1].at


def test_before_the_first_day_there_is_nothing():
    with pytest.raises(NotEnoughData, match="first subscription began on 2022-01-01"):
        stages(FIRST, FIRST, 30)
