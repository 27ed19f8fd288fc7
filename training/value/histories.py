"""Purchase histories: frequency x, recency t_x and age T as whole columns.

All purchase models read the same three columns, in one time unit. Here they are checked, brought
to one length and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import TrainingError
from training.value.counted import Distinct, Indices, count

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """Counted customers, by frequency and by age: what every purchase model's likelihood reads.

    Parameters
    ----------
    customers, purchases : float
        Total weight, and repeat purchases of all together.
    x, x_weight : ndarray
        Distinct frequencies, and the weight of the customers with each.
    T, age_weight, age_purchases : ndarray
        Distinct ages, the weight of the customers with each, and their repeat purchases.
    """

    customers: float
    purchases: float
    x: Floats
    x_weight: Floats
    T: Floats
    age_weight: Floats
    age_purchases: Floats


def levels(rows: Distinct) -> tuple[Levels, Indices, Indices]:
    """Count distinct rows by frequency and by age.

    Parameters
    ----------
    rows : Distinct
        Columns frequency, T and recency, in that order.

    Returns
    -------
    levels : Levels
    x_index, T_index : ndarray of int, shape (rows,)
        Places of each row's frequency and age among the distinct ones.
    """
    x, T, _ = rows.columns
    weight = rows.counts
    levels_x, x_index = np.unique(x, return_inverse=True)
    levels_T, T_index = np.unique(T, return_inverse=True)
    found = Levels(
        customers=float(weight.sum()),
        purchases=float(weight @ x),
        x=levels_x,
        x_weight=_totals(x_index, weight),
        T=levels_T,
        age_weight=_totals(T_index, weight),
        age_purchases=_totals(T_index, weight * x),
    )
    return found, x_index, T_index


def check_histories(x: Floats, t_x: Floats, T: Floats) -> None:
    """Refuse rows that cannot be purchase histories.

    Parameters
    ----------
    x, t_x, T : ndarray of float64
        Frequency, recency and age.

    Raises
    ------
    TrainingError
        With the rule that is broken and by how many rows.
    """
    _expect("finite numbers", np.isfinite(x) & np.isfinite(t_x) & np.isfinite(T))
    _expect("frequency of at least 0", x >= 0)
    _expect("recency between 0 and T", (t_x >= 0) & (t_x <= T))
    _expect("recency 0 where frequency is 0", (x > 0) | (t_x == 0))


def counted(
    frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None
) -> Distinct:
    """Distinct (frequency, T, recency) with counts, after a check that they can be.

    Parameters
    ----------
    frequency, recency, T : array-like of float
        Repeat purchases (x), age at the last of them (t_x), age now.
    weights : array-like of float >= 0, or None
        How many customers each row stands for; one when None.

    Returns
    -------
    Distinct
        Columns frequency, T and recency, in that order.

    Raises
    ------
    TrainingError
        If a row cannot be a history, or a weight cannot be one.
    """
    x, t_x, age = (np.asarray(column, dtype=np.float64) for column in (frequency, recency, T))
    check_histories(x, t_x, age)
    if weights is None:
        return count((x, age, t_x))
    weight = np.asarray(weights, dtype=np.float64)
    _expect("finite weights of at least 0", np.isfinite(weight) & (weight >= 0))
    some = weight > 0
    return count((x[some], age[some], t_x[some]), weight[some])


def columns(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Three float columns of one length; a single customer is a column of one.

    Parameters
    ----------
    x, t_x, T : array-like of float
        Frequency, recency and age; what is one number stands for all rows.

    Returns
    -------
    x, t_x, T : ndarray of float64
    """
    given = (np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (x, t_x, T))
    first, second, third = np.broadcast_arrays(*given)
    return first, second, third


def _totals(place: Indices, weights: Floats) -> Floats:
    return np.bincount(place, weights).astype(np.float64)


def _expect(rule: str, holds: NDArray[np.bool_]) -> None:
    if not holds.all():
        raise TrainingError(
            f"Got {int((~holds).sum())} of {holds.size} purchase histories that break a rule; "
            f"expected {rule}. Build the behaviour table again."
        )
