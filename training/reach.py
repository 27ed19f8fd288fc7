"""How far a model's experience reaches: customers and logs unlike any that it has seen.

In: the behaviour rows that a model was fitted on. Out: for later rows, why nothing should be said
of a customer who is far beyond every one of them, or of a whole table whose log has gone stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: How many times the largest value that was seen is still believed.
FURTHEST = 3.0
#: The same for the days of silence of the whole log, and the days that are never too many.
SILENCE, SHORT_DAYS = 3.0, 7
#: What a customer is held to, in words: growth with the age of the log is no matter here.
HELD = {
    "occasions_90": "purchases in the last 90 days",
    "spend_365": "spend of the last year",
    "order_max": "largest order",
}

_FILE = "reach.json"


@dataclass(frozen=True)
class Reach:
    """The largest values that were seen.

    Attributes
    ----------
    largest : mapping of str to float
        By column of `HELD`; above 0.
    silence_days : float
        Longest time from the last purchase of anyone to an as-of date, in days.
    """

    largest: Mapping[str, float]
    silence_days: float

    def beyond(self, frame: pd.DataFrame) -> np.ndarray:
        """Why nothing can be said of a customer.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        numpy.ndarray of str
            Empty where there is nothing against it.
        """
        found = np.full(len(frame), "", dtype=object)
        for name, most in self.largest.items():
            if name not in frame:
                continue
            values = frame[name].to_numpy(dtype=float, na_value=np.nan)
            far = (values > FURTHEST * most) & (found == "")
            found[far] = f"{HELD[name]} over {FURTHEST:g} times the most that the model has seen"
        return found

    def stale(self, frame: pd.DataFrame) -> str:
        """Why nothing can be said of a whole population; empty where there is nothing against it.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of all customers.

        Returns
        -------
        str
            When the last purchase of anyone lies further back than the log ever was silent.
        """
        days = frame["days_since_last"].min() if len(frame) else np.nan
        if not days > max(SHORT_DAYS, SILENCE * self.silence_days):
            return ""
        return (
            f"the log is silent for the {days:.0f} days before the as-of date, in training for "
            f"{self.silence_days:.0f} at most"
        )

    def save(self, folder: Path) -> None:
        """Write the reach as JSON into a folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self), allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Reach | None:
        """Read what `save` wrote; None where nothing was."""
        path = folder / _FILE
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def learn(frames: Sequence[pd.DataFrame]) -> Reach:
    """Learn how far experience reaches.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        Behaviour rows that models were fitted on, a date each.

    Returns
    -------
    Reach
    """
    largest = {}
    for name in HELD:
        seen = [float(frame[name].max()) for frame in frames if name in frame and len(frame)]
        most = max((value for value in seen if value > 0), default=0.0)
        if most > 0:
            largest[name] = most
    silences = [float(frame["days_since_last"].min()) for frame in frames if len(frame)]
    return Reach(largest, max((days for days in silences if days >= 0), default=0.0))
