"""Where a scorer is silent, in words for the model card.

In: a scorer with its reach and its shape, and the behaviour rows that it was fitted on. Out: a
sentence for each rule by which something is not said, with its figures, the customers of the
training whom it would have held for, and what data would mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from training.silence import reach, shape
from training.silence.unsaid import WORDS, columns_of

if TYPE_CHECKING:
    import pandas as pd

_SOURCES = ("transactions", "events", "customers", "subscriptions")
_STALE, _MISSING, _CHANGED, _OUTSIDE = WORDS.values()


def sentences(scorer: Any, frames: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    """Say where a scorer is silent.

    Parameters
    ----------
    scorer : Scorer or SubscriptionScorer
    frames : sequence of pandas.DataFrame
        Behaviour rows that it was fitted on, a date each, the newest last.

    Returns
    -------
    tuple of str
        Empty for a scorer without reach and shape.
    """
    if scorer.shape is None or scorer.reach is None or not frames:
        return ()
    return (*_of_tables(scorer.shape), *_of_customers(scorer, frames), *_groups(scorer, frames[-1]))


def _of_tables(seen: shape.Shape) -> Iterator[str]:
    yield (
        f"{_STALE.capitalize()}: a source that is silent for longer before the as-of date than its "
        "own past makes believable. Mended by its missing rows."
    )
    parts = [(source, len(columns_of(source, seen.nulls))) for source in _SOURCES]
    there = ", ".join(f"{number} of {source}" for source, number in parts if number)
    absent = [source for source, number in parts if not number]
    learnt = f"; nothing was learned from {', '.join(absent)}" if absent else ""
    yield f"{_MISSING.capitalize()}: columns are watched, {there}{learnt}. Mended by the column."
    for name, (low, high) in seen.amounts.items():
        room = shape.room(low, high)
        yield (
            f"{_CHANGED.capitalize()}: the middle of the {shape.AMOUNTS[name]} was "
            f"{np.exp(low):.4g} to {np.exp(high):.4g}; below {np.exp(low - room):.4g} or above "
            f"{np.exp(high + room):.4g} what rests on amounts is not said. Mended by one unit of "
            "money throughout."
        )


def _of_customers(scorer: Any, frames: Sequence[pd.DataFrame]) -> Iterator[str]:
    ends = [
        f"{reach.HELD[n]} {reach.FURTHEST * most:,.4g}" for n, most in scorer.reach.largest.items()
    ]
    if not ends:
        return
    told = (
        f"{_OUTSIDE.capitalize()}: money, or purchases too, are not said above {'; '.join(ends)}."
    )
    newest = frames[-1]
    if len(frames) > 1 and len(newest):
        # By what was seen before: of the tables that it learned from nobody is outside.
        silent = reach.learn(frames[:-1]).beyond(newest).values()
        number = int(np.any([one != "" for one in silent], axis=0).sum())
        told += (
            f" By the tables before the newest one, {number:,} of its {len(newest):,} customers "
            f"({number / len(newest):.2%}) would have been."
        )
    yield f"{told} Mended by a training on a log that holds such customers."


def _groups(scorer: Any, newest: pd.DataFrame) -> Iterator[str]:
    """Kinds of customers of whom something is missing."""
    missing = {
        "order_mean": ("no purchase on record", "money and purchases", "a log of their purchases"),
        "subscription_price": ("no price", "spend and lifetime value", "their price"),
    }
    column = "subscription_price" if getattr(scorer, "rule", "") == "subscription" else "order_mean"
    number = int(newest[column].isna().sum()) if column in newest else 0
    if number:
        who, what, mend = missing[column]
        yield (
            f"{who.capitalize()}: {number:,} of {len(newest):,} customers; nothing is said of "
            f"their {what}. Mended by {mend}."
        )
