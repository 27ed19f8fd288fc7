"""Customers that a request brings with all their rows, as types.

What is wrong with a row fails its customer, not the request; so rows hold values of any kind, and
the contract that judges files judges them (`serving.api.rows`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from serving.api import limits
from serving.api.messages import Finite, Horizon, Id, Request


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
    margin: Any = Field(
        default=None,
        description="What the line leaves after the cost of the goods, where the settings name a "
        "margin; a number or its text.",
        json_schema_extra={"type": ["number", "string", "null"]},
    )


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
            "`complaint`, `resolution` (closes a complaint), `satisfaction`, `contact` or `usage`, "
            "or a word of the settings' `kinds`; any other is accepted, not looked at and counted "
            "in `ignored_events`."
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
    plan: Id | None = Field(
        default=None,
        description="As the table has it, capitals and blanks aside; one that nobody has is noted "
        "and scored as unknown.",
    )
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
    margin: Any = Field(
        default=None,
        description="What a term leaves after its costs, where the settings name a margin; a "
        "number or its text.",
        json_schema_extra={"type": ["number", "string", "null"]},
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
