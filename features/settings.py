"""The sources' part of `regulars.toml`: where they are and what their columns mean.

All models are frozen and refuse unknown keys. Nothing is opened here: a setting that names a
column which does not exist is found when the source is read.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Section(BaseModel):
    """Base of every settings section: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Section):
    """Where a table of rows comes from.

    The kind of source is read from the `uri`: `.csv`, `.tsv`, `.txt` (each also `.gz`),
    `.parquet` (globs allowed), `.duckdb`/`.ddb`/`.db` (a DuckDB file), `postgresql://…`,
    `spark://<table>`.
    """

    uri: str = Field(min_length=1, description="File, glob, database address or Spark table.")
    table: str | None = Field(
        default=None, description="Table within a database, `schema.table` allowed."
    )
    where: str | None = Field(
        default=None,
        description="Boolean filter over the source's own columns; rows outside it are not read.",
    )
    encoding: str | None = Field(
        default=None, description="Text encoding of a CSV file (utf-8 when not given)."
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Column separator of a CSV file (comma, or tab for .tsv, when not given).",
    )


class TransactionsSource(Source):
    """One row per line of a receipt, an order or a payment; refunds are negative amounts."""

    customer_id: str = Field(min_length=1, description="Column with the customer's id.")
    timestamp: str = Field(min_length=1, description="Column with the moment of purchase.")
    amount: str = Field(
        min_length=1,
        description="Money of the row: a column, or arithmetic over columns (Quantity * Price).",
    )
    order_id: str | None = Field(default=None, description="Column with the order's id.")
    product_id: str | None = Field(default=None, description="Column with the product's id.")
    category: str | None = Field(default=None, description="Column with the product's category.")
    timestamp_format: str | None = Field(
        default=None, description="strptime format of text dates (ISO 8601 when not given)."
    )
    deduplicate: bool = Field(
        default=False, description="Reject exact repeats of a whole row, keeping the first."
    )


class CustomersSource(Source):
    """One row per customer: attributes, and the churn label of the `label` rule."""

    customer_id: str = Field(min_length=1, description="Column with the customer's id.")
    attributes: tuple[str, ...] = Field(
        default=(), description="Columns that become features `attribute_<column>`."
    )
    label: str | None = Field(
        default=None, description="Column that says whether the customer churned (yes/no)."
    )

    @field_validator("attributes")
    @classmethod
    def _named_once(cls, attributes: tuple[str, ...]) -> tuple[str, ...]:
        repeated = sorted({a for a in attributes if attributes.count(a) > 1})
        if repeated:
            raise ValueError(f"Got the attributes {repeated} more than once; name each once.")
        return attributes


class EventsSource(Source):
    """One row per contact with a customer: complaint, resolution, satisfaction, usage, ..."""

    customer_id: str = Field(min_length=1, description="Column with the customer's id.")
    timestamp: str = Field(min_length=1, description="Column with the moment of the event.")
    kind: str = Field(min_length=1, description="Column with the kind of event (complaint, …).")
    value: str | None = Field(
        default=None, description="Column or arithmetic with the event's number (satisfaction, …)."
    )
    timestamp_format: str | None = Field(
        default=None, description="strptime format of text dates (ISO 8601 when not given)."
    )


class SubscriptionsSource(Source):
    """One row per subscription period. Declared for later; not read yet."""

    customer_id: str = Field(min_length=1, description="Column with the customer's id.")
    start: str = Field(min_length=1, description="Column with the first day of the period.")
    end: str | None = Field(default=None, description="Column with the last day of the period.")
    plan: str | None = Field(default=None, description="Column with the plan's name.")
    price: str | None = Field(default=None, description="Column with the price of the period.")


class TreatmentsSource(Source):
    """One row per customer treated in a campaign. Declared for later; not read yet."""

    customer_id: str = Field(min_length=1, description="Column with the customer's id.")
    timestamp: str = Field(min_length=1, description="Column with the moment of treatment.")
    campaign: str = Field(min_length=1, description="Column with the campaign's name.")
    action: str | None = Field(default=None, description="Column with what was done.")
    arm: str | None = Field(default=None, description="Column with the arm (treated, holdout).")
    cost: str | None = Field(default=None, description="Column with the cost in the currency.")


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
        default=".regulars", min_length=1, description="Folder of the store; made when missing."
    )
