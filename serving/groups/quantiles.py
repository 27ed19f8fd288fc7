"""Quantiles of a population, and the band that a value falls into.

A quantile here is always one of the population's own values, never a mean of two. So a change
of currency scales values and edges alike, and no customer changes sides by rounding; and the
result does not depend on the order of the rows.
"""

from __future__ import annotations

import numpy as np


def quantile(values: np.ndarray, part: int, parts: int) -> float:
    """Smallest value with at least `part / parts` of all values at or below it.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Not empty, no NaN.
    part, parts : int
        The share as a fraction of whole numbers, so that it is exact; 0 < part <= parts.

    Returns
    -------
    float
        One of `values`.
    """
    return float(np.sort(values)[-(-len(values) * part // parts) - 1])


def edges(values: np.ndarray, parts: int) -> tuple[float, ...]:
    """Inner edges of `parts` bands that hold equally many values each, as far as ties allow.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Not empty, no NaN.
    parts : int
        Number of bands, at least 2.

    Returns
    -------
    tuple of float
        `parts` - 1 values, rising; equal ones where many values are tied.
    """
    ordered = np.sort(values)
    ranks = [-(-len(ordered) * part // parts) - 1 for part in range(1, parts)]
    return tuple(float(ordered[rank]) for rank in ranks)


def band(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Band of each value, counted from the lowest.

    Parameters
    ----------
    values : numpy.ndarray of float64
        May hold NaN.
    edges : tuple of float
        Inner edges, rising. A band is open on the left and closed on the right, as in
        ``pandas.qcut``: a value that equals an edge is in the band below it, so tied values are
        always together.

    Returns
    -------
    numpy.ndarray of int64
        1 to ``len(edges) + 1``; 0 where the value is NaN.
    """
    bands = 1 + np.searchsorted(np.asarray(edges, dtype=float), values, side="left")
    return np.where(np.isnan(values), 0, bands)
