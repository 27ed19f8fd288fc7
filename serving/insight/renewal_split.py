"""What a subscriber's value is made of: how many renewals, times how much each.

In: columns of the score table, and prices of the behaviour table. Out: factors that multiply back
to the expected spend and to the lifetime value.

With N the renewals that are expected to be paid within the horizon, S the expected spend, c the
margin rate and V the lifetime value::

    S = N · s      s = S / N          price of a term; of who has no renewal within the horizon,
                                      that of the behaviour table
    V = r · m      m = c · s          profit of a renewal
                   r = V / m          renewals within the span of V, later ones counting less

N and r are means over what may come, so they are no whole numbers: 1.9 of two renewals that fall
due, say. What was paid before the as-of date is in neither.

Null rule: where a factor is null, or a figure that is divided by is 0, there is no split.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from features.store import Store
from serving import margins

#: The factors of the expected spend, and those of the lifetime value.
SPEND = ("renewals", "price")
LIFETIME = ("lifetime_renewals", "profit_per_renewal")
#: Those that tell how much and not how likely.
OPEN = ("price", "profit_per_renewal")

_PRICES = """
SELECT customer_id, subscription_price FROM read_parquet(?, hive_partitioning = false)
WHERE list_contains(?, customer_id)
"""


def split(rows: pa.Table, prices: Sequence[float | None], margin: float) -> pa.Table:
    """Split expected spend and lifetime value of subscribers.

    Parameters
    ----------
    rows : pyarrow.Table of n rows
        With the columns of `serving.insight.value_split.READ`.
    prices : sequence of float or None, length n
        Price of a term, in currency, for those without a renewal within the horizon.
    margin : float
        Share of the price that is profit where a row says none, in (0, 1].

    Returns
    -------
    pyarrow.Table of n rows
        float64 columns `SPEND` and `LIFETIME`, in the order of `rows`: renewals, currency;
        renewals, currency.
    """
    paid, spend, worth = (
        rows[name].cast(pa.float64()).to_numpy()
        for name in ("expected_purchases", "expected_spend", "clv")
    )
    kept = np.array(prices, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(paid > 0, spend / paid, np.where(paid == 0, kept, np.nan))
        profit = margins.rates(rows, margin) * price
        factors = {
            "renewals": np.where(np.isfinite(price), paid, np.nan),
            "price": price,
            "lifetime_renewals": np.where(profit != 0, worth / profit, np.nan),
            "profit_per_renewal": np.where(np.isfinite(worth) & (profit != 0), profit, np.nan),
        }
    return pa.table(
        {name: pa.array(one, pa.float64(), from_pandas=True) for name, one in factors.items()}
    )


def prices(store: Store | None, cursor: Any, as_of: date, ids: Sequence[str]) -> list[float | None]:
    """Read what subscribers pay for a term.

    Parameters
    ----------
    store : Store or None
    cursor : DuckDB cursor
        Of the caller's own.
    as_of : date
    ids : sequence of str

    Returns
    -------
    list of float or None
        In currency, in the order of `ids`; None where no price, or no table, is kept.
    """
    path = None if store is None else store.behaviour(as_of)
    if path is None or not path.is_file():
        return [None] * len(ids)
    found = cursor.execute(_PRICES, [glob.escape(str(path)), list(ids)]).fetchall()
    known: dict[str, float | None] = dict(found)
    return [known.get(one) for one in ids]
