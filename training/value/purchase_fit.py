"""Fitting a purchase model: one way for BG/NBD, MBG/NBD and Pareto/NBD.

A `Process` says what is particular to a model: its likelihood, the coordinates of the search, where
to begin, and what its limits mean in words. Everything else, from counting the rows to the verdict,
is the same for all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import NotEnoughData, StatisticalWarning
from training.value.counted import Distinct
from training.value.histories import Levels, counted
from training.value.maximum import Box, Maximum, Objective, Side, Verdict, maximise

Floats = NDArray[np.float64]
P = TypeVar("P")

# With fewer customers who came back, four parameters are guesses.
FEWEST_REPEATERS = 10


@dataclass(frozen=True)
class Fit(Generic[P]):
    """A fitted purchase model and how sure one can be of it.

    Parameters
    ----------
    params : Parameters
        Of the model's own class.
    log_likelihood : float
        At the parameters, in the time unit of the data.
    verdict : {"converged", "boundary", "failed"}
        A maximum inside the parameter space; parameters that the data cannot tell from a limit
        (usable, and the message says which limit); or no maximum found.
    message : str
        The verdict in plain words.
    customers : float
        Customers, or their total weight.
    iterations : int
        Steps of the search.
    relative_errors : tuple of float, or None
        Standard errors of the logarithms of the parameters, in their order; None unless converged.
    covariance : tuple of tuple of float, or None
        Covariance of these logarithms, for the error of a forecast (`training.value.delta`).
    """

    params: P
    log_likelihood: float
    verdict: Verdict
    message: str
    customers: float
    iterations: int
    relative_errors: tuple[float, ...] | None
    covariance: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True)
class Process(Generic[P]):
    """What is particular to a purchase model when it is fitted.

    Parameters
    ----------
    parameters : callable
        Its four parameters -> the model's parameter class.
    lay_out : callable
        Distinct (frequency, T, recency) -> an arrangement of them for `slopes`.
    slopes : callable
        Arrangement and four parameters -> the log-likelihood of all together, and its gradient in
        the logarithms of the parameters.
    logarithms : callable
        Coordinates of the search, shape (4,) -> logarithms of the parameters, shape (4,), and
        their Jacobian, shape (4, 4). The first coordinate is ln r, the second ln(r / alpha), the
        third the unevenness of leaving, the fourth how much leaving there is.
    times : tuple of str
        The parameters that are times; the search has the mean age for a unit.
    starts : ndarray of shape (starts, 4)
        Where to begin; the second coordinate relative to the average customer's.
    box : Box
        Bounds of the search; wide enough that an edge is its limit.
    limits : mapping
        What it means when a coordinate is at an edge of the box.
    sketch : int
        Starts are compared on at most about this many distinct rows.
    """

    parameters: Callable[[float, float, float, float], P]
    lay_out: Callable[[Distinct], Levels]
    slopes: Callable[[Any, float, float, float, float], tuple[float, Floats]]
    logarithms: Callable[[Floats], tuple[Floats, Floats]]
    times: tuple[str, ...]
    starts: Floats
    box: Box
    limits: Mapping[tuple[int, Side], str]
    sketch: int

    def log_likelihood(
        self,
        params: P,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> float:
        """Log-likelihood of all customers together.

        Parameters
        ----------
        params : Parameters
        frequency, recency, T : array-like of float
            Repeat purchases (x), age at the last of them (t_x), age now.
        weights : array-like of float >= 0, optional
            How many customers each row stands for; one when not given.

        Returns
        -------
        float
        """
        counts = self.lay_out(counted(frequency, recency, T, weights))
        value, _ = self.slopes(counts, *_numbers(params))
        return value

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> Fit[P]:
        """Maximum-likelihood parameters.

        Parameters
        ----------
        frequency : array-like of float >= 0
            Repeat purchases (x).
        recency : array-like of float in [0, T]
            Age at the last repeat purchase (t_x), 0 where there is none.
        T : array-like of float >= 0
            Age now, in the same unit.
        weights : array-like of float >= 0, optional
            How many customers each row stands for; one when not given.

        Returns
        -------
        Fit

        Raises
        ------
        TrainingError
            If a row cannot be a purchase history.
        NotEnoughData
            If fewer than `FEWEST_REPEATERS` customers came back.

        Warns
        -----
        StatisticalWarning
            If the verdict is not "converged".

        Notes
        -----
        No penalty pulls at the parameters. Where the likelihood has its maximum at a limit (nobody
        leaves, all leave alike, all buy alike), the search ends in a box whose edges give the
        limit's predictions, so what is predicted is finite and right even where the parameters
        mean little; a penalty would shift every regular fit to tidy up these. The coordinates of
        the search have these limits along their axes, with time in units of the mean age.
        """
        rows = counted(frequency, recency, T, weights)
        x, ages, t_x = rows.columns
        repeaters = float(rows.counts[x > 0].sum())
        if repeaters < FEWEST_REPEATERS:
            raise NotEnoughData(
                f"Got {repeaters:g} customers with a repeat purchase among {rows.counts.sum():g}; "
                f"the purchase model needs at least {FEWEST_REPEATERS}. Give a longer history."
            )
        scale = float(rows.counts @ ages / rows.counts.sum()) or 1.0
        rows = Distinct((x, ages / scale, t_x / scale), rows.counts)
        counts = self.lay_out(rows)
        found = maximise(
            _objective(self, counts),
            self.starts + np.log([1.0, counts.purchases / counts.customers, 1.0, 1.0]),
            self.box,
            counts.customers,
            _objective(self, self.lay_out(_thinned(rows, self.sketch))),
        )
        return _judged(self, found, counts, scale)


def _thinned(rows: Distinct, size: int) -> Distinct:
    """Every k-th distinct row, so that some `size` are left."""
    every = slice(None, None, max(1, rows.counts.size // size))
    return Distinct(tuple(column[every] for column in rows.columns), rows.counts[every])


def _numbers(params: Any) -> tuple[float, float, float, float]:
    """The four parameters in their order."""
    first, second, third, fourth = astuple(params)
    return first, second, third, fourth


def _objective(process: Process[P], counts: Levels) -> Objective:
    """The log-likelihood in the coordinates of the search."""

    def objective(at: Floats) -> tuple[float, Floats]:
        logarithms, turn = process.logarithms(at)
        value, slope = process.slopes(counts, *_exponentials(logarithms))
        return value, turn.T @ slope

    return objective


def _exponentials(logarithms: Floats) -> tuple[float, float, float, float]:
    first, second, third, fourth = np.exp(logarithms)
    return float(first), float(second), float(third), float(fourth)


def _judged(process: Process[P], found: Maximum, counts: Levels, scale: float) -> Fit[P]:
    """The maximum in the data's own time unit, with its verdict in words."""
    logarithms, turn = process.logarithms(found.at)
    message = {
        "converged": "The purchase model converged.",
        "boundary": "The purchase model is at a limit of what it can say: "
        + "; ".join(_said(process, found.limits))
        + ".",
        "failed": "The purchase model did not converge; its forecasts may be far off.",
    }[found.verdict]
    if found.verdict != "converged":
        warnings.warn(message, StatisticalWarning, stacklevel=3)
    # From the coordinates of the search to the logarithms of the parameters.
    spread = None if found.covariance is None else turn @ found.covariance @ turn.T
    return Fit(
        params=_in_time(process, process.parameters(*_exponentials(logarithms)), scale),
        log_likelihood=found.value - counts.purchases * float(np.log(scale)),
        verdict=found.verdict,
        message=message,
        customers=counts.customers,
        iterations=found.iterations,
        relative_errors=errors_of(spread),
        covariance=rows_of(spread),
    )


def errors_of(covariance: Floats | None) -> tuple[float, ...] | None:
    """Standard errors of a covariance matrix."""
    return None if covariance is None else tuple(np.sqrt(np.diag(covariance)).tolist())


def rows_of(matrix: Floats | None) -> tuple[tuple[float, ...], ...] | None:
    """A matrix as tuples, which a frozen dataclass compares and JSON can hold."""
    return None if matrix is None else tuple(map(tuple, matrix.tolist()))


def _in_time(process: Process[P], params: Any, scale: float) -> P:
    """Parameters with the mean age for a unit -> in the unit of the data."""
    scaled: P = replace(params, **{name: getattr(params, name) * scale for name in process.times})
    return scaled


def _said(process: Process[P], limits: tuple[tuple[int, Side], ...]) -> list[str]:
    """The limits in words; how leaving varies means nothing when nobody or everybody leaves."""
    settled = {index for index, _ in limits}
    return [process.limits[limit] for limit in limits if not (limit[0] == 2 and 3 in settled)]
