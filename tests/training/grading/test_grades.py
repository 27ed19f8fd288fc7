"""Grades: A, B or C against the best rule of thumb."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.backtest import COLUMNS, Backtest
from training.grading import grades
from training.grading.grades import BIAS, Grade
from training.grading.skill import DRAWS, Draws


def grade(question, model, naive, luck: float = 0.0) -> Grade:
    """Grade with the same luck against every rule: draws from minus to plus so much."""
    drawn = np.linspace(-luck, luck, DRAWS)
    return grades.grade(question, model, naive, {r: [drawn] * len(f) for r, f in naive.items()})


def grade_all(figures: pd.DataFrame, model: str) -> dict[str, Grade]:
    """Grade a backtest in which nothing is luck."""
    asked = figures[["origin", "question"]].drop_duplicates().itertuples(index=False)
    skills = tuple(
        Draws(at, 90, question, model, rule, np.zeros(DRAWS))
        for at, question in asked
        for rule in grades.RULES
    )
    return grades.grade_all(Backtest(figures, None, {}, skills=skills), model, 90)


def risk(*losses: float, bias: float = 0.0) -> list[dict[str, float]]:
    """Risk figures of some windows."""
    return [{"log_loss": loss, "total_bias": bias} for loss in losses]


def spend(*pairs: tuple[float, float], bias: float = 0.0) -> list[dict[str, float]]:
    """Spend figures of some windows: (MAE, normalised Gini)."""
    return [{"mae": m, "normalised_gini": g, "total_bias": bias} for m, g in pairs]


def test_clearly_better_in_every_window_is_an_a():
    """Skills 1 − 0.45/0.5 = 0.10 and 1 − 0.36/0.4 = 0.10."""
    found = grade("risk", risk(0.45, 0.36), {"inactivity": risk(0.5, 0.4)})
    assert found.letter == "A"
    assert found.skill == pytest.approx(0.10)
    assert found.best_rule == "inactivity"


@pytest.mark.parametrize(
    ("model", "letter"),
    [
        (risk(0.40, 0.40), "B"),  # 0.20, then 0.00: clear on average, not in every window
        (risk(0.49, 0.39), "B"),  # 0.02 and 0.025: not clear
        (risk(0.45, 0.36, bias=0.11), "B"),  # totals off by more than 10 %
        (risk(0.45, 0.36, bias=-0.11), "B"),
        (risk(0.50, 0.40), "C"),
        (risk(0.45, 0.50), "C"),  # 0.10 and −0.25: worse on average
    ],
)
def test_what_an_a_lacks_is_a_b_and_no_gain_is_a_c(model, letter):
    assert grade("risk", model, {"inactivity": risk(0.5, 0.4)}).letter == letter


@pytest.mark.parametrize(("luck", "letter"), [(0.0, "A"), (0.05, "A"), (0.07, "B"), (0.2, "C")])
def test_a_lead_within_the_noise_earns_no_grade(luck, letter):
    """Skill 0.10; the lower end of the 90 % interval lies 0.9 · luck below it."""
    found = grade("risk", risk(0.45, 0.36), {"inactivity": risk(0.5, 0.4)}, luck)
    assert found.letter == letter
    assert (found.low, found.high) == pytest.approx((0.1 - 0.9 * luck, 0.1 + 0.9 * luck))


def test_one_window_is_not_enough_for_an_a():
    assert grade("risk", risk(0.3), {"inactivity": risk(0.5)}).letter == "B"


def test_the_rule_that_is_hardest_to_beat_counts():
    naive = {
        "inactivity": risk(0.6, 0.6),
        "past_rate": risk(0.5, 0.52),
        "last_year": risk(0.4, 0.8),
    }
    found = grade("risk", risk(0.45, 0.45), naive)
    # Mean skills 0.25, 0.117, 0.156.
    assert found.best_rule == "past_rate"
    assert found.skill == pytest.approx(1 - (0.45 / 0.5 + 0.45 / 0.52) / 2)


@pytest.mark.parametrize("question", ["purchases", "spend"])
def test_amounts_are_judged_by_distance_and_order(question):
    """½[(1 − 90/100) + (0.7 − 0.6)/0.4] = ½(0.10 + 0.25) = 0.175."""
    found = grade(
        question, spend((90.0, 0.7), (90.0, 0.7)), {"past_rate": spend((100.0, 0.6), (100.0, 0.6))}
    )
    assert found.skill == pytest.approx(0.175)
    assert found.letter == "A"


@pytest.mark.parametrize("question", BIAS)
def test_a_model_that_is_the_rule_has_no_skill(question):
    figures = risk(0.5, 0.4) if question == "risk" else spend((3.0, 0.4), (2.0, 0.5))
    found = grade(question, figures, {"inactivity": figures})
    assert found.skill == 0.0
    assert found.letter == "C"


@pytest.mark.parametrize("question", BIAS)
def test_a_perfect_model_has_skill_one(question):
    perfect = risk(0.0, 0.0) if question == "risk" else spend((0.0, 1.0), (0.0, 1.0))
    naive = risk(0.5, 0.4) if question == "risk" else spend((3.0, 0.4), (2.0, 0.5))
    found = grade(question, perfect, {"inactivity": naive})
    assert found.skill == pytest.approx(1.0)
    assert found.letter == "A"


def test_a_perfect_rule_cannot_be_beaten():
    perfect = spend((0.0, 1.0), (0.0, 1.0))
    assert grade("spend", perfect, {"past_rate": perfect}).letter == "C"
    assert grade("spend", spend((1.0, 0.9), (1.0, 0.9)), {"past_rate": perfect}).letter == "C"


def test_a_better_model_never_gets_a_worse_grade():
    naive = {"inactivity": risk(0.5, 0.4)}
    letters = [grade("risk", risk(x, x), naive).letter for x in np.linspace(0.6, 0.1, 30)]
    assert letters == sorted(letters, reverse=True)
    assert set(letters) == {"A", "B", "C"}


def test_the_sentence_is_in_plain_words():
    found = grade("risk", risk(0.45, 0.36, bias=0.04), {"inactivity": risk(0.5, 0.4)})
    assert found.sentence == (
        "Predicting who returns, it is 10% (90 % interval 10% to 10%) better than the best rule "
        "of thumb (the longer since the last purchase, the less likely to return), ahead in 2 of "
        "2 past windows; totals were off by 4%."
    )
    worse = grade("spend", spend((2.0, 0.5)), {"last_year": spend((1.0, 0.5))})
    assert "no better than a rule of thumb (the same as in the same season" in worse.sentence


def test_nothing_to_compare_with_is_refused():
    with pytest.raises(ValueError, match="0 windows and 1 naive rules"):
        grades.grade("risk", [], {"inactivity": []}, {})
    with pytest.raises(ValueError, match="1 windows and 0 naive rules"):
        grades.grade("risk", risk(0.5), {}, {})


def table(rows: list[tuple]) -> pd.DataFrame:
    """The backtest's tidy table."""
    return pd.DataFrame(rows, columns=list(COLUMNS))


