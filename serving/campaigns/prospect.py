"""The prospect: what every action would bring with every customer, before any budget is spent.

In: score rows, the actions with what is believed of them, and whom a guardrail protects. Out: the
problem that a plan solves. It depends on neither the budget nor the draw of the holdout, so that
many budgets can be looked at from one prospect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from serving import margins
from serving.campaigns.audience import Audience, audience
from serving.campaigns.problem import Problem
from serving.campaigns.profit import NEEDED, Increment, Outlook, increment, outlook
from serving.errors import CampaignError
from serving.groups import unanswered

if TYPE_CHECKING:
    import pandas as pd

    from serving.campaigns.order import Order

#: Reasons that are told where nobody can be planned for.
_WHY = 3


@dataclass(frozen=True)
class Prospect:
    """What could be done.

    Attributes
    ----------
    scores : pandas.DataFrame
        Rows of the customers who can be planned for, numbered from 0.
    held_back : mapping of str to int
        Guardrail to the customers that it held back.
    kept_from : mapping of str to tuple of str
        Guardrail to the actions that it kept them from.
    expected : Outlook
    gains : mapping of str to Increment
        By action.
    whole : Problem
        Of the treated, without a budget.
    unscored : int
        Customers of whom too little can be said to plan for them.
    """

    scores: pd.DataFrame = field(repr=False)
    held_back: Mapping[str, int]
    kept_from: Mapping[str, tuple[str, ...]]
    expected: Outlook = field(repr=False)
    gains: Mapping[str, Increment] = field(repr=False)
    whole: Problem = field(repr=False)
    unscored: int


def prospect(scores: pd.DataFrame, order: Order) -> Prospect:
    """Look at every pair of customer and action.

    Parameters
    ----------
    scores : pandas.DataFrame
        Score rows of one as-of date.
    order : Order
        Its budget, name and key are not looked at.

    Returns
    -------
    Prospect

    Raises
    ------
    CampaignError
        If there is no action, or nobody whose value is known.
    """
    if not order.actions:
        raise CampaignError(
            "Got settings without an action; expected one at least: add a section "
            "[actions.<name>] with channel, cost and kept = { mean = …, sd = … }."
        )
    said = scores[list(NEEDED)].notna().all(axis=1).to_numpy(dtype=bool)
    if not said.any():
        raise CampaignError(_unsaid(scores))
    known = scores[said].reset_index(drop=True)
    aimed = audience(
        known,
        order.actions,
        as_of=known["as_of"].iloc[0],
        suppressed=order.rules.suppressed,
        customers=order.customers,
        contacts=order.contacts,
        engaged=order.engaged,
    )
    expected = outlook(known, margin=margins.rates(known, order.margin))
    gains = {name: _gain(order, name, expected) for name in order.actions}
    whole = _problem(order, aimed, list(gains.values()))
    held, names, left_out = aimed.held_back, aimed.kept_from, int((~said).sum())
    return Prospect(known, held, names, expected, gains, whole, left_out)


def _unsaid(scores: pd.DataFrame) -> str:
    """Why nobody can be planned for, by the reasons of the scores themselves."""
    told = f"Got no customer with {', '.join(NEEDED)}"
    if len(scores):
        told += f" in the score table of {scores['as_of'].iloc[0]}"
    why: tuple[str, ...] = ()
    if "abstained" in scores:
        counted = scores["abstained"].dropna().value_counts()
        texts = {str(text): int(number) for text, number in counted.items()}
        why = unanswered.causes(texts, NEEDED)
    if not why:
        return (
            f"{told}; a plan needs what customers are worth. Under the rule `label` there is no "
            "value without a purchase log."
        )
    return (
        f"{told}: {'; '.join(why[:_WHY])}. A plan needs what customers are worth: plan from a day "
        "of which it is said, by `regulars plan --as-of …`. The service plans from the newest "
        "score table: `regulars check` says what would mend it."
    )


def _gain(order: Order, name: str, expected: Outlook) -> Increment:
    action = order.actions[name]
    return increment(
        expected, order.effect(name), cost=action.cost, cost_per_spend=action.cost_per_spend
    )


def _problem(order: Order, aimed: Audience, gains: list[Increment]) -> Problem:
    """The problem of the treated."""
    profit = np.column_stack([one.profit for one in gains])
    limits = [one.capacity for one in order.actions.values()]
    return Problem(
        profit=np.where(aimed.allowed, profit, -np.inf),
        cost=np.column_stack([one.cost for one in gains]),
        budget=np.inf,
        capacity=np.array([np.inf if one is None else float(one) for one in limits]),
        contacts=order.rules.max_contacts,
    )
