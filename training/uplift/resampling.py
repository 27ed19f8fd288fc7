"""Intervals by drawing customers again: many statistics of one draw at once.

In: a matrix with a row a customer. Out: its column means, or means by bin, of each bootstrap draw.
Models stay as they are: the interval is of what is said of these customers, not of the learning.

References
----------
Efron & Tibshirani (1993), "An introduction to the bootstrap", chapter 13 (percentile intervals).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Bootstrap draws, and the ends of the 95 % interval.
DRAWS = 1000
ENDS = (0.025, 0.975)
#: Draws that are held in memory at once.
_AT_ONCE = 25


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval.

    Attributes
    ----------
    estimate, lower, upper : float
    """

    estimate: float
    lower: float
    upper: float

    @classmethod
    def of(cls, estimate: float, drawn: np.ndarray) -> Interval:
        """From bootstrap draws, which may hold NaN where a draw left nothing to compare."""
        lower, upper = np.nanquantile(drawn, ENDS)
        return cls(float(estimate), float(lower), float(upper))

    def __format__(self, spec: str) -> str:
        return f"{self.estimate:{spec}} ({self.lower:{spec}} to {self.upper:{spec}})"


def _draws(n: int, draws: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each customer was drawn, some draws at a time, of shape (draws, n)."""
    for start in range(0, draws, _AT_ONCE):
        many = min(_AT_ONCE, draws - start)
        # One count over draws and customers together.
        place = random.integers(0, n, (many, n)) + n * np.arange(many)[:, None]
        yield np.bincount(place.ravel(), minlength=many * n).reshape(many, n).astype(np.float64)


def means(values: np.ndarray, random: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """Column means of each draw.

    Parameters
    ----------
    values : ndarray of shape (n, n_columns)
    random : Generator
    draws : int, default=1000

    Returns
    -------
    ndarray of shape (draws, n_columns)
        All columns of a draw are of the same customers, so that differences are paired.
    """
    n = len(values)
    return np.concatenate([counts @ values / n for counts in _draws(n, draws, random)])


def sums_by_bin(
    values: np.ndarray, bins: np.ndarray, random: np.random.Generator, draws: int = DRAWS
) -> np.ndarray:
    """Sums within bins of each draw.

    Parameters
    ----------
    values : ndarray of shape (n, n_columns)
    bins : ndarray of shape (n,), int
        From 0 on, none of them empty.
    random : Generator
    draws : int, default=1000

    Returns
    -------
    ndarray of shape (draws, n_bins, n_columns)
    """
    order = np.argsort(bins, kind="stable")
    starts = np.searchsorted(bins[order], np.arange(bins.max() + 1))
    ranked = values[order]
    found = []
    for counts in _draws(len(values), draws, random):
        # The customers are alike to a draw, so it may be counted in their order.
        columns = [
            np.add.reduceat(counts * ranked[:, k], starts, axis=1) for k in range(values.shape[1])
        ]
        found.append(np.stack(columns, axis=2))
    return np.concatenate(found)


def rank_bins(score: np.ndarray, most: int) -> np.ndarray:
    """Bins of falling score with about equal counts; ties share a bin.

    Parameters
    ----------
    score : ndarray of shape (n,)
    most : int
        Bins, at most.

    Returns
    -------
    ndarray of shape (n,), int
        0 holds the highest scores.
    """
    edges = np.unique(np.quantile(score, np.linspace(0, 1, most + 1)[1:-1]))
    place = np.searchsorted(edges, score, side="right")
    return np.unique(-place, return_inverse=True)[1]
