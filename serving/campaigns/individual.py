"""Effects of actions customer by customer: from past plans to what the next one may reckon with.

In: assignments of past plans (`serving.campaigns.assignments`), behaviour rows of their days, and
what came of them. Out: a randomised trial that `training.uplift` learns from; and, from what it
learned, arrays of customers × actions that a planner takes in place of the average belief.

Under a plan each customer was meant for one action and got it or nothing, with the probability that
the assignment holds; other actions were not open to that customer. Units: returns as differences of
probabilities, spend in the settings' currency, both over the plan's horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serving.campaigns.assignments import ARMS, TREATED
from serving.errors import CampaignError
from training.uplift.trial import RETURNED, SPEND, Trial

if TYPE_CHECKING:
    from training.uplift.model import UpliftModel

NOTHING_DONE = "nothing"
_KEY = ["customer_id", "as_of"]


@dataclass(frozen=True)
class IndividualEffects:
    """What each action changes for each customer, against doing nothing.

    Attributes
    ----------
    actions : tuple of str
        Columns of the arrays.
    returned, returned_sd : ndarray of shape (n_customers, n_actions)
        Change of the return probability, and its standard error.
    spend, spend_sd : ndarray of shape (n_customers, n_actions)
        Change of the expected spend in currency, and its standard error.
    learned : ndarray of shape (n_actions,), bool
        Whether anything was learned of the action; its columns are NaN where not.
    chooses : bool
        Whether the gate lets the effects tell customers apart; else all have the average one.
    why : str
        The gate's word, for people.

    Raises
    ------
    CampaignError
        When an array has another shape, or a learned effect is missing.
    """

    actions: tuple[str, ...]
    returned: np.ndarray
    returned_sd: np.ndarray
    spend: np.ndarray
    spend_sd: np.ndarray
    learned: np.ndarray
    chooses: bool
    why: str

    def __post_init__(self) -> None:
        shape = (len(self.spend), len(self.actions))
        for array in (self.returned, self.returned_sd, self.spend, self.spend_sd):
            if array.shape != shape or not np.isfinite(array[:, self.learned]).all():
                raise CampaignError(
                    f"Got effects of shape {array.shape} or with gaps; expected a number for each "
                    f"of {shape[0]} customers and each learned one of {shape[1]} actions."
                )

    def kept(self, return_probability: np.ndarray) -> np.ndarray:
        """Share of those who would leave that an action keeps, as `belief.Effect.kept` has it.

        Parameters
        ----------
        return_probability : ndarray of shape (n_customers,)
            Where nothing is done.

        Returns
        -------
        ndarray of shape (n_customers, n_actions)
            Change of the return probability / (1 − return probability), at most 1; 0 for those who
            return anyway.
        """
        leaving = 1.0 - np.asarray(return_probability, dtype=np.float64)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(leaving > 0, self.returned / leaving, 0.0)
        return np.minimum(share, 1.0)

    def lift(self, return_probability: np.ndarray, expected_spend: np.ndarray) -> np.ndarray:
        """Relative change of what those who return spend, as `belief.Effect.lift` has it.

        Parameters
        ----------
        return_probability, expected_spend : ndarray of shape (n_customers,)
            Where nothing is done.

        Returns
        -------
        ndarray of shape (n_customers, n_actions)
            (s + Δs) / (p + Δp) over s / p, less 1; with `kept` it gives back the change of spend.
            0 where nothing is expected with the action or without it.
        """
        p = np.asarray(return_probability, dtype=np.float64)[:, None]
        s = np.asarray(expected_spend, dtype=np.float64)[:, None]
        after = np.clip(p + self.returned, 0.0, 1.0)
        usable = (p > 0) & (s > 0) & ~(after <= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(usable, (s + self.spend) / after * (p / s) - 1.0, 0.0)


def trial_of(
    assignments: pd.DataFrame,
    behaviour: pd.DataFrame,
    outcomes: pd.DataFrame,
    columns: Sequence[str],
) -> Trial:
    """A trial from past plans.

    Parameters
    ----------
    assignments : DataFrame
        With the columns of `serving.campaigns.assignments.SCHEMA`; of one or more plans.
    behaviour : DataFrame
        ``customer_id``, ``as_of`` and the columns a model may read, a row for each of both.
    outcomes : DataFrame
        ``customer_id``, ``as_of``, ``returned`` and ``spend`` over the plan's horizon.
    columns : sequence of str
        What the model may read.

    Returns
    -------
    Trial
        Arms are doing nothing, then the actions in alphabetical order.

    Raises
    ------
    CampaignError
        When an arm is unknown, a probability is not inside (0, 1), or behaviour or outcome of an
        assignment is missing or there twice.
    """
    strange = sorted(set(assignments["arm"]) - set(ARMS))
    share = assignments["treated_share"].to_numpy(np.float64)
    if strange or not ((share > 0) & (share < 1)).all():
        raise CampaignError(
            f"Got assignments with the arms {strange} or a treated share outside (0, 1); expected "
            f"{ARMS} and a holdout in every plan that is learned from."
        )
    known = _matched(assignments, behaviour, columns, "behaviour")
    came = _matched(assignments, outcomes, (RETURNED, SPEND), "outcomes")
    actions = tuple(sorted(assignments["action"].unique()))
    place = pd.Index(actions).get_indexer(assignments["action"]) + 1
    propensity = np.zeros((len(known), len(actions) + 1))
    propensity[np.arange(len(known)), place] = share
    propensity[:, 0] = 1.0 - share
    return Trial(
        columns=known,
        arms=(NOTHING_DONE, *actions),
        arm=np.where(assignments["arm"] == TREATED, place, 0),
        propensity=propensity,
        outcomes={name: came[name].to_numpy(np.float64) for name in (RETURNED, SPEND)},
        group=pd.factorize(assignments["customer_id"])[0],
    )


def effects_of(
    model: UpliftModel, behaviour: pd.DataFrame, actions: Sequence[str]
) -> IndividualEffects:
    """What a learned model says of a plan's customers and actions.

    Parameters
    ----------
    model : training.uplift.model.UpliftModel
    behaviour : DataFrame of shape (n_customers, at least n_columns)
        Behaviour rows of the plan's day.
    actions : sequence of str
        Of the plan, in its order.

    Returns
    -------
    IndividualEffects
    """
    place = pd.Index(model.actions).get_indexer(pd.Index(list(actions)))
    learned = place >= 0
    found = {}
    for outcome in (RETURNED, SPEND):
        for name, told in zip(("", "_sd"), model.effect(behaviour, outcome), strict=True):
            array = np.full((len(behaviour), len(learned)), np.nan)
            array[:, learned] = told[:, place[learned]]
            found[outcome + name] = array
    passed, why = model.verdict.passed, model.verdict.why
    return IndividualEffects(tuple(actions), **found, learned=learned, chooses=passed, why=why)


def incremental_profit(
    effects: IndividualEffects,
    average: np.ndarray,
    costs: np.ndarray,
    margin: float,
) -> np.ndarray:
    """What each action earns with each customer: learned where it was, else as believed.

    Parameters
    ----------
    effects : IndividualEffects
    average : ndarray of shape (n_customers, n_actions)
        Change of spend by the average belief, in currency.
    costs : ndarray of shape (n_customers, n_actions) or (n_actions,)
        In currency.
    margin : float in (0, 1]
        Share of the spend that remains as profit.

    Returns
    -------
    ndarray of shape (n_customers, n_actions)
        margin · change of spend − cost, in currency; what a planner maximises.
    """
    spend = np.where(effects.learned, effects.spend, average)
    return margin * spend - costs


def _matched(
    assignments: pd.DataFrame, table: pd.DataFrame, columns: Sequence[str], what: str
) -> pd.DataFrame:
    """The row of each assignment, in the order of the assignments."""
    twice = int(table.duplicated(_KEY).sum())
    row = pd.MultiIndex.from_frame(assignments[_KEY])
    place = np.full(len(row), -1) if twice else _positions(table, row)
    missing = int((place < 0).sum())
    if twice or missing:
        told = f"name {twice} twice" if twice else f"lack {missing} of {len(row)} assignments"
        raise CampaignError(
            f"Got {what} that {told}; expected one row for each customer and "
            "as-of date of the assignments."
        )
    return table.iloc[place][list(columns)].reset_index(drop=True)


def _positions(table: pd.DataFrame, row: pd.MultiIndex) -> np.ndarray:
    return np.asarray(pd.MultiIndex.from_frame(table[_KEY]).get_indexer(row))
