"""What is supposed of a customer: one behaviour that is other than it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "purchase",
    "no_refunds",
    "complaint",
    "resolution",
    "silence",
    "price_change",
    "plan_change",
    "failed_payment",
]
KINDS: tuple[str, ...] = get_args(Kind)
#: Kinds that change what happened beside the purchases.
EVENTS = ("complaint", "resolution")
#: Kinds that change purchases: of buyers alone.
PURCHASES = ("purchase", "no_refunds")


@dataclass(frozen=True)
class Change:
    """One behaviour that is other than it was.

    Parameters
    ----------
    kind : str
        Of `KINDS`. A purchase, a complaint, or the resolution of one on the day before as-of; no
        refund ever asked for; some more days in which nothing happens but renewals that are paid
        on their day; or of subscribers the latest payment at another price, for another plan, or
        after it failed at first.
    amount : float or None
        Of the purchase, in currency, above 0; the customer's mean occasion where None. Of the
        plan, for a term; what its subscribers pay where None.
    days : int
        Of silence, at least 1.
    percent : float or None
        By which the price is other, above −100.
    plan : str or None
        The other plan.
    """

    kind: str
    amount: float | None = None
    days: int = 30
    percent: float | None = None
    plan: str | None = None
