"""Predictions: what the model says of each customer, as far as it can be backed.

In: behaviour rows and a model. Out: the predicted columns, what drives them, and beside them why
something could be said and is not. Whole columns throughout.

Null rule: NaN where there is no purchase on record, where the model gives no number, or where
nothing in training backs the one that it gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from serving import abstention
from serving.contract import BOUNDED
from serving.groups import subscribers
from serving.groups.history import History
from serving.groups.history import read as read_history
from training.silence import unsaid

if TYPE_CHECKING:
    from features.freshness import Freshness
    from serving.groups.population import Thresholds
    from training.silence.unsaid import Finding

# What rests on a customer's purchases: not said without any.
_FROM_PURCHASES = (
    "p_alive",
    *(f"{name}{end}" for name in BOUNDED for end in ("", "_lower", "_upper")),
)
_LIFETIME = ("clv", "clv_lower", "clv_upper")
_PREDICTED = (
    "churn_probability",
    "churn_probability_lower",
    "churn_probability_upper",
    "return_probability",
    *_FROM_PURCHASES,
)


class Predictor(Protocol):
    """What scoring needs of a model; `training.scorer.Scorer` has it."""

    @property
    def horizon_days(self) -> int:
        """Outcome window in days."""

    @property
    def clv_horizon_days(self) -> int:
        """Span of the lifetime value in days."""

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Probabilities, purchases, spend and lifetime value, row for row."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log-odds of churn by family, row for row."""

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """Share of the spend that is profit, row for row."""


@dataclass(frozen=True)
class Predicted:
    """What a model says of customers.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows as the model reads them.
    columns : mapping of str to numpy.ndarray of float64
        Predicted columns of the score table; NaN where nothing is said.
    drivers, moved : pandas.DataFrame
        Log-odds of churn by family, and by column where the model tells that too (else without
        columns); null where no probability is said, or where it is 0.
    past : History
        Purchases to date.
    known : numpy.ndarray of bool
        Where there is a purchase on record, or a subscription that runs.
    subscribed : bool
        Whether the customers are subscribers.
    findings : tuple of Finding
        What cannot be backed of the whole population.
    unbacked : mapping of str to numpy.ndarray of str
        By column, why it could be said and is not; empty where nothing is against it.
    """

    frame: pd.DataFrame
    columns: Mapping[str, np.ndarray]
    drivers: pd.DataFrame
    moved: pd.DataFrame
    past: History
    known: np.ndarray
    subscribed: bool
    findings: tuple[Finding, ...]
    unbacked: Mapping[str, np.ndarray]

    def backed(self, name: str) -> np.ndarray | bool:
        """Where nothing is against a column of the score table; an interval ends with its middle.

        Parameters
        ----------
        name : str

        Returns
        -------
        numpy.ndarray of bool, or True where nothing is against it anywhere
        """
        return _backed(name, self.unbacked)


def predict(
    frame: pd.DataFrame,
    scorer: Predictor,
    thresholds: Thresholds | None,
    *,
    as_of: date,
    horizon_days: int | None = None,
    freshness: Sequence[Freshness] = (),
) -> Predicted:
    """Ask a model about customers.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_customers, n_columns)
        Behaviour rows at `as_of`; one row a customer.
    scorer : Predictor
    thresholds : Thresholds or None
        Those of the last full scoring, with what it found; None when `frame` is the whole
        population, to look for it.
    as_of : date
    horizon_days : int, optional
        Another outcome window than the scorer's, in days; lifetime values keep their own.
    freshness : sequence of Freshness, optional
        Of the sources at `as_of`, when `frame` is the whole population.

    Returns
    -------
    Predicted
        Row for row.
    """
    frame, findings = _held_to_training(frame, scorer, thresholds, as_of, freshness)
    unbacked = abstention.silenced(frame, scorer, findings)
    subscribed = subscribers.are_scored(scorer)
    past = subscribers.history(frame) if subscribed else _history(frame, scorer)
    known = subscribers.known(frame) if subscribed else past.known
    columns = {
        name: np.where(_backed(name, unbacked), values, np.nan)
        for name, values in _said(frame, scorer, known, horizon_days).items()
    }
    churn = columns["churn_probability"]
    columns |= _of_contract(frame, scorer, churn, subscribed=subscribed)
    told = _drivers(frame, scorer, churn)
    return Predicted(frame, columns, *told, past, known, subscribed, findings, unbacked)


