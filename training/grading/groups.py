"""Kinds of customers that figures are held to besides the whole: tenure and purchases so far.

In: behaviour rows. Out: for each customer a word by kind. What is decided beyond behaviour (stage,
tier) comes from the caller as further columns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

#: Gives further kinds of the customers: behaviour rows and predictions in, a column a kind out.
Kinds = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]

#: Upper ends of the bands of days since the first occasion, and their words.
TENURE = (
    (30, "up to a month"),
    (90, "up to 3 months"),
    (180, "up to half a year"),
    (365, "up to a year"),
    (np.inf, "longer"),
)
#: Upper ends of the bands of occasions, and their words.
OCCASIONS = ((1, "1"), (2, "2"), (4, "3 to 4"), (8, "5 to 8"), (np.inf, "9 and more"))
#: Upper ends of the bands of renewals of a subscription, and their words.
RENEWALS = ((0, "none yet"), (2, "1 to 2"), (5, "3 to 5"), (11, "6 to 11"), (np.inf, "12 and more"))


def of_behaviour(frame: pd.DataFrame) -> pd.DataFrame:
    """Tenure and purchases so far.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``T`` (days) and ``frequency`` (repeat occasions).

    Returns
    -------
    pandas.DataFrame
        Text columns ``tenure`` and ``occasions`` under the index of `frame`; "none" where
        nothing was bought yet.
    """
    return pd.DataFrame(
        {
            "tenure": _banded(frame["T"].to_numpy(float, na_value=np.nan), TENURE),
            "occasions": _banded(
                frame["frequency"].to_numpy(float, na_value=np.nan) + 1, OCCASIONS
            ),
        },
        index=frame.index,
    )


def of_subscribers(frame: pd.DataFrame) -> pd.DataFrame:
    """Plan, tenure and renewals so far.

    Parameters
    ----------
    frame : pandas.DataFrame
        With the columns of the family ``subscription``.

    Returns
    -------
    pandas.DataFrame
        Text columns ``plan``, ``tenure`` (of the running spell) and ``renewals`` under the index
        of `frame`; "none" where it is not known.
    """

    def number(name: str) -> np.ndarray:
        return frame[f"subscription_{name}"].to_numpy(float, na_value=np.nan)

    return pd.DataFrame(
        {
            "plan": frame["subscription_plan"].astype("object").fillna("none").astype("str"),
            "tenure": _banded(number("tenure_days"), TENURE),
            "renewals": _banded(number("renewals"), RENEWALS),
        },
        index=frame.index,
    )


def _banded(values: np.ndarray, bands: tuple[tuple[float, str], ...]) -> np.ndarray:
    ends = np.array([end for end, _ in bands])
    words = np.array([*(word for _, word in bands), "none"], dtype=object)
    place = np.where(np.isnan(values), len(bands), np.searchsorted(ends, values, side="left"))
    return words[place]
