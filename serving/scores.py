"""The score table: its columns, its contract and its files.

One row a customer, with the same columns from the command line, the service and the workbench.
A score frame is a pandas DataFrame backed by Arrow, so that null is null and never NaN, and the
types are those of ``SCHEMA``; `to_table` and `to_frame` cost nothing. What the table was made
with, its thresholds among it, is in the file's own metadata: table and thresholds can not come
apart.

Units: probabilities in [0, 1], purchases in occasions, money in the settings' currency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from serving.contract import broken_rules
from serving.errors import OutputError, ScoreTableError
from serving.groups.lifecycle import STAGES
from serving.groups.population import Thresholds
from serving.groups.tiers import TIERS

KEY = b"regulars"

REASON = pa.struct(
    [
        ("family", pa.string()),
        ("text", pa.string()),
        ("direction", pa.string()),
        ("weight", pa.float64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of", pa.date32()),
        ("horizon_days", pa.int64()),
        ("churn_probability", pa.float64()),
        ("churn_probability_lower", pa.float64()),
        ("churn_probability_upper", pa.float64()),
        ("return_probability", pa.float64()),
        ("p_alive", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("expected_purchases_lower", pa.float64()),
        ("expected_purchases_upper", pa.float64()),
        ("expected_spend", pa.float64()),
        ("expected_spend_lower", pa.float64()),
        ("expected_spend_upper", pa.float64()),
        ("clv", pa.float64()),
        ("clv_lower", pa.float64()),
        ("clv_upper", pa.float64()),
        ("clv_horizon_days", pa.int64()),
        ("margin_rate", pa.float64()),
        ("potential_value", pa.float64()),
        ("next_purchase_by", pa.date32()),
        ("involuntary_probability", pa.float64()),
        ("expected_months", pa.float64()),
        ("stage", pa.string()),
        ("tier", pa.string()),
        ("rfm", pa.string()),
        ("reasons", pa.list_(REASON)),
        ("abstained", pa.string()),
        ("model_version", pa.string()),
        ("scored_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True)
class Meta:
    """What a score table was made with.

    Parameters
    ----------
    name, currency, timezone : str
        From the settings.
    as_of : date
    horizon_days, clv_horizon_days : int
        Outcome window and span of the lifetime value, in days.
    model_version : str
        Version of the registered model.
    run_id : str or None
        Training run of the model.
    speaker : str
        Which model speaks for the return probability.
    grades : mapping of str to str
        Grade by question.
    scored_at : datetime
        When, with a time zone; in UTC once it was kept.
    thresholds : Thresholds
        Learned from the table, or the ones that it was scored with.
    counts : mapping
        Customers by stage and by tier, as `counts` gives them, and under ``expected`` what
        `totals.of_all` gives.
    margin : float or None
        Share of the spend that is profit, by the terms of the model; None where customers have
        rates of their own, and in tables of earlier versions.
    """

    name: str
    currency: str
    timezone: str
    as_of: date
    horizon_days: int
    clv_horizon_days: int
    model_version: str
    run_id: str | None
    speaker: str
    grades: Mapping[str, str]
    scored_at: datetime
    thresholds: Thresholds
    counts: Mapping[str, Any] = field(default_factory=dict)
    margin: float | None = None

    def to_json(self) -> str:
        """Everything as one line of JSON."""
        given = {name: getattr(self, name) for name in self.__dataclass_fields__}
        given |= {
            "as_of": self.as_of.isoformat(),
            "scored_at": self.scored_at.astimezone(UTC).isoformat(),
            "thresholds": self.thresholds.to_dict(),
            "grades": dict(self.grades),
            "counts": dict(self.counts),
        }
        return json.dumps(given, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Meta:
        """Read what `to_json` gave.

        Raises
        ------
        ScoreTableError
            If it is not what `to_json` gives.
        """
        try:
            given = json.loads(text)
            return cls(
                **{
                    **given,
                    "as_of": date.fromisoformat(given["as_of"]),
                    # Earlier versions kept it in the business's time zone.
                    "scored_at": datetime.fromisoformat(given["scored_at"]).astimezone(UTC),
                    "thresholds": Thresholds.from_dict(given["thresholds"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ScoreTableError(
                f"got score metadata that cannot be read ({error}); run a full scoring again"
            ) from error


def to_table(frame: pd.DataFrame) -> pa.Table:
    """Score frame as an Arrow table of exactly ``SCHEMA``.

    Raises
    ------
    ScoreTableError
        If a column is missing, too many, out of order or of another type.
    """
    if list(frame.columns) != SCHEMA.names:
        raise ScoreTableError(
            f"got the columns {list(frame.columns)}; expected {SCHEMA.names}, in this order"
        )
    try:
        return pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ScoreTableError(
            f"got score columns of other types than the schema's: {error}"
        ) from error


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Arrow table as a score frame, backed by the same memory."""
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def counts(frame: pd.DataFrame) -> dict[str, Any]:
    """Count the customers in a score frame: all, abstained, and by stage and tier.

    Returns
    -------
    dict
        ``customers``, ``abstained`` (int), ``stage`` and ``tier`` (name to int, every name).
    """
    by_name = {
        column: {name: int((frame[column] == name).sum()) for name in names}
        for column, names in (("stage", STAGES), ("tier", TIERS))
    }
    abstained = int(frame["abstained"].notna().sum())
    return {"customers": len(frame), "abstained": abstained, **by_name}


