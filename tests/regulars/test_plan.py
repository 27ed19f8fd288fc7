"""The verb plan: from a score table in the store to a plan that was kept, exported and noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from regulars import cli
from serving import scores
from serving.campaigns import shelf
from tests.serving.conftest import AS_OF, make_people

ACTIONS = """
[sources.customers]
uri = "customers.csv"
customer_id = "id"
permissions = ["ok", "stop"]

[sources.treatments]
uri = "treated.csv"
customer_id = "id"
timestamp = "day"
campaign = "campaign"
action = "action"

[actions.call]
channel = "telephone"
cost = 3
capacity = 20
cooling_off_days = 60
mass = false
owner = "Ann"
kept = { mean = 0.3, sd = 0.1 }

[actions.voucher]
channel = "e-mail"
cost = 0.2
cost_per_spend = 0.05
consent = "ok"
kept = { mean = 0.1, sd = 0.05 }
lift = { mean = 0.1, sd = 0.05 }

[plan]
suppressed = "stop"
"""
PEOPLE = 200
COOLING, SUPPRESSED = 30, 10


def run(config: Path, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli.app, ["plan", "-c", str(config), *arguments])
    assert result.exit_code == code, result.output
    return result


def figures(config: Path, *arguments: str) -> dict[str, Any]:
    return json.loads(run(config, *arguments, "--json").stdout)


@pytest.fixture
def shop(config: Path, scored_shop: Callable[[int], pd.DataFrame]) -> Path:
    """The corner shop with scores of 200 made customers.

    Every second one has consented; the first 30 were called in June, the last 10 are suppressed.
    """
    folder, people = config.parent, scored_shop(PEOPLE)
    ids = people["customer_id"]
    listed = pd.DataFrame({"id": ids, "ok": ["yes", "no"] * (PEOPLE // 2), "stop": "no"})
    listed.loc[PEOPLE - SUPPRESSED :, "stop"] = "yes"
    listed.to_csv(folder / "customers.csv", index=False)
    treated = pd.DataFrame({"id": ids[:COOLING], "day": "2024-06-01", "campaign": "june"})
    treated.assign(action="call").to_csv(folder / "treated.csv", index=False)
    config.write_text(config.read_text() + ACTIONS)
    return config


def test_a_plan_is_kept_exported_and_noted(shop: Path):
    out = shop.parent / "out" / "plan.csv"
    found = figures(shop, "--budget", "40", "--out", str(out))
    store = shop.parent / ".regulars"
    rows = pd.read_csv(out)
    kept = shelf.assignments(store / "plans", found["plan_id"])
    assert rows["customer_id"].tolist() == kept["customer_id"].to_pylist()
    treated = rows[rows["arm"] == "treated"]
    assert 0 < treated["cost"].sum() <= 40
    assert found["total"]["treated"] == len(treated) < len(rows)
    assert found["assumed"] == ["call", "voucher"]
    (line,) = (store / "audit.jsonl").read_text().splitlines()
    noted = json.loads(line)
    assert noted["what"] == "plan" and noted["plan_id"] == found["plan_id"]
    assert not any(one in line for one in rows["customer_id"])


def test_the_guardrails_hold(shop: Path):
    found = figures(shop, "--budget", "1000")
    rows = shelf.assignments(shop.parent / ".regulars" / "plans", found["plan_id"]).to_pandas()
    ids = make_people(PEOPLE, seed=5)["customer_id"]
    assert not set(rows["customer_id"]) & set(ids[PEOPLE - SUPPRESSED :])
    called = set(rows.loc[rows["action"] == "call", "customer_id"])
    assert called and not called & set(ids[:COOLING])
    mailed = set(rows.loc[rows["action"] == "voucher", "customer_id"])
    assert mailed and mailed <= set(ids[::2])
    assert found["held_back"]["suppressed"] == SUPPRESSED
    assert found["held_back"]["cooling off"] == COOLING


def test_a_dry_run_leaves_nothing_behind(shop: Path):
    out = shop.parent / "plan.csv"
    shown = run(shop, "--budget", "40", "--dry-run", "--out", str(out)).stdout
    assert "nothing was kept or exported" in shown
    assert not out.exists()
    store = shop.parent / ".regulars"
    assert sorted(path.name for path in store.iterdir()) == ["plans", "scores"]
    # The key that the plan will be drawn by, so that the rehearsal is that of the plan.
    assert [path.name for path in (store / "plans").iterdir()] == ["key"]


def test_a_dry_run_has_the_name_and_the_figures_of_the_plan_then_made(shop: Path):
    rehearsed = figures(shop, "--budget", "40", "--dry-run")
    assert figures(shop, "--budget", "40", "--dry-run") == rehearsed
    assert figures(shop, "--budget", "41", "--dry-run")["plan_id"] != rehearsed["plan_id"]
    made = figures(shop, "--budget", "40")
    assert {**made, "paths": []} == rehearsed and len(made["paths"]) == 2
    # The next one is another plan, of those whom the first left over.
    again = figures(shop, "--budget", "40", "--dry-run")
    assert again["plan_id"] != made["plan_id"]
    assert figures(shop, "--budget", "40")["plan_id"] == again["plan_id"]


def test_a_file_that_is_there_is_replaced_only_by_force(shop: Path):
    out = shop.parent / "plan.csv"
    out.write_text("sent on Monday\n")
    refused = " ".join(run(shop, "--budget", "40", "--out", str(out), code=2).stderr.split())
    assert "which is there already" in refused and "--force" in refused
    assert out.read_text() == "sent on Monday\n"
    assert not (shop.parent / ".regulars" / "plans").exists()
    run(shop, "--budget", "40", "--out", str(out), "--dry-run")
    assert out.read_text() == "sent on Monday\n"
    run(shop, "--budget", "40", "--out", str(out), "--force")
    assert out.read_text().startswith('"assignment_id"')


@pytest.mark.parametrize("margin", [0.3, 0.45])
def test_a_margin_that_the_scores_do_not_have_is_told(shop: Path, margin: float):
    shop.write_text(shop.read_text() + f"[value]\nmargin = {margin}\n")
    file = shop.parent / ".regulars" / "scores" / f"as_of={AS_OF}.parquet"
    scores.write(scores.read(file), replace(scores.read_meta(file), margin=0.3), file)
    said = " ".join(run(shop, "--dry-run").stderr.split())
    told = f"`margin` in [value] is 0.45 now, and the scores of {AS_OF} were made with 0.3"
    assert (told in said) == (margin == 0.45)
    assert ("regulars train" in said) == (margin == 0.45)


def test_people_are_told_before_anything_goes_out(shop: Path):
    shown = " ".join(run(shop, "--budget", "40", "--dry-run").stdout.split())
    for said in (
        "a budget of 40.00 EUR",
        "80 % band",
        "Kept from an action by a guardrail",
        "the next coin brings back less than itself",
        "The holdout of",
        "Nothing was ever measured of call, voucher",
        "duality gap",
    ):
        assert said in shown


def test_what_was_measured_takes_the_place_of_the_assumption(shop: Path):
    effects = shop.parent / ".regulars" / "effects"
    effects.mkdir()
    entry = {"lift": {"mean": 0.0, "sd": 0.01}, "source": "p0", "since": "2024-05-01"}
    entry |= {"treated": 412, "measured": {"kept": {"mean": 0.0, "sd": 0.01}, "treated": 412}}
    rows = [
        {**entry, "kept": {"mean": 0.9, "sd": 0.1}},
        {**entry, "kept": {"mean": 0.0, "sd": 0.01}, "since": "2024-06-01"},
    ]
    (effects / "voucher.json").write_text(json.dumps(rows))
    found = figures(shop, "--dry-run")
    (voucher,) = [one for one in found["actions"] if one["action"] == "voucher"]
    assert voucher["since"] == "2024-06-01" and voucher["chosen"] == 0
    assert found["assumed"] == ["call"]
    shown = " ".join(run(shop, "--dry-run").stdout.split())
    assert "2024-06-01, 412 treated" in shown


def test_the_budget_of_the_settings_is_taken_where_none_is_given(shop: Path):
    shop.write_text(shop.read_text() + "budget = 25\n")
    assert figures(shop, "--dry-run")["budget"] == 25
    assert figures(shop, "--dry-run", "--budget", "30")["budget"] == 30


def test_a_cooling_off_without_its_source_is_said(shop: Path):
    text = shop.read_text()
    start, end = text.index("[sources.treatments]"), text.index("[actions.call]")
    shop.write_text(text[:start] + text[end:])
    assert "cooling-off of call is not kept" in " ".join(run(shop, "--dry-run").stderr.split())


def test_without_scores_or_actions_it_is_refused_with_what_to_do(shop: Path):
    missing = run(shop, "--as-of", str(date(2024, 6, 30)), code=1).stderr
    assert f"the newest is of {AS_OF}" in missing and "regulars score --as-of" in missing
    text = shop.read_text()
    shop.write_text(text[: text.index("[actions.call]")])
    assert "[actions.<name>]" in run(shop, code=1).stderr


def test_an_output_of_another_kind_is_wrong_use(shop: Path):
    assert "plan.xlsx" in run(shop, "--out", "plan.xlsx", code=2).stderr
