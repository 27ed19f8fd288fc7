"""What a plan should bring, and how far the beliefs about its actions leave that open."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from serving.campaigns.belief import Effect
from serving.campaigns.profit import Increment

#: Of the standard normal distribution: between −z and z lies 80 % of it.
_Z_80 = 1.2815515655446004


@dataclass(frozen=True)
class Forecast:
    """Customers, cost and profit of what is done.

    Attributes
    ----------
    treated : int
        Treatments; a customer with two actions counts twice.
    cost, profit : float
        Expected, in currency; the profit is after the cost.
    lower, upper : float
        Between them the profit lies with a chance of 80 %, as far as the effects are unsure; that
        customers behave by chance comes on top.
    chance : float
        Chance that it earns more than it costs, in [0, 1], by the same beliefs.
    """

    treated: int
    cost: float
    profit: float
    lower: float
    upper: float
    chance: float

    def times(self, weight: float) -> Forecast:
        """The same for so many times the customers."""
        return Forecast(
            treated=round(self.treated * weight),
            cost=self.cost * weight,
            profit=self.profit * weight,
            lower=self.lower * weight,
            upper=self.upper * weight,
            chance=self.chance,
        )


@dataclass(frozen=True)
class ActionLine:
    """An action within a plan.

    Attributes
    ----------
    action, channel : str
    owner : str or None
    source : str
        Where the belief in its effect comes from.
    since : date or None
        When that was measured; None for an assumption.
    chosen : int
        Customers, the held out among them.
    forecast : Forecast
        Of the treated.
    capacity : int or None
        How many it can take; None for no limit.
    measured : int or None
        Customers treated in what was measured of it.
    """

    action: str
    channel: str
    owner: str | None
    source: str
    since: date | None
    chosen: int
    forecast: Forecast
    capacity: int | None = None
    measured: int | None = None


def forecast(parts: Iterable[tuple[Increment, Effect, np.ndarray]]) -> Forecast:
    """Add up what is done.

    Parameters
    ----------
    parts : iterable of (Increment, Effect, boolean array)
        For each action what it changes, what is believed of it, and who gets it.

    Returns
    -------
    Forecast

    Notes
    -----
    The profit of action a is k_a A_a + l_a B_a − C_a, with sums over its customers of `per_kept`,
    `per_lift` and `fixed`. The effects k_a and l_a are the same for all customers and independent
    normals, so the profit of the plan is normal, with

        mean Σ_a (k̄_a A_a + l̄_a B_a − C_a),    variance Σ_a (A_a² sd(k_a)² + B_a² sd(l_a)²)

    and its quantiles are exact: nothing has to be drawn.
    """
    treated, cost, profit, variance = 0, 0.0, 0.0, 0.0
    for gain, effect, who in parts:
        treated += int(who.sum())
        cost += float(gain.cost[who].sum())
        profit += float(gain.profit[who].sum())
        variance += (float(gain.per_kept[who].sum()) * effect.kept.sd) ** 2
        variance += (float(gain.per_lift[who].sum()) * effect.lift.sd) ** 2
    sd = math.sqrt(variance)
    chance = 0.5 * math.erfc(-profit / (sd * math.sqrt(2))) if sd else float(profit > 0)
    return Forecast(treated, cost, profit, profit - _Z_80 * sd, profit + _Z_80 * sd, chance)
