"""The audience of each action: whom it is for, and whom a guardrail holds back.

In: score rows, the settings of the actions, what the customers source says of consent, and when
each customer was treated last. Out: which pairs of customer and action may be, and how many
customers each guardrail held back. A pair that several guardrails forbid counts for the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from features.contracts.customers import NO, YES
from serving.campaigns.settings import ActionSettings
from serving.errors import CampaignError

if TYPE_CHECKING:
    import pandas as pd

SUPPRESSED, NO_CONSENT = "suppressed", "no consent"
IN_A_PLAN = "in a plan that still runs"
COOLING_OFF = "cooling off"
KEY_ACCOUNT = "key account without a named owner"
GUARDRAILS = (SUPPRESSED, NO_CONSENT, IN_A_PLAN, COOLING_OFF, KEY_ACCOUNT)
RAISES = "raises risk"
# The kinds of a column of the customers source that can say who may be contacted.
_KINDS = ("permission_", "attribute_")


@dataclass(frozen=True)
class Audience:
    """Who may get what.

    Attributes
    ----------
    allowed : boolean array of shape (n customers, m actions)
    held_back : mapping of str to int
        Guardrail to the customers that it kept from an action meant for them, one at least.
    kept_from : mapping of str to tuple of str
        Guardrail to the actions that it kept somebody from; only those that did.
    """

    allowed: np.ndarray
    held_back: Mapping[str, int]
    kept_from: Mapping[str, tuple[str, ...]]


def audience(
    scores: pd.DataFrame,
    actions: Mapping[str, ActionSettings],
    *,
    as_of: date,
    suppressed: str | None = None,
    customers: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    engaged: pd.Series | None = None,
) -> Audience:
    """Find out who may get what.

    Parameters
    ----------
    scores : pandas.DataFrame
        Score rows.
    actions : mapping of str to ActionSettings
        By name.
    as_of : date
        Day of the plan, for the cooling-off.
    suppressed : str, optional
        Column that says who is never contacted.
    customers : pandas.DataFrame, optional
        ``customer_id``, ``permission_*`` and ``attribute_*``, one row a customer. Who is not in
        it has not consented, and is not suppressed.
    contacts : pandas.DataFrame, optional
        ``customer_id``, ``action`` (null for any) and ``day``, as
        `features.contracts.treatments.last_treated` gives them.
    engaged : pandas.Series, optional
        Ids of the customers in plans that still run, treated or held out.

    Returns
    -------
    Audience

    Raises
    ------
    CampaignError
        If a consent or suppression is asked for that no customers table has.
    """
    facts = _facts(scores, customers)
    never = np.zeros(len(scores), dtype=bool)
    if suppressed is not None:
        said = _words(facts, suppressed)
        never = (said != "") & ~np.isin(said, NO)
    taken = np.zeros(len(scores), dtype=bool)
    if engaged is not None:
        taken = scores["customer_id"].isin(engaged).to_numpy(dtype=bool)
    key = (scores["tier"] == "key").fillna(False).to_numpy(dtype=bool)
    allowed = np.zeros((len(scores), len(actions)), dtype=bool)
    held = {name: np.zeros(len(scores), dtype=bool) for name in GUARDRAILS}
    kept_from: dict[str, tuple[str, ...]] = {}
    for place, (name, action) in enumerate(actions.items()):
        open_ = _meant(scores, action)
        guards = {
            SUPPRESSED: never,
            NO_CONSENT: _without_consent(facts, action, len(scores)),
            IN_A_PLAN: taken,
            COOLING_OFF: _cooling(scores, name, action, contacts, as_of),
            KEY_ACCOUNT: key & (action.mass or action.owner is None),
        }
        for guard, stops in guards.items():
            if (open_ & stops).any():
                held[guard] |= open_ & stops
                kept_from[guard] = (*kept_from.get(guard, ()), name)
            open_ &= ~stops
        allowed[:, place] = open_
    return Audience(allowed, {guard: int(who.sum()) for guard, who in held.items()}, kept_from)


def _facts(scores: pd.DataFrame, customers: pd.DataFrame | None) -> pd.DataFrame | None:
    """What is known of the customers, in the rows of the scores."""
    if customers is None:
        return None
    wanted = scores["customer_id"].astype("object")
    return customers.set_index(customers["customer_id"].astype("object")).reindex(wanted)


def _words(facts: pd.DataFrame | None, column: str) -> np.ndarray:
    """Values of a column as words in small letters, blank where there is none."""
    there = [] if facts is None else [f"{kind}{column}" for kind in _KINDS]
    name = next((one for one in there if facts is not None and one in facts), None)
    if facts is None or name is None:
        raise CampaignError(
            f"Got no customers with the column {column!r}, which decides who may be contacted; "
            "add it to `permissions` in [sources.customers]."
        )
    values = facts[name]
    if values.dtype.kind == "f":
        # 1.0 is the 1 of a column of numbers.
        number = values.to_numpy("float64")
        return np.where(
            np.isnan(number), "", np.where(number == 1, "1", np.where(number == 0, "0", "other"))
        )
    return values.astype("object").where(values.notna(), "").astype(str).str.lower().to_numpy(str)


def _without_consent(
    facts: pd.DataFrame | None, action: ActionSettings, customers: int
) -> np.ndarray:
    if action.consent is None:
        return np.zeros(customers, dtype=bool)
    return ~np.isin(_words(facts, action.consent), YES)


def _cooling(
    scores: pd.DataFrame,
    name: str,
    action: ActionSettings,
    contacts: pd.DataFrame | None,
    as_of: date,
) -> np.ndarray:
    """Who had it, or an action without a name, within its cooling-off."""
    if contacts is None or not action.cooling_off_days:
        return np.zeros(len(scores), dtype=bool)
    since = np.datetime64(as_of - timedelta(days=action.cooling_off_days))
    same = contacts["action"].isna() | (contacts["action"] == name)
    late = contacts["day"].to_numpy("datetime64[D]") >= since
    recent = contacts.loc[same.fillna(True).to_numpy(bool) & late, "customer_id"]
    return scores["customer_id"].isin(recent).to_numpy(dtype=bool)


def _meant(scores: pd.DataFrame, action: ActionSettings) -> np.ndarray:
    """Whom an action is for by stage, tier, risk and reasons."""
    risk = scores["churn_probability"].to_numpy("float64", na_value=np.nan)
    meant = (risk >= action.min_risk) & (risk <= action.max_risk)
    for column, names in (("stage", action.stages), ("tier", action.tiers)):
        if names:
            meant &= scores[column].isin(names).to_numpy(dtype=bool, na_value=False)
    return meant & _has_reason(scores, action.reasons) if action.reasons else meant


def _has_reason(scores: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    """Who has a reason that raises the risk, by its family or its class."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from serving.insight import drivers

    lists = pa.array(scores["reasons"])
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.combine_chunks()
    items, owner = lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    asked = pa.array(names, pa.string())
    named = pc.or_(pc.is_in(items.field("family"), asked), pc.is_in(drivers.classes(items), asked))
    fits = pc.and_(named, pc.equal(items.field("direction"), RAISES))
    found = np.zeros(len(scores), dtype=bool)
    found[owner[fits.to_numpy(zero_copy_only=False)]] = True
    return found
