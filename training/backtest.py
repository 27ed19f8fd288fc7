"""Rolling origin: every model and every naive rule on past windows that none of them saw.

In: a ``Schedule`` and the past dates. Out: one tidy table of figures (origin, model, question,
metric, figure), what the windows say of the blend's members, and the newest origin's models and
predictions.

At each origin the blend has the weights that older windows gave it, so that the newest window
is left for the grade and the gate; the weights for production are learned on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training import families
from training.fitting import Asked, Fitted, Known, fit_origin
from training.panel import Origin, Schedule
from training.stacking import Trials

if TYPE_CHECKING:
    from training.naive import Rule

QUESTIONS = ("risk", "purchases", "spend")


@dataclass(frozen=True)
class Backtest:
    """What the past says of the models.

    Attributes
    ----------
    figures : pandas.DataFrame
        Columns ``origin`` (date), ``model``, ``question`` (risk, purchases, spend), ``metric``,
        ``figure``.
    speaker : str
        The model that speaks for the return probability.
    newest : Fitted or None
        The newest origin's models; None where history holds no window to test on.
    predictions : mapping of str to pandas.DataFrame
        The newest origin's predictions by model, in the row order of its snapshot.
    trials : Trials
        What the windows say of the blend's members.
    """

    figures: pd.DataFrame
    speaker: str
    newest: Fitted | None
    predictions: Mapping[str, pd.DataFrame]
    trials: Trials = field(default_factory=Trials)


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
        Its ``tests`` are the origins.
    past : mapping of date to Known
        Snapshots of ``plan.dates``; of a `families.Shelf` each origin chooses its purchase model.
    asked : Asked
        Settings of the training.
    progress : callable, optional
        Called with (what, done, total).

    Returns
    -------
    Backtest
        With an empty table and the value model speaking where there is no origin.
    """
    tell = progress or (lambda *_: None)
    tables: list[pd.DataFrame] = []
    newest, shown, trials = None, {}, Trials()
    # Oldest first: the weights of a blend are learned on the windows before.
    for number, origin in enumerate(reversed(plan.tests)):
        tell("backtest", number, len(plan.tests))
        here = families.seen_from(past, origin.at)
        newest = fit_origin(origin, here, here[origin.at], asked, trials)
        shown = predict_all(newest, origin, here, asked)
        tables.insert(0, measure(origin.at, shown, here[origin.at].frame))
        trials = trials + newest.trials(here[origin.at].frame)
    tell("backtest", len(plan.tests), len(plan.tests))
    figures = pd.concat(tables, ignore_index=True) if tables else _no_figures()
    # The blend's weights already say whom the windows trust; a choice between whole models would
    # follow the luck of a single season.
    speaker = "blend" if plan.production.dates else "value"
    return Backtest(figures, speaker, newest, shown, trials)


def predict_all(
    fitted: Fitted, origin: Origin, past: Mapping[date, Known], asked: Asked
) -> dict[str, pd.DataFrame]:
    """Predictions of each model and naive rule at an origin.

    Parameters
    ----------
    fitted : Fitted
        The origin's models.
    origin : Origin
        Its snapshots teach the naive rules.
    past : mapping of date to Known
        Snapshots.
    asked : Asked
        Settings of the training.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``return_probability``, ``expected_purchases``, ``expected_spend`` for each model.
    """
    frame = past[origin.at].frame
    answers = {
        speaker: fitted.scorer(speaker, asked, {}).predict(frame) for speaker in fitted.speakers
    }
    taught = [past[day].frame for day in origin.dates]
    for name, rule in _taught_rules(taught, asked.churn.horizon_days):
        answers[name] = rule.predict(frame)
    return answers


def measure(at: date, predictions: Mapping[str, pd.DataFrame], truth: pd.DataFrame) -> pd.DataFrame:
    """Figures of each model against what came of it.

    Parameters
    ----------
    at : date
        The origin.
    predictions : mapping of str to pandas.DataFrame
        By model.
    truth : pandas.DataFrame
        ``returned``, ``occasions``, ``spend`` in the same row order.

    Returns
    -------
    pandas.DataFrame
        Tidy: ``origin``, ``model``, ``question``, ``metric``, ``figure``.
    """
    from training import metrics

    tables = [measure_risk(at, predictions, truth["returned"].to_numpy())]
    for question, column, outcome in (
        ("purchases", "expected_purchases", "occasions"),
        ("spend", "expected_spend", "spend"),
    ):
        actual = truth[outcome].to_numpy(float)
        reports = {
            model: metrics.spend_report(actual, answer[column].to_numpy())
            for model, answer in predictions.items()
        }
        tables.append(_tidy(at, question, reports))
    return pd.concat(tables, ignore_index=True)


def measure_risk(
    at: date, predictions: Mapping[str, pd.DataFrame], returned: np.ndarray
) -> pd.DataFrame:
    """Figures of the return probability alone.

    Parameters
    ----------
    at : date
        The origin.
    predictions : mapping of str to pandas.DataFrame
        By model; ``return_probability`` is read.
    returned : numpy.ndarray of shape (n_customers,)
        1 where the customer returned, else 0.

    Returns
    -------
    pandas.DataFrame
        Tidy, as ``measure``, with the question ``risk``: figures of returning, except that
        ``lift_10`` is of leaving among the tenth with the highest risk.
    """
    from training import metrics

    reports = {}
    for model, answer in predictions.items():
        stays = answer["return_probability"].to_numpy()
        # The list that retention works through is sorted by the risk of leaving.
        lift = {"lift_10": metrics.lift_at(1 - returned, 1 - stays)}
        reports[model] = metrics.classification_report(returned, stays) | lift
    return _tidy(at, "risk", reports)


def _tidy(at: date, question: str, reports: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    rows = [
        (at, model, question, metric, figure)
        for model, report in reports.items()
        for metric, figure in report.items()
    ]
    return pd.DataFrame(rows, columns=list(_no_figures().columns))


def _taught_rules(taught: list[pd.DataFrame], horizon_days: int) -> Iterable[tuple[str, Rule]]:
    from training.naive import RULES

    for name, rule in RULES.items():
        yield name, rule.fit(taught, horizon_days)


def _no_figures() -> pd.DataFrame:
    return pd.DataFrame(columns=["origin", "model", "question", "metric", "figure"])
