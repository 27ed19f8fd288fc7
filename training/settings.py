"""The part of `regulars.toml` that training reads: [churn], [value] and [tracking]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from features.section import Section


class ChurnSettings(Section):
    """Section [churn]: what counts as leaving, and over which window."""

    rule: Literal["inactivity", "subscription", "label"] = Field(
        default="inactivity",
        description="What counts as leaving. `inactivity`: no purchase within the horizon, read "
        "from the transactions; `label`: what the column `label` of the customers source says; "
        "`subscription`: the subscription ends within the horizon and is not renewed in the grace "
        "after it, read from the subscriptions.",
    )
    horizon_days: int = Field(
        default=90,
        ge=1,
        le=730,
        description="How far ahead risk, purchases and spend are predicted: the days from the "
        "as-of date on. A few times the usual gap between two purchases is a good start.",
    )
    keep: tuple[str, ...] = Field(
        default=(),
        description="Under the rule `label`: columns that were known before the customers left, "
        "although they look as if they knew the answer; attributes of the customers source, or "
        "columns of the behaviour table. They are not left out of the training.",
    )
    base_rate: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        allow_inf_nan=False,
        description="Under the rule `label`: the true share of customers who leave, where the "
        "labelled ones were chosen by their fate (say as many who left as who stayed). Predictions "
        "and figures are then those of the population; the labelled share counts as the true one "
        "when not given.",
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="Processor threads of the tree learner; more may be faster on an idle machine "
        "and are much slower beside busy processes.",
    )


class ValueSettings(Section):
    """Section [value]: how purchases become money, and how far ahead."""

    clv_horizon_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="How far ahead the customer lifetime value (`clv`) looks, in days from the "
        "as-of date on.",
    )
    margin: float = Field(
        default=0.30,
        gt=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Share of the spend that remains as profit, before discounting; turns spend "
        "into lifetime value. 0.30 means thirty per cent. Where the transactions state a `margin`, "
        "customers have rates of their own instead; where the subscriptions state one, "
        "subscribers have that of their term.",
    )
    annual_discount_rate: float = Field(
        default=0.10,
        ge=0.0,
        le=5.0,
        allow_inf_nan=False,
        description="Yearly rate at which later money counts less; 0.10 means ten per cent.",
    )
    cost_per_order: float = Field(
        default=0.0,
        ge=0.0,
        allow_inf_nan=False,
        description="What a day with a purchase costs to serve (picking, parcel, payment), in "
        "`currency`, where the margin does not hold it. Only the tier `costly` looks at it.",
    )
    cost_per_contact: float = Field(
        default=0.0,
        ge=0.0,
        allow_inf_nan=False,
        description="What a complaint or a contact of the events source costs to serve, in "
        "`currency`. Only the tier `costly` looks at it.",
    )


class TrackingSettings(Section):
    """Section [tracking]: where MLflow keeps runs and models."""

    uri: str | None = Field(
        default=None,
        description="Address of MLflow's tracking store: `sqlite:///relative.db`, "
        "`postgresql://…`, `http(s)://…` or `databricks`; `mlflow.db` in the store when not "
        "given. A plain folder is refused.",
    )
