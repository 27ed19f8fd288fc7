"""The columns of behaviour rows that decisions are made from, as whole float64 arrays.

In: behaviour rows (pandas, catalogue columns). Out: one array a column, row for row, NaN where
the value is null. A customer without a purchase on record has NaN days since the last one;
nothing is decided about such a customer's rhythm or worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from serving.errors import ScoringError

COLUMNS = (
    "days_since_last",
    "frequency",
    "T",
    "gap_mean",
    "gap_last",
    "spend_total",
    "first_order",
)
# What a customer asked for beside purchases; null, or not there, without an events source.
_CONTACTS = ("complaints_total", "contacts_total")


@dataclass(frozen=True)
class History:
    """What is on record about each customer's purchases, row for row.

    Parameters
    ----------
    days_since_last : numpy.ndarray of float64
        Days from the last occasion to the as-of date, at least 1; NaN without a purchase.
    frequency : numpy.ndarray of float64
        Repeat occasions (x), so one less than the occasions.
    age : numpy.ndarray of float64
        Days from the first occasion to the last observed day (T).
    gap_mean, gap_last : numpy.ndarray of float64
        Mean and latest of the days between occasions; NaN without a repeat.
    spend : numpy.ndarray of float64
        Net spend to date, in currency; negative where refunds exceed purchases.
    first_order : numpy.ndarray of float64
        Net spend of the first occasion, in currency.
    contacts : numpy.ndarray of float64 or float
        Complaints and contacts to date; 0 where no events are on record.
    earned : numpy.ndarray of float64 or None
        Margin to date, in currency; None where the log states none.
    """

    days_since_last: np.ndarray
    frequency: np.ndarray
    age: np.ndarray
    gap_mean: np.ndarray
    gap_last: np.ndarray
    spend: np.ndarray
    first_order: np.ndarray
    contacts: np.ndarray | float = 0.0
    earned: np.ndarray | None = None

    @property
    def known(self) -> np.ndarray:
        """Where there is a purchase on record, as booleans."""
        return np.isfinite(self.days_since_last)

    @property
    def days_since_first(self) -> np.ndarray:
        """Days from the first occasion to the as-of date, at least 1."""
        return self.age + 1.0

    @property
    def gaps(self) -> np.ndarray:
        """Number of gaps between occasions; 0 where none is on record."""
        return np.where(np.isnan(self.gap_mean), 0.0, self.frequency)


def read(frame: pd.DataFrame) -> History:
    """Take the columns for decisions out of behaviour rows.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_customers, n_columns)
        Behaviour rows with at least ``COLUMNS``, of any numeric dtype.

    Returns
    -------
    History
        Arrays of length n_customers.

    Raises
    ------
    ScoringError
        If a column is missing.
    """
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise ScoringError(
            f"got behaviour rows without {', '.join(missing)}; expected every column of the "
            "catalogue: build the behaviour table again"
        )
    told = [_numbers(frame, name) for name in COLUMNS]
    asked = [np.nan_to_num(_numbers(frame, name)) for name in _CONTACTS if name in frame]
    contacts = np.sum(asked, axis=0) if asked else np.zeros(len(frame))
    return replace(History(*told), contacts=contacts)


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype="float64", na_value=np.nan)
