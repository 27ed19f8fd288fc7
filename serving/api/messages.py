"""What the service is asked and what it answers, as types.

Requests are strict: unknown keys are errors, and errors never repeat what was sent. Answers have
``meta`` (as-of, horizon, model version, staleness) and items in the order of the request; an item
that could not be answered carries an ``error`` in place of its columns.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from serving import catalogue
from serving.api import limits
from serving.questions import Measure

Stage = Literal["new", "growing", "loyal", "at_risk", "lapsed", "won_back"]
Tier = Literal["key", "growth", "core", "small", "costly"]


def _id(value: Any) -> Any:
    """Ids are text; whole numbers are taken as their digits, as the sources do."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str,
    BeforeValidator(_id),
    Field(min_length=1, max_length=limits.MAX_ID_LENGTH, description="Text or a whole number."),
]
Horizon = Annotated[
    int | None,
    Field(
        default=None,
        ge=1,
        le=730,
        strict=True,
        description="Outcome window in days; the trained one when not given.",
    ),
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Probability = Annotated[float | None, Field(ge=0, le=1)]


def _column(name: str, **more: Any) -> Any:
    """Field of a column of the score table; where none is shown, of another scope say, null."""
    return Field(default=None, description=catalogue.column(name).sentence, **more)


def _needed(name: str) -> Any:
    """Field of a column that every answer has."""
    return Field(description=catalogue.column(name).meaning)


class Request(BaseModel):
    """Base of what is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IdsRequest(Request):
    """Customers of the score table."""

    customer_ids: list[Id] = Field(
        min_length=1,
        max_length=limits.MAX_IDS,
        description="Answered in this order; an unknown id fails alone.",
    )
    horizon_days: Horizon


class ValueRequest(IdsRequest):
    """Customers of the score table, and the days that are asked about."""

    start: date | None = Field(
        default=None,
        alias="from",
        strict=True,
        description="First day of a span of one's own, with `until` and without `horizon_days`: "
        "`as_of` or later. Purchases and spend are then of these days, without intervals.",
    )
    until: date | None = Field(
        default=None,
        strict=True,
        description="Day after the last of the span, at most 730 days after `as_of`.",
    )


class Filter(Request):
    """Which customers; all parts have to hold."""

    stage: list[Stage] = Field(default=[], max_length=16)
    tier: list[Tier] = Field(default=[], max_length=16)
    at_least: dict[Measure, Finite] = {}
    at_most: dict[Measure, Finite] = {}
    customer_id_starts_with: str = Field(default="", max_length=limits.MAX_ID_LENGTH)


class CustomersRequest(Request):
    """A page of the score table."""

    filter: Filter = Filter()
    sort: list[str] = Field(
        default=[],
        max_length=4,
        description="Columns, most important first; a minus before the name sorts downwards. As a "
        "rule the likeliest to leave first; the most valuable, for a key that sees no risk.",
    )
    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=50, ge=1, le=limits.MAX_PAGE_SIZE)


class Meta(BaseModel):
    """What the answer rests on."""

    as_of: date = _needed("as_of")
    horizon_days: int = _needed("horizon_days")
    clv_horizon_days: int = _needed("clv_horizon_days")
    model_version: str = _needed("model_version")
    scored_at: datetime = _needed("scored_at")
    staleness_days: int = Field(
        ge=0, description="Days from as_of to today; 0 for an as_of that is still to come."
    )
    currency: str = Field(description="Of every amount of money, as ISO 4217.")
    name: str = Field(description="The business, as in the settings.")
    grades: dict[str, str] = Field(description="How far the model is above naive rules.")


class Span(BaseModel):
    """Days of one's own that purchases and spend are expected in."""

    start: date = Field(alias="from", description="First day.")
    until: date = Field(description="Day after the last.")
    note: str = Field(description="What is not said of such days.")


class ValueMeta(Meta):
    """What the answer rests on: a horizon, or days of one's own."""

    horizon_days: int | None = Field(  # type: ignore[assignment]
        description=f"{catalogue.column('horizon_days').meaning} Null where a span was asked for."
    )
    span: Span | None = Field(default=None, description="Where one was asked for.")


class Reason(BaseModel):
    """A driver of the score; never a cause."""

    family: str = Field(description=catalogue.REASON["family"])
    text: str = Field(description=catalogue.REASON["text"])
    direction: Literal["raises risk", "lowers risk"] = Field(
        description=catalogue.REASON["direction"]
    )
    weight: float = Field(description=catalogue.REASON["weight"])


class ItemError(BaseModel):
    """Why one item has no answer."""

    code: Literal[
        "unknown_customer",
        "bad_transaction",
        "bad_event",
        "bad_subscription",
        "no_purchase",
        "no_subscription",
        "no_renewal",
    ]
    message: str


class Item(BaseModel):
    """One customer; either ``error`` or the columns."""

    customer_id: str = _needed("customer_id")
    error: ItemError | None = Field(default=None, description="Why there are no columns.")
    stage: Stage | None = _column("stage")
    rfm: str | None = _column("rfm", examples=["5-4-5"])
    abstained: str | None = _column("abstained")


class RiskColumns(BaseModel):
    """Will they come back."""

    churn_probability: Probability = _column("churn_probability")
    churn_probability_lower: Probability = _column("churn_probability_lower")
    churn_probability_upper: Probability = _column("churn_probability_upper")
    return_probability: Probability = _column("return_probability")
    p_alive: Probability = _column("p_alive")
    next_purchase_by: date | None = _column("next_purchase_by")
    involuntary_probability: Probability = _column("involuntary_probability")
    expected_months: float | None = _column("expected_months")
    reasons: list[Reason] | None = _column("reasons")


class ValueColumns(BaseModel):
    """What are they worth; money in ``meta.currency``."""

    expected_purchases: float | None = _column("expected_purchases")
    expected_purchases_lower: float | None = _column("expected_purchases_lower")
    expected_purchases_upper: float | None = _column("expected_purchases_upper")
    expected_spend: float | None = _column("expected_spend")
    expected_spend_lower: float | None = _column("expected_spend_lower")
    expected_spend_upper: float | None = _column("expected_spend_upper")
    clv: float | None = _column("clv")
    clv_lower: float | None = _column("clv_lower")
    clv_upper: float | None = _column("clv_upper")
    clv_horizon_days: int | None = _column("clv_horizon_days")
    margin_rate: float | None = _column("margin_rate")
    potential_value: float | None = _column("potential_value")
    tier: Tier | None = _column("tier")


class RiskItem(Item, RiskColumns):
    """A customer's risk."""


class ValueItem(Item, ValueColumns):
    """A customer's value."""


class Row(Item, RiskColumns, ValueColumns):
    """A row of the score table; columns of other scopes than the key's are left out."""

    as_of: date | None = _column("as_of")
    horizon_days: int | None = _column("horizon_days")
    model_version: str | None = _column("model_version")
    scored_at: datetime | None = _column("scored_at")


class ScoreItem(Row):
    """A customer scored from its transactions, events and subscriptions."""

    ignored_transactions: int = Field(
        default=0, description="Transactions from as_of on: they are outcome, not input."
    )
    ignored_subscriptions: int = Field(
        default=0, description="Subscriptions that begin from as_of on: outcome as well."
    )
    ignored_events: int = Field(
        default=0, description="Events from as_of on, and those of a kind that is not looked at."
    )
    notes: list[str] = Field(
        default=[],
        description="What the rows say that is not looked at or hardly can be meant: a margin "
        "where none is read or above its price, a plan that nobody has.",
    )


class RiskAnswer(BaseModel):
    """Answer of /risk."""

    meta: Meta
    items: list[RiskItem]


class ValueAnswer(BaseModel):
    """Answer of /value."""

    meta: ValueMeta
    items: list[ValueItem]


class ScoreAnswer(BaseModel):
    """Answer of /score."""

    meta: Meta
    items: list[ScoreItem]


class CustomersAnswer(BaseModel):
    """Answer of /customers."""

    meta: Meta
    total: int = Field(description="Customers in all pages.")
    page: int
    page_size: int
    rows: list[Row]


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    detail: Any = None


class ErrorAnswer(BaseModel):
    """Answer of every failed request."""

    error: ErrorBody


def failed(customer_id: str, code: str, message: str) -> dict[str, Any]:
    """Item that could not be answered.

    Parameters
    ----------
    customer_id : str
    code : str
        One of those of `ItemError`.
    message : str
        What was got, what was expected, what to do.

    Returns
    -------
    dict
    """
    return {"customer_id": customer_id, "error": {"code": code, "message": message}}
