"""Profit curves: what is earned when more and more customers are treated, best first.

In: out-of-fold answers and a rule's order. Out: incremental profit per customer of the trial
against the share treated, with 95 % intervals at each share. The peak says how many are worth
treating; a straight line from 0 to the right end is a list in random order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from training.uplift.held_out import HeldOut
from training.uplift.policy import Money, earned, nobody
from training.uplift.resampling import DRAWS, ENDS, rank_bins, sums_by_bin

BINS = 50


def profit_curve(
    held: HeldOut,
    orders: Mapping[str, tuple[np.ndarray, np.ndarray]],
    money: Money,
    random: np.random.Generator,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Profit against the share of customers treated.

    Parameters
    ----------
    held : HeldOut
    orders : mapping of str to tuple of ndarray
        By name: the rule that those who are treated get, of shape (n, n_arms), and the score by
        which they come first within their fold, of shape (n,).
    money : Money
    random : Generator
        Of the bootstrap.
    draws : int, default=1000

    Returns
    -------
    DataFrame
        ``order``, ``share`` in [0, 1], ``profit`` in currency per customer above doing nothing,
        ``lower``, ``upper``.
    """
    nothing = earned(held, nobody(held.trial), money)
    return pd.concat(
        [
            _one(name, earned(held, rule, money) - nothing, held.rank(score), random, draws)
            for name, (rule, score) in orders.items()
        ],
        ignore_index=True,
    )


def _one(
    name: str, gained: np.ndarray, score: np.ndarray, random: np.random.Generator, draws: int
) -> pd.DataFrame:
    bins = rank_bins(score, BINS)
    n = len(gained)
    drawn = np.cumsum(sums_by_bin(gained[:, None], bins, random, draws)[:, :, 0], axis=1) / n
    lower, upper = np.quantile(drawn, ENDS, axis=0)
    found = pd.DataFrame(
        {
            "order": name,
            "share": np.cumsum(np.bincount(bins)) / n,
            "profit": np.cumsum(np.bincount(bins, gained)) / n,
            "lower": lower,
            "upper": upper,
        }
    )
    start = pd.DataFrame({"order": [name], "share": 0.0, "profit": 0.0, "lower": 0.0, "upper": 0.0})
    return pd.concat([start, found], ignore_index=True)
