"""Subscribers with known retention: for tests, and for what a method may claim.

Exact draws in whole columns, no loop over customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from training.subscriptions.retention import Parameters
from training.subscriptions.sbg import Histories

# A customer who ends with probability 0 never does.
_NEVER = 1e9


def lifetimes(truth: Parameters, customers: int, random: np.random.Generator) -> np.ndarray:
    """Renewals that customers of an sBG cohort make before they end.

    Parameters
    ----------
    truth : Parameters
    customers : int
    random : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    ndarray of shape (customers,)
        T − 1 >= 0 with θ ~ Beta(α, β) and P(T = t | θ) = θ(1 − θ)^(t − 1), as whole numbers.
    """
    return renewals_before_end(random.beta(truth.alpha, truth.beta, customers), random)


def renewals_before_end(chance: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Renewals before the end where each is the last with a given chance.

    Parameters
    ----------
    chance : ndarray in [0, 1]
        To end at a renewal.
    random : numpy.random.Generator

    Returns
    -------
    ndarray
        Whole numbers >= 0.
    """
    with np.errstate(divide="ignore"):
        made = np.floor(np.log1p(-random.random(chance.shape)) / np.log1p(-chance))
    return np.clip(made, 0.0, _NEVER)


def cohorts(
    truth: Parameters, customers: int, observed: np.ndarray, random: np.random.Generator
) -> Histories:
    """Histories of customers of whom only some renewals have come up yet.

    Parameters
    ----------
    truth : Parameters
    customers : int
    observed : ndarray of shape (customers,)
        Renewals that have come up for each, if they stayed.
    random : numpy.random.Generator

    Returns
    -------
    Histories
    """
    made = lifetimes(truth, customers, random)
    fates = np.column_stack([np.minimum(made, observed), made >= observed])
    distinct, counts = np.unique(fates, axis=0, return_counts=True)
    return Histories.of(distinct[:, 0], distinct[:, 1] > 0, counts)


@dataclass(frozen=True)
class Business:
    """Plans, how they renew, and what else moves a renewal.

    Parameters
    ----------
    plans : mapping of str to (Parameters, float, int)
        Retention at an unchanged price, price of a term, and months of a term.
    rise_chance, rise : float
        Chance of a higher price at a renewal, and by what factor.
    rise_effect : float
        Log-odds to end that a rise adds to the two renewals after it.
    late_effect : float
        Log-odds by which a customer who pays late is likelier to end; one in five does so.
    back : float
        Chance to come back, one to seven months after the end.
    involuntary : float
        Share of the ends that are a payment that failed.
    """

    plans: Mapping[str, tuple[Parameters, float, int]] = field(
        default_factory=lambda: {
            "basic": (Parameters(1.0, 9.0), 10.0, 1),
            "gold": (Parameters(0.8, 15.0), 25.0, 1),
            "annual": (Parameters(1.5, 4.0), 90.0, 12),
        }
    )
    rise_chance: float = 0.06
    rise: float = 1.25
    rise_effect: float = 1.5
    late_effect: float = 1.0
    back: float = 0.25
    involuntary: float = 0.3


def periods(
    business: Business, customers: int, first: date, days: int, random: np.random.Generator
) -> pd.DataFrame:
    """Paid periods of customers who join at random days.

    Parameters
    ----------
    business : Business
    customers : int
    first : date
        First day of the business.
    days : int
        Days that are observed; nothing begins on a later one.
    random : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        One row a paid period, in no order: ``customer_id``, ``start``, ``end`` (datetime64[D], up
        to when it is paid), ``plan``, ``price``, ``end_reason`` (null unless it was the last),
        ``spell`` (number over all customers), and the hidden ``chance`` to end at its end.
    """
    names = list(business.plans)
    who = np.arange(customers)
    plan = random.integers(0, len(names), customers)
    joined = np.datetime64(first, "D") + random.integers(0, days, customers)
    late = random.random(customers) < 0.2
    last = np.datetime64(first, "D") + days
    begun = _spells(business, who, plan, joined, late, last, random)
    # Once: who comes back twice is left to real data.
    ended = begun[begun["end_reason"].notna() & (begun["end"] < last)]
    ended = ended[random.random(len(ended)) < business.back]
    again = ended["end"].to_numpy("datetime64[D]") + random.integers(30, 210, len(ended))
    who, soon = ended["who"].to_numpy(), again < last
    second = _spells(
        business, who[soon], plan[who[soon]], again[soon], late[who[soon]], last, random
    )
    second["spell"] += begun["spell"].max() + 1
    rows = pd.concat([begun, second], ignore_index=True)
    rows["customer_id"] = "s" + rows["who"].astype(str).str.zfill(6)
    rows["plan"] = np.array(names, dtype=object)[rows["plan"]]
    return rows.drop(columns="who")


