"""What is not said about a customer, and why.

In: which columns of a score table are null, row for row. Out: one text a customer that names
every null column with the reason, such as "no purchases on record: clv, stage, tier"; null where
everything is said. A probability that can be said is said, whatever else cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

    from training.silence.unsaid import Finding

# What the models say, and what is decided from purchases on record.
MODELLED = (
    "churn_probability",
    "return_probability",
    "p_alive",
    "expected_purchases",
    "expected_spend",
    "clv",
)
DECIDED = ("potential_value", "next_purchase_by", "stage", "tier", "rfm")
ANSWERS = MODELLED + DECIDED

_NEED_PURCHASES = frozenset(ANSWERS) - {"churn_probability", "return_probability"}
_NEED_CLV = frozenset({"potential_value", "tier"})

NO_PURCHASES = "no purchases on record"
NO_NUMBER = "no number from the model"
NO_POPULATION = "nothing to compare with in the last full scoring"
NO_SUBSCRIPTION = "no running subscription"
NO_PRICE = "no price on record"
OF_PURCHASES = "not asked of subscriptions"
# Between one reason with its columns and the next.
_BETWEEN = "; "
# What rests on purchases under any rule, and what on the price of a subscription.
BOUGHT = ("p_alive", "potential_value", "rfm")
PRICED = ("expected_spend", "clv", "tier")


def silenced(
    frame: pd.DataFrame, scorer: Any, findings: Sequence[Finding] = ()
) -> dict[str, np.ndarray]:
    """Find what a model would answer but cannot back, and why.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    scorer : Predictor
        Whose ``reach`` tells whom it knows nothing of, where it has one.
    findings : sequence of Finding
        About the whole population; they go before what is found about a customer.

    Returns
    -------
    dict of str to numpy.ndarray of str
        Reason by row for columns of the score table; empty where there is nothing against it,
        and columns without any reason left out.
    """
    reach = getattr(scorer, "reach", None)
    told = {} if reach is None else dict(reach.beyond(frame))
    for found in reversed(findings):
        told |= {
            name: np.full(len(frame), found.in_brief(), dtype=object) for name in found.answers
        }
    return {name: reasons for name, reasons in told.items() if (reasons != "").any()}


def explain(
    missing: Mapping[str, np.ndarray],
    known: np.ndarray,
    *,
    subscribed: bool = False,
    unbacked: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> pa.Array:
    """Name what is not said about each customer, and why.

    Parameters
    ----------
    missing : mapping of str to numpy.ndarray of bool
        For each of ``ANSWERS``, where it is null.
    known : numpy.ndarray of bool
        Where there is a purchase on record, or a subscription that runs.
    subscribed : bool, default False
        Whether the customers are subscribers.
    unbacked : mapping of str to numpy.ndarray of str
        By column, why it could be said and is not; empty where nothing is against it.

    Returns
    -------
    pyarrow.Array of string
        Reasons with the columns they hold for, joined by "; "; null where nothing is missing.
    """
    codes = known.astype(np.int64)
    for bit, name in enumerate(ANSWERS, start=1):
        codes |= missing[name].astype(np.int64) << bit
    # Rows that are alike have one text; each column of reasons tells them further apart.
    first, where = np.unique(codes, return_index=True, return_inverse=True)[1:]
    for reasons in unbacked.values():
        words, place = np.unique(reasons.astype(str), return_inverse=True)
        alike = where * len(words) + place
        first, where = np.unique(alike, return_index=True, return_inverse=True)[1:]
    told = [
        _sentence(
            int(codes[row]), subscribed, {name: str(why[row]) for name, why in unbacked.items()}
        )
        for row in first
    ]
    return pa.array(told, pa.string()).take(pa.array(where))


def asked(text: str | None) -> str | None:
    """What is not said, without what is never asked of subscribers.

    Parameters
    ----------
    text : str or None
        As `explain` writes it.

    Returns
    -------
    str or None
        None where nothing is left.

    Examples
    --------
    >>> asked("not asked of subscriptions: p_alive, rfm; no price on record: clv")
    'no price on record: clv'
    >>> asked("not asked of subscriptions: p_alive, rfm")
    """
    parts = (text or "").split(_BETWEEN)
    return _BETWEEN.join(p for p in parts if p and not p.startswith(f"{OF_PURCHASES}: ")) or None


def _sentence(code: int, subscribed: bool, unbacked: Mapping[str, str]) -> str | None:
    """Text of one combination: bit 0 tells of purchases, the others of null columns."""
    why = _why_of_subscriber if subscribed else _why
    gone = [name for bit, name in enumerate(ANSWERS, start=1) if code >> bit & 1]
    by_reason: dict[str, list[str]] = {}
    for name in gone:
        # What follows from the lifetime value is not said for the same reason.
        reason = unbacked.get("clv" if name in _NEED_CLV else name, "")
        by_reason.setdefault(reason or why(name, bool(code & 1), gone), []).append(name)
    told = [f"{reason}: {', '.join(names)}" for reason, names in by_reason.items()]
    return _BETWEEN.join(told) or None


def _why(name: str, known: bool, gone: list[str]) -> str:
    if not known and name in _NEED_PURCHASES:
        return NO_PURCHASES
    if name in MODELLED or (name in _NEED_CLV and "clv" in gone) or _of_value(name, gone):
        return NO_NUMBER
    return NO_POPULATION


def _of_value(name: str, gone: list[str]) -> bool:
    """Whether it is the value model that is silent: the rhythm speaks wherever a stage is told."""
    return name == "next_purchase_by" and "stage" not in gone


def _why_of_subscriber(name: str, known: bool, gone: list[str]) -> str:
    if name in BOUGHT:
        return OF_PURCHASES
    if not known:
        return NO_SUBSCRIPTION
    return NO_PRICE if name in PRICED and "expected_spend" in gone else NO_NUMBER
