"""The sources' part of `regulars.toml`: where they are and what their columns mean.

All models are frozen and refuse unknown keys. Nothing is opened here: a setting that names a
column which does not exist is found when the source is read.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from features.ends import ENDS
from features.kinds import READ, plain
from features.section import CustomerId, Section, Source, TimestampFormat
from features.terms import term


class TransactionsSource(Source):
    """One row per line of a receipt, an order or a payment; refunds are negative amounts."""

    customer_id: CustomerId
    timestamp: str = Field(
        min_length=1,
        description="Column with the moment of purchase: dates, timestamps or text. A moment "
        "without a zone is taken as local to `timezone`.",
    )
    amount: str = Field(
        min_length=1,
        description="Money of the row, in `currency`: a column, or arithmetic over columns with "
        "`+ - * /` and parentheses, as `Quantity * Price`; a name with spaces goes in double "
        "quotes. Negative for a refund.",
    )
    margin: str | None = Field(
        default=None,
        description="What the row leaves after the cost of the goods, in `currency`, written as "
        "`amount` is: `Quantity * (Price - Cost)`. Below zero for what is sold at a loss, and for "
        "a refund that takes the profit back; blank where it is not known. Customers then have "
        "rates of their own, as far as their purchases are enough to tell, instead of the `margin` "
        "of [value].",
    )
    order_id: str | None = Field(
        default=None, description="Column with the order's id; gives the number of orders."
    )
    product_id: str | None = Field(
        default=None, description="Column with the product's id; gives the variety of the baskets."
    )
    category: str | None = Field(
        default=None,
        description="Column with the product's category; gives the variety of the baskets.",
    )
    timestamp_format: TimestampFormat = None
    deduplicate: bool = Field(
        default=False,
        description="Whether to reject exact repeats of a whole row, keeping the first. For logs "
        "that were exported with overlaps; two equal lines of one receipt are repeats too.",
    )


class CustomersSource(Source):
    """One row per customer: attributes, and the churn label of the `label` rule."""

    customer_id: CustomerId
    attributes: tuple[str, ...] = Field(
        default=(),
        description="Columns that the risk model may learn from, as features `attribute_<column>`: "
        "what was known of a customer from the start, never what came of it.",
    )
    permissions: tuple[str, ...] = Field(
        default=(),
        description="Columns that say who may be contacted, for `consent` in [actions.<name>] and "
        "`suppressed` in [plan]. No model reads them.",
    )
    label: str | None = Field(
        default=None,
        description='Column that says who left, which `rule = "label"` needs: yes/no, true/false, '
        "1/0 or y/n, yes meaning that the customer left.",
    )
    account: str | None = Field(
        default=None,
        description="Column with the account that a customer belongs to, as a company with several "
        "buyers; `regulars accounts` rolls the scores up to it.",
    )

    @field_validator("attributes", "permissions")
    @classmethod
    def _named_once(cls, names: tuple[str, ...], about: ValidationInfo) -> tuple[str, ...]:
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(
                f"Got the {about.field_name} {repeated} more than once; name each once."
            )
        return names

    @model_validator(mode="after")
    def _learned_from_or_not(self) -> CustomersSource:
        both = [name for name in self.permissions if name in self.attributes]
        if both:
            raise ValueError(
                f"Got {both} among the attributes and the permissions; the risk model learns from "
                "attributes and from no permission: name each in one of them."
            )
        return self

    @property
    def contacts(self) -> tuple[str, ...]:
        """Columns that can say who may be contacted, the permissions first."""
        return self.permissions + self.attributes


class EventsSource(Source):
    """One row per contact with a customer: complaint, resolution, satisfaction, usage, ..."""

    customer_id: CustomerId
    timestamp: str = Field(
        min_length=1, description="Column with the moment of the event; read as a purchase's."
    )
    kind: str = Field(
        min_length=1,
        description="Column with the kind of event: `complaint`, `resolution` (closes a "
        "complaint), `satisfaction`, `contact`, `usage` or `unsubscribe` (counted when a campaign "
        "is measured), in small or capital letters, or one of the words in `kinds`; any other is "
        "accepted and not looked at.",
    )
    kinds: dict[str, str] = Field(
        default={},
        description="The business's own words for these kinds, as `{ Reklamation = "
        '"complaint", Erledigt = "resolution" }`; small or capital letters, and blanks around a '
        "word, are all the same.",
    )
    value: str | None = Field(
        default=None,
        description="The event's number, a column or arithmetic over columns: the mark of a "
        "`satisfaction`, the amount of a `usage` (1 when not given).",
    )
    timestamp_format: TimestampFormat = None

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: dict[str, str]) -> dict[str, str]:
        """Words without capitals and blanks around them, each with one known kind."""
        read: dict[str, str] = {}
        for given, kind in kinds.items():
            word, known = plain(given), plain(kind)
            if known not in READ:
                raise ValueError(f"got {kind!r} for {given!r}; expected one of {', '.join(READ)}.")
            if not word:
                raise ValueError(f"got a blank word for {kind!r}; write it as the data have it.")
            if read.setdefault(word, known) != known:
                raise ValueError(
                    f"got both {read[word]!r} and {known!r} for {given!r} (capitals and blanks "
                    "aside); name one."
                )
        return read


class SubscriptionsSource(Source):
    """One row per subscription, or one per paid period of it; see `rows`."""

    customer_id: CustomerId
    start: str = Field(
        min_length=1,
        description="Column with the first day of the subscription, or of the paid period; read "
        "as a purchase's moment.",
    )
    end: str | None = Field(
        default=None,
        description="Column with the day on which the subscription ended (blank while it runs), "
        "or up to which the period is paid (blank: one `term`). Its last day, or the first without "
        "it: a day makes no difference within `grace_days`.",
    )
    rows: Literal["subscription", "period"] = Field(
        default="subscription",
        description="What a row is: `subscription`, which renews every `term` until it ends; or "
        "`period`, paid for once, so that a customer who renews has another row.",
    )
    term: str | None = Field(
        default=None,
        description="Time between two renewals: `week`, `month`, `quarter`, `half-year`, `year`, "
        'or days as `"28 days"`. When not given, `month` for rows that are subscriptions; rows '
        "that are periods tell it by their length.",
    )
    terms: dict[str, str] = Field(
        default={},
        description='Terms of plans that differ, as `{ Annual = "year" }`, by the words of the '
        "column `plan`; small or capital letters, and blanks around a word, are all the same.",
    )
    plan: str | None = Field(default=None, description="Column with the plan's name.")
    price: str | None = Field(
        default=None,
        description="Price of a term, in `currency`: a column, or arithmetic over columns as for "
        "an amount. Without it, spend and lifetime value cannot be said.",
    )
    margin: str | None = Field(
        default=None,
        description="What a term leaves after its costs, in `currency`: a column, or arithmetic "
        "over columns as for an amount; below zero for a loss. Blank: that of others on the plan. "
        "Without it, every subscriber has the `margin` of [value].",
    )
    end_reason: str | None = Field(
        default=None,
        description="Column that says why it ended: `voluntary`, `involuntary` (the payment "
        "failed), or one of the words in `end_reasons`; any other is accepted and not looked at.",
    )
    end_reasons: dict[str, str] = Field(
        default={},
        description='The business\'s own words for these, as `{ "card declined" = '
        '"involuntary", cancelled = "voluntary" }`; capitals and blanks aside.',
    )
    grace_days: int = Field(
        default=7,
        ge=0,
        le=90,
        description="Who is back within so many days after the end has renewed late and never "
        "left.",
    )
    timestamp_format: TimestampFormat = None
    deduplicate: bool = Field(
        default=False,
        description="Whether to reject exact repeats of a whole row, keeping the first.",
    )

    @field_validator("term")
    @classmethod
    def _known_term(cls, given: str | None) -> str | None:
        if given is not None:
            term(given)
        return given

    @field_validator("terms")
    @classmethod
    def _known_terms(cls, given: dict[str, str]) -> dict[str, str]:
        """Words without capitals and blanks around them, each with one term."""
        for words in given.values():
            term(words)
        return _plain_words(given)

    @field_validator("end_reasons")
    @classmethod
    def _known_ends(cls, given: dict[str, str]) -> dict[str, str]:
        read = _plain_words({word: plain(end) for word, end in given.items()})
        for word, end in read.items():
            if end not in ENDS:
                raise ValueError(f"got {end!r} for {word!r}; expected {' or '.join(ENDS)}.")
        return read

    @model_validator(mode="after")
    def _terms_have_plans(self) -> Self:
        if self.terms and self.plan is None:
            raise ValueError("`terms` in [sources.subscriptions] needs `plan`, whose words it has.")
        if self.end_reasons and self.end_reason is None:
            raise ValueError(
                "`end_reasons` in [sources.subscriptions] needs `end_reason`, whose words it has."
            )
        return self


def _plain_words(given: dict[str, str]) -> dict[str, str]:
    """Words without capitals and blanks around them; refused where two become one."""
    read: dict[str, str] = {}
    for word, meaning in given.items():
        if not plain(word):
            raise ValueError(f"got a blank word for {meaning!r}; write it as the data have it.")
        if read.setdefault(plain(word), meaning) != meaning:
            raise ValueError(
                f"got both {read[plain(word)]!r} and {meaning!r} for {word!r} (capitals and "
                "blanks aside); name one."
            )
    return read


class TreatmentsSource(Source):
    """One row per customer of a campaign, treated or held out."""

    customer_id: CustomerId
    timestamp: str = Field(
        min_length=1,
        description="Column with the moment of the treatment; read as a purchase's.",
    )
    campaign: str = Field(min_length=1, description="Column with the campaign's name.")
    action: str | None = Field(
        default=None,
        description="Column with what was done, in the names of [actions]; without it, every row "
        "counts as a contact of any action.",
    )
    arm: str | None = Field(
        default=None,
        description="Column that says who was `treated` and who was held out (`holdout`), or one "
        "of the words in `arms`; any other is rejected. Without it, everyone was treated.",
    )
    arms: dict[str, Literal["treated", "holdout"]] = Field(
        default={},
        description='The business\'s own words for these, as `{ control = "holdout", mailed = '
        '"treated" }`; capitals and blanks aside.',
    )
    cost: str | None = Field(
        default=None,
        description="Cost of the treatment, in `currency`: a column, or arithmetic over columns "
        "as for an amount.",
    )
    timestamp_format: TimestampFormat = None

    @field_validator("arms")
    @classmethod
    def _words_of_arms(cls, given: dict[str, str]) -> dict[str, str]:
        return _plain_words(given)

    @model_validator(mode="after")
    def _arms_have_a_column(self) -> Self:
        if self.arms and self.arm is None:
            raise ValueError("`arms` in [sources.treatments] needs `arm`, whose words it has.")
        return self


class Sources(Section):
    """The tables that a business has; each is optional."""

    transactions: TransactionsSource | None = None
    customers: CustomersSource | None = None
    subscriptions: SubscriptionsSource | None = None
    events: EventsSource | None = None
    treatments: TreatmentsSource | None = None


class StoreSettings(Section):
    """Where behaviour tables, scores and rejected rows are kept."""

    path: str = Field(
        default=".regulars",
        min_length=1,
        description="Folder of the store; made when missing. What is kept in it: behaviour tables, "
        "scores, rejected rows, and MLflow's database and models where [tracking] names no other.",
    )
