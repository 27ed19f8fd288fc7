"""How sure a forecast is, as far as the parameters are: the delta method.

In: fitted parameters, their covariance, and any forecast as a function of the parameters. Out: a
standard error for each number forecast. It says how much the forecast would differ had other
customers been drawn; what one customer does by chance comes on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
P = TypeVar("P")

# Step in the logarithm of a parameter: differences keep some eight digits.
_STEP = 1e-4


def standard_error(
    forecast: Callable[[P], ArrayLike],
    parameters: Callable[[Floats], P],
    at: ArrayLike,
    covariance: Sequence[Sequence[float]],
) -> Floats:
    """Standard error of a forecast that comes from the parameters' own.

    Parameters
    ----------
    forecast : callable
        Parameters -> numbers of any shape.
    parameters : callable
        Coordinates of shape (k,) -> parameters.
    at : array-like of float, shape (k,)
        The fitted coordinates.
    covariance : sequence of shape (k, k)
        Covariance of the coordinates.

    Returns
    -------
    ndarray of float64 >= 0
        In the shape and unit of the forecast.

    Notes
    -----
    √(gᵀ Σ g), with the slopes g of the forecast in the coordinates by central differences.
    """
    middle = np.asarray(at, dtype=np.float64)
    slopes = np.array(
        [
            (
                np.asarray(forecast(parameters(middle + unit)), dtype=np.float64)
                - np.asarray(forecast(parameters(middle - unit)), dtype=np.float64)
            )
            / (2.0 * _STEP)
            for unit in np.eye(middle.size) * _STEP
        ]
    )
    spread = np.einsum("i...,ij,j...->...", slopes, np.asarray(covariance), slopes)
    # A direction in which nothing moves may come out as minus the last digit.
    return np.asarray(np.sqrt(np.maximum(spread, 0.0)))
