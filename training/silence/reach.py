"""How far a model's experience reaches: customers unlike any that it has seen.

In: the behaviour rows that a model was fitted on. Out: for later rows, which answers cannot be
backed of a customer who lies far beyond every one of them. Trees say of such a customer what they
say of the largest that they know, which is right of a probability, as that ends at 1, and wrong of
money, as that does not: so purchases and what they are worth are not said, and the risk is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training import parts
from training.silence.unsaid import FIGURES, OUTSIDE, SPEND, WORDS

if TYPE_CHECKING:
    import pandas as pd

#: How many times the largest value that was seen is still believed.
FURTHEST = 3.0
#: What a customer is held to, in words: growth with the age of the log is no matter here.
HELD = {
    "occasions_90": "purchases in the last 90 days",
    "spend_365": "spend of the last year",
    "order_max": "largest order",
    "T": "days since the first purchase",
    "subscription_price": "price of the subscription",
}
#: Answers that rest on how often one buys, and on how much; the other columns say how much.
_OF_PURCHASES = frozenset({"occasions_90", "T"})
# Windows longer than the log hold less in training than later.
_YEARLY, _YEAR = frozenset({"spend_365"}), 365.0
_FILE = "reach.json"


@dataclass(frozen=True)
class Reach:
    """The largest values that were seen.

    Attributes
    ----------
    largest : mapping of str to float
        By column of `HELD`; above 0.
    """

    largest: Mapping[str, float]

    def beyond(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        """Which answers cannot be backed of a customer, and why.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        dict of str to numpy.ndarray of str
            By column of the score table; empty where there is nothing against it. Each row by
            itself, whatever the others are.

        Notes
        -----
        A value is beyond if it is more than `FURTHEST` times the largest that was seen. Where the
        log was younger than the year that a column sums, the largest is taken that many times
        higher as the customer is older than the log was, up to the year.
        """
        found = {name: np.full(len(frame), "", dtype=object) for name in FIGURES}
        for name, most in self.largest.items():
            if name not in frame:
                continue
            values = frame[name].to_numpy(dtype=float, na_value=np.nan)
            with np.errstate(invalid="ignore"):
                far = values > FURTHEST * most * self._growth(name, frame)
            for answer in FIGURES if name in _OF_PURCHASES else SPEND:
                found[answer][far & (found[answer] == "")] = in_brief(name)
        return found

    def _growth(self, name: str, frame: pd.DataFrame) -> np.ndarray | float:
        oldest = self.largest.get("T", _YEAR)
        if name not in _YEARLY or oldest >= _YEAR or "T" not in frame:
            return 1.0
        age = frame["T"].to_numpy(dtype=float, na_value=np.nan)
        return np.fmax(np.fmin(age, _YEAR) / oldest, 1.0)

    def save(self, folder: Path) -> None:
        """Write the reach as JSON into a folder."""
        parts.write(self, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Reach | None:
        """Read what `save` wrote; None where nothing was."""
        told = parts.read(folder / _FILE)
        # Older ones know of more.
        return None if told is None else cls(told["largest"])


def in_brief(column: str) -> str:
    """Why an answer is not said of a customer who is beyond by a column of `HELD`.

    Examples
    --------
    >>> in_brief("order_max")
    'outside training range (largest order over 3 times the most that was seen)'
    """
    return f"{WORDS[OUTSIDE]} ({HELD[column]} over {FURTHEST:g} times the most that was seen)"


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
    return Reach(largest)
