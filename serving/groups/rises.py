"""Key accounts whose risk rose since an earlier score table, with what changed since.

In: two score tables side by side (`ledger.beside`). Out: the few customers to look after,
most money at stake first, each with the reasons that raise its risk now beside what the same
reasons said then. Reasons are drivers of the score, never causes.

Null rule: a customer without a churn probability at one of the dates is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from features.compat import arrow
from serving.insight.reasons import RAISES
from serving.insight.silence import Silence

if TYPE_CHECKING:
    import ibis.expr.types as ir

TIER = "key"
#: Rise of the churn probability from which a customer is listed.
LEAST = 0.10


@dataclass(frozen=True)
class Turn:
    """One reason that raises the risk now, and what it said then.

    Parameters
    ----------
    family : str
    now : str
        What is on record now.
    then : str or None
        What the family said then; None where it was none of the reasons told.
    weight : float
        How much more of the log-odds of leaving it is now; then it counted 0 where not told.
    """

    family: str
    now: str
    then: str | None
    weight: float


@dataclass(frozen=True)
class Rise:
    """A key account that is likelier to leave than before.

    Parameters
    ----------
    customer_id : str
    churn_before, churn_now : float
        In [0, 1].
    clv_before, clv_now : float or None
        In currency.
    stage_before, stage_now, tier_before, tier_now : str
    at_stake : float
        Rise of the risk times the lifetime value then, in currency.
    turns : tuple of Turn
        Reasons whose weight grew, the most first.
    silent_before, silent_now : int or None
        Days since the last purchase; None where they are not on record.
    """

    customer_id: str
    churn_before: float
    churn_now: float
    clv_before: float | None
    clv_now: float | None
    stage_before: str
    stage_now: str
    tier_before: str
    tier_now: str
    at_stake: float
    turns: tuple[Turn, ...]
    silent_before: int | None = None
    silent_now: int | None = None

    @property
    def silence(self) -> Silence | None:
        """Both together; None where nothing is on record now."""
        return None if self.silent_now is None else Silence(self.silent_before, self.silent_now)


def rises(beside: ir.Table, number: int, *, least: float = LEAST) -> tuple[Rise, ...]:
    """List the key accounts whose risk rose.

    Parameters
    ----------
    beside : ibis table
        From `serving.groups.ledger.beside`.
    number : int
        Customers at most.
    least : float
        Smallest rise of the churn probability, in (0, 1].

    Returns
    -------
    tuple of Rise
        Who was `key` at either date: a rising risk may be why one is not any more. By falling
        `at_stake` = (p₁ − p₀) · clv₀, with clv₁ where there was none; ties by customer.
    """
    import ibis

    rise = beside.churn_probability_now - beside.churn_probability_before
    worth = ibis.coalesce(beside.clv_before, beside.clv_now).cast("float64").fill_null(0.0)
    chosen = beside.mutate(at_stake=rise * worth).filter(
        (beside.tier_before == TIER) | (beside.tier_now == TIER), rise >= least
    )
    first = chosen.order_by([ibis.desc("at_stake"), "customer_id"]).limit(number)
    return tuple(_rise(row) for row in arrow(first).to_pylist())


def told(found: Sequence[Rise], known: Mapping[str, Silence]) -> tuple[Rise, ...]:
    """Say how long each had been silent.

    Parameters
    ----------
    found : sequence of Rise
    known : mapping of str to Silence
        By customer, as `serving.insight.silence.silences` gives them.

    Returns
    -------
    tuple of Rise
        In the same order.
    """
    return tuple(
        replace(one, silent_before=silence.then, silent_now=silence.now)
        if (silence := known.get(one.customer_id))
        else one
        for one in found
    )


def turns(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """Say which reasons raise the risk more than before.

    Parameters
    ----------
    then, now : sequence of reasons
        As in the column ``reasons`` of the score table.

    Returns
    -------
    tuple of Turn
        Of those that raise the risk now, whose weight grew; the most first.
    """
    earlier = {reason["family"]: reason for reason in then}
    found = []
    for reason in now:
        was = earlier.get(reason["family"])
        grown = reason["weight"] - (was["weight"] if was else 0.0)
        if reason["direction"] == RAISES and grown > 0:
            found.append(
                Turn(reason["family"], reason["text"], was["text"] if was else None, grown)
            )
    return tuple(sorted(found, key=lambda turn: -turn.weight))


def _rise(row: Mapping[str, Any]) -> Rise:
    worth = {end: row[f"clv_{end}"] for end in ("before", "now")}
    return Rise(
        customer_id=row["customer_id"],
        churn_before=row["churn_probability_before"],
        churn_now=row["churn_probability_now"],
        clv_before=None if worth["before"] is None else float(worth["before"]),
        clv_now=None if worth["now"] is None else float(worth["now"]),
        **{f"{kind}_{end}": row[f"{kind}_{end}"] for kind in ("stage", "tier") for end in worth},
        at_stake=row["at_stake"],
        turns=turns(row["reasons_before"] or (), row["reasons_now"] or ()),
    )
