"""Incremental profit of an action on a customer: what it changes against doing nothing.

In: scores and what is believed of an action. Out: money that is expected within the horizon of
the lifetime value, in the settings' currency. It is linear in the two effects, so that the spread
of a whole plan follows from the spread of the beliefs without a draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serving.campaigns.belief import Effect
from serving.errors import CampaignError

if TYPE_CHECKING:
    import pandas as pd

#: No chance is divided by below this: a value given return is at most 1/FLOOR times the value.
FLOOR = 0.1
#: Columns of the score table that have to be said.
NEEDED = ("churn_probability", "expected_spend", "clv")


@dataclass(frozen=True)
class Outlook:
    """What is expected of customers who are left alone, and what keeping one is worth.

    Attributes
    ----------
    leaves : array of shape (n,)
        Chance to leave (p), in [0, 1].
    spend : array of shape (n,)
        Spend expected within the horizon (E), in currency.
    spend_if_back : array of shape (n,)
        Spend within the horizon of who returns (S), in currency.
    worth : array of shape (n,)
        Profit that keeping a customer who would leave brings (G), in currency.
    margin : array of shape (n,)
        Share of the spend that is profit (m); below zero for who is sold to at a loss.
    """

    leaves: np.ndarray
    spend: np.ndarray
    spend_if_back: np.ndarray
    worth: np.ndarray
    margin: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Outlook:
        """Outlook of some of the customers."""
        return Outlook(
            self.leaves[rows],
            self.spend[rows],
            self.spend_if_back[rows],
            self.worth[rows],
            self.margin[rows],
        )


@dataclass(frozen=True)
class Increment:
    """Profit and cost of an action on each customer, as linear functions of its effects.

    Attributes
    ----------
    per_kept, per_lift : array of shape (n,)
        Profit for a whole `kept` and for a whole `lift`, in currency.
    fixed : array of shape (n,)
        Cost where nothing is changed, in currency.
    profit : array of shape (n,)
        Expected profit at the means of the beliefs, costs taken off, in currency.
    cost : array of shape (n,)
        Expected cost at the means of the beliefs, at least 0, in currency.
    """

    per_kept: np.ndarray
    per_lift: np.ndarray
    fixed: np.ndarray
    profit: np.ndarray
    cost: np.ndarray


def outlook(scores: pd.DataFrame, *, margin: float | np.ndarray) -> Outlook:
    """What is expected of customers without an action.

    Parameters
    ----------
    scores : pandas.DataFrame
        Score rows in which the columns of `NEEDED` are not null; ``p_alive`` may be.
    margin : float or array of shape (n,)
        Share of the spend that is profit, of everybody or of each.

    Returns
    -------
    Outlook

    Raises
    ------
    CampaignError
        If a score that is needed is null, or a margin is not a number.

    Notes
    -----
    With r = 1 − p the chance to return within the horizon, V the lifetime value, a = max(r,
    P(alive)) the chance to be a customer still (r where P(alive) is not said), and x⁺ = max(x, 0):

        S = E / r,    L = (V − m E)⁺,    G = m S + (L / a) · (1 − (a − r) / (1 − r))

    and with the loss L = −(m E − V)⁺ where m < 0.

    V is earned within the horizon (m E) and later (L). Who returns is a customer, and worth m S
    now and L / a later. Who does not return is a customer still with probability (a − r) / (1 − r),
    by Bayes' rule, and then worth L / a later all the same: keeping it brings the difference. So G
    is V / r where nobody comes back who did not return, and only m S where everybody does.

    r and a are taken as at least `FLOOR` in the denominators: V / r would promise a fortune for a
    lost cause. G is at most V' / FLOOR with V' = max(V, m E), and below zero where m is: to keep a
    customer who is sold to at a loss costs money.
    """
    columns = {name: scores[name].to_numpy("float64", na_value=np.nan) for name in NEEDED}
    if not all(np.isfinite(values).all() for values in columns.values()):
        raise CampaignError(
            f"Got customers without {', '.join(NEEDED)}; expected only those for whom they are "
            "said: leave the others out."
        )
    leaves, spend, clv = columns.values()
    margin = np.broadcast_to(np.asarray(margin, dtype=np.float64), spend.shape)
    if not np.isfinite(margin).all():
        raise CampaignError("Got margins that are no numbers; expected a share of the spend each.")
    back = 1 - leaves
    alive = scores["p_alive"].to_numpy("float64", na_value=np.nan)
    alive = np.maximum(np.where(np.isfinite(alive), alive, 0.0), back)
    if_back = spend / np.maximum(back, FLOOR)
    later = clv - margin * spend
    later = np.where(margin < 0, np.minimum(later, 0.0), np.maximum(later, 0.0))
    later = later / np.maximum(alive, FLOOR)
    silent = np.where(leaves > 0, (alive - back) / np.where(leaves > 0, leaves, 1.0), 0.0)
    worth = margin * if_back + later * (1 - silent)
    return Outlook(leaves, spend, if_back, worth, margin)


def increment(
    customers: Outlook, effect: Effect, *, cost: float, cost_per_spend: float
) -> Increment:
    """What an action changes for each customer.

    Parameters
    ----------
    customers : Outlook
    effect : Effect
        What it is believed to do (`kept` k, `lift` l).
    cost : float
        For each customer who gets it (c), in currency.
    cost_per_spend : float
        Share of what the customer then spends within the horizon (s), in [0, 1].

    Returns
    -------
    Increment

    Notes
    -----
        profit = k p G + l m E − cost,    cost = c + s ((1 + l) E + k p S)

    The first term is who would leave and is kept, the second what the others spend more; the cost
    is paid for everyone, most of whom would have stayed. A negative cost, as of a lift below −1,
    is taken for 0.

    The account is that of Neslin et al. for one customer, with what stays of those who would stay
    besides; targeting by the profit instead of by the risk is Lemmens and Gupta's.

    References
    ----------
    Neslin, Gupta, Kamakura, Lu & Mason (2006), Defection Detection: Measuring and Understanding
    the Predictive Accuracy of Customer Churn Models, Journal of Marketing Research 43(2): 204-211.
    Lemmens & Gupta (2020), Managing Churn to Maximize Profits, Marketing Science 39(5): 956-973.
    """
    kept_spend = customers.leaves * customers.spend_if_back
    fixed = cost + cost_per_spend * customers.spend
    per_kept = customers.leaves * customers.worth - cost_per_spend * kept_spend
    per_lift = (customers.margin - cost_per_spend) * customers.spend
    kept, lift = effect.kept.mean, effect.lift.mean
    paid = fixed + cost_per_spend * (lift * customers.spend + kept * kept_spend)
    profit = kept * per_kept + lift * per_lift - fixed
    return Increment(per_kept, per_lift, fixed, profit, np.maximum(paid, 0.0))
