"""Whether there is enough history and enough customers to answer each question.

In: the span of the accepted log, its customers and repeat customers. Out: one ``Answer`` a
question, in words for people, and what data would mend a no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from training.errors import NotEnoughData
from training.windows.panel import MIN_HISTORY_DAYS, YEAR_DAYS, schedule, window_days

#: Fewer repeat customers do not tell how purchase rates differ.
MIN_REPEAT_CUSTOMERS = 30


@dataclass(frozen=True)
class Answer:
    """One question and whether the data can answer it.

    Attributes
    ----------
    question : str
        ``value``, ``risk``, ``grade`` or ``season``.
    ready : bool
        Whether it can be answered.
    why : str
        One sentence: what there is, or what is missing.
    """

    question: str
    ready: bool
    why: str


def assess(
    *, first_day: date, as_of: date, customers: int, repeat_customers: int, horizon_days: int
) -> tuple[Answer, ...]:
    """Say for each question whether this log can answer it.

    Parameters
    ----------
    first_day : date
        Day of the first accepted row.
    as_of : date
        Nothing at or after its midnight counts.
    customers, repeat_customers : int
        Customers with one occasion, with two or more.
    horizon_days : int
        Outcome window, in days.

    Returns
    -------
    tuple of Answer
        In the order value, risk, grade, season.

    Examples
    --------
    >>> [a.ready for a in assess(first_day=date(1997, 1, 1), as_of=date(1997, 10, 1),
    ...     customers=23500, repeat_customers=9000, horizon_days=273)]
    [True, True, False, False]
    """
    try:
        plan = schedule(first_day, as_of, horizon_days)
    except NotEnoughData as problem:
        return tuple(Answer(q, False, str(problem)) for q in ("value", "risk", "grade", "season"))
    days = (as_of - first_day).days
    return (
        _value(days, customers, repeat_customers),
        _risk(days, horizon_days, bool(plan.production.dates)),
        _grade(days, horizon_days, bool(plan.tests)),
        _season(days, as_of, plan.production.dates),
    )


def _value(days: int, customers: int, repeat_customers: int) -> Answer:
    enough = repeat_customers >= MIN_REPEAT_CUSTOMERS
    told = f"{repeat_customers:,} of {customers:,} customers came back in {days:,} days"
    if enough:
        return Answer("value", True, f"{told}: enough for the value model")
    return Answer("value", False, f"{told}; the value model needs {MIN_REPEAT_CUSTOMERS}")


def _risk(days: int, horizon_days: int, has_window: bool) -> Answer:
    window = window_days(horizon_days)
    needed = window + MIN_HISTORY_DAYS
    if has_window:
        return Answer("risk", True, f"{days:,} days hold past windows of {window} to learn from")
    return Answer(
        "risk",
        False,
        f"{days:,} days are too few to learn churn from windows of {window} (it takes {needed:,}): "
        "the value model speaks alone; a longer log mends that",
    )


def _grade(days: int, horizon_days: int, has_test: bool) -> Answer:
    if has_test:
        return Answer("grade", True, f"a past window of {horizon_days} days tests the models")
    needed = horizon_days + MIN_HISTORY_DAYS
    return Answer("grade", False, f"{days:,} days leave no window to test on (it takes {needed:,})")


def _season(days: int, as_of: date, past: tuple[date, ...]) -> Answer:
    from training.value.calendar import too_short

    last_year = as_of - timedelta(days=YEAR_DAYS)
    missing = too_short(days)
    calendar = f"no calendar of the weeks: {missing}" if missing else "so is one of the weeks"
    calendar = calendar.rstrip(".")
    if last_year in past:
        told = f"the same season a year ago, from {last_year}, is learnt; {calendar}"
        return Answer("season", True, told)
    told = f"the same season a year ago, from {last_year}, is not in the history"
    return Answer("season", False, f"{told}; {calendar}" if missing else told)
