"""What was learned of an action: kept with its source, and no plan counted twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from serving.campaigns.belief import Belief, Effect
from serving.campaigns.learned import Estimate, append, read
from serving.errors import CampaignError

PRIOR = Effect(Belief(0.1, 0.1), Belief(0.0, 0.05))


def measured(plan: str, kept: float, day: int, **more: Belief) -> Estimate:
    effects = {"kept": Belief(kept, 0.05), "lift": Belief(0.02, 0.01)} | more
    return Estimate(effects, plan, date(2024, 3, day), 200)


def test_the_newest_belief_has_learned_from_every_plan(tmp_path: Path):
    one, two = measured("spring", 0.2, 1), measured("summer", 0.0, 2)
    append(tmp_path, "call", one, PRIOR)
    now = append(tmp_path, "call", two, PRIOR)
    assert read(tmp_path) == {"call": now}
    assert now.kept == PRIOR.kept.learning(0.2, 0.05).learning(0.0, 0.05)
    assert (now.source, now.since, now.treated) == ("summer", date(2024, 3, 2), 400)


def test_a_plan_that_is_measured_again_counts_once(tmp_path: Path):
    append(tmp_path, "call", measured("spring", 0.5, 1), PRIOR)
    append(tmp_path, "call", measured("summer", 0.0, 2), PRIOR)
    again = append(tmp_path, "call", measured("spring", 0.2, 1), PRIOR)
    assert again.kept == PRIOR.kept.learning(0.2, 0.05).learning(0.0, 0.05)
    assert again.treated == 400


def test_what_was_not_measured_stays_as_it_was_believed(tmp_path: Path):
    one = Estimate({"kept": Belief(0.2, 0.05)}, "spring", date(2024, 3, 1), 200)
    assert read(tmp_path) == {}
    now = append(tmp_path, "call", one, PRIOR)
    assert now.lift == PRIOR.lift and now.kept.sd < PRIOR.kept.sd


def test_what_is_taken_for_certain_is_never_changed(tmp_path: Path):
    certain = Effect(Belief(0.1, 0.0), Belief(0.0, 0.05))
    assert append(tmp_path, "call", measured("spring", 0.5, 1), certain).kept == certain.kept


def test_an_estimate_without_an_error_is_refused(tmp_path: Path):
    with pytest.raises(CampaignError, match="errors above 0"):
        append(tmp_path, "call", measured("spring", 0.5, 1, lift=Belief(0.1, 0.0)), PRIOR)


@pytest.mark.parametrize("action", ["../call", "", ".hidden"])
def test_an_action_that_cannot_name_a_file_is_refused(tmp_path: Path, action: str):
    with pytest.raises(CampaignError, match="plain name"):
        append(tmp_path, action, measured("spring", 0.2, 1), PRIOR)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("text", ["{", "[1]", '[{"kept": {}}]'])
def test_a_broken_file_is_named(tmp_path: Path, text: str):
    (tmp_path / "effects").mkdir()
    (tmp_path / "effects" / "call.json").write_text(text)
    with pytest.raises(CampaignError, match=r"call\.json"):
        read(tmp_path)
