"""Smooth functions of a positive number, interpolated in its logarithm.

A Chebyshev series in v = ln(value + offset): for functions whose singularities are all at values of
−offset and below, v may be complex up to ±iπ, and few points give all digits over a wide range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The error of a series is below e^(−_DIGITS) of the function's largest value.
_DIGITS = 32.0
_NARROW = 1e-3


@dataclass(frozen=True)
class Scale:
    """Points between two values, and the polynomials through them.

    Parameters
    ----------
    offset : float >= 0
    middle, half : float
        Of the range of ln(value + offset).
    points : ndarray of shape (n,)
        The values at which the function is wanted.
    """

    offset: float
    middle: float
    half: float
    points: Floats

    def series(self) -> Floats:
        """From function values to coefficients.

        Returns
        -------
        ndarray of shape (n, n)
            `values @ series()` are the coefficients for `basis`.
        """
        number = self.points.size
        matrix = 2.0 / number * np.cos(np.outer(_angles(number), np.arange(number)))
        matrix[:, 0] /= 2.0
        return matrix

    def basis(self, values: Floats) -> Floats:
        """The polynomials at any values in the range.

        Parameters
        ----------
        values : ndarray of shape (m,)

        Returns
        -------
        ndarray of shape (n, m)
            `coefficients @ basis(values)` is the function there.
        """
        place = np.clip((np.log(values + self.offset) - self.middle) / self.half, -1.0, 1.0)
        basis = np.empty((self.points.size, place.size))
        basis[0], basis[1] = 1.0, place
        for degree in range(2, basis.shape[0]):
            np.multiply(2.0 * place, basis[degree - 1], out=basis[degree])
            basis[degree] -= basis[degree - 2]
        return basis


def scale(least: float, most: float, offset: float) -> Scale:
    """A scale from `least` to `most`.

    Parameters
    ----------
    least, most : float > 0
    offset : float >= 0
        Largest number c such that the function is analytic but for values of −c and below.

    Returns
    -------
    Scale

    Notes
    -----
    Over a range of 2 L in v the series falls like ρ⁻ⁿ with ln ρ = arsinh(π / L), the sum of the
    half-axes of the ellipse that touches ±iπ; an offset beyond `most` would lose digits of the
    values and is not needed for that.

    References
    ----------
    Trefethen (2013), "Approximation theory and approximation practice", theorem 8.2.
    """
    offset = min(offset, most)
    low, high = float(np.log(least + offset)), float(np.log(most + offset))
    middle, half = (low + high) / 2.0, max((high - low) / 2.0, _NARROW)
    number = 2 + int(np.ceil(_DIGITS / np.arcsinh(np.pi / half)))
    points = np.exp(middle + half * np.cos(_angles(number))) - offset
    return Scale(offset, middle, half, points)


def _angles(number: int) -> Floats:
    """Of the Chebyshev points on the half-circle."""
    return np.pi * (np.arange(number) + 0.5) / number
