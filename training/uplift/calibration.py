"""Whether predicted effects come true: predicted against observed, by tenth of the customers.

In: out-of-fold answers. Out: for each tenth of the predicted effect what was predicted on average
and what a doubly robust estimate says, with its standard error. Nobody's own effect can be seen,
only that of many.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.uplift.held_out import HeldOut
from training.uplift.resampling import rank_bins

TENTHS = 10


def uplift_table(held: HeldOut, action: int, outcome: str) -> pd.DataFrame:
    """Predicted and observed effects by tenth.

    Parameters
    ----------
    held : HeldOut
    action : int
        Position among the arms, from 1 on.
    outcome : {"returned", "spend"}

    Returns
    -------
    DataFrame
        ``tenth`` (1 is the highest predicted), ``customers``, ``predicted``, ``observed``,
        ``error`` (standard error of the observed), ``lower`` and ``upper`` (95 %, normal). Fewer
        than ten rows where predictions tie.
    """
    told = held.trial.open[:, action] & held.trial.open[:, 0]
    score = held.scores(outcome)[told]
    came = score[:, action] - score[:, 0]
    effects = held.effects(outcome)[:, action - 1]
    predicted, bins = effects[told], rank_bins(held.rank(effects)[told], TENTHS)
    many = np.bincount(bins).astype(np.float64)
    observed = np.bincount(bins, came) / many
    spread = np.bincount(bins, (came - observed[bins]) ** 2) / np.maximum(many - 1, 1)
    error = np.sqrt(spread / many)
    return pd.DataFrame(
        {
            "tenth": np.arange(1, len(many) + 1),
            "customers": many.astype(np.int64),
            "predicted": np.bincount(bins, predicted) / many,
            "observed": observed,
            "error": error,
            "lower": observed - 1.96 * error,
            "upper": observed + 1.96 * error,
        }
    )
