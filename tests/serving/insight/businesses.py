"""A made business of subscribers: its rows, its store, and what a change of them gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from features import intake, table
from features.catalogue import FEATURES
from features.inputs import Inputs
from features.settings import Sources
from features.store import Store
from serving.api.plans import Plans
from serving.deployment import Names
from serving.insight import whatif
from serving.insight.supposed import Change

AS_OF, NOW = date(2024, 2, 1), datetime(2024, 2, 2, 6, tzinfo=UTC)
FIRST = date(2023, 1, 1)
COLUMNS = ["start", "end", "plan", "price", "end_reason", "margin"]
KEPT = {"terms": {"annual": "year"}, "grace_days": 5}
NAMES = Names("made", "EUR", "Europe/Berlin")
SHAPES = ("subscription", "period")
CONTRACT = [feature.name for feature in FEATURES if feature.family == "subscription"]
RENEWAL = "subscription_days_to_renewal"


@dataclass(frozen=True)
class Business:
    """Its rows as text, its store, and how its rows are kept."""

    rows: pd.DataFrame
    store: Store
    behaviour: pd.DataFrame
    kept: dict[str, Any]
    folder: Path


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    days = {name: pd.to_datetime(rows[name]).dt.strftime("%Y-%m-%d") for name in ("start", "end")}
    # A third of the price is left, and of every other customer nobody knows.
    left = (rows["price"] / 3).round(2).where(rows["customer_id"].str[-1].isin(list("13579")))
    told = rows.assign(**days, margin=left)[["customer_id", *COLUMNS]].astype(object)
    return told.where(told.notna(), None)


def read(folder: Path, rows: pd.DataFrame, kept: dict[str, Any], events: Any = None) -> Inputs:
    folder.mkdir(exist_ok=True)
    parts = {"subscriptions": rows} | ({} if events is None else {"events": events})
    sources: dict[str, Any] = {}
    for name, part in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
        sources[name] = {"uri": str(folder / f"{name}.csv"), **{c: c for c in part}}
    sources["subscriptions"] |= kept
    return intake.read(Sources.model_validate(sources), timezone=NAMES.timezone, now=NOW)


def behave(inputs: Inputs, as_of: date = AS_OF) -> pd.DataFrame:
    rows = table.behaviour(inputs, as_of, horizon_days=60, population="subscribers")
    return rows.order_by("customer_id").to_pyarrow().to_pandas()


def changed(business: Business, change: Change) -> pd.DataFrame:
    plans = Plans(NAMES.timezone, 60, billing=business.kept, subscribers=True)
    ids = business.behaviour["customer_id"].tolist()
    with duckdb.connect() as engine:
        known = whatif.past(business.store, engine, AS_OF, ids, subscribers=True)
        found = whatif.behaviour(known, change, plans, engine.cursor())
    assert list(found) == list(business.behaviour)
    return found.set_index("customer_id").sort_index()


def before(business: Business) -> pd.DataFrame:
    return business.behaviour.set_index("customer_id").sort_index()


def alike(found: pd.DataFrame, expected: pd.DataFrame, *, but: tuple[str, ...] = ()) -> None:
    assert len(expected) > 100
    assert found.index.tolist() == expected.index.tolist()
    for name in (name for name in CONTRACT if name not in but):
        one, other = found[name].astype(object), expected[name].astype(object)
        differ = one[(one != other) & ~(one.isna() & other.isna())]
        assert differ.empty, (name, differ.head(), other[differ.index].head())


def latest(business: Business, known: pd.DataFrame) -> pd.Series:
    """Place of each subscriber's row that counts now, by the rule of `features`."""
    rows = business.rows[business.rows["customer_id"].isin(known.index)]
    until = rows["end"].fillna("9999-12-31")
    order = rows.assign(until=until).sort_values(["until", "start"])
    return order.groupby("customer_id").tail(1).reset_index().set_index("customer_id")["index"]


def paid_last(business: Business, known: pd.DataFrame) -> pd.Series:
    """Day of the latest payment: month by month from the row's start, in plain pandas."""
    rows = business.rows.loc[latest(business, known)].set_index("customer_id")
    months = np.where(rows["plan"] == "annual", 12, 1)
    days = {}
    for one, start, step in zip(rows.index, pd.to_datetime(rows["start"]), months, strict=True):
        ahead = [start + pd.DateOffset(months=int(step) * n) for n in range(40)]
        days[one] = max(day for day in ahead if day < pd.Timestamp(AS_OF))
    return pd.Series(days)
