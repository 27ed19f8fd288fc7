"""What a customer's value is made of: how often, times how much, times how long.

In: columns of the score table. Out: factors that multiply back to the expected
spend and to the lifetime value.

With p the return probability, N the expected purchases and S the expected spend over the horizon
of h days, c the margin rate and V the lifetime value::

    S = p · n · s      n = N / p    purchases of one who comes back
                       s = S / N    spend of a purchase
    V = a · m · l      a = n / (h / 30.4375)    how often: purchases a month of one who comes back
                       m = c · s                how much: profit of a purchase
                       l = V / (a · m)          how long: months at that pace

The months are what is left of the lifetime value: who may well be gone has few of them. They are
discounted, as the value is, and longer than its span only where the pace is expected to rise.

The profit of a purchase is below zero for a customer who is sold to at a loss, and so is V.

Null rule: where a factor is null, or a figure that is divided by is 0, there is no split.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from serving import margins

#: Days of a month: a twelfth of 365.25.
MONTH = 30.4375
#: Columns of the score table that are read.
READ = (
    *("return_probability", "expected_purchases", "expected_spend", "clv", "horizon_days"),
    margins.COLUMN,
)
#: The factors of the expected spend, and those of the lifetime value.
SPEND = ("return_probability", "purchases_if_back", "spend_per_purchase")
LIFETIME = ("purchases_a_month", "profit_per_purchase", "months")


def split(rows: pa.Table, margin: float) -> pa.Table:
    """Split expected spend and lifetime value.

    Parameters
    ----------
    rows : pyarrow.Table of n rows
        With the columns of `READ`.
    margin : float
        Share of the spend that is profit where a row says none, in (0, 1].

    Returns
    -------
    pyarrow.Table of n rows
        float64 columns `SPEND` and `LIFETIME`, in the order of `rows`: a probability, occasions,
        currency; occasions a month, currency, months.
    """
    told = {name: _numbers(rows, name) for name in READ if name != margins.COLUMN}
    back, purchases = told["return_probability"], told["expected_purchases"]
    if_back = _ratio(purchases, back)
    each = _ratio(told["expected_spend"], purchases)
    often = _ratio(if_back, told["horizon_days"] / MONTH)
    profit = margins.rates(rows, margin) * each
    sign = np.where(profit < 0, -1.0, 1.0)
    factors: Mapping[str, np.ndarray] = {
        "return_probability": back,
        "purchases_if_back": if_back,
        "spend_per_purchase": each,
        "purchases_a_month": often,
        "profit_per_purchase": profit,
        # Both are below zero for who is sold to at a loss.
        "months": _ratio(told["clv"] * sign, often * profit * sign),
    }
    columns = {
        name: pa.array(np.where(np.isfinite(_product(factors, group)), factors[name], np.nan))
        for group in (SPEND, LIFETIME)
        for name in group
    }
    return pa.table({name: _nothing_for_nan(column) for name, column in columns.items()})


def _product(factors: Mapping[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    return np.prod([factors[name] for name in names], axis=0)


def _numbers(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(
        rows[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=float
    )


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotient where the divisor is above 0, else NaN."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _nothing_for_nan(column: pa.Array) -> pa.Array:
    return pa.array(column.to_numpy(zero_copy_only=False), pa.float64(), from_pandas=True)
