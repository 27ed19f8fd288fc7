"""What a training is asked for, and everything that it found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from training.backtest import Backtest
    from training.fingerprint import Fingerprint
    from training.fitting import Fitted
    from training.grading.grades import Grade
    from training.grading.groups import Kinds
    from training.scorer import Scorer
    from training.settings import ChurnSettings, ValueSettings


@dataclass(frozen=True)
class Order:
    """What to train and where to keep it.

    Attributes
    ----------
    name : str
        The settings' ``name``: experiment, and registered model ``regulars-<name>``.
    churn : ChurnSettings
        Rule, horizon, threads.
    value : ValueSettings
        CLV span, margin, discount.
    as_of : date
        Nothing at or after its midnight is read.
    tracking_uri : str
        MLflow's store and registry.
    artifact_root : Path or None
        Where a new experiment keeps artifacts; None leaves it to the tracking server.
    now : datetime
        The instant, with a time zone.
    settings : str
        The resolved settings as JSON without secrets; logged.
    code_version : str
        Logged with the run.
    kinds : callable, optional
        Gives kinds of customers that figures are held to besides tenure and purchases so far
        (`training.grading.groups.Kinds`).
    trials : int
        Hyperparameter trials; 0 keeps the defaults.
    seed : int
        Seed of the learner and of the search.
    under_way : Path or None
        Folder with a file for each training under way (`training.runs.unfinished`); None for none.
    """

    name: str
    churn: ChurnSettings
    value: ValueSettings
    as_of: date
    tracking_uri: str
    artifact_root: Path | None
    now: datetime
    settings: str = "{}"
    code_version: str = "unknown"
    trials: int = 0
    seed: int = 0
    kinds: Kinds | None = None
    under_way: Path | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything that a training found out, before it is written anywhere.

    Attributes
    ----------
    fitted : Fitted
        The production models.
    scorer : Scorer
        What will be registered.
    twin : Scorer or None
        The same procedure as of the newest test window's first day.
    tested : Backtest
        Figures and newest predictions.
    test : pandas.DataFrame or None
        The newest test snapshot with outcomes.
    grades : mapping of str to Grade
        By question; empty where nothing could be tested.
    data : Fingerprint
        Of the training data.
    notes : tuple of str
        Doubts and limits in words.
    example : pandas.DataFrame
        Two made-up behaviour rows.
    others : mapping of int to mapping of str to Grade
        Grades over the other horizons, by their length in days.
    parameters : mapping of str to str or float
        More to log with the run than every rule has.
    reliability : pandas.DataFrame or None
        Calibration and coverage by kind of customer (`training.grading.reliability.table`).
    silence : tuple of str
        Where nothing is said, in words (`training.silence.limits.sentences`).
    """

    fitted: Fitted
    scorer: Scorer
    twin: Scorer | None
    tested: Backtest
    test: pd.DataFrame | None
    grades: Mapping[str, Grade]
    data: Fingerprint
    notes: tuple[str, ...]
    example: pd.DataFrame
    others: Mapping[int, Mapping[str, Grade]] = field(default_factory=dict)
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    reliability: pd.DataFrame | None = None
    silence: tuple[str, ...] = ()