def subscriptions(paid: pd.DataFrame) -> pd.DataFrame:
    """The same customers with one row a subscription: a new one where the price changed.

    Parameters
    ----------
    paid : pandas.DataFrame
        From `periods`.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``start``, ``end`` (NaT while it runs), ``plan``, ``price``,
        ``end_reason``.
    """
    rows = paid.sort_values(["spell", "start"], ignore_index=True)
    opens = (rows["spell"] != rows["spell"].shift()) | (rows["price"] != rows["price"].shift())
    stretch = rows.groupby(opens.cumsum().to_numpy(), sort=True)
    found = stretch[["customer_id", "start", "plan", "price", "spell"]].first()
    closing = stretch[["end", "end_reason"]].last()
    goes_on = found["spell"] == found["spell"].shift(-1)
    runs = ~goes_on & closing["end_reason"].isna()
    found["end"] = found["start"].shift(-1).where(goes_on, closing["end"]).mask(runs)
    found["end_reason"] = closing["end_reason"]
    return found.drop(columns="spell").reset_index(drop=True)


def _spells(
    business: Business,
    who: np.ndarray,
    plan: np.ndarray,
    joined: np.ndarray,
    late: np.ndarray,
    last: np.datetime64,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Paid periods of one spell each, period by period for all at once."""
    from scipy.special import expit, logit

    truths = list(business.plans.values())
    a, b = (np.array([getattr(t[0], name) for t in truths])[plan] for name in ("alpha", "beta"))
    own = logit(np.clip(random.beta(a, b), 1e-6, 1 - 1e-6)) + business.late_effect * late
    price = np.array([t[1] for t in truths])[plan]
    months = np.array([t[2] for t in truths])[plan]
    since_rise = np.full(len(who), 99)
    start, anchor, number = joined.copy(), joined, 0
    there = np.ones(len(who), dtype=bool)
    parts = []
    while there.any():
        number += 1
        end = _later(anchor, months * number)
        chance = expit(own + business.rise_effect * (since_rise < 2))
        leaves = random.random(len(who)) < chance
        failed = random.random(len(who)) < business.involuntary
        reason = np.where(failed, "involuntary", "voluntary")
        columns = {"who": who, "start": start, "end": end, "plan": plan, "price": price}
        why = pd.Series(reason).where(leaves)
        told = {"end_reason": why, "chance": chance, "spell": np.arange(len(who))}
        parts.append(pd.DataFrame(columns | told)[there])
        delay = np.where(late, random.integers(0, 5, len(who)), 0)
        start = end + delay
        rises = random.random(len(who)) < business.rise_chance
        price = np.where(rises, np.round(price * business.rise, 2), price)
        since_rise = np.where(rises, 0, since_rise + 1)
        there = there & ~leaves & (start < last)
    return pd.concat(parts, ignore_index=True)


def _later(day: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The same day of a later month, or the last that it has."""
    month = day.astype("datetime64[M]")
    ahead = month + months.astype("timedelta64[M]")
    length = (ahead + 1).astype("datetime64[D]") - ahead.astype("datetime64[D]")
    place = np.minimum(day - month.astype("datetime64[D]"), length - 1)
    return ahead.astype("datetime64[D]") + place
