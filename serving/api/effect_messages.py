"""What the service answers about measured plans, as types.

Shares are in [0, 1], purchases in occasions, money in ``currency``, all for each assigned customer.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serving.api.messages import Meta

Share = Annotated[float, Field(ge=0, le=1)]


class RatioFigures(BaseModel):
    """Sizes of the arms against what was drawn."""

    treated: int
    holdout: int
    expected: float = Field(description="Treated, by the drawn shares of those who are left.")
    probability: Share = Field(description="Of arms so far from their shares, by chance.")
    broken: bool = Field(description="Below 0.001: nothing is concluded.")


class DifferenceFigures(BaseModel):
    """An outcome of both arms; null where there is too little to say."""

    outcome: str = Field(
        description="`returned`, `purchases`, `spend`, `profit`; of guardrails the share of "
        "customers with `complaints`, `refunds`, `unsubscribes`."
    )
    treated: float = Field(description="Mean.")
    holdout: float = Field(description="Mean.")
    difference: float | None
    lower: float | None = Field(description="Of the 95 % interval of the difference.")
    upper: float | None
    error: float | None = Field(description="Standard error of the difference.")
    adjusted: bool = Field(description="Whether the scores of the plan were taken into account.")
    plain: tuple[float, float, float] | None = Field(
        description="Difference and interval without them."
    )
    verdict: Literal["rise", "fall", "none", "too_little"] = Field(
        description="The interval is above 0, below 0, or covers it; or too little to say."
    )
    needed: int | None = Field(description="Customers more that it would take, about.")
    smallest: float | None = Field(
        description="Smallest difference that is shown in four cases of five."
    )


class DeliveryFigures(BaseModel):
    """What was sent, by the treatments source, against what was assigned."""

    treated: int = Field(description="Customers assigned to be treated.")
    held_out: int = Field(description="Customers held out.")
    reached: int = Field(description="Treated customers who were contacted.")
    contaminated: int = Field(
        description="Held out customers who were contacted all the same: the effect is diluted."
    )


class BeliefFigures(BaseModel):
    """A number that is not known exactly."""

    mean: float
    sd: float = Field(ge=0, description="Standard deviation.")


class ActionEffect(BaseModel):
    """What an action changed."""

    action: str | None = Field(description="Null for the plan as a whole.")
    ratio: RatioFigures
    outcomes: list[DifferenceFigures] = Field(description="Empty where the arms are broken.")
    guardrails: list[DifferenceFigures]
    flagged: list[str] = Field(description="Guardrails that rose.")
    learned: dict[Literal["kept", "lift"], BeliefFigures] = Field(
        description="Estimates of what plans reckon with, each with its standard error."
    )
    unknown: int = Field(description="Customers whom the sources no longer know.")
    left_out: int = Field(description="Customers of strata that lack an arm.")
    others: int = Field(description="Treated customers who got another action too.")
    delivery: DeliveryFigures | None = Field(
        description="Null without [sources.treatments]. The effect is of the assignment either way."
    )


class PlanEffect(BaseModel):
    """What a plan changed."""

    plan_id: str
    as_of: date = Field(description="First day of the campaign.")
    horizon_days: int
    days: int = Field(description="Days that were observed.")
    over: bool
    measured_on: date
    misdrawn: int = Field(description="Customers whose arm was not drawn; above 0 nothing is said.")
    actions: list[ActionEffect]
    held_out: int = Field(description="Customers held out.")
    treated_elsewhere: int = Field(
        description="Of the held out, those whom other plans treated: the effect is diluted."
    )


class ActionBelief(BaseModel):
    """What the next plans reckon with."""

    action: str
    kept: BeliefFigures = Field(description="Share of the leaving that is kept.")
    lift: BeliefFigures = Field(description="Relative change of what the others spend.")
    source: str = Field(description="The plan that was measured last.")
    since: date
    treated: int = Field(description="Customers treated in all that was measured.")


class EffectsAnswer(BaseModel):
    """Answer of GET /effects."""

    meta: Meta | None = Field(description="Of the newest score table; null where there is none.")
    name: str
    currency: str
    plans: list[PlanEffect] = Field(description="Measured plans, the newest campaign first.")
    beliefs: list[ActionBelief] = Field(description="By action, of those that were kept.")
