"""The BG/NBD model of repeat purchases: Fader, Hardie & Lee (2005).

While a customer is there they buy at random with rate λ; after each repeat purchase they drop out
with probability p; λ ~ Gamma(r, alpha) and p ~ Beta(a, b) over customers, independently. In: whole
columns of frequency x, recency t_x and age T, in one time unit. Out: the parameters (`fit`, the way
of `training.value.purchase_fit`), with relative errors of r, alpha, a, b. What they say about each
customer is in `training.value.bg_nbd_forecast` and offered here too.

The likelihood (FHL, equation 6) is written out in `training.value.bg_nbd_likelihood`. The search
works in ln r, ln(r / alpha), ln a, ln(a / b), in which the limits of the model (all buy alike:
r, alpha → ∞; all leave alike: a, b → ∞; nobody leaves: a / b → 0) are along the axes; the edges of
its box give the limit's predictions to six digits.

References
----------
FHL: Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24 (2), 275-284.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.value import bg_nbd_likelihood as likelihood
from training.value.bg_nbd_forecast import (
    Parameters,
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    log_likelihoods,
    p_alive,
    return_probability,
)
from training.value.histories import check_histories
from training.value.maximum import Box
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

# From (ln r, ln r / alpha, ln a, ln a / b) to the logarithms of r, alpha, a, b.
_TURN = np.array([[1.0, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 1, -1]])


def _logarithms(at: Floats) -> tuple[Floats, Floats]:
    """Logarithms of r, alpha, a, b at a point of the search, and their slopes: a constant turn."""
    return np.array([at[0], at[0] - at[1], at[2], at[2] - at[3]]), _TURN


PROCESS = Process(
    parameters=Parameters,
    lay_out=likelihood.lay_out,
    slopes=likelihood.log_likelihood,
    logarithms=_logarithms,
    times=("alpha",),
    # In (r, purchases relative to the average customer's, a, a / b): even and uneven buyers, loyal
    # ones, quick leavers, and "some leave at once, the others never".
    starts=np.log(
        [
            [1.0, 1.0, 1.0, 0.4],
            [0.3, 2.0, 0.5, 0.5],
            [2.0, 1.0, 0.1, 0.02],
            [1.0, 1.0, 10.0, 0.05],
            [0.7, 1.0, 1e-3, 0.1],
        ]
    ),
    box=Box(np.log([1e-5, 1e-6, 1e-7, 1e-10]), np.log([1e7, 1e7, 1e7, 1e7])),
    limits={
        (0, "low"): "nearly all purchases come from a few customers",
        (0, "high"): "all customers seem to buy at one and the same rate",
        (1, "low"): "there is next to no repeat purchase",
        (1, "high"): "repeat purchases follow each other at once",
        (2, "low"): "customers seem to leave after their first repeat purchase or never",
        (2, "high"): "all customers seem equally likely to leave after a purchase",
        (3, "low"): "nobody seems to leave",
        (3, "high"): "everybody seems to leave at the first repeat purchase",
    },
    sketch=20_000,
)

fit = PROCESS.fit
log_likelihood = PROCESS.log_likelihood
