"""What was really sent, against what a plan had assigned.

In: the assignments of a plan, and whom the treatments source says was treated in its days.
Out: how many of each arm were contacted. Nothing of the effect is changed by it: that is of the
assignment, reached or not. But a holdout that was contacted, or treated customers who were not,
make the effect look smaller than the action's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.campaigns.assignments import HOLDOUT, TREATED

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Delivery:
    """Contacts of the arms of one action, or of a whole plan.

    Attributes
    ----------
    treated, held_out : int
        Customers assigned.
    reached : int
        Treated customers who were contacted.
    contaminated : int
        Held out customers who were contacted all the same.
    """

    treated: int
    held_out: int
    reached: int
    contaminated: int


def deliveries(assignments: pa.Table, sent: pa.Table) -> Mapping[str | None, Delivery]:
    """Count who was contacted, action by action.

    Parameters
    ----------
    assignments : pyarrow.Table
        Of one plan: ``customer_id``, ``action`` and ``arm``.
    sent : pyarrow.Table
        ``customer_id`` and ``action`` (null for any) of the days of the plan, as
        `features.contracts.treatments.sent` gives them, of whichever campaign.

    Returns
    -------
    mapping of str or None to Delivery
        By action; under None the whole plan, where a customer counts once and as contacted by any
        action that the customer was assigned.
    """
    rows = assignments.select(["customer_id", "action", "arm"]).to_pandas()
    found = sent.to_pandas()
    any_action = found.loc[found["action"].isna(), "customer_id"]
    named = found.dropna(subset="action").drop_duplicates().assign(contacted=True)
    rows = rows.merge(named, on=["customer_id", "action"], how="left")
    rows["contacted"] = rows["contacted"].notna() | rows["customer_id"].isin(any_action)
    told: dict[str | None, Delivery] = {
        str(name): _delivery(part) for name, part in rows.groupby("action")
    }
    once = rows.groupby(["customer_id", "arm"], as_index=False)["contacted"].any()
    return told | {None: _delivery(once)}


def _delivery(rows: pd.DataFrame) -> Delivery:
    treated, held = (rows.loc[rows["arm"] == arm, "contacted"] for arm in (TREATED, HOLDOUT))
    return Delivery(len(treated), len(held), int(treated.sum()), int(held.sum()))
