"""A made-up business of subscribers as accepted tables, and one training's evidence on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from features.inputs import Inputs
from training.asked import Asked
from training.evidence import Evidence, Order
from training.settings import ChurnSettings, ValueSettings
from training.subscriptions import simulate
from training.subscriptions.gathered import gather_subscriptions

# Ten past dates: enough for trees in two windows, few enough to be quick.
FIRST, DAYS = date(2023, 1, 1), 330
HORIZON = 60
AS_OF = FIRST + timedelta(days=DAYS)
GRACE = 7


def accepted(rows: pd.DataFrame, *, period: bool) -> Inputs:
    """Rows as intake would leave them."""
    connection = ibis.duckdb.connect(threads=1)
    days = {name: pd.to_datetime(rows[name]) for name in ("start", "end")}
    reason = rows["end_reason"].astype("str").where(rows["end_reason"].notna())
    raw = connection.create_table("raw", rows.assign(**days, end_reason=reason), temp=True)
    table = raw.select(
        "customer_id",
        day=raw.start.date(),
        end=raw.end.date(),
        plan=raw.plan,
        price=raw.price.cast("decimal(18, 6)"),
        end_reason=raw.end_reason.cast("string"),
        repeats=ibis.literal(not period),
        term_months=ibis.cases((raw.plan == "annual", 12), else_=1).cast("int64"),
        term_days=ibis.literal(0, "int64"),
        grace_days=ibis.literal(GRACE, "int64"),
    )
    kept = connection.create_table("accepted", table, temp=True)
    return Inputs(subscriptions=kept, connection=connection)


def ordered(as_of: date = AS_OF, **churn: Any) -> Order:
    """An order for a training that is not kept anywhere."""
    return Order(
        name="made",
        churn=ChurnSettings(rule="subscription", horizon_days=HORIZON, **churn),
        value=ValueSettings(),
        as_of=as_of,
        tracking_uri="",
        artifact_root=None,
        now=datetime(2024, 6, 1, tzinfo=UTC),
    )


def gathered(inputs: Inputs, order: Order) -> Evidence:
    """What a training finds out."""
    asked = Asked(order.churn, order.value, order.seed)
    return gather_subscriptions(inputs, order, asked, lambda *_: None)


@pytest.fixture(scope="session")
def paid() -> pd.DataFrame:
    """Paid periods of 5,000 customers over 330 days."""
    random = np.random.default_rng(3)
    return simulate.periods(simulate.Business(), 5_000, FIRST, DAYS, random)


@pytest.fixture(scope="session")
def service(paid: pd.DataFrame) -> Inputs:
    """The same as one row a subscription, as accepted tables."""
    return accepted(simulate.subscriptions(paid), period=False)


@pytest.fixture(scope="session")
def evidence(service: Inputs) -> Evidence:
    """A training on them."""
    return gathered(service, ordered())
