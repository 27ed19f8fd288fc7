"""Dates that stand in a column as text or as numbers like 20240301.

In: a column of customers' attributes. Out: days since 1970, or None where the column holds
something else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: A column is one of dates when nearly all of its values are.
NEARLY_ALL = 0.95
#: Years that a business writes down; later ones, such as 9999, stand for "open".
FIRST_YEAR, LAST_YEAR = 1900, 2099
_WRITTEN = r"^(\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})"
_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y")


def days(values: pd.Series) -> pd.Series | None:
    """Read a column as dates.

    Parameters
    ----------
    values : Series of shape (n,)
        Texts such as "2024-03-01", "2024-03-01 12:30", "01.03.2024" or "3/1/2024" (day or month
        first, whichever reads more of the column), or whole numbers such as 20240301.

    Returns
    -------
    Series of shape (n,), float64, or None
        Days since 1970-01-01, NaN where there is no date, or an open one (9999-12-31). None when
        fewer than 95 % of the values are dates.

    Examples
    --------
    >>> days(pd.Series(["1970-01-03", None])).tolist()
    [2.0, nan]
    >>> days(pd.Series([20.5, 3.0])) is None
    True
    """
    there = values.notna()
    if not there.any():
        return None
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64")
        whole = numbers.where((numbers % 1 == 0) & (numbers >= FIRST_YEAR * 10_000))
        written = whole.where(whole < 1e8).astype("Int64").astype("string")
        read = _read(written, "%Y%m%d")
    else:
        found = values.where(there).astype("string").str.extract(_WRITTEN, expand=False)
        written = found.str.replace(r"[./]", "-", regex=True)
        read = max((_read(written, form) for form in _FORMATS), key=lambda one: one.notna().sum())
    if read.notna().sum() < NEARLY_ALL * there.sum():
        return None
    since = (read - np.datetime64("1970-01-01", "s")).dt.days.astype("float64")
    return since.where(read.dt.year <= LAST_YEAR)


def _read(written: pd.Series, form: str) -> pd.Series:
    read = pd.to_datetime(written, format=form, errors="coerce").astype("datetime64[s]")
    return read.where(read.dt.year >= FIRST_YEAR)
