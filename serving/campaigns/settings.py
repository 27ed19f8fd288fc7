"""The campaigns' part of `regulars.toml`: what can be done, and how plans are made."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from features.section import Section
from serving.campaigns.belief import Belief, Effect

Stage = Literal["new", "growing", "loyal", "at_risk", "lapsed", "won_back"]
Tier = Literal["key", "growth", "core", "small", "costly"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


class AssumedSettings(Section):
    """What is believed of an effect before it was measured: `{ mean = 0.10, sd = 0.05 }`.

    `kept` is the share of those who would leave that the action keeps; `lift` is by how much more
    the others spend.
    """

    mean: float = Field(
        default=0.0,
        ge=-1.0,
        le=1.0,
        allow_inf_nan=False,
        description="What the effect is taken to be, on average; 0.10 means ten per cent.",
    )
    sd: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How unsure that is, as a standard deviation; 0 takes it for certain, and no "
        "measurement changes it.",
    )


class ActionSettings(Section):
    """Something one can do, under a name of your choice."""

    channel: str = Field(
        min_length=1, description='How it reaches the customer, as `channel = "e-mail"`.'
    )
    cost: float = Field(
        default=0.0,
        ge=0.0,
        le=1e6,
        allow_inf_nan=False,
        description="What it costs for each customer who gets it, in `currency`.",
    )
    cost_per_spend: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="What it costs besides, as a share of what the customer then spends within "
        "the horizon: 0.10 for a voucher of ten per cent.",
    )
    capacity: int | None = Field(
        default=None, ge=0, description="How many customers can get it in one plan; no limit: none."
    )
    cooling_off_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="Days that have to lie between two treatments of a customer with it; they are "
        "read from [sources.treatments].",
    )
    stages: tuple[Stage, ...] = Field(
        default=(), description="Only customers in one of these stages; every stage when not given."
    )
    tiers: tuple[Tier, ...] = Field(
        default=(), description="Only customers of one of these tiers; every tier when not given."
    )
    reasons: tuple[str, ...] = Field(
        default=(),
        description="Only customers with a reason of one of these families or drivers that raises "
        'the risk, as `["refunds", "fading_rhythm"]`; docs/scores.md lists them.',
    )
    min_risk: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Only customers whose `churn_probability` is at least this.",
    )
    max_risk: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="Only customers whose `churn_probability` is at most this: there are lost "
        "causes.",
    )
    # Of those who would leave, the share that it keeps.
    kept: AssumedSettings = AssumedSettings()
    # Relative change of what the others spend.
    lift: AssumedSettings = AssumedSettings()
    consent: str | None = Field(
        default=None,
        min_length=1,
        description="Column among the `permissions` of [sources.customers] that has to say yes "
        "(true, 1, y); where it is blank the customer has not consented.",
    )
    mass: bool = Field(
        default=True,
        description="Whether it goes to many alike. A `key` customer never gets such an action.",
    )
    owner: str | None = Field(
        default=None,
        min_length=1,
        description="Who does it, by name. A `key` customer only gets an action that has an owner.",
    )

    @field_validator("reasons")
    @classmethod
    def _known_reasons(cls, reasons: tuple[str, ...]) -> tuple[str, ...]:
        from features.opening.columns import nearest
        from features.words.phrases import FAMILIES
        from serving.insight import drivers

        known = [*(family.name for family in FAMILIES), *drivers.NAMES]
        for name in reasons:
            if name not in known:
                raise ValueError(
                    f"got {name!r}; expected one of {', '.join(known)}.{nearest(name, known)}"
                )
        return reasons

    @model_validator(mode="after")
    def _range_of_risk(self) -> Self:
        if self.min_risk > self.max_risk:
            raise ValueError(
                f"got min_risk = {self.min_risk:g} above max_risk = {self.max_risk:g}; "
                "nobody is in between."
            )
        return self

    @property
    def assumed(self) -> Effect:
        """What is believed of it before anything was measured."""
        return Effect(Belief(**self.kept.model_dump()), Belief(**self.lift.model_dump()))


class PlanSettings(Section):
    """Section [plan]: how much there is to spend, and what no plan may do."""

    budget: float | None = Field(
        default=None,
        ge=0.0,
        allow_inf_nan=False,
        description="What a plan may cost, in `currency`, where `--budget` does not say; without "
        "either, whatever pays is done.",
    )
    max_contacts: int = Field(
        default=1,
        ge=1,
        le=20,
        description="How many actions a customer gets in one plan at most. The profits of several "
        "are added up, which is too much where they do the same.",
    )
    holdout: float = Field(
        default=0.10,
        ge=0.01,
        le=0.90,
        description="Share of the chosen customers that is left out at random, so that the effect "
        "can be measured. There is always one.",
    )
    suppressed: str | None = Field(
        default=None,
        min_length=1,
        description="Column among the `permissions` of [sources.customers] that says who is never "
        "contacted: everyone for whom it says anything but no (false, 0, n) or nothing.",
    )


def action_name(name: str) -> str:
    """Check the name of an action, which names files too.

    Raises
    ------
    ValueError
        If it is no plain name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"got the action {name!r}; expected letters, digits, dashes and underscores, at most "
            "60, as [actions.service-call]."
        )
    return name


Actions = dict[str, ActionSettings]
