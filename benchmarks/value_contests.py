"""The value model at scale: Regulars' kernels and `lifetimes`, on the same simulated customers.

Ages and recencies are whole days, as in a behaviour table. `lifetimes` is used as its
documentation says, one row a customer (no `weights`), no penalty. Each `prepare_…` is called in
the contender's process and gives what is timed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.agreement import DisagreementError
from benchmarks.clock import Action
from training.value.simulate import Truth, simulate

#: The months of lifetimes' value are of 30 days.
MONTHS = 12
CLV_DAYS = 30 * MONTHS
HORIZON_DAYS = 90
MARGIN = 1.0
_FOUR_DIGITS = 5e-5


def customers(number: int, seed: int = 0) -> pd.DataFrame:
    """Simulated customers of up to two years of age, in whole days.

    Parameters
    ----------
    number : int
    seed : int

    Returns
    -------
    DataFrame
        ``frequency``, ``recency``, ``T``, ``monetary_value``.
    """
    random = np.random.default_rng(seed)
    frame = simulate(Truth(), random.integers(1, 731, number).astype(float), 0.0, random)
    frame["recency"] = np.ceil(frame["recency"])
    return frame[["frequency", "recency", "T", "monetary_value"]]


def prepare_purchases(number: int) -> Action:
    """Regulars' BG/NBD fit.

    Parameters
    ----------
    number : int
        Customers.

    Returns
    -------
    callable
        What is timed.
    """
    from training.value import bg_nbd

    frame = customers(number)

    def run() -> pd.DataFrame:
        fit = bg_nbd.fit(frame["frequency"], frame["recency"], frame["T"])
        return pd.DataFrame([vars(fit.params)])

    return run


def prepare_purchases_lifetimes(number: int) -> Action:
    """BG/NBD fit of `lifetimes`.

    Parameters
    ----------
    number : int
        Customers.

    Returns
    -------
    callable
        What is timed.
    """
    frame = customers(number)

    def run() -> pd.DataFrame:
        with _lifetimes() as library:
            fitter = library.BetaGeoFitter()
            fitter.fit(frame["frequency"], frame["recency"], frame["T"])
            return fitter.params_.to_frame().T

    return run


def prepare_values(number: int) -> Action:
    """Regulars' Gamma-Gamma fit.

    Parameters
    ----------
    number : int
        Customers.

    Returns
    -------
    callable
        What is timed.
    """
    from training.value import gamma_gamma

    frame = customers(number)

    def run() -> pd.DataFrame:
        fit = gamma_gamma.fit(frame["frequency"], frame["monetary_value"])
        return pd.DataFrame([vars(fit.params)])

    return run


def prepare_values_lifetimes(number: int) -> Action:
    """Gamma-Gamma fit of `lifetimes`, on the customers that it takes.

    Parameters
    ----------
    number : int
        Customers.

    Returns
    -------
    callable
        What is timed.
    """
    frame = customers(number)
    frame = frame[frame["frequency"] > 0]

    def run() -> pd.DataFrame:
        with _lifetimes() as library:
            fitter = library.GammaGammaFitter()
            fitter.fit(frame["frequency"], frame["monetary_value"])
            return fitter.params_.to_frame().T

    return run


def prepare_clv(number: int, annual_discount_rate: float) -> Action:
    """All of Regulars' forecasts, the lifetime value among them, from the true parameters.

    Parameters
    ----------
    number : int
        Customers.
    annual_discount_rate : float
        Yearly, as a share.

    Returns
    -------
    callable
        What is timed.
    """
    from training.value import bg_nbd, gamma_gamma
    from training.value.model import ValueModel

    frame, truth = customers(number), Truth()
    model = ValueModel()
    model.purchases_ = bg_nbd.Fit(truth.purchases, 0.0, "converged", "", number, 0, None)
    model.spend_ = gamma_gamma.Fit(truth.values, 0.0, "converged", "", number, 0, 0.0, None)
    model.refund_factor_ = 1.0

    def run() -> pd.DataFrame:
        return model.predict(frame, HORIZON_DAYS, CLV_DAYS, MARGIN, annual_discount_rate)

    return run


def prepare_clv_lifetimes(number: int, annual_discount_rate: float) -> Action:
    """`customer_lifetime_value` of `lifetimes` alone, from the true parameters.

    Parameters
    ----------
    number : int
        Customers.
    annual_discount_rate : float
        Yearly, as a share.

    Returns
    -------
    callable
        What is timed.
    """
    frame, truth = customers(number), Truth()
    monthly = (1.0 + annual_discount_rate) ** (30 / 365) - 1.0
    with _lifetimes() as library:
        purchases, values = library.BetaGeoFitter(), library.GammaGammaFitter()
        purchases.params_ = pd.Series(vars(truth.purchases))
        purchases.predict = purchases.conditional_expected_number_of_purchases_up_to_time
        values.params_ = pd.Series(vars(truth.values))

    def run() -> pd.DataFrame:
        with _lifetimes():
            clv = values.customer_lifetime_value(
                purchases,
                frame["frequency"],
                frame["recency"],
                frame["T"],
                frame["monetary_value"],
                time=MONTHS,
                discount_rate=monthly,
                freq="D",
            )
            return clv.to_frame("clv")

    return run


def four_digits(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """Parameters, if both have the same to four digits.

    Parameters
    ----------
    ours, theirs : DataFrame
        One row of parameters.

    Returns
    -------
    str

    Raises
    ------
    DisagreementError
        If they are not.
    """
    wanted, found = (frame[list(theirs.columns)].iloc[0].astype(float) for frame in (theirs, ours))
    if not (np.abs(found / wanted - 1.0) < _FOUR_DIGITS).all():
        raise DisagreementError(f"Got parameters {dict(found)} and {dict(wanted)}.")
    return ", ".join(f"{name} {value:.4g}" for name, value in found.items())


@contextmanager
def _lifetimes() -> Iterator[Any]:
    """The library, without what it says of newer versions of pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        yield lifetimes
