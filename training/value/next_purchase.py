"""When the next purchase comes, of those who come within a horizon.

In: a value model and behaviour rows. Out: for each customer the number of days by which the next
purchase is as likely as not to have come, given that it comes within the horizon. Whether it comes
is the return probability's matter; this says when.

A null history gives no date, and neither does a return that has no chance at all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.errors import TrainingError
from training.value.counted import spread
from training.value.purchase_models import name_of, purchase_model

if TYPE_CHECKING:
    from training.value.model import ValueModel

Floats = NDArray[np.float64]

# Their last purchase tells whether a customer is there still, and nothing of when the next comes.
_BY_AGE = ("bg_nbd", "mbg_nbd", "pareto_nbd")
# Where a halved interval becomes a straight line, in days.
_FINE = 0.1


def days_to_next_purchase(model: ValueModel, frame: pd.DataFrame, within_days: float) -> Floats:
    """Median time to the next purchase, given one within the horizon.

    Parameters
    ----------
    model : ValueModel
        Fitted.
    frame : DataFrame
        Behaviour rows.
    within_days : float >= 1
        The horizon, in days.

    Returns
    -------
    ndarray of float64
        Days from as-of, above 0 and below the horizon; NaN where the history is null, and where
        the chance of a return is 0.

    Raises
    ------
    TrainingError
        If the horizon is below a day.

    Notes
    -----
    With X(t) the purchases of the next t days and the horizon h, the d with

        P(X(d) ≥ 1) = ½ P(X(h) ≥ 1),

    found by halving (0, h] until the piece of the curve is straight. The chance to be there still
    is on both sides and does not move d: where t_x is in it alone, d is found once for each
    distinct (x, T), as of who has just bought, else once for each (x, t_x, T).
    """
    if not (math.isfinite(within_days) and within_days >= 1):
        raise TrainingError(f"Got within_days = {within_days}; expected at least a day.")
    history, _, known = model.histories(frame)
    result = np.full(len(frame), np.nan)
    if not known.any():
        return result
    params = model.purchases_.params
    family = purchase_model(name_of(params))
    x, _, T = history
    asked = (x, np.where(x > 0, T, 0.0), T) if name_of(params) in _BY_AGE else history
    chosen, member = spread(asked)
    days = _median(family, params, tuple(column[chosen] for column in asked), within_days)[member]
    chance = family.return_probability(params, within_days, *history)
    result[known] = np.where(chance > 0, days, np.nan)
    return result


def _median(family: Any, params: Any, history: tuple[Floats, ...], within_days: float) -> Floats:
    """The d of `days_to_next_purchase` of each history."""
    back = family.return_probability
    whole = back(params, within_days, *history)
    half = 0.5 * whole
    low, high = np.zeros(half.size), np.full(half.size, float(within_days))
    below, above = np.zeros(half.size), whole
    for _ in range(math.ceil(math.log2(within_days / _FINE))):
        middle = 0.5 * (low + high)
        here = back(params, middle, *history)
        short = here < half
        low, below = np.where(short, middle, low), np.where(short, here, below)
        high, above = np.where(short, high, middle), np.where(short, above, here)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (half - below) / (above - below)
    # What is too small for a number has no slope either.
    return low + np.where(np.isfinite(part), part, 1.0) * (high - low)
