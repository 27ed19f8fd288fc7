"""The verb measure: a plan, what came after it, and what the next plan makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from regulars import cli, measuring
from serving.campaigns import shelf
from serving.campaigns.belief import Belief, Effect
from tests.serving.conftest import AS_OF, make_people
from training.errors import StatisticalWarning

ACTIONS = """
[sources.events]
uri = "events.csv"
customer_id = "who"
timestamp = "day"
kind = "kind"

[actions.call]
channel = "telephone"
cost = 0.1
kept = { mean = 0.3, sd = 0.2 }
lift = { mean = 0.0, sd = 0.1 }

[plan]
holdout = 0.3
"""
PEOPLE, HORIZON = 900, 90


def run(verb: str, config: Path, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli.app, [verb, *arguments, "-c", str(config)])
    assert result.exit_code == code, result.output
    return result


def write_log(folder: Path, rows: pd.DataFrame | None, until: date) -> None:
    """Everybody bought once before the plan; of a plan, most of the treated come back."""
    ids = make_people(PEOPLE, seed=5)["customer_id"]
    past = pd.DataFrame({"who": ids, "day": str(AS_OF - timedelta(days=9)), "amount": 20.0})
    parts = [past, pd.DataFrame({"who": ["last"], "day": [str(until)], "amount": [1.0]})]
    if rows is not None:
        random = np.random.default_rng(0)
        back = random.random(len(rows)) < np.where(rows["arm"] == "treated", 0.7, 0.3)
        bought = pd.DataFrame({"who": rows["customer_id"], "day": str(AS_OF)})
        parts.append(bought.assign(amount=np.round(random.gamma(4, 10, len(rows)), 2))[back])
    pd.concat(parts).to_csv(folder / "lines.csv", index=False)


@pytest.fixture
def planned(config: Path, scored_shop: Callable[[int], pd.DataFrame]) -> tuple[Path, str]:
    """The corner shop with a plan for 900 made customers, whose campaign is over."""
    folder = config.parent
    scored_shop(PEOPLE)
    (folder / "events.csv").write_text("who,day,kind\nc000001,2024-07-05,complaint\n")
    config.write_text(config.read_text() + ACTIONS)
    write_log(folder, None, AS_OF)
    plan_id = json.loads(run("plan", config, "--json").stdout)["plan_id"]
    write_log(folder, assignments(config, plan_id), AS_OF + timedelta(days=HORIZON))
    return config, plan_id


def assignments(config: Path, plan_id: str) -> pd.DataFrame:
    return shelf.assignments(config.parent / ".regulars" / "plans", plan_id).to_pandas()


def figures(planned: tuple[Path, str], *arguments: str) -> dict[str, Any]:
    return json.loads(run("measure", planned[0], planned[1], "--json", *arguments).stdout)


def test_the_effect_is_that_of_the_log(planned):
    """Shares of the arms that came back, counted in the log by hand."""
    rows = assignments(*planned)
    log = pd.read_csv(planned[0].parent / "lines.csv")
    rows["back"] = rows["customer_id"].isin(log.loc[log["day"] == str(AS_OF), "who"])
    by_hand = rows.groupby("arm")["back"].mean()
    (call,) = figures(planned)["actions"]
    told = call["outcomes"][0]
    assert (told["outcome"], told["verdict"]) == ("returned", "rise")
    assert told["plain"][0] == pytest.approx(by_hand["treated"] - by_hand["holdout"], abs=0.01)
    assert told["lower"] < 0.4 < told["upper"]
    assert call["ratio"]["treated"] + call["ratio"]["holdout"] == len(rows)
    assert not call["ratio"]["broken"] and call["flagged"] == []


def test_people_read_it_in_plain_words_and_nothing_is_learned_unasked(planned):
    shown = " ".join(run("measure", *planned).stdout.split())
    for said in ("came back", "points", "95 % interval", "Guardrails", "too little to say"):
        assert said in shown
    assert "`--keep` lets them" in shown
    assert not (planned[0].parent / ".regulars" / "effects").exists()


def test_the_next_plan_reckons_with_what_was_kept(planned):
    told = figures(planned, "--keep")
    believed = told["believed"]["call"]
    assert believed["source"] == planned[1] and believed["kept"]["sd"] < 0.2
    assert believed["kept"]["mean"] == pytest.approx(0.4 / 0.7, abs=0.12)
    next_plan = json.loads(run("plan", planned[0], "--dry-run", "--json").stdout)
    (call,) = next_plan["actions"]
    assert next_plan["assumed"] == [] and call["since"] == told["measured_on"]
    assert call["measured"] == told["actions"][0]["ratio"]["treated"]
    again = figures(planned, "--keep")["believed"]["call"]
    assert again == believed


def test_what_was_kept_is_not_said_to_be_left_out(planned):
    assert "do not reckon with it yet" in " ".join(run("measure", *planned).stdout.split())
    run("measure", *planned, "--keep")
    shown = " ".join(run("measure", *planned).stdout.split())
    assert "do not reckon" not in shown and "what was kept of it before" in shown


def test_a_holdout_that_others_treated_teaches_nothing(planned):
    """A fifth of the held out got another plan's action: the arms differ by too little."""
    rows, folder = assignments(*planned), planned[0].parent / ".regulars" / "plans"
    held = rows[rows["arm"] == "holdout"]
    met = held.head(len(held) // 5).assign(arm="treated", plan_id="other")
    met.to_parquet(folder / "other.parquet", index=False)
    (folder / "other.json").write_text(json.dumps(shelf.said(folder, planned[1])))
    assert not figures(planned, "--keep")["believed"]
    said = run("measure", *planned, "--keep")
    assert "Nothing is kept of" in " ".join((said.stdout + said.stderr).split())


def test_held_out_customers_whom_another_plan_treated_are_told(planned):
    """The other plan treats the first five held out; one of another season is not looked at."""
    rows, folder = assignments(*planned), planned[0].parent / ".regulars" / "plans"
    held = rows[rows["arm"] == "holdout"]
    told = figures(planned)
    assert (told["held_out"], told["treated_elsewhere"]) == (len(held), 0)
    figure = shelf.said(folder, planned[1])
    for name, day in (("other", AS_OF), ("later", AS_OF + timedelta(days=HORIZON))):
        met = held.head(5).assign(arm="treated", plan_id=name, as_of=day)
        met.to_parquet(folder / f"{name}.parquet", index=False)
        (folder / f"{name}.json").write_text(json.dumps({**figure, "as_of": str(day)}))
    told = figures(planned)
    assert (told["held_out"], told["treated_elsewhere"]) == (len(held), 5)
    said = f"5 of {len(held)} held out were treated by other plans: the effect is diluted."
    assert said in " ".join(run("measure", *planned).stdout.split())


def test_it_is_noted_without_any_customer(planned):
    run("measure", *planned, "--keep")
    line = (planned[0].parent / ".regulars" / "audit.jsonl").read_text().splitlines()[-1]
    noted = json.loads(line)
    assert (noted["what"], noted["learned"]) == ("measure", ["call"])
    kept = (planned[0].parent / ".regulars" / "measured" / f"{planned[1]}.json").read_text()
    assert not any(one in line + kept for one in assignments(*planned)["customer_id"])


def test_a_campaign_that_is_not_over_is_refused_unless_asked_for(planned):
    config, plan_id = planned
    write_log(config.parent, assignments(*planned), AS_OF + timedelta(days=HORIZON - 2))
    refused = run("measure", *planned, code=1).stderr
    assert f"runs until {AS_OF + timedelta(days=HORIZON)}" in refused and "is over" not in refused
    assert "regulars check" in refused and "--so-far" in refused
    assert "leave --keep out" in run("measure", *planned, "--so-far", "--keep", code=1).stderr
    told = figures(planned, "--so-far")
    assert (told["days"], told["over"]) == (HORIZON - 1, False)
    assert f"{HORIZON - 1} of {HORIZON} days" in run("measure", *planned, "--so-far").stdout
    write_log(config.parent, None, AS_OF - timedelta(days=1))
    nothing = run("measure", config, plan_id, "--so-far", code=1).stderr
    assert "nothing is known yet" in nothing and "--so-far" not in nothing


def test_a_holdout_that_was_not_drawn_is_told_and_concludes_nothing(planned):
    key = planned[0].parent / ".regulars" / "plans" / "key"
    key.write_bytes(bytes(32))
    shown = " ".join(run("measure", *planned).stdout.split())
    assert "not in the arm that the plan's key draws" in shown and "came back" not in shown


def test_customers_who_are_gone_from_the_log_are_told(planned):
    rows = assignments(*planned)
    gone = rows.loc[rows["arm"] == "treated", "customer_id"].tolist()[::2]
    file = planned[0].parent / "lines.csv"
    log = pd.read_csv(file)
    log[~log["who"].isin(gone)].to_csv(file, index=False)
    shown = " ".join(run("measure", *planned).stdout.split())
    assert f"{len(gone):,} customers are left out" in shown
    assert "nothing is concluded" in shown and "came back" not in shown


def test_an_unknown_plan_is_refused_with_those_there_are(planned):
    refused = run("measure", planned[0], "nothing", code=1).stderr
    assert planned[1] in " ".join(refused.split())


def treat(planned: tuple[Path, str], sent: pd.DataFrame) -> None:
    """Give the shop a log of what was sent: customer, day, action."""
    config = planned[0]
    sent.assign(campaign="summer").to_csv(config.parent / "sent.csv", index=False)
    source = """
[sources.treatments]
uri = "sent.csv"
customer_id = "customer_id"
timestamp = "day"
campaign = "campaign"
action = "action"
"""
    config.write_text(config.read_text() + source)


def test_what_was_sent_is_told_beside_the_plan_and_changes_no_effect(planned):
    rows, before = assignments(*planned), figures(planned)["actions"][0]
    assert before["delivery"] is None
    treated = rows.loc[rows["arm"] == "treated", "customer_id"]
    held = rows.loc[rows["arm"] == "holdout", "customer_id"]
    inside, outside = str(AS_OF + timedelta(days=2)), str(AS_OF - timedelta(days=1))
    sent = [
        *((one, inside, "call") for one in treated[:50]),
        # A second contact, another action and another time count nobody.
        *((one, inside, "call") for one in treated[:5]),
        (treated.iloc[60], inside, "mail"),
        (treated.iloc[61], outside, "call"),
        *((one, inside, "call") for one in held[:7]),
        (held.iloc[8], outside, "call"),
    ]
    treat(planned, pd.DataFrame(sent, columns=["customer_id", "day", "action"]))
    (call,) = figures(planned)["actions"]
    arms = {"treated": len(treated), "held_out": len(held)}
    assert call["delivery"] == {**arms, "reached": 50, "contaminated": 7}
    assert call["outcomes"] == before["outcomes"]
    shown = " ".join(run("measure", *planned).stdout.split())
    assert f"7 of {len(held)} held out were contacted all the same" in shown
    assert f"50 of {len(treated)} treated were contacted" in shown


def test_a_plan_of_which_nothing_was_sent_is_told(planned):
    sent = pd.DataFrame([("nobody", str(AS_OF), "call")], columns=["customer_id", "day", "action"])
    treat(planned, sent)
    shown = " ".join(run("measure", *planned).stdout.split())
    assert "no treated customer was contacted in these days" in shown
    assert "all the same" not in shown


def test_an_assumption_far_from_the_data_is_a_warning_where_it_is_kept(planned):
    config, _ = planned
    config.write_text(config.read_text().replace("mean = 0.3, sd = 0.2", "mean = 0.05, sd = 0.02"))
    assert "The settings assume" not in run("measure", *planned).stderr
    said = " ".join(run("measure", *planned, "--keep").stderr.split())
    assert "The settings assume kept = 0.05 ± 0.02 of call; measured is" in said
    assert "deviations of both together away" in said
    assert "assume lift" not in said


def test_the_doubt_is_of_the_class_of_statistics():
    prior = Effect(Belief(0.05, 0.02), Belief(0.0, 0.1))
    found = {"kept": Belief(0.5, 0.05), "lift": Belief(0.2, 0.1)}
    with pytest.warns(StatisticalWarning, match=r"kept = 0\.05 ± 0\.02 of call") as caught:
        measuring._doubt("call", prior, found)
    assert len(caught) == 1


def test_what_was_to_be_kept_and_was_not_is_told(planned):
    config, _ = planned
    text = config.read_text()
    config.write_text(text.replace("[actions.call]", "[actions.letter]"))
    said = " ".join(run("measure", *planned, "--keep").stderr.split())
    assert "Of call nothing is kept: no longer in [actions]" in said
    assert "the next plans reckon as before" in said
    assert not (config.parent / ".regulars" / "effects").exists()
    config.write_text(text)
    assert "Nothing was kept" not in run("measure", *planned, "--keep").stderr


def test_too_little_to_keep_is_told_with_whose():
    config = SimpleNamespace(actions={"call": 1, "mail": 1})
    found = SimpleNamespace(
        actions=[
            SimpleNamespace(action="call", learned={}),
            SimpleNamespace(action="mail", learned={"kept": 1}),
            SimpleNamespace(action=None, learned={}),
        ],
        spoilt=lambda one: False,  # noqa: ARG005
    )
    some = list(measuring._unkept(config, found, {"mail": 1}))
    assert some == ["There is too little to keep of call."]
    found.actions.pop(1)
    (none,) = measuring._unkept(config, found, {})
    assert none.endswith("Nothing was kept; the next plans reckon as before.")
