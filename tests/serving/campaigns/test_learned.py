"""What was learned of an action: kept with its source, and no plan counted twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from serving.campaigns.belief import Belief, Effect
from serving.campaigns.learned import append, read
from serving.errors import CampaignError

PRIOR = Effect(Belief(0.1, 0.1), Belief(0.0, 0.05))


def measured(plan: str, kept: float, day: int) -> Effect:
    return Effect(Belief(kept, 0.05), Belief(0.02, 0.01), plan, date(2024, 3, day))


def test_the_newest_belief_has_learned_from_every_plan(tmp_path: Path):
    one, two = measured("spring", 0.2, 1), measured("summer", 0.0, 2)
    append(tmp_path, "call", one, PRIOR)
    now = append(tmp_path, "call", two, PRIOR)
    assert read(tmp_path) == {"call": now}
    assert now.kept == PRIOR.kept.learning(0.2, 0.05).learning(0.0, 0.05)
    assert (now.source, now.since) == ("summer", date(2024, 3, 2))


def test_a_plan_that_is_measured_again_counts_once(tmp_path: Path):
    append(tmp_path, "call", measured("spring", 0.5, 1), PRIOR)
    append(tmp_path, "call", measured("summer", 0.0, 2), PRIOR)
    again = append(tmp_path, "call", measured("spring", 0.2, 1), PRIOR)
    assert again.kept == PRIOR.kept.learning(0.2, 0.05).learning(0.0, 0.05)


def test_without_a_prior_the_measurement_speaks_alone(tmp_path: Path):
    one = measured("spring", 0.2, 1)
    assert read(tmp_path) == {}
    assert append(tmp_path, "call", one) == one


@pytest.mark.parametrize("action", ["../call", "", ".hidden"])
def test_an_action_that_cannot_name_a_file_is_refused(tmp_path: Path, action: str):
    with pytest.raises(CampaignError, match="plain name"):
        append(tmp_path, action, measured("spring", 0.2, 1))
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("text", ["{", "[1]", '[{"kept": {}}]'])
def test_a_broken_file_is_named(tmp_path: Path, text: str):
    (tmp_path / "effects").mkdir()
    (tmp_path / "effects" / "call.json").write_text(text)
    with pytest.raises(CampaignError, match=r"call\.json"):
        read(tmp_path)
