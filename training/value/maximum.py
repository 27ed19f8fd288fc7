"""Maximum of a log-likelihood in a box: several starts, a sure finish, an honest verdict.

In: a function that gives the log-likelihood and its gradient. Out: where it is largest, whether
that is inside the box, at an edge of it (the data cannot tell the parameter from its limit), or
was not found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]
Verdict = Literal["converged", "boundary", "failed"]
Side = Literal["low", "high"]

# A coordinate that can go to its limit for less than this has not been determined: 0.01 is a
# hundredth of what a likelihood-ratio test would notice at all.
_INDIFFERENT = 0.01
# Largest slope per customer, in the logarithm of a parameter, at which the search has arrived.
_FLAT = 1e-6
_STEP = 1e-4
_POLISHES = 4


@dataclass(frozen=True)
class Box:
    """Lowest and highest value of each coordinate.

    Parameters
    ----------
    low, high : ndarray of shape (k,)
    """

    low: Floats
    high: Floats


@dataclass(frozen=True)
class Maximum:
    """Where a log-likelihood is largest.

    Parameters
    ----------
    at : ndarray of shape (k,)
        The coordinates.
    value : float
        The log-likelihood there.
    verdict : {"converged", "boundary", "failed"}
        Inside the box with no slope left; not to be told from a limit; or still sloping.
    limits : tuple of (int, "low" or "high")
        Coordinates that the data cannot tell from their limit, and which limit.
    covariance : ndarray of shape (k, k), or None
        Inverse of the observed information; None unless converged and the top is curved.
    iterations : int
        Steps of all searches together.
    """

    at: Floats
    value: float
    verdict: Verdict
    limits: tuple[tuple[int, Side], ...]
    covariance: NDArray[np.float64] | None
    iterations: int


def maximise(
    objective: Objective,
    starts: Floats,
    box: Box,
    size: float,
    sketch: Objective | None = None,
) -> Maximum:
    """Search from every start, finish from the best, judge the result.

    Parameters
    ----------
    objective : callable
        Coordinates of shape (k,) -> (log-likelihood, gradient of shape (k,)).
    starts : ndarray of shape (starts, k)
        Where to begin.
    box : Box
        Bounds of the search.
    size : float > 0
        Number of customers, to which the stopping rules are relative.
    sketch : callable, optional
        A cheaper likelihood (of a part of the rows) for choosing among the starts.

    Returns
    -------
    Maximum

    Notes
    -----
    Each start runs L-BFGS-B; the best end point is run again to the last digit and then polished
    by Newton steps, whose second derivatives (taken once: they hardly change so near the top) are
    differences of the analytic gradient. Without the polish the end point on a flat ridge depends
    on the path in the fourth digit.
    """
    first = sketch or objective
    ends = [_ascend(first, start, box, size, tolerance=1e-5) for start in starts]
    iterations = sum(steps for _, steps in ends)
    best = max((end for end, _ in ends), key=lambda end: first(end)[0])
    best, steps = _ascend(objective, best, box, size, tolerance=1e-7)
    best, limits = _slide(objective, best, box)
    best, information, polishes = _polish(objective, best, box)
    value, slope = objective(best)
    arrived = bool(np.all(np.abs(_inward(slope, best, box)) <= _FLAT * size))
    verdict: Verdict = "boundary" if limits else "converged"
    if not arrived:
        verdict = "failed"
    covariance = _inverse(information) if verdict == "converged" else None
    return Maximum(best, value, verdict, limits, covariance, iterations + steps + polishes)


def _ascend(
    objective: Objective, start: Floats, box: Box, size: float, tolerance: float
) -> tuple[Floats, int]:
    """One bounded quasi-Newton search on the log-likelihood per customer."""

    def descent(at: Floats) -> tuple[float, Floats]:
        value, slope = objective(at)
        return -value / size, -slope / size

    found = minimize(
        descent,
        np.clip(start, box.low, box.high),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(box.low, box.high, strict=True)),
        options={"maxiter": 300, "maxfun": 600, "ftol": 1e-15, "gtol": tolerance},
    )
    return found.x, int(found.nit)


def _polish(objective: Objective, at: Floats, box: Box) -> tuple[Floats, Floats, int]:
    """Newton steps while the slope falls, in the coordinates that are inside the box."""
    information = _information(objective, at)
    free = (at > box.low) & (at < box.high)
    inverse = _inverse(information[np.ix_(free, free)])
    value, slope = objective(at)
    steps = 0
    while inverse is not None and steps < _POLISHES:
        step = np.zeros_like(at)
        step[free] = np.clip(inverse @ slope[free], -0.5, 0.5)
        trial = np.clip(at + step, box.low, box.high)
        trial_value, trial_slope = objective(trial)
        # At the top the value is flat to its last digits, and only the slope can still improve.
        closer = np.abs(trial_slope[free]).max(initial=0) < np.abs(slope[free]).max(initial=0)
        if not closer or trial_value < value - 1e-9 * abs(value):
            break
        at, value, slope = trial, trial_value, trial_slope
        steps += 1
    return at, information, steps


def _information(objective: Objective, at: Floats) -> Floats:
    """Minus the second derivatives, by central differences of the gradient."""
    rows = []
    for unit in np.eye(at.size) * _STEP:
        rows.append((objective(at - unit)[1] - objective(at + unit)[1]) / (2 * _STEP))
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _inverse(matrix: Floats) -> NDArray[np.float64] | None:
    """The inverse of a positive definite matrix, None if it is not."""
    try:
        root = np.linalg.inv(np.linalg.cholesky(matrix))
    except np.linalg.LinAlgError:
        return None
    return root.T @ root


def _inward(slope: Floats, at: Floats, box: Box) -> Floats:
    """The slope without the part that points out of the box."""
    out = ((at <= box.low) & (slope < 0)) | ((at >= box.high) & (slope > 0))
    return np.where(out, 0.0, slope)


def _slide(
    objective: Objective, at: Floats, box: Box
) -> tuple[Floats, tuple[tuple[int, Side], ...]]:
    """Find the coordinates that reach an edge of the box for next to nothing; go there if it pays.

    On a plateau the search stops where the slope vanishes, which may be well before the edge.
    """
    value, _ = objective(at)
    found: list[tuple[int, Side]] = []
    edges: tuple[tuple[Side, Floats], ...] = (("low", box.low), ("high", box.high))
    for index in np.flatnonzero(box.low < box.high):
        for side, edge in edges:
            moved = at.copy()
            moved[index] = edge[index]
            there, _ = objective(moved)
            if there >= value - _INDIFFERENT:
                found.append((int(index), side))
            if there > value:
                at, value = moved, there
    return at, tuple(found)
