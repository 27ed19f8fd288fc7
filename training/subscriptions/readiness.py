"""Whether there is enough history of subscriptions to answer each question.

In: accepted subscriptions. Out: one ``Answer`` a question, in words for people, and what data
would mend a no.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from training.errors import NotEnoughData
from training.readiness import Answer
from training.subscriptions.gathered import grace_of
from training.subscriptions.learning import MIN_PER_FATE
from training.subscriptions.plans import MIN_RENEWALS
from training.subscriptions.stages import stages

if TYPE_CHECKING:
    import ibis.expr.types as ir


def assess(table: ir.Table, *, as_of: date, horizon_days: int) -> tuple[Answer, ...]:
    """Say for each question whether these subscriptions can answer it.

    Parameters
    ----------
    table : ibis table
        Accepted subscriptions.
    as_of : date
        Nothing at or after its midnight counts.
    horizon_days : int
        Outcome window, in days.

    Returns
    -------
    tuple of Answer
        ``retention``, ``risk``, ``grade`` and ``value``.
    """
    from features.fates import histories
    from features.occasions import before

    rows = before(table, as_of)
    found = rows.aggregate(first=rows.day.min(), rows=rows.count(), priced=rows.price.count())
    told = found.to_pyarrow().to_pylist()[0]
    kinds = histories(table, as_of).to_pyarrow().to_pandas()
    window = horizon_days + grace_of(table)
    try:
        plan = stages(told["first"] or as_of, as_of, window)
    except NotEnoughData as problem:
        questions = ("retention", "risk", "grade", "value")
        return tuple(Answer(question, False, str(problem)) for question in questions)
    return (
        _retention(kinds),
        _risk(kinds, plan.production.has_panel, window),
        _grade(bool(plan.tests), window),
        _value(told["rows"], told["priced"]),
    )


def _retention(kinds: pd.DataFrame) -> Answer:
    left = float(kinds["customers"][~kinds["active"]].sum())
    came_up = float((kinds["customers"] * kinds["renewals"]).sum()) + left
    said = f"{came_up:,.0f} renewals came up, {left:,.0f} of them were the end"
    if came_up >= MIN_RENEWALS and left >= 1:
        return Answer("retention", True, f"{said}: enough for the retention of plans")
    return Answer("retention", False, f"{said}; it takes {MIN_RENEWALS} renewals and an end")


def _risk(kinds: pd.DataFrame, has_panel: bool, window: int) -> Answer:
    left = float(kinds["customers"][~kinds["active"]].sum())
    if not has_panel:
        return Answer(
            "risk",
            False,
            f"the history holds no two past windows of {window} days (horizon and grace) to learn "
            "who leaves: the plan's retention speaks alone; a shorter horizon or a longer history "
            "mends that",
        )
    if left < 2 * MIN_PER_FATE:
        return Answer(
            "risk",
            False,
            f"{left:,.0f} ends are too few to learn who leaves (it takes {2 * MIN_PER_FATE}): the "
            "plan's retention speaks alone",
        )
    return Answer(
        "risk", True, f"past windows of {window} days hold {left:,.0f} ends to learn from"
    )


def _grade(has_test: bool, window: int) -> Answer:
    if has_test:
        return Answer("grade", True, f"a past window of {window} days tests the models")
    return Answer("grade", False, f"the history leaves no window of {window} days to test on")


def _value(rows: int, priced: int) -> Answer:
    if priced == rows:
        return Answer("value", True, f"all {rows:,} rows have a price")
    what = f"{rows - priced:,} of {rows:,} rows have no price"
    advice = "; set `price` in [sources.subscriptions]" if not priced else ""
    return Answer("value", bool(priced), f"{what}{advice}: nothing is said of their worth")
