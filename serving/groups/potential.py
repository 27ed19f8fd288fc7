"""Potential value: what the best of the customers with a similar start are worth.

In: purchase histories and customer lifetime values. Out: one value a customer, in currency and
never below the own lifetime value; the distance to it is the room to grow. A similar start is
the same quintile of the first order and the same quarter of the age; the best is the 90th
percentile of the lifetime value among them.

Null rule: no lifetime value, no potential.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serving.errors import ScoreTableError
from serving.groups.history import History
from serving.groups.quantiles import band, edges, quantile

ORDER_BANDS = 5
AGE_BANDS = 4
# Fewer customers than this say little about the best tenth of them.
ENOUGH = 30


@dataclass(frozen=True)
class Potential:
    """What the best of each profile of a population are worth.

    Parameters
    ----------
    first_order_edges : tuple of float
        Four inner edges of the first order's quintiles, in currency.
    age_edges : tuple of float
        Three inner edges of the age's quarters, in days.
    best : tuple of tuple of float or None
        90th percentile of the lifetime value by first-order quintile (rows) and age quarter
        (columns), in currency; None for a profile with fewer than 30 customers.
    overall : float
        The same over the whole population; speaks where a profile does not.

    Raises
    ------
    ScoreTableError
        If the table does not have five rows of four.
    """

    first_order_edges: tuple[float, ...]
    age_edges: tuple[float, ...]
    best: tuple[tuple[float | None, ...], ...]
    overall: float

    def __post_init__(self) -> None:
        shape = len(self.best), {len(row) for row in self.best}
        sides = len(self.first_order_edges), len(self.age_edges)
        if shape != (ORDER_BANDS, {AGE_BANDS}) or sides != (ORDER_BANDS - 1, AGE_BANDS - 1):
            raise ScoreTableError(
                f"got a potential table of shape {shape} with {sides} edges; expected "
                f"{ORDER_BANDS} rows of {AGE_BANDS}: run a full scoring again"
            )


def learn(history: History, clv: np.ndarray) -> Potential | None:
    """Learn what the best of each profile are worth.

    Parameters
    ----------
    history : History
        A whole population.
    clv : numpy.ndarray of float64
        Lifetime values in currency; NaN where there is none.

    Returns
    -------
    Potential or None
        None when no customer has both a first order and a lifetime value.
    """
    valued = np.isfinite(clv) & np.isfinite(history.first_order) & history.known
    if not valued.any():
        return None
    worth, first, age = clv[valued], history.first_order[valued], history.age[valued]
    first_edges, age_edges = edges(first, ORDER_BANDS), edges(age, AGE_BANDS)
    rows, columns = band(first, first_edges), band(age, age_edges)
    columns_of = range(1, 1 + AGE_BANDS)
    best = tuple(
        tuple(_best(worth[(rows == row) & (columns == column)]) for column in columns_of)
        for row in range(1, 1 + ORDER_BANDS)
    )
    return Potential(first_edges, age_edges, best, quantile(worth, 9, 10))


def potential_value(history: History, clv: np.ndarray, potential: Potential) -> np.ndarray:
    """Say what each customer could be worth.

    Parameters
    ----------
    history : History
    clv : numpy.ndarray of float64
        Lifetime values in currency; NaN where there is none.
    potential : Potential

    Returns
    -------
    numpy.ndarray of float64
        Currency, at least `clv`; NaN where `clv` is.
    """
    table = np.full((ORDER_BANDS + 1, AGE_BANDS + 1), potential.overall)
    best = np.array(potential.best, dtype=float)
    table[1:, 1:] = np.where(np.isnan(best), potential.overall, best)
    rows = band(history.first_order, potential.first_order_edges)
    columns = band(history.age, potential.age_edges)
    return np.maximum(clv, table[rows, columns])


def _best(worth: np.ndarray) -> float | None:
    return quantile(worth, 9, 10) if len(worth) >= ENOUGH else None
