"""Rolling origin: every model and every naive rule on past windows that none of them saw.

In: a ``Schedule`` and the past dates. Out: one tidy table of figures (origin, horizon_days, model,
question, metric, figure), the chances that a model is better than a rule of thumb by luck, what
the windows say of the blend's members and of the spread of outcomes, and the newest origin's
models and predictions.

At each origin the blend has the weights that older windows gave it, so that the newest window
is left for the grade and the gate; the weights for production are learned on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training import families
from training.asked import Asked
from training.fitting import Fitted, fit_origin
from training.grading.skill import Draws, draws
from training.learners.stacking import Trials
from training.windows.known import Known
from training.windows.panel import MAX_SNAPSHOTS, Schedule
from training.windows.spread import Spread, learn
from training.windows.swing import Swing, with_levels
from training.windows.window import Window

if TYPE_CHECKING:
    from training.grading.naive import Rule

QUESTIONS = ("risk", "purchases", "spend")
COLUMNS = ("origin", "horizon_days", "model", "question", "metric", "figure")


@dataclass(frozen=True)
class Tested:
    """One window that was tested, at one origin.

    Attributes
    ----------
    at : date
        Its first day.
    horizon_days : int
        Its length.
    speaker : str
        The model that would have spoken there.
    window : Window
        What it predicted, and what came.
    frame : pandas.DataFrame
        What was known of the customers, row for row.
    level : str
        Where its level was known from (`training.windows.level.Level.source`).
    """

    at: date
    horizon_days: int
    speaker: str
    window: Window
    frame: pd.DataFrame
    level: str = "none"


@dataclass(frozen=True)
class Backtest:
    """What the past says of the models.

    Attributes
    ----------
    figures : pandas.DataFrame
        Columns ``origin`` (date), ``horizon_days``, ``model``, ``question`` (risk, purchases,
        spend), ``metric``, ``figure``.
    newest : Fitted or None
        The newest origin's models; None where history holds no window to test on.
    predictions : mapping of str to pandas.DataFrame
        The newest origin's predictions for the trained horizon by model, in the row order of its
        snapshot.
    trials : Trials
        What the windows say of the blend's members.
    tested : tuple of Tested
        Every window, newest first.
    skills : tuple of Draws
        Bootstrap draws of the skill of the model that would have spoken, window by window.
    """

    figures: pd.DataFrame
    newest: Fitted | None
    predictions: Mapping[str, pd.DataFrame]
    trials: Trials = field(default_factory=Trials)
    tested: tuple[Tested, ...] = ()
    skills: tuple[Draws, ...] = ()

    def spread(
        self, horizon_days: int, level: str = "none", lifetime_days: int | None = None
    ) -> Spread | None:
        """How far outcomes lay from predictions over a horizon.

        Parameters
        ----------
        horizon_days : int
        level : str, default "none"
            Where the level of the window ahead is known from. How far levels miss is asked of
            windows that knew as much of theirs, where there are any.
        lifetime_days : int, optional
            Span of the lifetime values. A sum of them is taken to miss by as much as the spend of
            windows of this length, where there are any, else of the longest that were tested.

        Returns
        -------
        Spread or None
            From windows of this length where there are any, else of the longest that were
            tested; those of a blend where one was tested. None without any.
        """
        like = self.like(horizon_days)
        found = learn([one.window for one in like])
        if found is None:
            return None
        if lifetime_days is not None:
            far = self.like(lifetime_days)
            longest = learn([one.window for one in far])
            whole = None if longest is None else _known_alike(longest.swing, far, level)
            found = replace(found, lifetime=whole)
        return replace(found, swing=_known_alike(found.swing, like, level))

    def like(self, horizon_days: int) -> tuple[Tested, ...]:
        """Windows of a length where there are any, else of the longest; a blend's before others."""
        lengths = {one.horizon_days for one in self.tested}
        length = horizon_days if horizon_days in lengths else max(lengths, default=0)
        right = tuple(one for one in self.tested if one.horizon_days == length)
        return tuple(one for one in right if one.speaker == "blend") or right


def _known_alike(swing: Swing, windows: tuple[Tested, ...], level: str) -> Swing:
    """The swing with levels of the windows that knew as much of theirs, where there are any."""
    same = [one.window for one in windows if one.level == level]
    return with_levels(swing, same) if same else swing


def run(
    plan: Schedule,
    past: Mapping[date, Known],
    asked: Asked,
    progress: Callable[[str, int, int], None] | None = None,
) -> Backtest:
    """Fit and test at every origin.

    Parameters
    ----------
    plan : Schedule
        Its ``origins`` are tested.
    past : mapping of date to Known
        Snapshots of ``plan.dates``; of a `families.Shelf` each origin chooses its purchase model.
    asked : Asked
        Settings of the training.
    progress : callable, optional
        Called with (what, done, total).

    Returns
    -------
    Backtest
        With an empty table where there is no origin.
    """
    tell = progress or (lambda *_: None)
    tables: list[pd.DataFrame] = []
    tested: list[Tested] = []
    skills: list[Draws] = []
    newest, shown, trials = None, {}, Trials()
    # Oldest first: the weights of a blend are learned on the windows before.
    for number, origin in enumerate(reversed(plan.origins)):
        tell("backtest", number, len(plan.origins))
        here = families.seen_from(past, origin.at)
        now = here[origin.at]
        fitted = fit_origin(origin, here, now, asked, trials)
        for days in (d for d in asked.horizons if now.over(d)):
            answers = predict_all(fitted, now.frame, taught(past, origin.at, days), asked, days)
            truth = now.seen(days)
            tables.insert(0, measure(origin.at, days, answers, truth))
            tested.insert(0, _tested(origin.at, days, fitted, answers, truth))
            skills += draws(origin.at, days, fitted.speaker, answers, truth)
            if days == asked.horizon_days:
                newest, shown = fitted, answers
        trials = trials + fitted.trials(now.seen(asked.window_days))
    tell("backtest", len(plan.origins), len(plan.origins))
    figures = pd.concat(tables, ignore_index=True) if tables else no_figures()
    return Backtest(figures, newest, shown, trials, tuple(tested), tuple(skills))


