"""A training that is killed, told to stop, or fails does not stay RUNNING in MLflow."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from regulars import cli
from training.runs import unfinished

SETTINGS = """\
name = "kiosk"
currency = "EUR"
timezone = "Europe/Berlin"

[sources.transactions]
uri = "sales.csv"
customer_id = "who"
timestamp = "day"
amount = "paid"

[churn]
horizon_days = 30
"""
# Trains, and says "here" when it comes to a place for the first time; inside a child's run it
# waits there, since so little is done in it.
TRAINING = """\
import signal, sys
from training import pipeline
from training.runs import tracking
place, *arguments = sys.argv[1:]
# A shell that starts jobs in the background hands on an ignored SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
module = pipeline if place == "gather" else tracking
real = getattr(module, place)

def told(*given, **named):
    if place == "gather" or __import__("mlflow").active_run().data.tags.get("mlflow.parentRunId"):
        print("here", flush=True)
        if place == "log":
            signal.pause()
    return real(*given, **named)

setattr(module, place, told)
from regulars.cli import app
app(arguments)
"""


@pytest.fixture
def kiosk(tmp_path: Path, empty_mlflow: Path) -> Path:
    """Five months of sales to 80 customers, with an empty MLflow store."""
    random = np.random.default_rng(5)
    who, day = np.nonzero(random.random((80, 150)) < 0.08)
    dates = np.datetime64("2024-01-01") + day
    rows = [f"c{w:02},{d},{w % 7 + 1}.50" for w, d in zip(who, dates, strict=True)]
    (tmp_path / "sales.csv").write_text("\n".join(["who,day,paid", *rows, ""]))
    (tmp_path / "regulars.toml").write_text(SETTINGS)
    (tmp_path / ".regulars").mkdir()
    shutil.copy(empty_mlflow, tmp_path / ".regulars" / "mlflow.db")
    return tmp_path / "regulars.toml"


@pytest.fixture
def begun(kiosk: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Starts a training of the kiosk and gives its process when it has come to a place."""

    def start(place: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", TRAINING, place, "train", "-c", str(kiosk)],
            env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n", process.communicate()
        return process

    return start


def runs(config: Path) -> dict[str, str]:
    """Status of every run by its id, the child's after the training's."""
    api = MlflowClient(f"sqlite:///{config.parent / '.regulars' / 'mlflow.db'}")
    experiment = api.get_experiment_by_name("kiosk")
    assert experiment is not None
    found = api.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return {run.info.run_id: run.info.status for run in found}


@pytest.fixture
def next_training(kiosk: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Begins another training, which fails at once, and gives what it said on standard error."""

    def fall(*_: object) -> None:
        raise RuntimeError("no more memory")

    def start() -> str:
        with monkeypatch.context() as patched:
            patched.setattr("training.pipeline.gather", fall)
            result = CliRunner().invoke(cli.app, ["train", "-c", str(kiosk)])
        assert result.exit_code == 1
        return result.stderr

    return start


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_training_that_is_told_to_stop_is_killed_at_once(kiosk, begun, sent, code):
    process = begun("gather")
    assert list(runs(kiosk).values()) == ["RUNNING"]
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert list(runs(kiosk).values()) == ["KILLED"]


@pytest.mark.parametrize("place", ["gather", "log"])
def test_the_next_training_ends_one_that_could_not_say_so(kiosk, begun, next_training, place: str):
    process = begun(place)
    process.kill()
    process.communicate(timeout=60)
    left = runs(kiosk)
    assert set(left.values()) == {"RUNNING"}
    assert len(left) == (1 if place == "gather" else 2)  # with the run of churn in it
    told = next_training()
    after = runs(kiosk)
    assert {after[run] for run in left} == {"KILLED"}
    assert [status for run, status in after.items() if run not in left] == ["FAILED"]
    (line,) = (line for line in told.splitlines() if "KILLED" in line)
    assert next(iter(left)) in line
    assert "KILLED" not in next_training()


def test_a_training_that_still_works_is_let_be(kiosk, begun, next_training):
    process = begun("gather")
    process.send_signal(signal.SIGSTOP)
    try:
        assert "KILLED" not in next_training()
        assert list(runs(kiosk).values()) == ["RUNNING", "FAILED"]
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert "KILLED" in next_training()
    assert list(runs(kiosk).values()) == ["KILLED", "FAILED", "FAILED"]


def test_what_is_over_leaves_no_file_behind(kiosk, next_training):
    next_training()
    assert list(runs(kiosk).values()) == ["FAILED"]
    trainings = kiosk.parent / ".regulars" / "trainings"
    assert len(list(trainings.iterdir())) == 1
    uri = f"sqlite:///{kiosk.parent / '.regulars' / 'mlflow.db'}"
    assert unfinished.close(uri, "kiosk", trainings) == ()
    assert list(trainings.iterdir()) == []
    assert list(runs(kiosk).values()) == ["FAILED"]
