"""Tier of each customer: how much of the expected profit it holds, or could hold.

In: lifetime values, potential values, stages and net spend. Out: one of ``TIERS`` for every
customer with a lifetime value. The cuts are values of the population, so one customer alone
gets the tier that it has in the full table.

Null rule: no lifetime value, no tier.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serving.errors import ScoreTableError
from serving.groups.history import History

if TYPE_CHECKING:
    from training.settings import ValueSettings

TIERS = ("key", "growth", "core", "small", "costly")

# Shares of the expected profit.
KEY_SHARE = 0.8
SMALL_SHARE = 0.05


@dataclass(frozen=True)
class Costs:
    """What a customer costs to serve.

    Parameters
    ----------
    margin : float
        Share of the spend that is profit before these costs, in (0, 1]; of a log that states no
        margins.
    per_order, per_contact : float
        Of an occasion, and of a complaint or contact, in currency; at least 0.
    """

    margin: float = 1.0
    per_order: float = 0.0
    per_contact: float = 0.0

    @classmethod
    def of(cls, value: ValueSettings) -> Costs:
        """Costs of the section [value]."""
        return cls(value.margin, value.cost_per_order, value.cost_per_contact)


#: Nothing beside the margin.
FREE = Costs()


@dataclass(frozen=True)
class Cuts:
    """Where the tiers of a population are cut.

    Parameters
    ----------
    key : float or None
        Smallest lifetime value of a key customer, in currency; None when no profit is expected.
    small : float
        Largest lifetime value of a small customer, in currency.
    growth_ratio : float
        How many times the lifetime value the potential has to be for growth; > 1.
    margin, per_order, per_contact : float
        As of `Costs`.

    Raises
    ------
    ScoreTableError
        If the cuts are out of order.
    """

    key: float | None
    small: float
    growth_ratio: float = 3.0
    margin: float = 1.0
    per_order: float = 0.0
    per_contact: float = 0.0

    def __post_init__(self) -> None:
        ordered = self.key is None or self.key > self.small
        if not (self.small >= 0 and self.growth_ratio > 1 and ordered):
            raise ScoreTableError(
                f"got {self}; expected 0 <= small < key and growth_ratio above 1: run a full "
                "scoring again"
            )


def learn(history: History, clv: np.ndarray, costs: Costs = FREE) -> Cuts:
    """Learn where a population's tiers are cut.

    Parameters
    ----------
    history : History
        A whole population.
    clv : numpy.ndarray of float64
        Lifetime values in currency; NaN where there is none.
    costs : Costs, optional
        Of serving a customer; none when not given.

    Returns
    -------
    Cuts

    Notes
    -----
    Expected profit is the sum of the positive lifetime values of customers who are not costly.
    The key cut is the largest value v such that those worth v or more hold at least 80 % of it;
    the small cut the largest value v such that those worth v or less hold at most 5 %. Tied
    customers fall on the same side.
    """
    counted = np.isfinite(clv) & (clv > 0) & ~_costly(history, clv, costs)
    served = asdict(costs)
    if not counted.any():
        return Cuts(None, 0.0, **served)
    levels, counts = np.unique(clv[counted], return_counts=True)
    held_below = np.cumsum(levels * counts)
    held_above = np.cumsum((levels * counts)[::-1])
    key = levels[::-1][np.argmax(held_above >= KEY_SHARE * held_above[-1])]
    small = levels[(held_below <= SMALL_SHARE * held_below[-1]) & (levels < key)]
    return Cuts(float(key), float(small[-1]) if len(small) else 0.0, **served)


def tier(
    history: History,
    clv: np.ndarray,
    potential: np.ndarray,
    stage: pd.Categorical[str],
    cuts: Cuts,
) -> pd.Categorical[str]:
    """Tier of each customer: the first of the rules below that holds.

    Parameters
    ----------
    history : History
    clv : numpy.ndarray of float64
        Lifetime values in currency; NaN where there is none.
    potential : numpy.ndarray of float64
        Potential values in currency.
    stage : pandas.Categorical
        Stages of the same customers.
    cuts : Cuts

    Returns
    -------
    pandas.Categorical
        Categories ``TIERS``; null where `clv` is NaN.

    Notes
    -----
    1. costly: a negative lifetime value, or refunds to date as large as the purchases, or a
       margin to date below the cost to serve: e < c_o · occasions + c_c · contacts, with the
       margin on record e, or e = m · spend where the log states none.
    2. key: lifetime value at the key cut or above.
    3. growth: not lapsed, a potential of at least 3 times the lifetime value, and the best of
       similar customers are key customers.
    4. small: lifetime value at the small cut or below.
    5. core: everyone else.
    """
    key = np.inf if cuts.key is None else cuts.key
    with np.errstate(invalid="ignore"):
        rules = {
            "costly": _costly(history, clv, cuts),
            "key": clv >= key,
            "growth": (potential >= cuts.growth_ratio * clv)
            & (potential >= key)
            & np.asarray(stage != "lapsed"),
            "small": clv <= cuts.small,
        }
    codes = [TIERS.index(name) for name in rules]
    chosen = np.select(list(rules.values()), codes, default=TIERS.index("core"))
    given = np.where(np.isfinite(clv), chosen, -1)
    return pd.Categorical.from_codes(given, pd.Index(TIERS))


def _costly(history: History, clv: np.ndarray, costs: Costs | Cuts) -> np.ndarray:
    served = costs.per_order * (history.frequency + 1.0) + costs.per_contact * history.contacts
    earned = costs.margin * history.spend if history.earned is None else history.earned
    with np.errstate(invalid="ignore"):
        return (clv < 0) | (history.spend <= 0) | (earned < served)