def _tested(
    at: date, days: int, fitted: Fitted, answers: Mapping[str, pd.DataFrame], truth: pd.DataFrame
) -> Tested:
    window = Window(answers[fitted.speaker], truth[["returned", "occasions", "spend"]])
    return Tested(at, days, fitted.speaker, window, truth, fitted.source(days))


def predict_all(
    fitted: Fitted,
    frame: pd.DataFrame,
    taught: Sequence[pd.DataFrame],
    asked: Asked,
    horizon_days: int,
) -> dict[str, pd.DataFrame]:
    """Predictions of each model and naive rule at an origin.

    Parameters
    ----------
    fitted : Fitted
        The origin's models.
    frame : pandas.DataFrame
        Behaviour rows at the origin.
    taught : sequence of pandas.DataFrame
        What the naive rules learn from; see `taught`.
    asked : Asked
        Settings of the training.
    horizon_days : int
        Window that is asked about.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``return_probability``, ``expected_purchases``, ``expected_spend`` for each model.
    """
    answers = {
        speaker: fitted.scorer(speaker, asked, {}).predict(frame, horizon_days)
        for speaker in fitted.speakers
    }
    for name, rule in _taught_rules(taught, horizon_days):
        answers[name] = rule.predict(frame)
    return answers


def taught(past: Mapping[date, Known], at: date, horizon_days: int) -> list[pd.DataFrame]:
    """The newest windows of a length that were over by a date.

    Parameters
    ----------
    past : mapping of date to Known
        Snapshots.
    at : date
        Nothing from it on is looked at.
    horizon_days : int

    Returns
    -------
    list of pandas.DataFrame
        Oldest first, with outcomes.
    """
    span = timedelta(days=horizon_days)
    over = [day for day in sorted(past) if day + span <= at and past[day].over(horizon_days)]
    return [past[day].seen(horizon_days) for day in over[-MAX_SNAPSHOTS:]]


def measure(
    at: date, horizon_days: int, predictions: Mapping[str, pd.DataFrame], truth: pd.DataFrame
) -> pd.DataFrame:
    """Figures of each model against what came of it.

    Parameters
    ----------
    at : date
        The origin.
    horizon_days : int
        Length of the window.
    predictions : mapping of str to pandas.DataFrame
        By model.
    truth : pandas.DataFrame
        ``returned``, ``occasions``, ``spend`` in the same row order.

    Returns
    -------
    pandas.DataFrame
        Tidy, with the columns of `COLUMNS`.
    """
    from training.grading import metrics

    tables = [measure_risk(at, horizon_days, predictions, truth["returned"].to_numpy())]
    for question, column, outcome in (
        ("purchases", "expected_purchases", "occasions"),
        ("spend", "expected_spend", "spend"),
    ):
        actual = truth[outcome].to_numpy(float)
        reports = {
            model: metrics.spend_report(actual, answer[column].to_numpy())
            for model, answer in predictions.items()
        }
        tables.append(_tidy(at, horizon_days, question, reports))
    return pd.concat(tables, ignore_index=True)


def measure_risk(
    at: date,
    horizon_days: int,
    predictions: Mapping[str, pd.DataFrame],
    returned: np.ndarray,
    weights: np.ndarray | None = None,
) -> pd.DataFrame:
    """Figures of the return probability alone.

    Parameters
    ----------
    at : date
        The origin.
    horizon_days : int
        Length of the window.
    predictions : mapping of str to pandas.DataFrame
        By model; ``return_probability`` is read.
    returned : numpy.ndarray of shape (n_customers,)
        1 where the customer returned, else 0.
    weights : numpy.ndarray of shape (n_customers,), optional
        How much each customer counts; alike when not given.

    Returns
    -------
    pandas.DataFrame
        Tidy, as ``measure``, with the question ``risk``: figures of returning, except that
        ``lift_10`` is of leaving among the tenth with the highest risk.
    """
    from training.grading import metrics

    reports = {}
    for model, answer in predictions.items():
        stays = answer["return_probability"].to_numpy()
        # The list that retention works through is sorted by the risk of leaving.
        lift = {"lift_10": metrics.lift_at(1 - returned, 1 - stays, weights=weights)}
        reports[model] = metrics.classification_report(returned, stays, weights) | lift
    return _tidy(at, horizon_days, "risk", reports)


def _tidy(
    at: date, horizon_days: int, question: str, reports: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    rows = [
        (at, horizon_days, model, question, metric, figure)
        for model, report in reports.items()
        for metric, figure in report.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _taught_rules(taught: Sequence[pd.DataFrame], horizon_days: int) -> Iterable[tuple[str, Rule]]:
    from training.grading.naive import RULES

    for name, rule in RULES.items():
        yield name, rule.fit(taught, horizon_days)


def no_figures() -> pd.DataFrame:
    """The table of figures without a row."""
    return pd.DataFrame(columns=list(COLUMNS))
