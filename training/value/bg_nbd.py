"""The BG/NBD model of repeat purchases: Fader, Hardie & Lee (2005).

While a customer is there they buy at random with rate λ; after each repeat purchase they drop out
with probability p; λ ~ Gamma(r, alpha) and p ~ Beta(a, b) over customers, independently. In: whole
columns of frequency x, recency t_x and age T, in one time unit. Out: the parameters (`fit`). What
they say about each customer is in `training.value.bg_nbd_forecast` and offered here too.

References
----------
FHL: Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value import bg_nbd_likelihood as likelihood
from training.value.bg_nbd_forecast import (
    Parameters,
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    p_alive,
    return_probability,
)
from training.value.counted import Distinct, count
from training.value.maximum import Box, Maximum, Objective, Verdict, maximise

__all__ = [
    "Fit",
    "Parameters",
    "check_histories",
    "discounted_purchases",
    "expected_purchases",
    "expected_purchases_new",
    "fit",
    "log_likelihood",
    "p_alive",
    "return_probability",
]

Floats = NDArray[np.float64]

# With fewer customers who came back, four parameters are guesses.
FEWEST_REPEATERS = 10
# Starts of the search are compared on at most about this many distinct rows.
_SKETCH = 20_000
# Search box in (r, purchases per mean age, a, a / b); wide enough that an edge is its limit.
_BOX = Box(np.log([1e-5, 1e-6, 1e-7, 1e-10]), np.log([1e7, 1e7, 1e7, 1e7]))
# The same four, with purchases relative to the average customer's: even and uneven buyers, loyal
# ones, quick leavers, and "some leave at once, the others never".
_STARTS = np.log(
    [
        [1.0, 1.0, 1.0, 0.4],
        [0.3, 2.0, 0.5, 0.5],
        [2.0, 1.0, 0.1, 0.02],
        [1.0, 1.0, 10.0, 0.05],
        [0.7, 1.0, 1e-3, 0.1],
    ]
)
_LIMITS = {
    (0, "low"): "nearly all purchases come from a few customers",
    (0, "high"): "all customers seem to buy at one and the same rate",
    (1, "low"): "there is next to no repeat purchase",
    (1, "high"): "repeat purchases follow each other at once",
    (2, "low"): "customers seem to leave after their first repeat purchase or never",
    (2, "high"): "all customers seem equally likely to leave after a purchase",
    (3, "low"): "nobody seems to leave",
    (3, "high"): "everybody seems to leave at the first repeat purchase",
}


@dataclass(frozen=True)
class Fit:
    """A fitted purchase model and how sure one can be of it.

    Parameters
    ----------
    params : Parameters
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
        Standard errors of ln r, ln alpha, ln a, ln b; None unless converged.
    """

    params: Parameters
    log_likelihood: float
    verdict: Verdict
    message: str
    customers: float
    iterations: int
    relative_errors: tuple[float, ...] | None


def log_likelihood(
    params: Parameters,
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

    References
    ----------
    FHL, equation 6; written out in `training.value.bg_nbd_likelihood`.
    """
    counts = likelihood.lay_out(_counted(frequency, recency, T, weights))
    value, _ = likelihood.log_likelihood(counts, params.r, params.alpha, params.a, params.b)
    return value


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
) -> Fit:
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
    leaves: a / b → 0; all leave alike: a, b → ∞; all buy alike: r, alpha → ∞), the search ends in
    a box whose edges give the limit's predictions to six digits, so what is predicted is finite
    and right even where the parameters mean little; a penalty would shift every regular fit to
    tidy up these. The search works in ln r, ln(r / alpha), ln a, ln(a / b), in which these limits
    are along the axes, with time in units of the mean age.
    """
    rows = _counted(frequency, recency, T, weights)
    x, ages, t_x = rows.columns
    repeaters = float(rows.counts[x > 0].sum())
    if repeaters < FEWEST_REPEATERS:
        raise NotEnoughData(
            f"Got {repeaters:g} customers with a repeat purchase among {rows.counts.sum():g}; the "
            f"purchase model needs at least {FEWEST_REPEATERS}. Give a longer history."
        )
    scale = float(rows.counts @ ages / rows.counts.sum())
    rows = Distinct((x, ages / scale, t_x / scale), rows.counts)
    counts = likelihood.lay_out(rows)
    found = maximise(
        _objective(counts),
        _STARTS + np.log([1.0, counts.purchases / counts.customers, 1.0, 1.0]),
        _BOX,
        counts.customers,
        _objective(likelihood.lay_out(_thinned(rows))),
    )
    return _judged(found, counts, scale)


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


def _counted(
    frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None
) -> Distinct:
    """Distinct (frequency, T, recency) with counts, after a check that they can be."""
    x, t_x, age = (np.asarray(column, dtype=np.float64) for column in (frequency, recency, T))
    check_histories(x, t_x, age)
    if weights is None:
        return count((x, age, t_x))
    weight = np.asarray(weights, dtype=np.float64)
    _expect("finite weights of at least 0", np.isfinite(weight) & (weight >= 0))
    some = weight > 0
    return count((x[some], age[some], t_x[some]), weight[some])


def _expect(rule: str, holds: NDArray[np.bool_]) -> None:
    if not holds.all():
        raise TrainingError(
            f"Got {int((~holds).sum())} of {holds.size} purchase histories that break a rule; "
            f"expected {rule}. Build the behaviour table again."
        )


def _thinned(rows: Distinct) -> Distinct:
    """Every k-th distinct row, so that some `_SKETCH` are left."""
    every = slice(None, None, max(1, rows.counts.size // _SKETCH))
    return Distinct(tuple(column[every] for column in rows.columns), rows.counts[every])


def _parameters(at: Floats) -> tuple[float, float, float, float]:
    """(ln r, ln r / alpha, ln a, ln a / b) -> r, alpha, a, b."""
    r, alpha, a, b = np.exp([at[0], at[0] - at[1], at[2], at[2] - at[3]])
    return float(r), float(alpha), float(a), float(b)


def _objective(counts: likelihood.Counts) -> Objective:
    """The log-likelihood in the coordinates of the search."""

    def objective(at: Floats) -> tuple[float, Floats]:
        value, (r, alpha, a, b) = likelihood.log_likelihood(counts, *_parameters(at))
        return value, np.array([r + alpha, -alpha, a + b, -b])

    return objective


def _judged(found: Maximum, counts: likelihood.Counts, scale: float) -> Fit:
    """The maximum in the data's own time unit, with its verdict in words."""
    r, alpha, a, b = _parameters(found.at)
    message = {
        "converged": "The purchase model converged.",
        "boundary": "The purchase model is at a limit of what it can say: "
        + "; ".join(_said(found.limits))
        + ".",
        "failed": "The purchase model did not converge; its forecasts may be far off.",
    }[found.verdict]
    if found.verdict != "converged":
        warnings.warn(message, StatisticalWarning, stacklevel=3)
    errors = None
    if found.covariance is not None:
        # From the coordinates of the search to the logarithms of the parameters.
        turn = np.array([[1, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 1, -1]])
        errors = tuple(float(e) for e in np.sqrt(np.diag(turn @ found.covariance @ turn.T)))
    return Fit(
        params=Parameters(r, alpha * scale, a, b),
        log_likelihood=found.value - counts.purchases * float(np.log(scale)),
        verdict=found.verdict,
        message=message,
        customers=counts.customers,
        iterations=found.iterations,
        relative_errors=errors,
    )


def _said(limits: tuple[tuple[int, str], ...]) -> list[str]:
    """The limits in words; how leaving varies means nothing when nobody or everybody leaves."""
    settled = {index for index, _ in limits}
    return [_LIMITS[limit] for limit in limits if not (limit[0] == 2 and 3 in settled)]
