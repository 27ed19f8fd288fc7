"""A small business with a log of fourteen months, and one training on it, shared by the room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from features.inputs import Inputs
from training.evidence import Order
from training.pipeline import Training, train
from training.settings import ChurnSettings, ValueSettings

FIRST = date(2023, 1, 2)
AS_OF = FIRST + timedelta(days=420)
HORIZON = 90
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


def simulate_log(customers: int, days: int, seed: int) -> pd.DataFrame:
    """Daily purchases of customers who differ in rate, lifetime and order value, with refunds.

    Each customer joins in the first 200 days, buys at a gamma-distributed rate until an
    exponential lifetime ends, and returns one purchase in twenty.
    """
    random = np.random.default_rng(seed)
    joined = random.integers(0, 200, customers)
    rate = random.gamma(0.8, 1 / 25.0, customers)
    left = joined + random.exponential(250, customers)
    value = random.lognormal(3.0, 0.5, customers)
    who, day = np.nonzero(random.random((customers, days)) < rate[:, None])
    who, day = np.append(who, np.arange(customers)), np.append(day, joined)
    alive = (day >= joined[who]) & (day < np.maximum(left[who], joined[who] + 1))
    who, day = who[alive], day[alive]
    amount = np.round(value[who] * random.lognormal(0, 0.4, len(who)), 2) + 0.01
    refunded = random.random(len(who)) < 0.05
    log = pd.DataFrame({"who": who, "day": day, "amount": amount})
    back = log[refunded].assign(day=log["day"] + 3, amount=-log["amount"])
    return pd.concat([log, back[back["day"] < days]], ignore_index=True)


def as_inputs(log: pd.DataFrame) -> Inputs:
    """Accepted tables on DuckDB, as intake would leave them."""
    connection = ibis.duckdb.connect()
    days = pd.to_datetime(FIRST) + pd.to_timedelta(log["day"], unit="D")
    rows = pd.DataFrame(
        {
            "customer_id": "id-" + log["who"].astype(str).str.zfill(5),
            "occurred_at": days,
            "amount": log["amount"],
        }
    )
    raw = connection.create_table("raw", rows, temp=True)
    accepted = raw.select(
        "customer_id",
        "occurred_at",
        day=raw.occurred_at.date(),
        amount=raw.amount.cast("decimal(18, 6)"),
        order_id=ibis.null("string"),
        product_id=ibis.null("string"),
        category=ibis.null("string"),
    )
    kept = connection.create_table("accepted", accepted, temp=True)
    return Inputs(transactions=kept, customers=None, events=None, connection=connection)


@pytest.fixture(scope="session")
def shop_log() -> pd.DataFrame:
    """700 customers; `who` a number, `day` since the first one, `amount` in currency."""
    return simulate_log(700, 520, seed=1)


@pytest.fixture(scope="session")
def shop(shop_log: pd.DataFrame) -> Inputs:
    """The log as accepted tables."""
    return as_inputs(shop_log)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the shared MLflow store."""
    return tmp_path_factory.mktemp("tracking")


@pytest.fixture(scope="session")
def order(store: Path) -> Callable[..., Order]:
    """Makes an order for a training in the shared store."""

    def make(name: str = "shop", **changes: object) -> Order:
        known = {
            "churn": ChurnSettings(horizon_days=HORIZON),
            "value": ValueSettings(),
            "as_of": AS_OF,
            "tracking_uri": f"sqlite:///{store / 'mlflow.db'}",
            "artifact_root": store / "artifacts",
            "now": NOW,
            "settings": '{"name": "shop"}',
            "code_version": "test",
        }
        return Order(name=name, **(known | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def trained(shop: Inputs, order: Callable[..., Order]) -> Training:
    """The first training of the shop."""
    return train(shop, order())