def _history(frame: pd.DataFrame, scorer: Predictor) -> History:
    """Purchases to date, and the margin that they left where the log states it."""
    margins = getattr(scorer, "margins", None)
    earned = None if margins is None else margins.earned(frame)
    return replace(read_history(frame), earned=earned)


def _held_to_training(
    frame: pd.DataFrame,
    scorer: Predictor,
    thresholds: Thresholds | None,
    as_of: date,
    freshness: Sequence[Freshness],
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Rows that the model can read, and what it cannot back of their whole population."""
    shape = getattr(scorer, "shape", None)
    fitting = frame if shape is None else shape.fitting(frame)
    if thresholds is None:
        findings = unsaid.find(scorer, frame, freshness)
        if shape is not None and not findings:
            _note_moved(shape.moved(fitting))
        return fitting, findings
    # What was found at another date is no matter here.
    return fitting, thresholds.findings if thresholds.as_of == as_of else ()


def _note_moved(columns: Sequence[str]) -> None:
    """Say when most customers lie where hardly one did in training."""
    import warnings

    from training.errors import StatisticalWarning

    if columns:
        warnings.warn(
            f"Most customers lie where hardly one lay in training, by {unsaid.named(columns)}: the "
            "population has moved on. The scores are said; `regulars train` learns it as it is.",
            StatisticalWarning,
            stacklevel=2,
        )


def _backed(name: str, unbacked: Mapping[str, np.ndarray]) -> np.ndarray | bool:
    reasons = unbacked.get(name.removesuffix("_lower").removesuffix("_upper"))
    return True if reasons is None else reasons == ""


def _said(
    frame: pd.DataFrame, scorer: Predictor, known: np.ndarray, horizon_days: int | None
) -> dict[str, np.ndarray]:
    """Predicted columns as float64 with NaN for what is not said."""
    if frame.empty:
        return {name: np.array([], dtype=float) for name in _PREDICTED}
    given = scorer.predict(frame, horizon_days)
    if horizon_days not in (None, scorer.horizon_days):
        # The lifetime value has a span of its own: another horizon must not move the tier.
        given = given.assign(**scorer.predict(frame)[list(_LIFETIME)])
    columns = {name: given[name].to_numpy(dtype="float64", na_value=np.nan) for name in _PREDICTED}
    for name, values in columns.items():
        said = np.isfinite(values) & (known if name in _FROM_PURCHASES else True)
        columns[name] = np.where(said, values, np.nan)
    return columns


def _of_contract(
    frame: pd.DataFrame, scorer: Any, churn: np.ndarray, *, subscribed: bool
) -> dict[str, np.ndarray]:
    """Columns that only subscribers have."""
    if not subscribed or frame.empty:
        return {name: np.full(len(frame), np.nan) for name in subscribers.COLUMNS}
    told = scorer.lifetimes(frame)
    months = told["expected_months"].to_numpy(dtype=np.float64)
    return {
        "involuntary_probability": churn * told["involuntary_share"].to_numpy(dtype=np.float64),
        "expected_months": np.where(np.isfinite(churn), months, np.nan),
    }


def _drivers(
    frame: pd.DataFrame, scorer: Any, churn: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Log-odds of churn by family and by column; null where no risk is said, or where it is 0."""
    nothing = pd.DataFrame(index=frame.index)
    if frame.empty:
        return nothing, nothing
    # Of a subscription without a renewal in the horizon, nothing moves what cannot be.
    moved = np.isfinite(churn) & (churn > 0)
    said = np.where(moved, 1.0, np.nan)
    if not subscribers.are_scored(scorer):
        return scorer.contributions(frame).mul(said, axis=0), nothing
    columns = scorer.moved(frame)
    return scorer.summed(columns).mul(said, axis=0), columns.mul(said, axis=0)
