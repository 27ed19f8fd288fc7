"""The demonstration's folder: what is written, what is kept, and that it says what it does."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from features.inputs import SourceReport
from regulars import demo
from regulars.demo import Demonstration
from regulars.settings import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "cdnow.toml"


def test_the_folder_holds_settings_that_load_and_data_that_they_name(tmp_path: Path):
    settings = load(demo.prepare(tmp_path / "new"), {})
    assert settings.sources.transactions is not None
    assert Path(settings.sources.transactions.uri).is_file()
    assert Path(settings.store.path) == tmp_path / "new" / ".regulars"


def test_the_demonstration_asks_the_same_as_the_example(tmp_path: Path):
    shown = load(demo.prepare(tmp_path), {})
    example = load(EXAMPLE, {"REGULARS_DATA": str(tmp_path)})
    apart = {"store", "tracking"}
    assert shown.model_dump(exclude=apart) == example.model_dump(exclude=apart)


def test_settings_that_were_changed_stay(tmp_path: Path):
    file = demo.prepare(tmp_path)
    file.write_text(file.read_text().replace("horizon_days = 90", "horizon_days = 60"))
    assert load(demo.prepare(tmp_path), {}).churn.horizon_days == 60


def closing(read: int, scored: int) -> str:
    source = SourceReport(source="transactions", read=9, accepted=9, customers=read)
    report = SimpleNamespace(sources=(source,), as_of=date(1998, 7, 1))
    done = SimpleNamespace(frame=range(scored), paths=(Path("store"), Path("demo/scores.csv")))
    return demo.closing(Demonstration(report, None, done))  # type: ignore[arg-type]


def test_customers_who_are_not_scored_are_counted_and_explained():
    told = closing(23_570, 23_502)
    assert "All 23,502 customers" in told
    assert "23,570 less 68 without a paid purchase" in told
    assert told.endswith("demo/scores.csv")


def test_where_everybody_is_scored_nothing_is_to_be_explained():
    assert closing(100, 100) == "All 100 customers: demo/scores.csv"


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("where", ["on the path", "elsewhere", "another of that name"])
def test_a_command_is_told_as_it_can_be_typed(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ours = program(tmp_path / "ours" / "regulars")
    folders = {"on the path": "ours", "elsewhere": "none", "another of that name": "other"}
    program(tmp_path / "other" / "regulars")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / folders[where]), "/usr/bin"]))
    monkeypatch.setattr(sys, "argv", [str(ours), "demo"])
    told = demo.again("serve", Path("my demo/regulars.toml"))
    start = "regulars" if where == "on the path" else str(ours)
    assert told == f"{start} serve -c 'my demo/regulars.toml'"


def test_a_path_is_told_as_it_was_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    program(tmp_path / ".venv" / "bin" / "regulars")
    told = demo.again("serve", Path("x.toml"), ".venv/bin/regulars")
    assert told == ".venv/bin/regulars serve -c x.toml"


def test_a_module_is_started_by_its_interpreter(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/opt/bin/python")
    told = demo.again("serve", Path("x.toml"), "/site/regulars/__main__.py")
    assert told == "/opt/bin/python -m regulars serve -c x.toml"
