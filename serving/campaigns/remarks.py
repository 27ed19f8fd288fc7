"""Remarks on a plan: what people should know before it goes out, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from serving.campaigns.audience import IN_A_PLAN

if TYPE_CHECKING:
    from serving.campaigns.terms import Terms
    from serving.scores import Meta


def notes(terms: Terms, meta: Meta | None = None) -> tuple[str, ...]:
    """What the terms of a plan leave open, and where they are not those of the scores.

    Parameters
    ----------
    terms : Terms
    meta : Meta, optional
        Of the score table that the plan is of.

    Returns
    -------
    tuple of str
    """
    told = []
    if terms.uncooled:
        told.append(
            f"The cooling-off of {', '.join(terms.uncooled)} is not kept: it needs "
            "[sources.treatments], which says who was treated when."
        )
    if meta is not None and (pair := other_margins(terms, meta)):
        told.append(
            f"`margin` in [value] is {pair[0]:g} now, and the scores of {meta.as_of} were made "
            f"with {pair[1]:g}: so is this plan. `regulars train`, then `regulars score`, brings "
            "the new one in."
        )
    return tuple(told)


def other_margins(terms: Terms, meta: Meta) -> tuple[float, float] | None:
    """Margin of the settings and that of a score table, where they differ.

    Parameters
    ----------
    terms : Terms
    meta : Meta

    Returns
    -------
    tuple of float, or None
        None where they are the same, or customers have rates of their own.
    """
    if meta.margin is None or math.isclose(meta.margin, terms.margin):
        return None
    return terms.margin, meta.margin


def sentences(said: Mapping[str, Any], currency: str) -> Iterator[str]:
    """What to know before a plan goes out.

    Parameters
    ----------
    said : mapping
        Figures of a plan, as `serving.campaigns.shelf.figures` gives them.
    currency : str

    Yields
    ------
    str
        A sentence.
    """
    if not said["total"]["treated"]:
        yield f"Nobody gets anything: {_why_nobody(said, currency)}."
    knee = said["curve"]["knee"]
    if knee:
        yield (
            f"Beyond {knee:,.2f} {currency} the next coin brings back less than itself: more is "
            "not spent."
        )
    if said["curve"].get("estimated"):
        yield (
            "What a budget brings is estimated from "
            f"{said['curve']['customers']:,} evenly spaced customers."
        )
    yield _of_holdout(said["holdout"])
    if said["assumed"]:
        yield (
            f"Nothing was ever measured of {', '.join(said['assumed'])}: effect, profit and band "
            "are assumptions from the settings. Run `regulars measure` once the horizon is over."
        )
    if taken := said["held_back"].get(IN_A_PLAN):
        yield (
            f"{taken:,} customers are in a plan that still runs, treated or held out; they are "
            "left to it until its days are over, or its effect could not be seen."
        )
    if said["unscored"]:
        yield f"{said['unscored']:,} customers are left out: too little can be said of their value."
    yield f"The best plan within these limits brings at most {said['gap']:.3%} more (duality gap)."


def _why_nobody(said: Mapping[str, Any], currency: str) -> str:
    """Why a plan is empty: something would pay wherever the curve has a knee."""
    budget = said["budget"]
    if budget == 0:
        return "the budget is 0"
    if budget is not None and said["curve"]["knee"]:
        return f"a budget of {budget:,.2f} {currency} is too small for any action that pays"
    return "no action pays for anyone it may go to"


def _of_holdout(found: Mapping[str, Any]) -> str:
    held = f"The holdout of {found['holdout']:,} beside {found['treated']:,} treated"
    if found["smallest"] is None or found["power"] is None:
        return (
            f"{held} is too small to show any effect; plan for more customers, or raise `holdout` "
            "in [plan]."
        )
    return (
        f"{held} shows a rise of the return rate, {found['base']:.1%} without, by "
        f"{100 * found['smallest']:.1f} points or more in four cases of five "
        f"({100 * (found['smallest_adjusted'] or 0):.1f} given the scores). Believed are "
        f"{100 * (found['expected'] or 0):+.1f} points, which it shows with a chance of "
        f"{found['power']:.0%}."
    )
