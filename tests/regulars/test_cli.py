"""The command line: what it imports, what it refuses, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from features.errors import EmptyError, InputError, SettingsError
from regulars import cli, environment, exits, options, screen
from serving.errors import OutputError, ScoreTableError
from training.errors import NotEnoughData, RegistryError, StatisticalWarning

VERBS = (
    "demo", "check", "build", "train", "score", "plan", "measure", "segments", "equity", "cohorts",
    "accounts", "satisfaction", "serve", "bento", "models", "sample",
)  # fmt: skip


def run(*arguments: str | Path, code: int = exits.DONE) -> CliRunner:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_help_lists_the_verbs():
    shown = run("--help").output
    assert [verb for verb in VERBS if verb not in shown] == []


@pytest.mark.parametrize("verb", [*VERBS, "models promote", "models rollback"])
def test_each_verb_has_help(verb: str):
    assert "Usage:" in run(*verb.split(), "--help").output


@pytest.mark.parametrize("verb", [*VERBS, "models promote", "models rollback"])
def test_no_text_in_brackets_is_lost_from_the_help(verb: str):
    """A bracket that is not escaped is a style to the printer, and vanishes with its words."""
    command = get_command(cli.app)
    for name in verb.split():
        command = command.commands[name]
    texts = [command.help or "", *(getattr(one, "help", None) or "" for one in command.params)]
    wide = CliRunner().invoke(cli.app, [*verb.split(), "--help"], env={"COLUMNS": "240"}).output
    shown = " ".join(re.sub(r"[│╭╰─╮╯]", " ", wide).split())
    bracketed = re.findall(r"\[[^\]]*\]", " ".join(texts))
    assert [one for one in bracketed if one not in shown] == []


def test_the_front_door_imports_nothing_heavy():
    heavy = (
        "pandas", "numpy", "scipy", "sklearn", "lightgbm", "mlflow", "ibis", "duckdb", "pyarrow",
        "pandera", "pydantic", "bentoml", "altair", "lifetimes", "starlette",
    )  # fmt: skip
    script = f"import sys, regulars.cli; print(sorted(set({heavy}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-02-30", "is not a day of the calendar"),
        ("2023-02-29", "is not a day of the calendar"),
        ("2024-13-01", "is not a day of the calendar"),
        ("20240229", "is not a date; write YYYY-MM-DD"),
        ("yesterday", "is not a date; write YYYY-MM-DD"),
        ("2024-2-3", "is not a date; write YYYY-MM-DD"),
        ("", "is not a date; write YYYY-MM-DD"),
        ("9999-12-31", "is out of reach"),
        ("0001-01-01", "is out of reach"),
    ],
)
def test_an_impossible_date_is_wrong_use(text: str, said: str):
    with pytest.raises(typer.BadParameter, match=said):
        options.day(text)
    result = run("build", "--as-of", text, code=exits.WRONG_USE)
    assert "Traceback" not in result.output


def test_a_leap_day_is_a_day():
    assert options.day("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize(
    "arguments",
    [
        ("chek",),
        ("check", "--asof", "2024-01-01"),
        ("score", "--out", "scores.xlsx"),
        ("serve", "--port", "70000"),
        ("train", "--tune", "-1"),
        ("models", "promote", "3"),
        ("models", "rollback"),
        ("sample", "atlantis", "--to", "x"),
        ("sample", "cdnow"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]):
    run(*arguments, code=exits.WRONG_USE)


@pytest.mark.parametrize("verb", ["check", "build", "train", "score", "serve", "bento", "models"])
def test_missing_settings_are_wrong_use_and_say_how_to_make_some(verb: str, tmp_path: Path):
    result = run(verb, "-c", tmp_path / "none.toml", code=exits.WRONG_USE)
    assert "There is no settings file" in result.stderr
    assert "regulars demo" in result.stderr


def test_settings_are_found_through_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("REGULARS_CONFIG", str(config))
    assert json.loads(run("check", "--json").stdout)["sources"][0]["read"] == 8


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no such file"), 2),
        (SettingsError("no such key"), 2),
        (OutputError("no such kind"), 2),
        (EmptyError("nobody is left"), 1),
        (NotEnoughData("too short"), 1),
        (RegistryError("no champion"), 1),
        (ScoreTableError("broken"), 1),
    ],
)
def test_an_expected_error_is_a_sentence_and_a_code(error: Exception, code: int, failing):
    failing(error)
    result = run("check", code=code)
    assert result.stderr.strip() == str(error)
    assert result.stdout == ""


def test_an_unforeseen_error_is_a_short_message(failing):
    failing(ZeroDivisionError("division by zero"))
    result = run("check", code=exits.REFUSED)
    assert "ZeroDivisionError: division by zero" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_shows_where_and_keeps_the_code(way: str, failing, monkeypatch: pytest.MonkeyPatch):
    failing(SettingsError("no such key"))
    if way == "environment":
        monkeypatch.setenv("REGULARS_DEBUG", "1")
    result = run(*(["--debug"] if way == "option" else []), "check", code=exits.WRONG_USE)
    assert "Traceback" in result.stderr
    assert "no such key" in result.stderr


def test_a_doubt_is_a_note_said_once(capsys: pytest.CaptureFixture[str]):
    with screen.doubts(StatisticalWarning):
        for _ in range(3):
            warnings.warn("few customers came back", StatisticalWarning, stacklevel=1)
    assert capsys.readouterr().err == "Note: few customers came back\n"


def test_progress_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]):
    with screen.steps() as tell:
        tell("snapshots", 1, 3)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_a_log_has_one_line_for_each_step_and_the_time(capsys: pytest.CaptureFixture[str]):
    with screen.steps(logged=True) as tell:
        tell("reading transactions", 0, 0)
        for number in range(4):
            tell("snapshots", number, 3)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "[  0:00] reading transactions",
        "[  0:00] looking at past dates (3 parts)",
        "[  0:00] done",
    ]


def test_the_time_of_a_step_is_counted_from_the_beginning(capsys: pytest.CaptureFixture[str]):
    seconds = iter([5.0, 5.4, 130.0])
    lines = screen.Lines(lambda: next(seconds))
    lines("fit", 0, 1)
    lines("fit", 1, 1)
    lines("track", 0, 1)
    assert capsys.readouterr().err == (
        "[  0:00] fitting the models\n[  2:05] recording in MLflow\n"
    )


def test_a_step_that_raises_is_not_told_as_done(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ValueError, match="no"), screen.steps(logged=True) as tell:
        tell("fit", 0, 1)
        raise ValueError("no")
    assert capsys.readouterr().err == "[  0:00] fitting the models\n"


def test_square_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]):
    screen.say("unknown key in [churn]")
    assert capsys.readouterr().out == "unknown key in [churn]\n"


def test_figures_that_are_not_finite_are_no_json():
    with pytest.raises(ValueError, match="JSON"):
        screen.figures({"auc": float("nan")})


def test_the_environment_is_prepared_and_what_is_set_stands():
    given = {"OMP_WAIT_POLICY": "active"}
    environment.prepare(given)
    assert given["OMP_WAIT_POLICY"] == "active"
    assert given["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert given["BENTOML_DO_NOT_TRACK"] == "True"


def test_a_key_is_let_in_by_its_entry():
    import hashlib

    shown = run("key", "risk", "value").stdout
    key = shown.splitlines()[0].split()[-1]
    assert f"REGULARS_API_KEYS=risk+value:{hashlib.sha256(key.encode()).hexdigest()}" in shown
    assert key not in run("key", "risk", "value").stdout


def test_a_key_of_an_unknown_scope_is_wrong_use():
    assert "risk, value, admin" in run("key", "all", code=exits.WRONG_USE).stderr


def test_build_before_the_first_purchase_is_refused(config: Path):
    result = run("build", "-c", config, "--as-of", "2023-01-01", code=exits.REFUSED)
    assert "2023-01-01" in result.stderr


def test_training_on_three_customers_is_refused_with_a_reason(tracked: Path):
    result = run("train", "-c", tracked, code=exits.REFUSED)
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


def test_score_without_a_champion_says_how_to_get_one(tracked: Path):
    result = run("score", "-c", tracked, code=exits.REFUSED)
    assert "regulars train" in result.stderr


def test_models_of_a_new_business_says_how_to_make_the_first(tracked: Path):
    assert "regulars train" in run("models", "-c", tracked).stdout
    assert json.loads(run("models", "-c", tracked, "--json").stdout) == {
        "versions": [],
        "champions": [],
    }


def test_the_command_runs_as_a_process(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "regulars", "check", "-c", "none.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == exits.WRONG_USE
    assert done.stderr.startswith("There is no settings file 'none.toml'")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("ended", "code"), [(0, exits.DONE), (3, exits.REFUSED)])
def test_serve_binds_to_this_machine_without_keys_and_says_so(
    tracked: Path, monkeypatch: pytest.MonkeyPatch, ended: int, code: int
):
    started: list[list[str]] = []

    def run_service(command: list[str], _environment: object, _url: str, *, ready) -> int:
        started.append(command)
        ready()
        return ended

    monkeypatch.setattr("regulars.server.run", run_service)
    monkeypatch.setattr("regulars.server.check_port", lambda _host, _port: None)
    monkeypatch.delenv("REGULARS_API_KEYS", raising=False)
    shown = run("serve", "-c", tracked, "--port", "3123", code=code)
    assert started[0][-4:] == ["--host", "127.0.0.1", "--port", "3123"]
    assert "No API keys are set (REGULARS_API_KEYS): only this machine is answered." in shown.stdout
    assert "http://127.0.0.1:3123" in shown.stdout
