"""The verbs together: train, promote, score, train again, promote by hand, roll back."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
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
horizon_days = 60

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


def _ends(total: dict[str, float]) -> dict[str, float]:
    return {name: total[name] for name in ("lower", "upper")}


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
    spend = found["counts"]["expected"]["expected_spend"]
    assert spend["sum"] == pytest.approx(sum(row["expected_spend"] or 0 for row in rows))
    assert spend["lower"] < spend["sum"] < spend["upper"]
    worth = found["counts"]["expected"]["clv"]
    assert worth["sum"] == pytest.approx(sum(row["clv"] or 0 for row in rows))
    assert worth["lower"] < worth["sum"] < worth["upper"]
    told = run(config, "equity", "--as-of", "2024-10-01")["total"]
    assert told == pytest.approx({"equity": worth["sum"], **_ends(worth)})


def test_the_csv_holds_the_rows_of_the_store(scored: tuple[Path, dict[str, Any]]):
    _, found = scored
    stored = pq.read_table(found["paths"][0], partitioning=None)
    with Path(found["paths"][1]).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == stored.column_names
    assert [row["customer_id"] for row in rows] == stored["customer_id"].to_pylist()
    assert [float(row["clv"]) for row in rows] == stored["clv"].to_pylist()


def test_people_see_whom_to_look_after_first(scored: tuple[Path, dict[str, Any]]):
    """Ten at most, under the line that says what was scored."""
    config, found = scored
    rows = pq.read_table(found["paths"][0], partitioning=None).to_pylist()
    late = [row for row in rows if row["stage"] == "at_risk" and row["churn_probability"] >= 0.5]
    first = sorted(late, key=lambda row: (-row["clv"], row["customer_id"]))[:10]
    assert len(late) > 10
    arguments = ["score", "--as-of", "2024-10-01", "-c", str(config)]
    shown = CliRunner().invoke(cli.app, arguments).stdout
    above, _, table = shown.partition(
        "At risk and more likely than not to leave, the most valuable first"
    )
    assert above.startswith(f"{len(rows)} customers as of 2024-10-01")
    assert re.findall(r"^ +(c\d{3}) ", table, re.M) == [row["customer_id"] for row in first]
    for reason in first[0]["reasons"]:
        assert reason["text"].split()[0] in table
    assert "profit (the margin of the revenue)" in " ".join(table.split())


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


# Runs a verb and dies, as by SIGKILL, at the n-th file that is moved into its place or at the
# n-th call to MLflow's registry that changes something.
KILLED = """\
import os, signal, sys
place, number, *arguments = sys.argv[1:]
seen = 0

def count(*_, **__):
    global seen
    seen += 1
    if seen == int(number):
        os.kill(os.getpid(), signal.SIGKILL)

if place == "move":
    sys.addaudithook(lambda event, _: count() if event == "os.rename" else None)
else:
    from mlflow import MlflowClient
    real = getattr(MlflowClient, place)
    setattr(MlflowClient, place, lambda *a, **k: (count(), real(*a, **k))[1])
from regulars.cli import app
app(arguments)
"""


def kill(config: Path, place: str, number: int, *arguments: str) -> int:
    command = [sys.executable, "-c", KILLED, place, str(number), *arguments, "-c", str(config)]
    root = Path(cli.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, env=environment, capture_output=True, cwd=config.parent)
    return done.returncode


def state(store: Path) -> dict[str, bytes]:
    """Every table in the store, by name; temporary files are hidden ones."""
    files = (path for path in store.rglob("as_of=*.parquet"))
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_kill_while_scoring_leaves_every_table_whole(
    scored: tuple[Path, dict[str, Any]], number: int
):
    """Moves: behaviour, occasions, scores; each dies just before its own."""
    config, _ = scored
    store = config.parent / ".regulars"
    before = state(store)
    assert kill(config, "move", number, "score", "--as-of", "2024-10-01") == -signal.SIGKILL
    after = state(store)
    assert after.keys() == before.keys()
    # Scores hold the instant of scoring, so a new file would differ.
    assert after["scores/as_of=2024-10-01.parquet"] == before["scores/as_of=2024-10-01.parquet"]
    for name in after:
        assert pq.read_table(store / name, partitioning=None).num_rows > 0


def test_what_a_killed_writer_left_is_swept_by_the_next(scored: tuple[Path, dict[str, Any]]):
    config, _ = scored
    store = config.parent / ".regulars"
    kill(config, "move", 1, "build", "--as-of", "2024-10-01")
    assert list(store.rglob("*.tmp"))
    run(config, "build", "--as-of", "2024-10-01")
    assert list((store / "behaviour").glob("*")) == [store / "behaviour/as_of=2024-10-01.parquet"]
    assert list((store / "behaviour").glob(".*")) == []


@pytest.mark.parametrize("place", ["create_model_version", "set_registered_model_tag"])
def test_a_kill_while_training_leaves_the_champion(scored: tuple[Path, dict[str, Any]], place: str):
    """Once before the version is registered, once before a promotion is written down."""
    config, _ = scored
    before = run(config, "models")["champions"]
    arguments = ("train", "--as-of", "2024-10-01")
    if place == "set_registered_model_tag":
        other = "2" if before[-1]["to_version"] == "1" else "1"
        arguments = ("models", "promote", other, "--why", "will not come to pass")
    assert kill(config, place, 1, *arguments) == -signal.SIGKILL
    assert run(config, "models")["champions"] == before
    champion = before[-1]["to_version"]
    assert run(config, "score", "--as-of", "2024-10-01")["model_version"] == champion
