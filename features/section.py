"""What sections of the settings have in common: frozen, checked, and where a table is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Settings that several sources share.
CustomerId = Annotated[
    str, Field(min_length=1, description="Column with the customer's id; read as text.")
]
TimestampFormat = Annotated[
    str | None,
    Field(
        description="How text dates (or numbers, as 20240301) are written, in strptime's signs: "
        "`%d.%m.%Y`, `%m/%d/%Y %H:%M`, `%Y%m%d`; ISO 8601 (2024-03-31, 2024-03-31T14:05:00) when "
        "not given.",
    ),
]


class Section(BaseModel):
    """Base of every settings section: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Section):
    """Where a table of rows comes from.

    The kind of source is read from the `uri`: `.csv`, `.tsv`, `.txt` (each also `.gz`),
    `.parquet` (globs allowed), `.duckdb`/`.ddb`/`.db` (a DuckDB file), `postgresql://…`,
    `spark://<table>`.
    """

    uri: str = Field(
        min_length=1,
        description="Where the rows are: a .csv, .tsv or .txt file (each also .gz), .parquet, a "
        "DuckDB file (.duckdb, .ddb, .db), `postgresql://…` or `spark://<table>`. A glob such as "
        "`data/*.parquet` reads several files as one table.",
    )
    table: str | None = Field(
        default=None,
        description="Table within a database, `schema.table` allowed; not needed where there is "
        "only one in a DuckDB file.",
    )
    where: str | None = Field(
        default=None,
        description="Filter over the source's own columns, as `Country = 'France' and Quantity "
        "<> 0`, with `= <> < <= > >=`, and, or, not, in, like, between, is null, arithmetic, "
        "lower() and upper(). Rows outside it are not read.",
    )
    encoding: str | None = Field(
        default=None,
        description="Text encoding of a CSV file, as `latin-1`, `cp1252` or `utf-16`; utf-8 when "
        "not given.",
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Column separator of a CSV file, as `;`; a comma, or a tab for .tsv, when not "
        "given.",
    )
    decimal: Literal[".", ","] = Field(
        default=".",
        description="Decimal sign of numbers that are written as text. With a comma `-1.234,50`, "
        "`1234,5` and `12` are numbers: dots stand between thousands only. Columns that are "
        "numbers already, and numbers within the settings, are not touched by it.",
    )
