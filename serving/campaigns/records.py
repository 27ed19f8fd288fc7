"""What became of the customers of a plan: assignments joined with outcomes, action by action.

In: the assignments of a plan, the outcomes of its days (`features.aftermath`), and what actions
cost. Out: arrays for the comparison of the arms. Everybody assigned counts as assigned, reached or
not. Customers whom the sources no longer know are left out and counted: nothing can be said of
them, and if more of one arm are gone, the check of the arms' sizes tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.aftermath import HARMS
from serving import margins
from serving.campaigns import holdout
from serving.campaigns.assignments import HOLDOUT, TREATED

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Floats = NDArray[np.float64]

#: What an action is for. Profit is margin times spend less the treatment's cost, over the horizon.
OUTCOMES = ("returned", "purchases", "spend", "profit")
#: Scores of the day of the plan, which explain a part of the outcomes.
SCORES = ("return_probability", "expected_purchases", "expected_spend")


@dataclass(frozen=True)
class Costs:
    """What a treatment costs.

    Attributes
    ----------
    fixed : float >= 0
        In currency.
    per_spend : float in [0, 1]
        Share of what the customer spends within the horizon.
    """

    fixed: float
    per_spend: float = 0.0


@dataclass(frozen=True)
class Records:
    """Customers of one action, or of a whole plan.

    Attributes
    ----------
    action : str or None
        None for the plan as a whole.
    treated : ndarray of shape (n,), bool
    strata : ndarray of shape (n,), int from 0 on
    shares : ndarray of shape (n,), in (0, 1)
        Treated share of the stratum, as it was drawn.
    outcomes : mapping of str to ndarray of shape (n,)
        By the names of `OUTCOMES`; money is missing where no price is known.
    harms : mapping of str to ndarray of shape (n,)
        Whether it happened to the customer, 1 or 0; only what a source tells.
    scores : ndarray of shape (n, 3)
        `SCORES`; NaN where one was not said.
    lost : tuple of int
        Treated and held out customers whom the sources no longer know.
    others : int
        Treated customers who got another action of the plan too.
    """

    action: str | None
    treated: NDArray[np.bool_]
    strata: NDArray[np.int64]
    shares: Floats
    outcomes: Mapping[str, Floats]
    harms: Mapping[str, Floats]
    scores: Floats
    lost: tuple[int, int] = (0, 0)
    others: int = 0


def gather(
    assignments: pa.Table,
    happened: pa.Table,
    *,
    margin: float,
    costs: Mapping[str, Costs],
) -> tuple[Records, ...]:
    """Join the assignments of a plan with what happened.

    Parameters
    ----------
    assignments : pyarrow.Table
        Of the schema `serving.campaigns.assignments.SCHEMA`, of one plan.
    happened : pyarrow.Table
        As `features.aftermath.aftermath` gives it.
    margin : float
        Share of the spend that is profit, in (0, 1], where the assignment says none.
    costs : mapping of str to Costs
        By action; one that is not in it costs what its assignments say.

    Returns
    -------
    tuple of Records
        Action by action in the order of their names, then the whole plan if it has several.
    """
    rows = assignments.to_pandas().merge(happened.to_pandas(), on="customer_id", how="left")
    rows["earned"] = margins.rates(rows, margin) * rows["spend"]
    rows["paid"] = _paid(rows, costs)
    names = sorted(rows["action"].unique())
    several = rows["customer_id"].duplicated(keep=False)
    found = [_records(rows[rows["action"] == name], name, several) for name in names]
    if len(names) > 1:
        paid = rows.groupby("customer_id")["paid"].transform("sum")
        once = rows.assign(paid=paid).drop_duplicates("customer_id")
        found.append(_records(once, None, several & False))
    return tuple(found)


def misdrawn(assignments: pa.Table, key: bytes) -> int:
    """Customers whose arm is not the one that the key draws.

    Parameters
    ----------
    assignments : pyarrow.Table
        Of one plan, complete.
    key : bytes
        Of the store that the plan was drawn in.

    Returns
    -------
    int
        0 where the holdout is the one that was drawn: nobody chose who is in it.
    """
    rows = assignments.to_pandas().drop_duplicates("customer_id")
    if rows.empty:
        return 0
    drawn = holdout.draw(
        rows["customer_id"].tolist(),
        rows["stratum"].to_numpy(str),
        # The share of the settings: 1 − (1 − 0.1) would be a little less.
        round(1 - float(rows["treated_share"].iloc[0]), 12),
        plan_id=str(rows["plan_id"].iloc[0]),
        key=key,
    )
    return int(((rows["arm"] == HOLDOUT).to_numpy(bool) != drawn).sum())


def _paid(rows: pd.DataFrame, costs: Mapping[str, Costs]) -> Floats:
    """Cost of each assignment, in currency; the held out cost nothing."""
    known = {name: (one.fixed, one.per_spend) for name, one in costs.items()}
    fixed = rows["action"].map({name: pair[0] for name, pair in known.items()})
    share = rows["action"].map({name: pair[1] for name, pair in known.items()})
    spent = np.maximum(rows["spend"].to_numpy(np.float64), 0.0)
    asked = fixed.to_numpy(np.float64) + share.to_numpy(np.float64) * spent
    cost = np.where(fixed.isna(), rows["cost"].to_numpy(np.float64), asked)
    return np.where(rows["arm"] == TREATED, cost, 0.0)


def _records(rows: pd.DataFrame, action: str | None, several: pd.Series) -> Records:
    import pandas as pd

    known = rows["returned"].notna()
    some, gone = rows[known], ~known & (rows["arm"] == TREATED)
    treated = (some["arm"] == TREATED).to_numpy(bool)
    outcomes = {name: some[name].to_numpy(np.float64) for name in OUTCOMES[:3]}
    outcomes["profit"] = (some["earned"] - some["paid"]).to_numpy(np.float64)
    return Records(
        action=action,
        treated=treated,
        strata=pd.factorize(some["stratum"])[0].astype(np.int64),
        shares=some["treated_share"].to_numpy(np.float64),
        outcomes=outcomes,
        harms={name: np.where(some[name] > 0, 1.0, 0.0) for name in HARMS if name in some.columns},
        scores=some[list(SCORES)].to_numpy(np.float64, na_value=np.nan),
        lost=(int(gone.sum()), int((~known).sum() - gone.sum())),
        others=int((treated & several[some.index].to_numpy(bool)).sum()),
    )
