"""Which purchase model to hold: the one that says best what customers did next.

In: the behaviour rows of two dates. Each model is fitted on the earlier ones and scored by the
likelihood of what the same customers did until the later date, which none of the fits has seen.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value.purchase_fit import Fit
from training.value.purchase_models import DEFAULT, PURCHASE_MODELS, PurchaseModel

Floats = NDArray[np.float64]
Histories = tuple[Floats, Floats, Floats]

_COLUMNS = ("frequency", "recency", "T")
# Scores per customer that are closer are equal: at a limit that models share (nobody leaves) they
# differ by what the edges of the search boxes do.
_TIE = 1e-6


@dataclass(frozen=True)
class Choice:
    """The best purchase model, and how good each one was.

    Parameters
    ----------
    best : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    scores : mapping of str to float
        Held-out log-likelihood per customer, by model; larger is better. NaN where the fit failed.
    lags : mapping of str to float
        Standard error of a model's score less the best one's, over customers; 0 for the best.
    fits : mapping of str to Fit
        What was fitted at the earlier date.
    customers : int
        Customers known at both dates.
    """

    best: str
    scores: Mapping[str, float]
    lags: Mapping[str, float]
    fits: Mapping[str, Fit[Any]]
    customers: int


def choose(frame_earlier: pd.DataFrame, frame_later: pd.DataFrame) -> Choice:
    """Choose the purchase model with the highest held-out likelihood.

    Parameters
    ----------
    frame_earlier, frame_later : DataFrame
        Behaviour rows at two dates: customer_id, frequency, recency (days), T (days). Rows whose
        history is null are left out.

    Returns
    -------
    Choice

    Raises
    ------
    TrainingError
        If a column is missing, a customer is named twice, or a later row does not continue the
        earlier one.
    NotEnoughData
        If no customer is known at both dates, or too few came back by the earlier one.

    Notes
    -----
    With θ fitted on the earlier rows, a customer known at both dates scores
    ln L(θ; x, t_x, T later) − ln L(θ; x, t_x, T earlier). As L is the likelihood of the whole path
    of purchases, this is exactly the conditional likelihood of the purchases between the dates,
    given those before; it is the same kind of number for all models. The fits' own doubts are in
    their verdicts and are not warned of. A model whose fit failed cannot win, and of scores that
    are equal to a millionth `bg_nbd` wins, then the model that is named first.
    """
    earlier, later = _paired(frame_earlier, frame_later)
    history = _histories(frame_earlier)
    fits = {name: _fitted(model, history) for name, model in PURCHASE_MODELS.items()}
    gains = {
        name: _gains(PURCHASE_MODELS[name].log_likelihoods, fit, earlier, later)
        for name, fit in fits.items()
    }
    scores = {name: float(gain.mean()) for name, gain in gains.items()}
    best = _best(scores)
    return Choice(
        best=best,
        scores=scores,
        lags={name: _error(gain - gains[best]) for name, gain in gains.items()},
        fits=fits,
        customers=earlier[0].size,
    )


def _fitted(model: PurchaseModel, history: Histories) -> Fit[Any]:
    """The fit without its warning: the verdict is part of the answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        return model.fit(*history)


def _gains(
    likelihoods: Callable[..., Floats], fit: Fit[Any], earlier: Histories, later: Histories
) -> Floats:
    """Conditional log-likelihood of each customer's later period; NaN if the fit failed."""
    if fit.verdict == "failed":
        return np.full(earlier[0].size, np.nan)
    return likelihoods(fit.params, *later) - likelihoods(fit.params, *earlier)


def _best(scores: Mapping[str, float]) -> str:
    """The first name, in the order of preference, within a tie of the highest score."""
    known = {name: score for name, score in scores.items() if math.isfinite(score)}
    if not known:
        return DEFAULT
    highest = max(known.values())
    return next(name for name, score in known.items() if score >= highest - _TIE)


def _error(difference: Floats) -> float:
    """Standard error of a mean."""
    return float(np.std(difference) / math.sqrt(difference.size))


def _histories(frame: pd.DataFrame) -> Histories:
    """Frequency, recency and T of the rows in which none is null."""
    columns = [frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in _COLUMNS]
    known = ~np.isnan(np.array(columns)).any(axis=0)
    x, t_x, T = (column[known] for column in columns)
    return x, t_x, T


def _paired(earlier: pd.DataFrame, later: pd.DataFrame) -> tuple[Histories, Histories]:
    """Histories of the customers known at both dates, in one order."""
    names = ["customer_id", *_COLUMNS]
    for frame in (earlier, later):
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise TrainingError(
                f"Got a table without {', '.join(missing)}; expected the columns of a behaviour "
                "table."
            )
        if frame["customer_id"].duplicated().any():
            raise TrainingError("Got a customer in two rows; expected one row a customer.")
    both = earlier[names].merge(later[names], on="customer_id", suffixes=("", "_later"))
    both = both.dropna()
    if both.empty:
        raise NotEnoughData(
            "Got no customer that is known at both dates; expected rows of the same customers. "
            "Choose dates of one history."
        )
    then = _histories(both)
    now = _histories(both[[f"{name}_later" for name in _COLUMNS]].set_axis(_COLUMNS, axis=1))
    _check_continued(then, now)
    return then, now


def _check_continued(then: Histories, now: Histories) -> None:
    """Refuse later rows that cannot come after the earlier ones."""
    (x, t_x, T), (x_later, t_x_later, T_later) = then, now
    same = (x_later == x) & (t_x_later == t_x)
    holds = (T_later >= T) & np.where(x_later > x, t_x_later > T, same)
    if not holds.all():
        raise TrainingError(
            f"Got {int((~holds).sum())} of {holds.size} customers whose later row does not "
            "continue the earlier one; expected no fewer purchases, and none of the new ones "
            "before the earlier date. Give both dates of one history, the earlier one first."
        )
