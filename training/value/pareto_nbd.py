"""The Pareto/NBD model of repeat purchases: Schmittlein, Morrison & Colombo (1987).

While a customer is there they buy at random with rate λ, and leave at random with rate μ, whether
they buy or not; λ ~ Gamma(r, alpha) and μ ~ Gamma(s, beta) over customers, independently. In: whole
columns of frequency x, recency t_x and age T, in one time unit. Out: the parameters (`fit`, the way
of `training.value.purchase_fit`), with relative errors of r, alpha, s, beta. What they say about
each customer is in `training.value.pareto_nbd_forecast` and offered here too.

The likelihood is written out in `training.value.pareto_nbd_likelihood`. The search works in ln r,
ln(r / alpha), ln s and ln w, where e^(−w) = (1 + 1/beta)^(−s) is the probability to be there still
at the mean age (beta in units of it), so that the limits of the model are along the axes: all buy
alike (r, alpha → ∞), all leave alike (s, beta → ∞), nobody leaves (w → 0), and some leave at once,
the others never (s → 0 with w fixed, so that beta falls exponentially). At the edges of the box the
first three are exact to six digits. In the last one beta leaves the range of numbers at s = 0.005,
where the probability to be there still falls by another 2 % between a week and two years.

References
----------
Schmittlein, Morrison & Colombo (1987), "Counting your customers: who are they and what will they do
next?", Management Science 33 (1), 1-24.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.value import pareto_nbd_likelihood as likelihood
from training.value.histories import check_histories
from training.value.maximum import Box
from training.value.pareto_nbd_forecast import (
    Parameters,
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    log_likelihoods,
    p_alive,
    return_probability,
)
from training.value.purchase_fit import FEWEST_REPEATERS, Fit, Process

__all__ = [
    "FEWEST_REPEATERS",
    "PROCESS",
    "Fit",
    "Parameters",
    "check_histories",
    "discounted_purchases",
    "expected_purchases",
    "expected_purchases_new",
    "fit",
    "log_likelihood",
    "log_likelihoods",
    "p_alive",
    "return_probability",
]

Floats = NDArray[np.float64]

# ln(1 / beta) stays below this, so that alpha / beta and what is made of it are finite numbers.
_LARGEST = 560.0


def _logarithms(at: Floats) -> tuple[Floats, Floats]:
    """Logarithms of r, alpha, s, beta at (ln r, ln r / alpha, ln s, ln w), and their slopes.

    beta = 1 / (e^q − 1) with q = w / s.
    """
    q = np.exp(at[3] - at[2])
    held = min(q, _LARGEST)
    log_beta = -held - np.log(-np.expm1(-held))
    slope = -held / np.expm1(-held) if q < _LARGEST else 0.0
    turn = np.array([[1.0, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, slope, -slope]])
    return np.array([at[0], at[0] - at[1], at[2], log_beta]), turn


PROCESS = Process(
    parameters=Parameters,
    lay_out=likelihood.lay_out,
    slopes=likelihood.log_likelihood,
    logarithms=_logarithms,
    times=("alpha", "beta"),
    # In (r, purchases relative to the average customer's, s, w): even and uneven buyers, loyal
    # ones, all leaving alike, and "some leave at once, the others never".
    starts=np.log(
        [
            [1.0, 1.0, 1.0, 0.7],
            [0.3, 2.0, 0.5, 1.0],
            [2.0, 1.0, 0.3, 0.05],
            [1.0, 1.0, 10.0, 0.5],
            [0.7, 1.0, 0.05, 0.7],
        ]
    ),
    box=Box(np.log([1e-5, 1e-6, 5e-3, 1e-10]), np.log([1e7, 1e7, 1e7, 1e3])),
    limits={
        (0, "low"): "nearly all purchases come from a few customers",
        (0, "high"): "all customers seem to buy at one and the same rate",
        (1, "low"): "there is next to no repeat purchase",
        (1, "high"): "repeat purchases follow each other at once",
        (2, "low"): "customers seem to leave right after their first purchase or never",
        (2, "high"): "all customers seem to leave at one and the same rate",
        (3, "low"): "nobody seems to leave",
        (3, "high"): "everybody seems to leave at once",
    },
    sketch=250,
)

fit = PROCESS.fit
log_likelihood = PROCESS.log_likelihood