def tidy(question: str, model: str, windows: list[dict[str, float]], first: int = 1) -> list[tuple]:
    """Rows of one model; windows are the first days of months from `first` on."""
    return [
        (date(2011, first + i, 1), 90, model, question, metric, figure)
        for i, window in enumerate(windows)
        for metric, figure in window.items()
    ]


def test_all_questions_are_graded_from_the_table_whatever_its_order():
    rows = [
        *tidy("risk", "churn", risk(0.45, 0.36)),
        *tidy("risk", "logistic", risk(0.1, 0.1)),
        *tidy("risk", "inactivity", risk(0.5, 0.4)),
        *tidy("spend", "churn", spend((90.0, 0.7))),
        *tidy("spend", "past_rate", spend((100.0, 0.6))),
    ]
    figures = table(rows)
    found = grade_all(figures, "churn")
    assert list(found) == ["risk", "spend"]
    # The logistic regression is another model, not a rule to beat.
    assert found["risk"] == grade("risk", risk(0.45, 0.36), {"inactivity": risk(0.5, 0.4)})
    assert found["spend"].letter == "B"
    assert grade_all(figures.sample(frac=1, random_state=0), "churn") == found


def test_windows_without_the_model_or_without_a_figure_are_left_out():
    rows = [
        *tidy("risk", "churn", risk(0.45, 0.36, np.nan), first=2),
        *tidy("risk", "inactivity", risk(0.1, 0.5, 0.4, 0.3)),
    ]
    found = grade_all(table(rows), "churn")["risk"]
    assert found == grade("risk", risk(0.45, 0.36), {"inactivity": risk(0.5, 0.4)})


def test_an_empty_backtest_has_no_grades():
    assert grade_all(table([]), "churn") == {}
    assert grade_all(table(tidy("risk", "churn", risk(0.4))), "churn") == {}
