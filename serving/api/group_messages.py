"""What the service answers about groups of customers and their satisfaction, as types.

Sums and means of columns that are not of the key's scopes are null.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from serving.api.messages import Meta


class Group(BaseModel):
    """Figures of a group; money in ``meta.currency``."""

    name: str
    customers: int
    share: float = Field(ge=0, le=1, description="Of the customers of the score table.")
    equity: float | None = Field(
        description="Sum of the lifetime values (`clv`); null where none is said."
    )
    equity_share: float | None = Field(
        description="Of the table's equity; null where that is 0 or the group's is not said."
    )
    churn_probability: float | None = Field(ge=0, le=1, description="Mean.")
    expected_spend: float | None = Field(
        description="Sum over the horizon; null where none is said."
    )


class RuleGroup(Group):
    """A segment of the settings."""

    where: str = Field(description="Who belongs to it: the condition of [segments.<name>].")
    description: str


class SegmentsAnswer(BaseModel):
    """Answer of GET /segments; tiers, stages and named segments cut the table into parts."""

    meta: Meta
    tiers: list[Group] = Field(description="Empty without the scope `value`.")
    stages: list[Group]
    named: list[Group] = Field(description="RFM segments by name.")
    rules: list[RuleGroup] = Field(
        description="Segments of the settings, which may overlap; without those whose condition "
        "names a column of another scope."
    )
    notes: list[str] = Field(description="Why the segments of the settings are missing.")


class Gain(BaseModel):
    """What raised retention is worth in a tier: arithmetic on the forecast, not an effect."""

    tier: str
    customers: int
    equity: float | None = Field(description="Null where none is said.")
    gain: float | None = Field(description="By how much the equity would be more.")
    elasticity: float | None = Field(description="Relative gain over the relative raise.")


class Part(BaseModel):
    """What one kind of customer put to the change of the equity."""

    kind: Literal["won", "gone", "unsaid", "lapsed", "won_back", "grew", "shrank", "unchanged"]
    customers: int
    before: float | None
    now: float | None
    change: float | None


class Movement(BaseModel):
    """Equity at two dates; the parts add up to it. Null where it is said of nobody."""

    before: float | None
    now: float | None
    change: float | None
    parts: list[Part]


class Flow(BaseModel):
    """Customers who went from one stage or tier to another; (new), (gone) and (none) are words."""

    before: str
    now: str
    customers: int
    share: float = Field(ge=0, le=1, description="Of those with the same word before.")
    clv_before: float | None
    clv_now: float | None


class Turn(BaseModel):
    """A reason that raises the risk more than before; a driver of the score, never a cause."""

    family: str
    now: str
    then: str | None
    weight: float


class Rise(BaseModel):
    """A key account whose risk rose."""

    customer_id: str
    churn_before: float
    churn_now: float
    clv_before: float | None
    clv_now: float | None
    stage_before: str
    stage_now: str
    tier_before: str
    tier_now: str
    at_stake: float = Field(description="Rise of the risk times the lifetime value before.")
    turns: list[Turn]
    silent_before: int | None = Field(description="Days since the last purchase then.")
    silent_now: int | None = Field(description="Days since the last purchase now.")


class Since(BaseModel):
    """What changed since the score table before."""

    as_of: date
    movement: Movement
    stages: list[Flow]
    tiers: list[Flow]
    rises: list[Rise] = Field(description="Most money at stake first; needs the scope `risk` too.")
    notes: list[str] = Field(description="Doubts about the comparison.")


class Total(BaseModel):
    """The sum of the lifetime values of all customers, in ``meta.currency``."""

    equity: float | None = Field(description="Null where none is said.")
    lower: float | None = Field(
        description="Lower end of its 80 % interval, from how far whole past windows missed, those "
        "nearest to the span of the lifetime values; null where none tells. It is wider than luck "
        "among customers would have it, as what lifts all of them does not even out."
    )
    upper: float | None = Field(description="Upper end.")


class EquityAnswer(BaseModel):
    """Answer of GET /equity: the sum of the lifetime values, and how it moved."""

    meta: Meta
    total: Total
    tiers: list[Group]
    stages: list[Group]
    raised: float = Field(description="Relative raise of retention that `gains` are of.")
    gains: list[Gain]
    since: Since | None
    notes: list[str] = Field(description="Why there is no comparison.")


class MoodField(BaseModel):
    """Customers of one mood who stay or leave; null is not known."""

    mood: Literal["satisfied", "unhappy", "silent"]
    staying: bool = Field(description="In any stage but `at_risk` and `lapsed`.")
    customers: int | None = Field(
        description="Null where nobody has a stage and, of the satisfied, where nobody gave a mark."
    )
    share: float | None = Field(ge=0, le=1, description="Of all who have a stage.")
    churn_probability: float | None = Field(ge=0, le=1, description="Mean.")
    equity: float | None = Field(description="Sum of `clv`; null where none is said.")


class Mood(BaseModel):
    """A customer with a complaint, or one whose mood and stage do not go together."""

    customer_id: str
    stage: str
    tier: str | None
    churn_probability: float | None
    clv: float | None
    complaints_open: int | None
    days_since_complaint: int | None
    satisfaction_last: float | None = Field(description="The last mark.")


class SatisfactionAnswer(BaseModel):
    """Answer of GET /satisfaction: satisfaction beside loyalty, from complaints and marks."""

    meta: Meta
    fields: list[MoodField] = Field(description="All six; empty where nothing is known of events.")
    open: int | None = Field(description="Customers with an open complaint; null if not known.")
    scale: tuple[float, float] | None = Field(
        description="Lowest and highest mark; null where nobody gave one."
    )
    complaints: list[Mood] = Field(
        description="Open complaints, 15 at most: the most lifetime value first, or the most risk "
        "without the scope `value`."
    )
    leaving: list[Mood] = Field(description="Satisfied and at risk, 15 at most.")
    staying: list[Mood] = Field(description="Unhappy and in rhythm still, 15 at most.")
    notes: list[str] = Field(description="Why nothing is known.")
