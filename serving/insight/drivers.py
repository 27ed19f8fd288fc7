"""Drivers: the five classes of what raises a customer's risk, by the families of its reasons.

In: reasons, as in the column ``reasons`` of the score table. Out: the class of each, and the
heaviest class of each customer. A driver says where to look first and what kind of action fits.
It is made of what moves the score, so it is no cause: nobody has tested it.

Null rule: a family that belongs to no class, such as the profile, has none; a customer without a
reason that raises the risk has no driver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PRICE, SERVICE, ASSORTMENT, RHYTHM, UNSETTLED = (
    "price_and_refunds",
    "service_and_complaints",
    "assortment",
    "fading_rhythm",
    "new_and_unsettled",
)


@dataclass(frozen=True)
class Driver:
    """A class of what raises the risk.

    Parameters
    ----------
    name : str
        As actions name it in ``reasons``.
    words : str
        For headings.
    advice : str
        What kind of action fits; a start, not a finding.
    """

    name: str
    words: str
    advice: str


DRIVERS = (
    Driver(
        PRICE,
        "Price and refunds",
        "Look at what was sent back and what was charged before offering a rebate.",
    ),
    Driver(
        SERVICE,
        "Service and complaints",
        "Close what is open first: a call from service, no mailing.",
    ),
    Driver(ASSORTMENT, "Assortment", "Show what fits the usual basket, or what is new beside it."),
    Driver(RHYTHM, "Fading rhythm", "Remind, in time with the customer's own rhythm."),
    Driver(
        UNSETTLED,
        "New and unsettled",
        "Help to the second purchase: a welcome, advice on what was bought.",
    ),
)
NAMES = tuple(driver.name for driver in DRIVERS)
#: The same of subscribers, who have a contract where others have a rhythm and a basket.
OF_SUBSCRIBERS = (
    Driver(
        PRICE,
        "Price and payments",
        "Look at what was charged, and whether it was paid, before offering a rebate.",
    ),
    DRIVERS[NAMES.index(SERVICE)],
    Driver(ASSORTMENT, "Choice of the plan", "See whether another plan fits what is used."),
    Driver(RHYTHM, "Course of the subscription", "Get in touch before the next renewal falls due."),
    Driver(
        UNSETTLED,
        "New and unsettled",
        "Help to the first renewal: a welcome, what the plan holds.",
    ),
)
#: What fits service and complaints where no complaint is open.
NOTHING_OPEN = "Nothing is open: ask how it went before offering anything."
# Words of a reason that tells of an open complaint.
_OPEN = "still open"

#: Class of each family, where the words of a reason do not say another.
OF_FAMILY: Mapping[str, str] = MappingProxyType(
    {
        "rfm": RHYTHM,
        "rhythm": RHYTHM,
        "spend": RHYTHM,
        "basket": ASSORTMENT,
        "refunds": PRICE,
        "season": RHYTHM,
        "care": SERVICE,
        "subscription": RHYTHM,
    }
)
#: Words by which a reason belongs to another class than its family: the first that is found.
OF_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        UNSETTLED: (
            "a new customer",
            "one purchase only",
            "no second one yet",
            "no purchase so far",
            "not yet a customer a year ago",
            "a new subscriber",
            "no renewal yet",
        ),
        PRICE: ("price went", "payment failed", "payments failed"),
        ASSORTMENT: ("changed the plan",),
    }
)


def told(
    reasons: Sequence[Mapping[str, Any]] | None, *, subscribers: bool = False
) -> dict[str, Driver]:
    """The classes in words that fit a customer.

    Parameters
    ----------
    reasons : sequence of mapping, or None
        Of the customer, with ``text``, as in the score table.
    subscribers : bool, default False
        Whether customers are scored by their subscriptions.

    Returns
    -------
    dict of str to Driver
        By name; nothing is advised to be closed where no reason tells of an open complaint.
    """
    found = {one.name: one for one in (OF_SUBSCRIBERS if subscribers else DRIVERS)}
    if not any(_OPEN in str(reason["text"]) for reason in reasons or ()):
        found[SERVICE] = replace(found[SERVICE], advice=NOTHING_OPEN)
    return found


def classes(reasons: pa.StructArray) -> pa.Array:
    """Class of each reason.

    Parameters
    ----------
    reasons : pyarrow.StructArray
        With ``family`` and ``text``, as in the score table.

    Returns
    -------
    pyarrow.StringArray
        One of `NAMES`; null for a family without a class.
    """
    families, texts = reasons.field("family"), reasons.field("text")
    place = pc.index_in(families, pa.array(list(OF_FAMILY), pa.string()))
    found = pa.array(list(OF_FAMILY.values()), pa.string()).take(place)
    for name, words in reversed(tuple(OF_WORDS.items())):
        pattern = "|".join(re.escape(word) for word in words)
        said = pc.match_substring_regex(texts, pattern)
        found = pc.if_else(pc.and_(said, pc.is_valid(place)), name, found)
    return found


def weights(lists: pa.ListArray) -> np.ndarray:
    """How much each class raises each customer's risk.

    Parameters
    ----------
    lists : pyarrow.ListArray
        The column ``reasons`` of a score table, n customers.

    Returns
    -------
    numpy.ndarray of shape (n, 5)
        w_k = Σ w_j over the reasons j of class k with w_j > 0, in log-odds of leaving; in the
        order of `NAMES`.
    """
    items, owner = lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    place = pc.index_in(classes(items), pa.array(NAMES, pa.string()))
    codes = pc.fill_null(place, -1).to_numpy(zero_copy_only=False)
    weight = items.field("weight").to_numpy(zero_copy_only=False)
    raising = (codes >= 0) & (weight > 0)
    told = np.zeros((len(lists), len(NAMES)))
    np.add.at(told, (owner[raising], codes[raising]), weight[raising])
    return told


def heaviest(lists: pa.ListArray) -> pa.Array:
    """The driver of each customer: the class with the greatest weight.

    Parameters
    ----------
    lists : pyarrow.ListArray
        The column ``reasons`` of a score table.

    Returns
    -------
    pyarrow.StringArray
        One of `NAMES`, of equal ones the first; null where nothing raises the risk.
    """
    told = weights(lists)
    return pa.array(NAMES, pa.string()).take(
        pa.array(told.argmax(axis=1), mask=told.max(axis=1, initial=0.0) <= 0)
    )


def listed(lists: pa.ListArray) -> list[list[dict[str, Any]]]:
    """The classes of each customer for people, heaviest first.

    Parameters
    ----------
    lists : pyarrow.ListArray
        The column ``reasons`` of a score table.

    Returns
    -------
    list of list of dict
        ``driver`` (one of `NAMES`), ``weight`` (log-odds) and ``share`` of the weights, in (0, 1].
    """
    told = weights(lists)
    whole = told.sum(axis=1)
    return [
        [
            {"driver": NAMES[k], "weight": round(float(row[k]), 3), "share": float(row[k] / all_)}
            for k in np.argsort(-row, kind="stable")
            if row[k] > 0
        ]
        for row, all_ in zip(told, whole, strict=True)
    ]
