"""Remarks on a plan: what people should know before it goes out, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.campaigns.planning import Plan
    from serving.campaigns.power import Power
    from serving.campaigns.terms import Terms


def notes(terms: Terms) -> tuple[str, ...]:
    """What the terms of a plan leave open.

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    tuple of str
    """
    if not terms.uncooled:
        return ()
    return (
        f"The cooling-off of {', '.join(terms.uncooled)} is not kept: it needs "
        "[sources.treatments], which says who was treated when.",
    )


def sentences(plan: Plan, currency: str) -> Iterator[str]:
    """What to know before a plan goes out.

    Parameters
    ----------
    plan : Plan
    currency : str

    Yields
    ------
    str
        A sentence.
    """
    if not plan.total.treated:
        yield "Nobody gets anything: no action pays for anyone it may go to."
    knee = plan.curve.knee
    if knee:
        yield (
            f"Beyond {knee:,.2f} {currency} the next coin earns less than one: more is not spent."
        )
    yield _of_holdout(plan.power)
    if plan.assumed:
        yield (
            f"Nothing was ever measured of {', '.join(plan.assumed)}: effect, profit and band are "
            "assumptions from the settings. Run `regulars measure` once the horizon is over."
        )
    if plan.unscored:
        yield f"{plan.unscored:,} customers are left out: too little can be said of their value."
    yield f"The best plan within these limits brings at most {plan.gap:.3%} more (duality gap)."


def _of_holdout(found: Power) -> str:
    if found.smallest is None or found.power is None:
        return (
            f"The holdout of {found.holdout:,} beside {found.treated:,} treated is too small to "
            "show any effect; plan for more customers, or raise `holdout` in [plan]."
        )
    return (
        f"The holdout of {found.holdout:,} beside {found.treated:,} treated shows a rise of the "
        f"return rate, {found.base:.1%} without, by {100 * found.smallest:.1f} points or more in "
        f"four cases of five ({100 * (found.smallest_adjusted or 0):.1f} given the "
        f"scores). Believed are {100 * (found.expected or 0):+.1f} points, which it shows with a "
        f"chance of {found.power:.0%}."
    )
