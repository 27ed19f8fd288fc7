"""What was said of labelled customers by models that had not seen them, and how good it was.

In: a labelled snapshot and its cross-fit. Out: log-odds of churn by model and by rule of thumb, a
row for each repeat; their figures with the spread over the repeats; the grade; and predictions for
charts. With a base rate all of it is of the population, not of those who happen to be labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training import backtest
from training.labels import base_rate, crossfit, label_grades
from training.windows.level import log_odds

if TYPE_CHECKING:
    from datetime import date

    from training.grading.grades import Grade
    from training.labels.crossfit import CrossFitted
    from training.labels.label_snapshot import Labelled

#: Ends the names of the figures that are standard deviations over the repeats.
SPREAD = "_spread"


@dataclass(frozen=True)
class HeldOut:
    """Answers out of fold.

    Attributes
    ----------
    risk : mapping of str to ndarray of shape (repeats, n_customers)
        Log-odds of churn by model and rule of thumb, on the level of the population.
    models : tuple of str
        Who of them may speak.
    rules : mapping of str to str
        The rules of thumb in plain words.
    """

    risk: Mapping[str, np.ndarray]
    models: tuple[str, ...]
    rules: Mapping[str, str]


def answers(data: Labelled, done: CrossFitted, seed: int) -> HeldOut:
    """Put the models' answers beside those of the rules of thumb.

    Parameters
    ----------
    data : Labelled
    done : CrossFitted
        Of this snapshot.
    seed : int
        Of the folds in which the rules count.

    Returns
    -------
    HeldOut
    """
    random = np.random.default_rng(seed)
    group = crossfit.groups_of_equals(data.columns)
    alone, names = [], []
    for _ in range(done.repeats):
        fold = crossfit.deal(group, data.churned, crossfit.FOLDS, random)
        name, rates = label_grades.best_single_column(data.columns, data.churned, fold)
        alone.append(log_odds(rates))
        names.append(name.removeprefix("attribute_"))
    average = log_odds(np.full((done.repeats, len(data.frame)), data.churned.mean()))
    risk = {
        **done.log_odds,
        label_grades.BASE_RATE: average,
        label_grades.SINGLE: np.array(alone),
    }
    told = {
        label_grades.BASE_RATE: "everybody leaves as often as the average",
        label_grades.SINGLE: "everybody leaves as often as others of the same "
        f"{max(sorted(names), key=names.count)}",
    }
    moved = {name: values + data.shift for name, values in risk.items()}
    return HeldOut(moved, tuple(done.log_odds), told)


def figures(found: HeldOut, data: Labelled, at: date, horizon_days: int) -> pd.DataFrame:
    """Figures of models and rules of thumb.

    Parameters
    ----------
    found : HeldOut
    data : Labelled
    at : date
        Stands as ``origin``.
    horizon_days : int
        Stands as ``horizon_days``.

    Returns
    -------
    pandas.DataFrame
        As `training.backtest.measure_risk`: each figure as the mean over the repeats; where there
        are several, their standard deviation too, as ``<metric>_spread``.
    """
    weights = None if data.base_rate is None else data.weights
    tables = []
    for turn in range(len(found.risk[found.models[0]])):
        said = {name: _predicted(risk[turn]) for name, risk in found.risk.items()}
        tables.append(backtest.measure_risk(at, horizon_days, said, 1 - data.churned, weights))
    keys = ["origin", "horizon_days", "model", "question", "metric"]
    told = pd.concat(tables).groupby(keys, sort=False)["figure"].agg(["mean", "std"])
    means = told["mean"].rename("figure").reset_index()
    if len(tables) == 1:
        return means
    spread = told["std"].rename("figure").reset_index()
    spread["metric"] += SPREAD
    return pd.concat([means, spread], ignore_index=True)


def best(table: pd.DataFrame, models: tuple[str, ...]) -> str:
    """Of some models the one with the lowest log-loss.

    Parameters
    ----------
    table : pandas.DataFrame
        From `figures`.
    models : tuple of str

    Returns
    -------
    str
    """
    rows = table[(table["metric"] == "log_loss") & table["model"].isin(models)]
    return str(rows.sort_values("figure")["model"].iloc[0])


def grade(found: HeldOut, speaker: str, data: Labelled) -> Grade:
    """How far a model is above the rules of thumb; see `training.labels.label_grades`.

    Parameters
    ----------
    found : HeldOut
    speaker : str
        The model.
    data : Labelled

    Returns
    -------
    Grade
    """
    from scipy.special import expit

    lost = {
        name: label_grades.losses(expit(found.risk[name]), data.churned).mean(axis=0)
        for name in (speaker, *found.rules)
    }
    mine = lost.pop(speaker)
    group = crossfit.groups_of_equals(data.columns)
    return label_grades.grade(mine, lost, found.rules, data.weights, group)


def charted(
    found: HeldOut, speaker: str, data: Labelled
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Customers with their outcome, and what was said of them, for charts.

    Parameters
    ----------
    found : HeldOut
    speaker : str
        By whose answers a sample of the population is drawn.
    data : Labelled

    Returns
    -------
    test : pandas.DataFrame
        Behaviour rows and ``returned``; with a base rate a made-up sample of the population.
    predictions : dict of str to pandas.DataFrame
        ``return_probability`` in the same order, averaged over the repeats in log-odds.
    """
    risk = {name: values.mean(axis=0) for name, values in found.risk.items()}
    rows = np.arange(len(data.frame))
    if data.base_rate is not None:
        rows = base_rate.drawn(risk[speaker], data.churned, data.base_rate)
    test = data.rows.iloc[rows].reset_index(drop=True).assign(returned=1 - data.churned[rows])
    return test, {name: _predicted(values[rows]) for name, values in risk.items()}


def _predicted(log_odds_of_churn: np.ndarray) -> pd.DataFrame:
    from scipy.special import expit

    return pd.DataFrame({"return_probability": expit(-log_odds_of_churn)})
