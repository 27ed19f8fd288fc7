"""What a blend and its spend model say of a table of customers, over any horizon.

In: the value model's answers over any horizon, what the blend and the spend model add to them over
the learned window, and the levels (`training.windows.carry`). Out: return probability, expected
purchases, expected spend, and the factor on the lifetime value; they agree with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.terms import Terms
from training.windows.carry import TINY, Carry
from training.windows.level import log_odds

if TYPE_CHECKING:
    from training.learners.blend import Blend
    from training.learners.spend import SpendModel

#: Spend a purchase and lifetime value move by no more than this factor, or its inverse.
FURTHEST = 5.0


@dataclass(frozen=True)
class Forecast:
    """Answers for some customers.

    Attributes
    ----------
    valued : callable
        The value model's answers over a horizon in days, as a data frame.
    deviation : numpy.ndarray of shape (n_customers,)
        Log-odds of returning that the blend adds to the value model's.
    worth : numpy.ndarray of shape (n_customers,) or None
        Factor of the spend model on the value model's spend; None without a spend model.
    carry : Carry
        Levels by horizon.

    Notes
    -----
    With the value model's probability p_v, purchases E_v and spend s_v over the horizon h, the
    deviation d, the factor f, and the shift c and scales n and k of the anchor at h:

    - p = σ(logit p_v + d + c);
    - purchases = max(p, e^n p E_v / p_v): how likely, times how often if at all, with the total
      on its level; who returns buys at least once;
    - spend = e^k f s_v, within five times, or a fifth, of what the purchases are worth to the
      value model.
    """

    valued: Callable[[float], pd.DataFrame]
    deviation: np.ndarray
    worth: np.ndarray | None
    carry: Carry
    _known: dict[float, pd.DataFrame] = field(default_factory=dict, repr=False)

    def returning(self, horizon_days: float) -> np.ndarray:
        """Return probability, in [0, 1]."""
        return self.carry.through(horizon_days, self._returning, self._of("return_probability"))

    def purchases(self, horizon_days: float) -> np.ndarray:
        """Expected purchases, at least the return probability."""
        found = self.carry.through(horizon_days, self._purchases, self._of("expected_purchases"))
        return np.maximum(found, self.returning(horizon_days))

    def spend(self, horizon_days: float) -> np.ndarray:
        """Expected spend in currency, at least 0."""
        return self.carry.through(horizon_days, self._spend, self._of("expected_spend"))

    def alive(self) -> np.ndarray:
        """The value model's probability that the customer has not left for good."""
        return self._column(self.carry.main, "p_alive")

    def lifetime(self, terms: Terms) -> np.ndarray:
        """Customer lifetime value in currency.

        Notes
        -----
        It follows the spend of the trained horizon but for the season, which evens out over a
        year: v · s / (e^{l_s} s_v) with the value model's v; and is never less than the profit
        of that horizon, where the lifetime holds it.
        """
        main = self.carry.main
        clv = self._column(main, "clv")
        spend, told = self.spend(main), self._column(main, "expected_spend")
        shape = _divided(spend, told * np.exp(self.carry.levels[main].spend))
        value = clv * np.clip(shape, 1 / FURTHEST, FURTHEST)
        if terms.clv_horizon_days < terms.horizon_days:
            return value
        return np.where(clv > 0, np.maximum(value, terms.profit(1.0) * spend), value)

    def _returning(self, days: float) -> np.ndarray:
        from scipy.special import expit

        told = log_odds(self._column(days, "return_probability"))
        return expit(told + self.deviation + self.carry.shifts[self.carry.nearest(days)])

    def _purchases(self, days: float) -> np.ndarray:
        told = np.maximum(self._column(days, "return_probability"), TINY)
        stays = self._returning(days)
        often = self._column(days, "expected_purchases") / told
        return np.maximum(
            stays, stays * often * np.exp(self.carry.counts[self.carry.nearest(days)])
        )

    def _spend(self, days: float) -> np.ndarray:
        told = self._column(days, "expected_spend")
        purchases, expected = self._purchases(days), self._column(days, "expected_purchases")
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = np.where(expected > 0, purchases * told / expected, told)
        if self.worth is None:
            return usual
        spend = told * self.worth * np.exp(self.carry.scales[self.carry.nearest(days)])
        return np.clip(spend, usual / FURTHEST, usual * FURTHEST)

    def _column(self, days: float, name: str) -> np.ndarray:
        if days not in self._known:
            self._known[days] = self.valued(days)
        return self._known[days][name].to_numpy(dtype=float)

    def _of(self, name: str) -> Callable[[float], np.ndarray]:
        return lambda days: self._column(days, name)


def deviation_of(blend: Blend, frame: pd.DataFrame) -> np.ndarray:
    """Log-odds of returning that a blend adds to the value model's.

    Parameters
    ----------
    blend : Blend
    frame : pandas.DataFrame
        Behaviour rows with the value model's outputs.

    Returns
    -------
    numpy.ndarray of shape (n_customers,)
    """
    told = log_odds(frame["value_return_probability"].to_numpy(float))
    return -blend.decision_function(frame) - told


def worth_of(
    spend: SpendModel, frame: pd.DataFrame, deviation: np.ndarray, shift: float
) -> np.ndarray:
    """Factor of a spend model on the value model's spend over the learned window.

    Parameters
    ----------
    spend : SpendModel
    frame : pandas.DataFrame
        Behaviour rows with the value model's outputs.
    deviation : numpy.ndarray of shape (n_customers,)
        From `deviation_of`.
    shift : float
        Log-odds that put the blend on the level of the window.

    Returns
    -------
    numpy.ndarray of shape (n_customers,)
        1 where the value model expects nothing.
    """
    from scipy.special import expit

    told = log_odds(frame["value_return_probability"].to_numpy(float))
    amount = spend.predict(frame, expit(told + deviation + shift))
    base = frame["value_expected_spend"].to_numpy(float)
    return _divided(amount, base)


def _divided(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Ratio, and 1 where there is nothing to compare with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, values / base, 1.0)
