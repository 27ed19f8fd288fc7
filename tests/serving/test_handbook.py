"""The page about scores: up to date, and its rules are those that decide."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving import abstention, handbook
from serving.catalogue import COLUMNS
from serving.groups import lifecycle, tiers
from serving.groups.history import read

SHIPPED = Path(__file__).parents[2] / "docs" / "scores.md"
SIGNS = {"·": "*", "≤": "<=", "≥": ">=", "≠": "!=", "′": "_", ", or": ") | (", ", and": ") & ("}


def test_the_shipped_page_is_up_to_date():
    told = "write it anew: python -m serving.handbook > docs/scores.md"
    assert SHIPPED.read_text(encoding="utf-8") == handbook.page(), told


def test_every_column_stage_and_tier_has_one_line():
    page = handbook.page()
    for column in COLUMNS:
        assert page.count(f"\n| `{column.name}` | ") == 1
    for name in (*lifecycle.STAGES, *tiers.TIERS):
        assert len(re.findall(rf"^\| \d \| `{name}` \| ", page, re.M)) == 1


def first_that_holds(rules: tuple, values: pd.DataFrame) -> list[str]:
    """Read the formulas of the page as what they say, and apply them in their order."""
    chosen = pd.Series(index=values.index, dtype=object)
    for name, _, formula in rules:
        code = formula.replace(" cut", "_cut")
        for sign, means in SIGNS.items():
            code = code.replace(sign, means)
        code = re.sub(r"(?<![<>!=])=(?!=)", "==", code).replace("!= lapsed", "!= 'lapsed'")
        holds = True if formula == "everyone else" else values.eval(f"({code})")
        chosen = chosen.where(chosen.notna(), np.where(holds, name, None))
    return chosen.tolist()


@pytest.fixture(scope="module")
def population(people):
    """Histories of 3,000 customers, their rhythm, and the quantities that the page speaks of."""
    frame = people(3000, seed=3)
    history = read(frame)
    rhythm = lifecycle.learn(history, horizon_days=90)
    G, n = rhythm.population_gap, history.gaps
    total = np.where(n > 0, n * np.nan_to_num(history.gap_mean), 0.0)
    before = np.where(n > 1, total - np.nan_to_num(history.gap_last), 0.0)
    g = (total + 2 * G) / (n + 2)
    values = pd.DataFrame(
        {
            "g": g,
            "g_": (before + 2 * G) / (np.maximum(n - 1, 0) + 2),
            "o": history.days_since_last / g,
            "gap_last": history.gap_last,
            "frequency": history.frequency,
            "days_since_first": frame["T"] + 1,
            "spend_total": history.spend,
        }
    )
    return history, rhythm, values


def test_the_rules_of_the_stages_decide_as_they_are_told(population):
    history, rhythm, values = population
    told = first_that_holds(handbook.STAGE_RULES, values)
    assert set(told) == set(lifecycle.STAGES)
    assert told == lifecycle.stage(history, rhythm).tolist()


def test_the_rules_of_the_tiers_decide_as_they_are_told(population):
    history, rhythm, values = population
    random = np.random.default_rng(1)
    clv = random.gamma(0.4, 200.0, len(values)) - 1.0
    potential = np.maximum(clv, random.gamma(1.0, 300.0, len(values)))
    stage = lifecycle.stage(history, rhythm)
    costs = tiers.Costs(margin=0.3, per_order=4.0)
    cuts = tiers.learn(history, clv, costs)
    given = values.assign(
        clv=clv,
        potential_value=potential,
        stage=stage.astype(object),
        key_cut=cuts.key,
        small_cut=cuts.small,
        earned=costs.margin * history.spend,
        cost_to_serve=costs.per_order * (history.frequency + 1),
    )
    told = first_that_holds(handbook.TIER_RULES, given)
    assert set(told) == set(tiers.TIERS)
    assert told == tiers.tier(history, clv, potential, stage, cuts).tolist()


@pytest.mark.parametrize(
    ("why", "gone", "known", "subscribed"),
    [
        (abstention.NO_PURCHASES, abstention.ANSWERS, False, False),
        (abstention.NO_NUMBER, {*abstention.ANSWERS} - {"stage"}, True, False),
        (abstention.NO_POPULATION, abstention.DECIDED, True, False),
        (abstention.NO_SUBSCRIPTION, abstention.ANSWERS, False, True),
        (abstention.NO_PRICE, abstention.PRICED, True, True),
        (abstention.OF_PURCHASES, abstention.ANSWERS, False, True),
    ],
)
def test_what_a_reason_to_abstain_can_name_is_told(why, gone, known, subscribed):
    missing = {name: np.array([name in gone]) for name in abstention.ANSWERS}
    said = abstention.explain(missing, np.array([known]), subscribed=subscribed)[0].as_py()
    parts = dict(part.split(": ") for part in said.split("; "))
    row = next(line for line in handbook.page().splitlines() if line.startswith(f"| `{why}` |"))
    assert re.findall(r"`(\w+)`", row.split("|")[3]) == parts[why].split(", ")
