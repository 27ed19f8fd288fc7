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


class RawTransaction(Request):
    """A line of a receipt, an order or a payment; refunds are negative."""

    # Of any kind here: what is wrong with one of them fails its customer, not the request.
    timestamp: Any = Field(
        default=None,
        description="ISO 8601, such as 2011-11-02T14:05:00; local to the business without a zone.",
        json_schema_extra={"type": "string"},
    )
    amount: Any = Field(
        default=None,
        description="Money in the settings' currency; a number or its text.",
        json_schema_extra={"type": ["number", "string"]},
    )
    order_id: Id | None = None
    product_id: Id | None = None
    category: Id | None = None


class RawEvent(Request):
    """A contact with a customer: a complaint, its resolution, a mark given, a contact, a use."""

    # Of any kind here, as in a transaction.
    timestamp: Any = Field(
        default=None,
        description="As of a transaction.",
        json_schema_extra={"type": "string"},
    )
    kind: Any = Field(
        default=None,
        description=(
            "`complaint`, `resolution` (closes a complaint), `satisfaction`, `contact` or `usage`; "
            "any other is accepted and not looked at."
        ),
        json_schema_extra={"type": "string"},
    )
    value: Any = Field(
        default=None,
        description=(
            "The mark of a `satisfaction`, the amount of a `usage` (1 when not given); a number "
            "or its text."
        ),
        json_schema_extra={"type": ["number", "string", "null"]},
    )


class RawSubscription(Request):
    """A subscription, or a period of one that was paid for, as the settings' `rows` says."""

    # Of any kind here, as in a transaction.
    start: Any = Field(
        default=None,
        description="First day, as ISO 8601.",
        json_schema_extra={"type": "string"},
    )
    end: Any = Field(
        default=None,
        description="When it ended, null while it runs; of a period, up to when it is paid.",
        json_schema_extra={"type": ["string", "null"]},
    )
    plan: Id | None = None
    price: Any = Field(
        default=None,
        description="Of a term, in the settings' currency; a number or its text.",
        json_schema_extra={"type": ["number", "string", "null"]},
    )
    end_reason: Id | None = Field(
        default=None,
        description="`voluntary`, `involuntary`, or a word of the settings' `end_reasons`; any "
        "other is accepted and not looked at.",
    )


class RawCustomer(Request):
    """A customer with all of its transactions, events and subscriptions."""

    customer_id: Id
    transactions: list[RawTransaction] | None = Field(
        default=None,
        description=(
            "All of them; those from the as-of date on are not looked at. Needed unless the rule "
            "is `subscription`; there as with events."
        ),
    )
    subscriptions: list[RawSubscription] | None = Field(
        default=None,
        description=(
            "All of them, those that have ended too; what begins or ends from the as-of date on is "
            "not looked at. Needed under the rule `subscription`; else as with events, in a "
            "business whose settings have subscriptions."
        ),
    )
    events: list[RawEvent] | None = Field(
        default=None,
        description=(
            "All of them; those from the as-of date on are not looked at. An empty list says that "
            "there were none. Where no customer of the request has a list, what a model reads of "
            "events is null; where one has, customers without count as having none."
        ),
    )
    attributes: dict[str, str | Finite | None] = Field(
        default={}, description="As in the customers source; those not given are null."
    )


class ScoreRequest(Request):
    """Customers that need not be in the score table."""

    customers: list[RawCustomer] = Field(min_length=1, max_length=limits.MAX_CUSTOMERS)
    as_of: date | None = Field(
        default=None,
        strict=True,
        description="Everything before this date is input. The score table's when not given.",
    )
    horizon_days: Horizon


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
        default=["-churn_probability"],
        max_length=4,
        description="Columns, most important first; a minus before the name sorts downwards.",
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


class RiskAnswer(BaseModel):
    """Answer of /risk."""

    meta: Meta
    items: list[RiskItem]


class ValueAnswer(BaseModel):
    """Answer of /value."""

    meta: Meta
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
