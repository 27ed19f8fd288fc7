"""When the next purchase comes, of those who come within a horizon.

In: a value model and behaviour rows. Out: for each customer the number of days by which the next
purchase is as likely as not to have come, given that it comes within the horizon. Whether it comes
is the return probability's matter; this says when.

A null history gives no date.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.errors import TrainingError
from training.value.purchase_models import name_of, purchase_model

if TYPE_CHECKING:
    from training.value.model import ValueModel

Floats = NDArray[np.float64]

# Lengths at which the return probability is computed, up to the horizon.
_LENGTHS = 16


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
        Days from as-of, above 0 and below the horizon; NaN where the history is null.

    Raises
    ------
    TrainingError
        If the horizon is below a day.

    Notes
    -----
    t with P(return within t) = ½ P(return within h). Between 16 lengths, each a constant factor
    from the next, the probability is interpolated.
    """
    if not (math.isfinite(within_days) and within_days >= 1):
        raise TrainingError(f"Got within_days = {within_days}; expected at least a day.")
    history, _, known = model.histories(frame)
    params = model.purchases_.params
    back = purchase_model(name_of(params)).return_probability
    wanted = 0.5 * back(params, within_days, *history)
    days = np.full(wanted.size, np.nan)
    before, length_before = np.zeros(wanted.size), 0.0
    for length in np.geomspace(min(0.5, within_days / 2), within_days, _LENGTHS):
        so_far = np.maximum(back(params, float(length), *history), before)
        here = np.isnan(days) & (so_far >= wanted)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Who is as good as certain to be gone has no return to wait for: the middle.
            part = np.where(so_far > before, (wanted - before) / (so_far - before), 0.5)
        days[here] = (length_before + part * (length - length_before))[here]
        before, length_before = so_far, float(length)
    result = np.full(len(frame), np.nan)
    result[known] = days
    return result
