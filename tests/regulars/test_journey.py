"""The verbs together: train, promote, score, train again, promote by hand, roll back."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars import cli

SETTINGS = """\
name = "bakery"
currency = "EUR"
timezone = "Europe/Berlin"

[sources.transactions]
uri = "sales.csv"
customer_id = "who"
timestamp = "day"
amount = "paid"

[churn]
horizon_days = 30

[value]
clv_horizon_days = 180
"""
CUSTOMERS, DAYS = 400, 300


def run(config: Path, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "-c", str(config), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.stderr


def sales(random: np.random.Generator) -> list[str]:
    """Customers who come at their own pace from their first day until they drop out."""
    first = random.integers(0, DAYS // 2, CUSTOMERS)
    pace = random.gamma(2.0, 12.0, CUSTOMERS) + 2.0
    stays = first + random.exponential(200.0, CUSTOMERS)
    days = first[:, None] + np.cumsum(random.exponential(pace[:, None], (CUSTOMERS, 60)), axis=1)
    days = np.column_stack([first, days]).astype(int)
    seen = (days < DAYS) & (days <= np.maximum(stays, first)[:, None])
    who, visit = np.nonzero(seen)
    paid = random.gamma(4.0, 5.0, len(who)) + 0.5
    dates = np.datetime64("2024-01-01") + days[who, visit]
    return [f"c{w:03},{d},{p:.2f}" for w, d, p in zip(who, dates, paid, strict=True)]


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> Path:
    """Ten months of sales of a made-up bakery to 400 customers, with an empty MLflow store."""
    folder = tmp_path_factory.mktemp("bakery")
    rows = sales(np.random.default_rng(20240101))
    (folder / "sales.csv").write_text("\n".join(["who,day,paid", *rows, ""]))
    (folder / "regulars.toml").write_text(SETTINGS)
    (folder / ".regulars").mkdir()
    shutil.copy(empty_mlflow, folder / ".regulars" / "mlflow.db")
    return folder / "regulars.toml"


@pytest.fixture(scope="module")
def trained(bakery: Path) -> tuple[Path, dict[str, Any]]:
    """The bakery after its first training, as of the first day of September."""
    return bakery, run(bakery, "train", "--as-of", "2024-09-01")


@pytest.fixture(scope="module")
def scored(trained: tuple[Path, dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
    """The bakery after its first scoring, with a copy as CSV."""
    config, _ = trained
    out = config.parent / "out" / "scores.csv"
    return config, run(config, "score", "--as-of", "2024-10-01", "--out", str(out))


def test_the_first_model_is_champion(trained: tuple[Path, dict[str, Any]]):
    config, found = trained
    assert found["version"] == "1"
    assert found["promoted"]
    assert found["trained_as_of"] == "2024-09-01"
    assert set(found["grades"]) >= {"risk", "spend"}
    listed = run(config, "models")
    assert [version["aliases"] for version in listed["versions"]][-1:] == [["champion"]]
    assert listed["champions"][0]["why"] == found["why"]


def test_everybody_on_record_is_scored_once(scored: tuple[Path, dict[str, Any]]):
    config, found = scored
    rows = pq.read_table(found["paths"][0], partitioning=None).to_pylist()
    before = {
        line.split(",")[0]
        for line in (config.parent / "sales.csv").read_text().splitlines()[1:]
        if line.split(",")[1] < "2024-10-01"
    }
    assert [row["customer_id"] for row in rows] == sorted(before)
    assert all(0 <= row["churn_probability"] <= 1 for row in rows)
    assert {row["model_version"] for row in rows} == {"1"}
    assert found["counts"]["customers"] == len(rows)


def test_the_csv_holds_the_rows_of_the_store(scored: tuple[Path, dict[str, Any]]):
    _, found = scored
    stored = pq.read_table(found["paths"][0], partitioning=None)
    with Path(found["paths"][1]).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == stored.column_names
    assert [row["customer_id"] for row in rows] == stored["customer_id"].to_pylist()
    assert [float(row["clv"]) for row in rows] == stored["clv"].to_pylist()


def test_a_hand_on_the_champion_is_written_down(scored: tuple[Path, dict[str, Any]]):
    config, _ = scored
    second = run(config, "train", "--as-of", "2024-10-01")
    assert second["version"] == "2"
    if not second["promoted"]:
        run(config, "models", "promote", "2", "--why", "autumn range")
    assert run(config, "score", "--as-of", "2024-10-01")["model_version"] == "2"

    back = run(config, "models", "rollback", "--why", "too gloomy about newcomers")
    assert (back["from_version"], back["to_version"]) == ("2", "1")
    assert run(config, "score", "--as-of", "2024-10-01")["model_version"] == "1"

    last = run(config, "models")["champions"][-1]
    assert (last["kind"], last["why"]) == ("rollback", "too gloomy about newcomers")


def test_a_change_without_a_reason_is_refused(trained: tuple[Path, dict[str, Any]]):
    config, _ = trained
    assert "reason" in run(config, "models", "promote", "1", "--why", " ", code=1)


def test_a_version_that_is_not_there_is_refused(trained: tuple[Path, dict[str, Any]]):
    config, _ = trained
    assert "99" in run(config, "models", "promote", "99", "--why", "typing error", code=1)


def test_a_refused_training_leaves_the_scores_as_they_are(scored: tuple[Path, dict[str, Any]]):
    config, found = scored
    before = Path(found["paths"][1]).read_bytes()
    run(config, "train", "--as-of", "2024-01-05", code=1)
    assert Path(found["paths"][1]).read_bytes() == before
    assert run(config, "models")["champions"]
