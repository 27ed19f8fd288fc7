"""One case of the quality table: everybody learns strictly before as-of, then answers for it.

The customers are all buyers before as-of, the truth is what they did in the horizon after it.
Regulars is the scorer that `regulars train --as-of` would register.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks import rivals
from benchmarks.data_sets import Case, DataSet
from benchmarks.printed import tell
from regulars.settings import Settings
from serving.groups.kinds import of_scores
from training.asked import Asked
from training.errors import StatisticalWarning
from training.evidence import Evidence, Order
from training.grading import metrics, reliability
from training.windows import panel
from training.windows.window import Window


def mae_at_level(observed: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error with the total set right, which luck and low forecasts cannot better.

    Parameters
    ----------
    observed, predicted : ndarray of shape (n,)

    Returns
    -------
    float
        In currency.
    """
    return metrics.mae(observed, predicted * (observed.sum() / predicted.sum()))


@dataclass(frozen=True)
class Metric:
    """A figure of the quality table.

    Parameters
    ----------
    name : str
    measure : callable
        From what came to be and what was predicted.
    column, outcome : str
        Of the predictions, and of the truth.
    better : {"more", "less", "zero"}
        Where the best figure lies.
    """

    name: str
    measure: Callable[[np.ndarray, np.ndarray], float]
    column: str
    outcome: str
    better: str


METRICS = (
    Metric("log-loss", metrics.log_loss, "return_probability", "returned", "less"),
    Metric("ROC AUC", metrics.roc_auc, "return_probability", "returned", "more"),
    Metric(
        "calibration error", metrics.calibration_error, "return_probability", "returned", "less"
    ),
    Metric("bias of returns", metrics.total_bias, "return_probability", "returned", "zero"),
    Metric("bias of purchases", metrics.total_bias, "expected_purchases", "occasions", "zero"),
    Metric("Gini of spend", metrics.normalised_gini, "expected_spend", "spend", "more"),
    Metric("MAE of spend", metrics.mae, "expected_spend", "spend", "less"),
    Metric("MAE at the level", mae_at_level, "expected_spend", "spend", "less"),
    Metric("bias of spend", metrics.total_bias, "expected_spend", "spend", "zero"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Parameters
    ----------
    case : Case
    customers : int
    returned : float
        Share that came back in the horizon.
    evidence : Evidence
        What Regulars would register, with its grades and notes.
    figures : mapping of str to mapping of str to float
        By contender, then by metric; what a contender cannot say is not there.
    candidates : mapping of str to mapping of str to float
        The same of each model that might have spoken for Regulars.
    reliability : pandas.DataFrame
        Calibration and coverage of Regulars by stage and tier
        (`training.grading.reliability.table`).
    """

    case: Case
    customers: int
    returned: float
    evidence: Evidence
    figures: Mapping[str, Mapping[str, float]]
    candidates: Mapping[str, Mapping[str, float]]
    reliability: pd.DataFrame


def backtest(case: Case, data: DataSet) -> Outcome:
    """Learn, answer, compare.

    Parameters
    ----------
    case : Case
    data : DataSet

    Returns
    -------
    Outcome
    """
    tell(str(case))
    after = case.as_of + timedelta(days=case.horizon_days)
    settings = with_horizon(data.settings, case.horizon_days)
    truth = _snapshot(data, case.as_of, case.horizon_days, after)
    evidence = train(settings, data, case.as_of)
    earlier, later = rival_dates(span(data)[0], case.as_of, case.horizon_days)
    past = {day: _snapshot(data, day, case.horizon_days, case.as_of) for day in (*earlier, *later)}
    answers = rivals.rules_of_thumb(list(past.values()), truth, case.horizon_days)
    answers |= rivals.lifetimes_alone(truth, case.horizon_days)
    if earlier:
        train_on = [past[day] for day in earlier]
        answers["LightGBM"] = rivals.lightgbm_alone(train_on, past[later[0]], truth)
    answers["Regulars"] = ours = evidence.scorer.predict(truth)
    fitted, asked = evidence.fitted, _asked(settings)
    candidates = {s: fitted.scorer(s, asked, {}).predict(truth) for s in fitted.speakers}
    return Outcome(
        case,
        len(truth),
        float(truth["returned"].mean()),
        evidence,
        {name: _figures(answer, truth) for name, answer in answers.items()},
        {name: _figures(answer, truth) for name, answer in candidates.items()},
        reliability.table(
            [Window(ours, truth)], [of_scores(truth, ours)], [evidence.scorer.spread]
        ),
    )


def rival_dates(
    first_day: date, as_of: date, horizon_days: int
) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Past windows of the whole horizon, as one would choose them by hand for the rivals.

    Parameters
    ----------
    first_day, as_of : date
    horizon_days : int

    Returns
    -------
    earlier : tuple of date
        To train on, oldest first: up to eight, a month or a third of the horizon apart, and the
        same season a year earlier; their windows end by the later one.
    later : tuple of date
        The newest one, to calibrate on; empty where there is none.
    """
    earliest = first_day + timedelta(days=panel.MIN_HISTORY_DAYS)
    later = as_of - timedelta(days=horizon_days)
    if later < earliest:
        return (), ()
    newest, step = later - timedelta(days=horizon_days), max(28, horizon_days // 3)
    wanted = {newest - timedelta(days=step * k) for k in range(panel.MAX_SNAPSHOTS)}
    last_year = as_of - timedelta(days=panel.YEAR_DAYS)
    wanted |= {last_year} if last_year <= newest else set()
    return tuple(sorted(day for day in wanted if day >= earliest)), (later,)


def _snapshot(data: DataSet, day: date, horizon_days: int, known_until: date) -> pd.DataFrame:
    """Behaviour and outcome of one window."""
    rows = panel.snapshot(data.inputs, day, horizon_days=horizon_days, known_until=known_until)
    return panel.seen(rows, horizon_days)


def train(settings: Settings, data: DataSet, as_of: date) -> Evidence:
    """What `regulars train` finds out, without MLflow.

    Parameters
    ----------
    settings : Settings
    data : DataSet
    as_of : date
        Nothing from it on is read.

    Returns
    -------
    Evidence
    """
    from regulars import jobs
    from training import pipeline

    order = Order(
        name=settings.name,
        churn=settings.churn,
        value=settings.value,
        as_of=as_of,
        tracking_uri="",
        artifact_root=None,
        now=jobs.instant(settings),
        kinds=of_scores,
    )
    asked = _asked(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        return pipeline.gather(data.inputs, order, asked, lambda *_: None)


def with_horizon(settings: Settings, horizon_days: int) -> Settings:
    """Settings with another horizon.

    Parameters
    ----------
    settings : Settings
    horizon_days : int

    Returns
    -------
    Settings
    """
    churn = settings.churn.model_copy(update={"horizon_days": horizon_days})
    return settings.model_copy(update={"churn": churn})


def span(data: DataSet) -> tuple[date, date]:
    """First and last day of the accepted transactions.

    Parameters
    ----------
    data : DataSet

    Returns
    -------
    tuple of date
    """
    (report,) = [one for one in data.inputs.reports if one.source == "transactions"]
    assert report.first_day is not None and report.last_day is not None  # noqa: S101
    return report.first_day, report.last_day


def _asked(settings: Settings) -> Asked:
    return Asked(settings.churn, settings.value)


def _figures(answer: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Every metric that the contender's columns allow."""
    return {
        metric.name: metric.measure(
            truth[metric.outcome].to_numpy(float), answer[metric.column].to_numpy(float)
        )
        for metric in METRICS
        if metric.column in answer
    }
