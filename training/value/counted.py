"""Distinct rows of a few number columns, with where each row went.

Customers repeat: a million of them have some tens of thousands of distinct (frequency, T). What
depends on those columns alone is computed once a distinct row and spread back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# A table of flags of this many times the rows is cheaper than sorting the rows.
_TABLE = 16
# Products of ranges stay below this, so that a row's key is exact in 64 bits.
_LARGEST_KEY = 1 << 62
# Whole numbers over a wider range are coded like any others.
_WIDEST = 1e6


@dataclass(frozen=True)
class Distinct:
    """Distinct rows in the order of their columns.

    Parameters
    ----------
    columns : tuple of ndarray of shape (distinct,)
        The distinct rows, by column.
    counts : ndarray of shape (distinct,)
        Sum of the weights of the rows that are equal to it.
    """

    columns: tuple[Floats, ...]
    counts: Floats


def count(columns: tuple[Floats, ...], weights: Floats | None = None) -> Distinct:
    """Distinct rows and how many rows, or how much weight, each stands for.

    Parameters
    ----------
    columns : tuple of ndarray of shape (rows,)
        Finite numbers.
    weights : ndarray of shape (rows,), optional
        One when not given.

    Returns
    -------
    Distinct
        Sorted by the first column, then the second, and so on.
    """
    key, levels = _key(columns)
    if weights is None and levels is not None:
        # A plain sort is several times faster than one that keeps the rows' places.
        keys, counts = np.unique(key, return_counts=True)
        codes = np.unravel_index(keys, tuple(level.size for level in levels))
        values = tuple(level[code] for level, code in zip(levels, codes, strict=True))
        return Distinct(values, counts.astype(np.float64))
    chosen, member = spread(columns)
    totals = np.bincount(member, weights=weights, minlength=chosen.size).astype(np.float64)
    return Distinct(tuple(column[chosen] for column in columns), totals)


def spread(columns: tuple[Floats, ...]) -> tuple[Indices, Indices]:
    """One row for each distinct row, and for each row its number among them.

    Parameters
    ----------
    columns : tuple of ndarray of shape (rows,)
        Finite numbers.

    Returns
    -------
    chosen : ndarray of int, shape (distinct,)
        A row number for each distinct row, in the order of the columns.
    member : ndarray of int, shape (rows,)
        `column[chosen][member]` is `column` again.
    """
    key, levels = _key(columns)
    size = math.prod(level.size for level in levels) if levels else _LARGEST_KEY
    if size > _TABLE * key.size:
        _, chosen, member = np.unique(key, return_index=True, return_inverse=True)
        return chosen, member
    row_of_key = np.full(size, -1, dtype=np.int64)
    row_of_key[key] = np.arange(key.size)
    present = row_of_key >= 0
    return row_of_key[present], (np.cumsum(present) - 1)[key]


def _key(columns: tuple[Floats, ...]) -> tuple[Indices, list[Floats] | None]:
    """One whole number a row, ordered and distinct as the rows are, and the columns' values.

    The values are None where the key had to be packed to fit 64 bits.
    """
    key = np.zeros(columns[0].size, dtype=np.int64)
    levels: list[Floats] = []
    size, packed = 1, False
    for column in columns:
        codes, values = _codes(column)
        if size * values.size > _LARGEST_KEY:
            distinct, key = np.unique(key, return_inverse=True)
            size, packed = distinct.size, True
        key = key * values.size + codes
        size *= values.size
        levels.append(values)
    return key, None if packed else levels


def _codes(column: Floats) -> tuple[Indices, Floats]:
    """Codes and values, so that `values[codes]` is the column and codes rise with values."""
    if column.size:
        low, high = float(column.min()), float(column.max())
        # Whole days and counts are their own codes: no sort.
        if high - low <= _WIDEST and np.array_equal(column, np.rint(column)):
            return (column - low).astype(np.int64), np.arange(low, high + 1.0)
    values, codes = np.unique(column, return_inverse=True)
    return codes, values
