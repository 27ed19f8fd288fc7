"""How many renewals are paid, and how much that comes to: the distribution and its 80 % interval.

In: the chances to end, the days of the renewals, and how prices move. Out: intervals, and what
part of the probability lies below an outcome. Whole arrays: a row a customer, a column a renewal.

Outcomes are ordered by the number N of renewals that are paid, and within a number by the mean
price of them over today's: N has the distribution of the chances, P(N < j) = 1 − P(paid j), and
the price that of `training.subscriptions.prices`.

References
----------
Czado, Gneiting & Held (2009), "Predictive model assessment for count data", Biometrics 65,
section 2: of an outcome with a probability of its own that part counts which an interval needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.subscriptions import periods
from training.subscriptions.periods import Floats
from training.subscriptions.prices import PARTS, Prices
from training.windows.spread import LEVEL

#: Where an interval may begin, the central one first: of equally short ones the first is taken.
LOWER = (0.10, 0.15, 0.05, 0.20, 0.0)
FIXED = Prices()
# What cannot come lies above every probability.
_NEVER = 2.0


@dataclass(frozen=True)
class Amounts:
    """Distribution of what subscribers pay within a span, in payments at today's price.

    Parameters
    ----------
    below : ndarray of shape (n_customers, periods)
        P(N < j) for j = 1, 2, …; 2 beyond the span.
    worth : ndarray of shape (n_customers, periods + 1)
        What 0, 1, 2, … payments come to, later ones discounted.
    term : ndarray of shape (n_customers,)
        Days of a term.
    prices : Prices
    """

    below: Floats
    worth: Floats
    term: Floats
    prices: Prices

    @classmethod
    def of(
        cls,
        chances: Floats,
        due: Floats,
        term: Floats,
        days: float,
        discount: float = 0.0,
        prices: Prices = FIXED,
    ) -> Amounts:
        """The distribution over a span.

        Parameters
        ----------
        chances, due : ndarray of shape (n_customers, periods)
            As for `periods.payments`.
        term : ndarray of shape (n_customers,)
            Days of a term.
        days : float
            Length of the span.
        discount : float >= 0, default 0
            Rate a year.
        prices : Prices, optional
            Those of today for ever, when not given.

        Returns
        -------
        Amounts
        """
        weights = periods.weights(due, days, discount)
        below = np.where(weights > 0, 1.0 - periods.paid(chances), _NEVER)
        worth = np.column_stack([np.zeros(len(due)), np.cumsum(weights, axis=1)])
        return cls(below, worth, term, prices)

    def interval(self) -> tuple[Floats, Floats, Floats]:
        """The shortest 80 % interval.

        Returns
        -------
        tuple of ndarray of shape (n_customers,)
            Lower and upper end, and the probability L below the interval: it lies between the
            quantiles L and L + 0.8, for the L of `LOWER` with the shortest. So who will nearly
            surely renew each time has no room below, and who will nearly surely not none above.
        """
        found: list[Floats] = []
        for level in LOWER:
            low, high = self.quantile(level), self.quantile(level + LEVEL)
            start = np.full(len(low), level)
            if found:
                shorter = high - low < found[1] - found[0] - 1e-9
                pairs = zip((low, high, start), found, strict=True)
                low, high, start = (np.where(shorter, new, old) for new, old in pairs)
            found = [low, high, start]
        return found[0], found[1], found[2]

    def quantile(self, level: float) -> Floats:
        """A quantile of the amount.

        Parameters
        ----------
        level : float in [0, 1]

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        count = (self.below < level).sum(axis=1)
        start, stop = self.counted(count)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.nan_to_num((level - start) / (stop - start), nan=0.5)
        moved = self.prices.quantile(self.term, count, np.clip(part, 0.0, 1.0))
        return _at(self.worth, count) * moved

    def counted(self, count: np.ndarray) -> tuple[Floats, Floats]:
        """Probability of fewer than so many renewals that are paid, and of at most so many.

        Parameters
        ----------
        count : ndarray of int of shape (n_customers,)

        Returns
        -------
        tuple of ndarray of shape (n_customers,)
            2 for more than can be paid in the span.
        """
        most = self.below.shape[1]
        bounded = np.column_stack([np.zeros(len(count)), self.below, np.full(len(count), _NEVER)])
        start = _at(bounded, np.minimum(count, most + 1))
        stop = _at(bounded, np.minimum(count + 1, most + 1))
        return start, np.where(start < _NEVER, np.minimum(stop, 1.0), _NEVER)

    def priced(self, count: np.ndarray, amount: Floats) -> tuple[Floats, Floats]:
        """Probability of less than a number of payments that come to an amount, and of at most it.

        Parameters
        ----------
        count : ndarray of int of shape (n_customers,)
        amount : ndarray of shape (n_customers,)
            In payments at today's price.

        Returns
        -------
        tuple of ndarray of shape (n_customers,)
        """
        start, stop = self.counted(count)
        paid = _at(self.worth, np.minimum(count, self.below.shape[1]))
        with np.errstate(divide="ignore", invalid="ignore"):
            # As exact as the table is kept.
            ratio = np.where(paid > 0, amount / paid, 1.0).round(6)[:, None]
        table = self.prices.table(self.term, count)
        under, upto = ((table < ratio).sum(axis=1), (table <= ratio).sum(axis=1))
        return start + (stop - start) * under / PARTS, start + (stop - start) * upto / PARTS


def _at(table: Floats, place: np.ndarray) -> Floats:
    return np.take_along_axis(table, place[:, None], axis=1)[:, 0]
