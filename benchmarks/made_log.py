"""A made transaction log of any length, as a Parquet file.

Customers differ in how often and how much they buy and in when they come and leave; a receipt has
a few lines; some lines come back. Two years end on the last day before `AS_OF`. Customers and
orders are whole numbers, which pandas groups faster than text; products and categories are text.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

AS_OF = date(2024, 1, 1)
DAYS = 730
HORIZON_DAYS = 90
LINES_PER_RECEIPT = 3
RECEIPTS_PER_CUSTOMER = 8
PRODUCTS = 4_000
CATEGORIES = 40

# Share of the lines that are refunds when there are any; the others are purchases.
_REFUNDS = 0.03


def write(path: Path, rows: int, *, refunds: bool = True, seed: int = 0) -> Path:
    """Write a log.

    Parameters
    ----------
    path : Path
        File to write; left alone when it is there.
    rows : int
        Lines of the log.
    refunds : bool, default True
        Whether some lines are refunds. Without them no net of a day is below zero, which
        `lifetimes` does not know.
    seed : int

    Returns
    -------
    Path
        The file: ``customer_id`` int64, ``timestamp``, ``amount`` float64 (cents are whole),
        ``order_id`` int64, ``product_id`` and ``category`` string.
    """
    if not path.exists():
        partial = path.with_suffix(".part")
        make(rows, refunds=refunds, seed=seed).to_parquet(partial, index=False)
        partial.rename(path)
    return path


def make(rows: int, *, refunds: bool = True, seed: int = 0) -> pd.DataFrame:
    """The same as a frame, in the order of time.

    Parameters
    ----------
    rows : int
    refunds : bool, default True
    seed : int

    Returns
    -------
    DataFrame
    """
    random = np.random.default_rng(seed)
    # One more receipt than needed on average, so that enough lines are there to cut to length.
    receipts = rows // LINES_PER_RECEIPT + 1
    customer, second = _receipts(receipts, random)
    lines = np.resize(np.arange(1, 2 * LINES_PER_RECEIPT), receipts)
    order = np.repeat(np.arange(receipts), random.permutation(lines))
    order = order[:rows] if order.size >= rows else np.resize(order, rows)
    taste = random.gamma(2.0, 0.5, customer.max() + 1)
    cents = np.rint(100 * taste[customer[order]] * random.lognormal(2.5, 0.8, rows)) + 1
    if refunds:
        cents = np.where(random.random(rows) < _REFUNDS, -cents, cents)
    product = (PRODUCTS * random.beta(0.6, 3.0, rows)).astype(np.int64)
    start = np.datetime64(AS_OF - timedelta(days=DAYS), "us")
    log = pd.DataFrame(
        {
            "customer_id": 10_000_000 + customer[order],
            "timestamp": start + second[order].astype("timedelta64[s]"),
            "amount": cents / 100,
            "order_id": 500_000 + order,
            "product_id": _named("P{:05d}", PRODUCTS)[product],
            "category": _named("category {:02d}", CATEGORIES)[product % CATEGORIES],
        }
    )
    return log.sort_values("timestamp", kind="stable", ignore_index=True)


def _named(pattern: str, count: int) -> np.ndarray:
    return np.array([pattern.format(number) for number in range(count)], dtype=object)


def _receipts(receipts: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Customer of each receipt, and its second since the log began."""
    customers = max(receipts // RECEIPTS_PER_CUSTOMER, 2)
    share = random.gamma(0.7, 1.0, customers)
    customer = random.choice(customers, receipts, p=share / share.sum())
    first = random.uniform(0, DAYS * 0.9, customers)
    stay = (DAYS - first) * random.beta(1.2, 0.6, customers)
    day = first[customer] + stay[customer] * random.random(receipts)
    hour = random.uniform(8, 20, receipts)
    return customer, (np.floor(day) * 86_400 + hour * 3_600).astype(np.int64)
