"""The MBG/NBD model of repeat purchases: Batislam, Denizel & Filiztekin (2007).

As BG/NBD (`training.value.bg_nbd`), but a customer may drop out, with the same probability p, after
the first purchase too: of those who bought once some are gone, and P(alive) of a one-time buyer
falls with the time since. With n = x + 1 purchases after which the customer could have left, its
likelihood and forecasts are those of BG/NBD, and so are the search and its limits.

References
----------
BDF: Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for
customer base analysis", International Journal of Research in Marketing 24 (3), 201-209.
Wagner & Hoppe (2008), "Erratum on the MBG/NBD model", International Journal of Research in
Marketing 25 (3), 225-226, for the expected purchases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from training.value import bg_nbd
from training.value import bg_nbd_likelihood as likelihood
from training.value.bg_nbd_forecast import (
    discounted_purchases,
    expected_purchases,
    expected_purchases_new,
    log_likelihoods,
    p_alive,
    return_probability,
)
from training.value.histories import check_histories
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


@dataclass(frozen=True)
class Parameters(bg_nbd.Parameters):
    """The four parameters r, alpha, a, b, as in BG/NBD; the first purchase can be the last."""

    first: ClassVar[float] = 1.0


PROCESS: Process[Parameters] = Process(
    parameters=Parameters,
    lay_out=partial(likelihood.lay_out, first=Parameters.first),
    slopes=bg_nbd.PROCESS.slopes,
    logarithms=bg_nbd.PROCESS.logarithms,
    times=bg_nbd.PROCESS.times,
    starts=bg_nbd.PROCESS.starts,
    box=bg_nbd.PROCESS.box,
    limits={
        **bg_nbd.PROCESS.limits,
        (2, "low"): "customers seem to leave after their first purchase or never",
        (3, "high"): "everybody seems to leave at the first purchase",
    },
    sketch=bg_nbd.PROCESS.sketch,
)

fit = PROCESS.fit
log_likelihood = PROCESS.log_likelihood
