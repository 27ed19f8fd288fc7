"""What one column alone tells of who left, measured on customers it did not learn from.

In: a column of numbers or texts and who left. Out: for every customer the share that left among
others with a like value (out of fold), and how well that ranks. Nothing is assumed of the column's
order, and that a value is missing counts as a value.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Numbers with more different values than this are cut into as many groups of equal count.
MOST_VALUES = 50
#: Values held by fewer customers than this share one group: a text that is there once says
#: nothing by itself, but that texts of a column are there once may say all.
RARE = 5
#: Customers of average fate that are added to each group.
PRIOR = 5.0


def groups(values: pd.Series) -> np.ndarray:
    """Put like values of a column together, without a look at any outcome.

    Parameters
    ----------
    values : Series of shape (n,)
        Numbers, booleans or texts, null where unknown.

    Returns
    -------
    ndarray of shape (n,), int64
        From 0 on; the rare values and the missing ones have a group each.

    Examples
    --------
    >>> groups(pd.Series(["a", "b"] * 5 + ["c", None])).tolist()
    [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3]
    """
    codes, levels = pd.factorize(values)
    if pd.api.types.is_numeric_dtype(values) and len(levels) > MOST_VALUES:
        # Cut at quantiles: equal numbers stay together.
        cut = pd.qcut(values.astype("float64"), MOST_VALUES, labels=False, duplicates="drop")
        codes = cut.fillna(-1).to_numpy(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=max(len(levels), 1))
    rare = (codes >= 0) & (counts[np.maximum(codes, 0)] < RARE)
    named = np.where(codes < 0, len(levels) + 1, np.where(rare, len(levels), codes))
    return np.unique(named, return_inverse=True)[1].astype(np.int64)


def held_out_rates(group: np.ndarray, churned: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Share that left in each customer's group, counted in the other folds.

    Parameters
    ----------
    group : ndarray of shape (n,), int64
        From `groups`.
    churned : ndarray of shape (n,)
        1 where the customer left, else 0.
    fold : ndarray of shape (n,), int64
        From 0 on.

    Returns
    -------
    ndarray of shape (n,), in (0, 1)
        (k + 5 b) / (m + 5), with k of the group's m customers in other folds having left, and b
        the share of all customers in other folds.
    """
    width, folds = int(group.max()) + 1, int(fold.max()) + 1
    cell = fold * width + group
    many = np.bincount(cell, minlength=folds * width).reshape(folds, width).astype(float)
    left = np.bincount(cell, churned, minlength=folds * width).reshape(folds, width)
    others, gone = many.sum(axis=0) - many, left.sum(axis=0) - left
    base = gone.sum(axis=1, keepdims=True) / others.sum(axis=1, keepdims=True)
    return ((gone + PRIOR * base) / (others + PRIOR))[fold, group]


def separation(values: pd.Series, churned: np.ndarray, fold: np.ndarray) -> float:
    """How well a column alone ranks who left: the greater of two areas under the ROC curve.

    Parameters
    ----------
    values : Series of shape (n,)
        Numbers, booleans or texts, null where unknown.
    churned : ndarray of shape (n,)
        1 where the customer left, else 0; both occur.
    fold : ndarray of shape (n,), int64

    Returns
    -------
    float in [0, 1]
        Of the held-out rates of the column's groups; or, for numbers, of the number itself,
        upwards or downwards, among the customers who have one. 0.5 for a column that says
        nothing.
    """
    by_group = area(held_out_rates(groups(values), churned, fold), churned)
    if not pd.api.types.is_numeric_dtype(values):
        return by_group
    there = values.notna().to_numpy()
    fates = np.bincount(churned[there].astype(np.int64), minlength=2)
    # Among a handful of customers a number may rank by luck.
    if fates.min() < 4 * RARE:
        return by_group
    upwards = area(values[there].to_numpy(np.float64), churned[there])
    return max(by_group, upwards, 1.0 - upwards)


def area(score: np.ndarray, churned: np.ndarray) -> float:
    """Area under the ROC curve, ties counting half.

    Parameters
    ----------
    score, churned : ndarray of shape (n,)

    Returns
    -------
    float in [0, 1]
        U / (n₀ n₁), with U the statistic of Mann & Whitney (1947).
    """
    from scipy.stats import rankdata

    ranks = rankdata(score)
    n1 = float(churned.sum())
    n0 = len(churned) - n1
    return float((ranks[churned > 0].sum() - n1 * (n1 + 1) / 2) / (n0 * n1))
