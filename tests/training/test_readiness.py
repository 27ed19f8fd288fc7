"""What the data report promises is what the training then does."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from training.readiness import MIN_REPEAT_CUSTOMERS, assess
from training.windows.panel import schedule

FIRST = date(2020, 1, 1)


def _ready(days: int, horizon: int, repeaters: int = 1000) -> dict[str, bool]:
    answers = assess(
        first_day=FIRST,
        as_of=FIRST + timedelta(days=days),
        customers=5000,
        repeat_customers=repeaters,
        horizon_days=horizon,
    )
    return {answer.question: answer.ready for answer in answers}


@given(days=st.integers(1, 1500), horizon=st.integers(1, 400))
def test_risk_is_promised_exactly_when_a_past_window_can_be_learned_from(
    days: int, horizon: int
) -> None:
    plan = schedule(FIRST, FIRST + timedelta(days=days), horizon)
    assert _ready(days, horizon)["risk"] == bool(plan.production.dates)
    assert _ready(days, horizon)["grade"] == bool(plan.tests)


@given(horizon=st.integers(1, 200))
def test_the_days_that_an_answer_asks_for_are_enough(horizon: int) -> None:
    window = min(horizon, 60)
    assert _ready(window + 60, horizon)["risk"]
    assert not _ready(window + 59, horizon)["risk"]


def test_few_repeat_customers_leave_value_unanswered() -> None:
    assert not _ready(700, 90, MIN_REPEAT_CUSTOMERS - 1)["value"]
    assert _ready(700, 90, MIN_REPEAT_CUSTOMERS)["value"]


def test_a_log_that_starts_after_the_as_of_date_answers_nothing() -> None:
    assert not any(_ready(-5, 90).values())
