"""How the price of a subscription moves from renewal to renewal, for the intervals of what is paid.

In: behaviour rows of subscribers at past dates. Out: how far the mean price of the next renewals
lies from today's. Today's price is what is expected; that it moves widens what can come.

At each renewal the price moves with the share q of the renewals at which it did, by a ratio drawn
from those that were seen: of several dates, so that one rise for everybody is taken for what it
was, one month of many.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from training.subscriptions.periods import DUE, TERM, Floats

FILE = "prices.json"
#: Equal parts of the probability that are kept of each distribution.
PARTS = 100
#: Renewals after which a distribution is kept; between them the one before holds.
AFTER = (1, 2, 3, 4, 6, 8, 12, 18, 26, 39, 52)
#: A term of which fewer renewals were seen goes by all terms.
ENOUGH = 100
#: Ratios beyond are taken for another subscription rather than another price.
LEAST, MOST = 0.2, 5.0
_PATHS = 4_000
_CHANGED, _RATIO = "subscription_days_since_price_change", "subscription_price_ratio"
_ALL = 0.0


@dataclass(frozen=True)
class Prices:
    """Mean price of the next renewals over today's, by term.

    Parameters
    ----------
    ratios : mapping of float to tuple of tuple of float
        By days of the term (0 for any other): for each of `AFTER` the ratio in the middle of each
        of `PARTS` equal parts of the probability, rising. Empty where no price has moved.
    """

    ratios: Mapping[float, tuple[tuple[float, ...], ...]] = field(default_factory=dict)

    @classmethod
    def learn(cls, frames: Sequence[pd.DataFrame], random: np.random.Generator) -> Prices:
        """Learn from the latest renewals of subscribers at some dates.

        Parameters
        ----------
        frames : sequence of pandas.DataFrame
            Behaviour rows, a frame a date.
        random : numpy.random.Generator
            Draws the paths of prices.

        Returns
        -------
        Prices
        """
        rows = pd.concat([one[[DUE, TERM, _CHANGED, _RATIO]].astype("float64") for one in frames])[
            np.concatenate([_renewed(one) for one in frames])
        ]
        # A change since the latest renewal, that one among it; a month may have 31 days.
        moved = (rows[_CHANGED] <= rows[TERM] - rows[DUE] + 1.0) & rows[_RATIO].between(LEAST, MOST)
        if not moved.any():
            return cls()
        found = {_ALL: _paths(moved.to_numpy(), rows[_RATIO].to_numpy(), random)}
        for term, part in rows.groupby(TERM):
            if len(part) >= ENOUGH:
                here = moved.loc[rows[TERM] == term].to_numpy()
                found[float(str(term))] = _paths(here, part[_RATIO].to_numpy(), random)
        return cls(found)

    def table(self, term: Floats, count: np.ndarray) -> Floats:
        """Distribution of the mean price of the next renewals over today's.

        Parameters
        ----------
        term : ndarray of shape (n_customers,)
            Days.
        count : ndarray of int of shape (n_customers,)
            Renewals.

        Returns
        -------
        ndarray of shape (n_customers, PARTS)
            Rising along a row.
        """
        return self._stacked()[self._place(term, count)]

    def quantile(self, term: Floats, count: np.ndarray, level: Floats) -> Floats:
        """A quantile of the same distribution.

        Parameters
        ----------
        term, count
            As for `table`.
        level : ndarray in [0, 1] of shape (n_customers,)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        if not self.ratios:
            return np.ones(len(term))
        part = np.clip((level * PARTS).astype(np.int64), 0, PARTS - 1)
        return self._stacked()[self._place(term, count), part]

    def save(self, folder: Path) -> None:
        """Write as JSON into a folder."""
        told = [[term, table] for term, table in self.ratios.items()]
        (folder / FILE).write_text(json.dumps(told, allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Prices:
        """Read what `save` wrote."""
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return cls({term: tuple(map(tuple, table)) for term, table in told})

    def _place(self, term: Floats, count: np.ndarray) -> np.ndarray:
        """Row of the stacked tables."""
        known = [one for one in self.ratios if one != _ALL]
        order = {one: place for place, one in enumerate(self.ratios)}
        block = np.full(len(term), order.get(_ALL, 0))
        for one in known:
            block = np.where(term == one, order[one], block)
        after = np.searchsorted(np.array(AFTER), np.maximum(count, 1), side="right") - 1
        return block * len(AFTER) + after

    def _stacked(self) -> Floats:
        if not self.ratios:
            return np.ones((len(AFTER), PARTS))
        return np.array([row for table in self.ratios.values() for row in table])


def _renewed(frame: pd.DataFrame) -> np.ndarray:
    """Who has come to a renewal at which the price could move."""
    made = frame["subscription_renewals"].to_numpy(dtype=np.float64, na_value=np.nan)
    return made >= 1


def _paths(
    moved: np.ndarray, ratio: np.ndarray, random: np.random.Generator
) -> tuple[tuple[float, ...], ...]:
    """Means over the first renewals of prices that move at random, in the middle of each part."""
    shape = (_PATHS, AFTER[-1])
    steps = np.ones(shape)
    if moved.any():
        drawn = random.choice(ratio[moved], shape)
        steps = np.where(random.random(shape) < moved.mean(), drawn, 1.0)
    # Nobody pays ten times today's price by moves that were seen once.
    prices = np.clip(np.cumprod(steps, axis=1), LEAST, MOST)
    means = np.cumsum(prices, axis=1) / np.arange(1, shape[1] + 1)
    middles = (np.arange(PARTS) + 0.5) / PARTS
    return tuple(tuple(map(float, np.quantile(means[:, n - 1], middles).round(6))) for n in AFTER)
