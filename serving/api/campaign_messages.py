"""What the service is asked about plans and what it answers, as types.

Money is in ``meta.currency``; probabilities and shares are in [0, 1].
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from serving.api import limits
from serving.api.messages import Meta, Request

Share = Annotated[float | None, Field(ge=0, le=1)]
State = Literal["proposed", "being_made", "kept"]


class PlanRequest(Request):
    """A plan to propose, to keep, or to read."""

    budget: float | None = Field(
        default=None,
        ge=0,
        le=1e15,
        allow_inf_nan=False,
        description="What it may cost; that of the settings when not given.",
    )
    actions: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Names in [actions] of the settings that may be used; all when not given.",
    )
    keep: bool = Field(
        default=False,
        strict=True,
        description="Whether the plan is made: kept in the store, its holdout drawn, and noted in "
        "the audit file. Else nothing is kept.",
    )
    plan_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
        description="A plan that is kept, to read it; then nothing else is given but the page.",
    )
    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=50, ge=1, le=limits.MAX_PAGE_SIZE)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.plan_id is not None and (self.keep or self.budget is not None or self.actions):
            raise ValueError("give plan_id, or budget, actions and keep, but not both")
        return self


class ForecastFigures(BaseModel):
    """Customers, cost and profit of what is done."""

    treated: int = Field(description="Treatments, without those held out.")
    cost: float
    profit: float = Field(description="Expected incremental profit, the cost taken off.")
    lower: float = Field(description="Of the profit, 80 % band by what is believed of the effects.")
    upper: float
    chance: Share = Field(description="That it earns more than it costs, by the same beliefs.")


class ActionFigures(BaseModel):
    """An action within a plan."""

    action: str
    channel: str
    owner: str | None
    source: str = Field(description="`assumed`, or the plan that its effect was measured in.")
    since: date | None = Field(description="When it was measured; null where it is assumed.")
    chosen: int = Field(description="Customers, those held out among them.")
    forecast: ForecastFigures
    capacity: int | None = Field(default=None, description="How many it can take.")
    measured: int | None = Field(
        default=None, description="Customers treated in what was measured."
    )


class Point(BaseModel):
    """What a budget brings."""

    budget: float
    cost: float
    profit: float
    next_coin: float = Field(description="What the next coin brings, its own return included.")


class CurveFigures(BaseModel):
    """Profit against budget."""

    points: list[Point]
    knee: float = Field(description="From here on the next coin brings back less than itself.")
    customers: int = Field(description="From how many customers it was drawn.")
    estimated: bool = Field(default=False, description="Whether these stand for more.")


class HoldoutFigures(BaseModel):
    """What the holdout can show, of the return rate."""

    treated: int
    holdout: int
    base: Share = Field(description="Share of the holdout that is expected to return.")
    expected: float | None = Field(description="Believed difference of the shares.")
    power: Share = Field(description="Chance to show that difference.")
    smallest: Share = Field(description="Smallest difference that is shown in four cases of five.")
    smallest_adjusted: Share = Field(description="The same given the scores.")


class PlanFigures(BaseModel):
    """A plan in figures."""

    plan_id: str
    as_of: date
    horizon_days: int
    budget: float | None
    total: ForecastFigures
    actions: list[ActionFigures]
    assumed: list[str] = Field(description="Actions whose effect was never measured.")
    held_back: dict[str, int] = Field(
        description="Guardrail to customers that it kept from one of the actions at least."
    )
    kept_from: dict[str, list[str]] = Field(
        default_factory=dict, description="Guardrail to the actions that it kept them from."
    )
    unscored: int = Field(description="Customers of whom too little can be said to plan for them.")
    curve: CurveFigures
    holdout: HoldoutFigures
    gap: float = Field(description="How far the best plan can be away, as a share of its profit.")


class Assignment(BaseModel):
    """Who gets what; columns of other scopes than the key's are left out."""

    assignment_id: str
    plan_id: str
    customer_id: str
    as_of: date
    horizon_days: int
    action: str
    channel: str
    owner: str | None
    arm: Literal["treated", "holdout"] | None = Field(
        default=None, description="Told once the plan is kept: nobody can ask until a draw suits."
    )
    stratum: str | None = None
    treated_share: float
    cost: float
    expected_profit: float
    return_probability: Share = None
    expected_purchases: float | None
    expected_spend: float | None
    margin_rate: float | None = Field(
        default=None, description="Share of the spend that is profit; below 0 for a loss."
    )


class PlanAnswer(BaseModel):
    """Answer of /plan."""

    meta: Meta
    plan_id: str
    state: State = Field(
        description="`being_made`: ask again with its plan_id in a moment; there are no figures "
        "yet."
    )
    estimated_from: int | None = Field(
        description="Customers that a proposal was estimated from, where the table is large: then "
        "there are no assignments before the plan is kept. Null where it is the very plan."
    )
    plan: PlanFigures | None
    remarks: list[str] = Field(description="What to know before anything goes out.")
    total: int = Field(description="Assignments in all pages.")
    page: int
    page_size: int
    assignments: list[Assignment]


class KeptPlan(BaseModel):
    """A plan of the store."""

    plan_id: str
    kept_at: datetime
    as_of: date
    horizon_days: int
    budget: float | None
    total: ForecastFigures
    holdout: int = Field(description="Customers held out.")


class PlansAnswer(BaseModel):
    """Answer of /plans."""

    meta: Meta | None = Field(description="Of the newest score table; null where there is none.")
    currency: str
    total: int = Field(description="Plans in the store; the newest of them are listed.")
    plans: list[KeptPlan]