def write(frame: pd.DataFrame, meta: Meta, path: Path) -> int:
    """Write a score frame as Parquet or CSV, whole or not at all.

    Parameters
    ----------
    frame : pandas.DataFrame
        Score rows; checked by `validate` before anything is written.
    meta : Meta
        Kept in the metadata of a Parquet file; a CSV file holds none.
    path : Path
        ``.parquet`` or ``.csv``. In CSV the reasons are one text each row, such as
        "raises risk: … | lowers risk: …".

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    OutputError
        If the file is of another kind.
    ScoreTableError
        If the rows break the contract.
    """
    from features import store

    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise OutputError(f"got {path.name}; scores are written as .parquet or .csv: name one")
    table = validate(frame)
    if kind == ".parquet":
        # Without what Arrow notes for pandas: pandas cannot read its own note on lists.
        plain = table.replace_schema_metadata(None)
        return store.write_parquet(plain, path, {KEY.decode(): meta.to_json()})
    from pyarrow import csv

    options = csv.WriteOptions(quoting_style="needed")
    with store.replacing(path) as partial:
        csv.write_csv(flat(table), partial, options)
    return len(frame)


def read(path: Path) -> pd.DataFrame:
    """Read the score frame of a Parquet file that `write` wrote.

    Raises
    ------
    ScoreTableError
        If it is no score table.
    """
    import pyarrow.parquet as pq

    read_meta(path)
    table = pq.read_table(path, partitioning=None)
    if table.schema.remove_metadata() != SCHEMA:
        raise ScoreTableError(
            f"got {path.name} with other columns than a score table's; run a full scoring again"
        )
    return to_frame(table.replace_schema_metadata(None))


def read_meta(path: Path) -> Meta:
    """Read what the score table in a Parquet file was made with, without its rows.

    Raises
    ------
    ScoreTableError
        If the file is missing or no score table.
    """
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise ScoreTableError(f"got {path}, which is no Parquet file to read: {error}") from error
    if KEY not in metadata:
        raise ScoreTableError(
            f"got {path.name}, a Parquet file without score metadata; expected one that a full "
            "scoring wrote"
        )
    return Meta.from_json(metadata[KEY].decode())


def flat(table: pa.Table) -> pa.Table:
    """Score table with the reasons as one text a row, for CSV and spreadsheets.

    Returns
    -------
    pyarrow.Table
        ``reasons`` as "direction: text" joined by " | "; empty where there is none.
    """
    lists = table["reasons"].combine_chunks()
    items = lists.flatten()
    words = pc.binary_join_element_wise(items.field("direction"), items.field("text"), ": ")
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    text = pc.binary_join(pa.ListArray.from_arrays(offsets, words), " | ")
    return table.set_column(table.column_names.index("reasons"), "reasons", text)


def validate(rows: pd.DataFrame | pa.Table) -> pa.Table:
    """Check the contract of score rows.

    Parameters
    ----------
    rows : pandas.DataFrame or pyarrow.Table
        Score rows.

    Returns
    -------
    pyarrow.Table
        The same rows, of exactly ``SCHEMA``.

    Raises
    ------
    ScoreTableError
        Naming each broken rule with the number of its rows, never a customer.

    See Also
    --------
    serving.contract : the rules.
    """
    table = to_table(rows) if isinstance(rows, pd.DataFrame) else rows
    told = [f"{number} rows: {rule}" for rule, number in broken_rules(table).items()]
    if told:
        raise ScoreTableError("score rows break their contract; " + "; ".join(told))
    return table
