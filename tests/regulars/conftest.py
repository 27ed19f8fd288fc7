"""What the front door's tests share: a small business, and an empty MLflow store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

SETTINGS = """\
name = "corner-shop"
currency = "EUR"
timezone = "Europe/Berlin"

[sources.transactions]
uri = "lines.csv"
customer_id = "who"
timestamp = "day"
amount = "amount"
"""
LINES = """\
who,day,amount
ann,2024-01-05,10.00
bob,2024-01-05,20.00
cid,2024-01-07,5.00
cid,2024-01-07,-5.00
ann,2024-02-05,11.50
bob,2024-02-09,20.00
ann,2024-03-01,9.00
bob,2024-03-02,much
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings and a log of eight lines by three customers.

    Ann buys three times, Bob twice, Cid once and takes it back; Bob's last line has no amount.
    """
    (tmp_path / "lines.csv").write_text(LINES)
    file = tmp_path / "regulars.toml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh MLflow database: its migrations take seconds, so it is made once and copied."""
    from mlflow import MlflowClient

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def tracked(config: Path, empty_mlflow: Path) -> Path:
    """The same business with an empty MLflow store."""
    store = config.parent / ".regulars"
    store.mkdir()
    shutil.copy(empty_mlflow, store / "mlflow.db")
    return config


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Makes every verb that reads settings raise what it is given."""

    def make(error: Exception) -> None:
        def fall(_config: Path) -> None:
            raise error

        monkeypatch.setattr("regulars.settings.load", fall)

    return make


@pytest.fixture
def scored_shop(config: Path) -> Callable[[int], pd.DataFrame]:
    """`scored_shop(n)`: puts scores of n made customers into the shop's store; gives their rows."""
    from serving import scores
    from serving.scoring import score
    from tests.serving.conftest import AS_OF, MadeScorer, make_people

    def write(customers: int) -> pd.DataFrame:
        people, at = make_people(customers, seed=5), datetime(2024, 7, 1, tzinfo=UTC)
        frame, thresholds = score(
            people, MadeScorer(), thresholds=None, as_of=AS_OF, model_version="7", scored_at=at
        )
        meta = scores.Meta(
            name="corner-shop",
            currency="EUR",
            timezone="Europe/Berlin",
            as_of=AS_OF,
            horizon_days=90,
            clv_horizon_days=365,
            model_version="7",
            run_id=None,
            speaker="churn",
            grades={},
            scored_at=at,
            thresholds=thresholds,
        )
        place = config.parent / ".regulars" / "scores" / f"as_of={AS_OF}.parquet"
        scores.write(frame, meta, place)
        return people

    return write
