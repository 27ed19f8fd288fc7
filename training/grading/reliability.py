"""Whether probabilities and intervals hold for each kind of customer, not only on the whole.

In: past windows that no model had seen, with what was predicted and what came, and the kinds of
their customers. Out: one tidy table: kind, group, customers; predicted and observed return rate,
calibration error and how much of it luck alone would give; coverage of the 80 % intervals.

References
----------
Czado, Gneiting & Held (2009), "Predictive model assessment for count data", Biometrics 65,
section 2: where an outcome has a probability of its own, as no purchase has, the part of it that
an interval needs is what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.windows.spread import tails

if TYPE_CHECKING:
    from training.windows.spread import Spread
    from training.windows.window import Window

#: Fewer customers of a group say nothing of it.
LEAST = 50
#: Customers in a bin of the calibration error, at least; 10 bins at most.
BIN = 100

WHOLE = ("all", "all")
COVERED = tuple(
    f"{name}_{figure}" for name in ("purchases", "spend") for figure in ("inside", "coverage")
)


def table(
    windows: Sequence[Window], kinds: Sequence[pd.DataFrame], spreads: Sequence[Spread | None]
) -> pd.DataFrame:
    """Reliability by kind and group over some windows.

    Parameters
    ----------
    windows : sequence of Window
        Predictions and outcomes.
    kinds : sequence of pandas.DataFrame
        For each window a text column a kind, row for row.
    spreads : sequence of Spread or None
        For each window what its intervals are made with, learned on other windows; None leaves
        it out of the coverage.

    Returns
    -------
    pandas.DataFrame
        ``kind``, ``group``, ``customers``, ``predicted`` and ``observed`` (return rates),
        ``calibration_error``, ``calibration_luck`` (what right predictions would show by chance),
        and for purchases and spend ``*_inside`` (share of outcomes inside
        the interval) and ``*_coverage`` (the same where an outcome on the edge counts by the part
        of its probability that the interval needs; 0.80 is right). Groups of at least 50
        customers, the whole first.
    """
    if not windows:
        return pd.DataFrame()
    told = pd.concat(
        [_told(one, spread) for one, spread in zip(windows, spreads, strict=True)],
        ignore_index=True,
    )
    return by_kind(told, pd.concat(list(kinds), ignore_index=True))


def by_kind(told: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Sum up by kind and group what was said of customers and what came.

    Parameters
    ----------
    told : pandas.DataFrame
        A row a customer and window: ``predicted``, ``observed`` (0 or 1) and, where intervals
        were given, the columns of `COVERED`.
    words : pandas.DataFrame
        A text column a kind, row for row.

    Returns
    -------
    pandas.DataFrame
        As `table`.
    """
    rows = [_row(*WHOLE, told)]
    for kind in words.columns:
        for group, part in told.groupby(words[kind], sort=True):
            if len(part) >= LEAST:
                rows.append(_row(kind, str(group), part))
    return pd.DataFrame(rows)


def _told(window: Window, spread: Spread | None) -> pd.DataFrame:
    """What the table sums up, customer by customer."""
    stays = window.predicted["return_probability"].to_numpy(float)
    found = {"predicted": stays, "observed": window.came["returned"].to_numpy(float)}
    if spread is not None and spread.ratios:
        found |= _covered(window, spread, stays)
    return pd.DataFrame(found)


def _covered(window: Window, spread: Spread, stays: np.ndarray) -> dict[str, np.ndarray]:
    often = window.predicted["expected_purchases"].to_numpy(float)
    amount = window.predicted["expected_spend"].to_numpy(float)
    count = window.came["occasions"].to_numpy(float)
    spent = np.maximum(window.came["spend"].to_numpy(float), 0.0)
    ends = {
        "purchases": (count, spread.purchases(stays, often)),
        "spend": (spent, spread.spend(stays, often, amount)),
    }
    below = {
        "purchases": spread.purchases_below(stays, often, count),
        "spend": spread.spend_below(stays, often, amount, spent),
    }
    levels = tails(stays)
    found = {}
    for name, (outcome, (low, high)) in ends.items():
        found[f"{name}_inside"] = ((outcome >= low) & (outcome <= high)).astype(float)
        found[f"{name}_coverage"] = needed(below[name], levels)
    return found


def needed(
    below: tuple[np.ndarray, np.ndarray], levels: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Part of each outcome's probability that lies between the levels.

    Parameters
    ----------
    below : tuple of numpy.ndarray
        Probability of less than each outcome, and of at most it.
    levels : tuple of numpy.ndarray
        Between which the interval lies.

    Returns
    -------
    numpy.ndarray in [0, 1]
        0 or 1 for an outcome without a probability of its own.
    """
    start, stop = below
    width = stop - start
    inside = np.clip(np.minimum(stop, levels[1]) - np.maximum(start, levels[0]), 0.0, None)
    at = ((start >= levels[0]) & (start <= levels[1])).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(width > 1e-12, inside / width, at)


def _row(kind: str, group: str, part: pd.DataFrame) -> dict[str, object]:
    from training.grading import metrics

    bins = int(np.clip(len(part) // BIN, 1, 10))
    error = metrics.calibration_error(
        part["observed"].to_numpy(), part["predicted"].to_numpy(), bins
    )
    means = part.mean()
    return {
        "kind": kind,
        "group": group,
        "customers": len(part),
        "predicted": float(means["predicted"]),
        "observed": float(means["observed"]),
        "calibration_error": error,
        "calibration_luck": metrics.calibration_luck(part["predicted"].to_numpy(), bins),
        **{name: float(means[name]) for name in COVERED if name in part},
    }
