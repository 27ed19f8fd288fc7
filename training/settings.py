"""The part of `regulars.toml` that training reads: [churn], [value] and [tracking]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from features.settings import Section


class ChurnSettings(Section):
    """Section [churn]: what counts as leaving, and over which window."""

    rule: Literal["inactivity", "subscription", "label"] = Field(
        default="inactivity",
        description="No occasion in the horizon; a subscription ended and not renewed in it; "
        "or a column of the customers source.",
    )
    horizon_days: int = Field(
        default=90,
        ge=1,
        le=730,
        description="Length of the outcome window [as_of, as_of + horizon), in days.",
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="Threads of the tree learner; one is the fastest beside busy processes.",
    )


class ValueSettings(Section):
    """Section [value]: how purchases become money, and how far ahead."""

    clv_horizon_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="Length of the window of the customer lifetime value, in days.",
    )
    margin: float = Field(
        default=0.30,
        gt=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Share of the spend that remains as profit.",
    )
    annual_discount_rate: float = Field(
        default=0.10,
        ge=0.0,
        le=5.0,
        allow_inf_nan=False,
        description="Yearly rate at which later money counts less; 0.10 means ten per cent.",
    )


class TrackingSettings(Section):
    """Section [tracking]: where MLflow keeps runs and models."""

    uri: str | None = Field(
        default=None,
        description="MLflow tracking address (sqlite:///…, postgresql://…, http://…); "
        "a SQLite file in the store when not given.",
    )
