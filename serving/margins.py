"""What share of a customer's spend is profit: asked here by everything that turns spend into money.

In: rows of the score table, or of a plan, whose column ``margin_rate`` says it customer by
customer. Out: a rate for each row. Rows that say none have the `margin` of [value].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COLUMN = "margin_rate"


def rates(rows: pd.DataFrame | pa.Table, otherwise: float) -> np.ndarray:
    """Margin rate of each row.

    Parameters
    ----------
    rows : pandas.DataFrame or pyarrow.Table of n rows
    otherwise : float
        Share of the spend that is profit where a row says none.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Finite; below zero for a customer who is sold to at a loss.
    """
    import pyarrow as pa

    arrow = isinstance(rows, pa.Table)
    if COLUMN not in (rows.column_names if arrow else rows.columns):
        return np.full(len(rows), float(otherwise))
    if arrow:
        given = rows[COLUMN].cast(pa.float64()).to_numpy()
    else:
        given = rows[COLUMN].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(given), given, otherwise)
