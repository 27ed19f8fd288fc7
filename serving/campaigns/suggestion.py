"""What could be done for one customer: the actions that fit it, with what each should bring.

In: a score row and what plans are asked for. Out: offers, the most profitable first. It is the
account of the plans (`prospect`) for one customer, so a suggestion and a plan never contradict
each other; a plan may still choose otherwise, because budget and capacity are shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from serving.campaigns.order import Order


@dataclass(frozen=True)
class Offer:
    """An action that a customer may get.

    Parameters
    ----------
    action, channel : str
    owner : str or None
        Who does it.
    cost, profit : float
        Expected for this customer, in currency; profit with the cost taken off.
    since : date or None
        When its effect was measured; None where it is assumed.
    """

    action: str
    channel: str
    owner: str | None
    cost: float
    profit: float
    since: date | None

    @property
    def pays(self) -> bool:
        """Whether it brings more than it costs."""
        return self.profit > 0


def offers(row: Mapping[str, Any], order: Order) -> tuple[Offer, ...]:
    """Look at every action for one customer.

    Parameters
    ----------
    row : mapping
        Its score row.
    order : Order
        What a plan would be asked for.

    Returns
    -------
    tuple of Offer
        Those that no limit and no guardrail keeps from it, the most profitable first.

    Raises
    ------
    CampaignError
        If there is no action, or too little is said of the customer's value.
    """
    import pyarrow as pa

    from serving import scores
    from serving.campaigns.prospect import prospect

    schema = pa.schema([item for item in scores.SCHEMA if item.name in row])
    frame = scores.to_frame(pa.Table.from_pylist([dict(row)], schema))
    seen = prospect(frame, _only(order, row["customer_id"]))
    profits, costs = seen.whole.profit[0], seen.whole.cost[0]
    found = []
    for place, (name, action) in enumerate(order.actions.items()):
        if np.isfinite(profits[place]):
            money = float(costs[place]), float(profits[place])
            since = order.effect(name).since
            found.append(Offer(name, action.channel, action.owner, *money, since))
    return tuple(sorted(found, key=lambda offer: (-offer.profit, offer.action)))


def _only(order: Order, customer_id: str) -> Order:
    """The order with what the sources say of one customer."""

    def cut(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        return None if frame is None else frame[frame["customer_id"] == customer_id]

    return replace(order, customers=cut(order.customers), contacts=cut(order.contacts))
