"""The model is used only where it was shown to choose better, and is kept without pickle."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from training.uplift.gate import judge
from training.uplift.held_out import hold_out
from training.uplift.model import UpliftModel, learn, trees_for
from training.uplift.policy import Money
from training.uplift.simulate import simulate

MONEY = Money(0.3, (0.5, 0.5))


@pytest.fixture(scope="module")
def learned(known):
    """A model of the trial with effects, and what it was judged by."""
    return learn(known.trial, MONEY, share=0.3, repeats=1)


def test_known_effects_pass_the_gate(learned):
    verdict = learned[0].verdict
    assert verdict.passed
    assert verdict.why.startswith("uplift beats riskiest first by ")
    assert verdict.treated == pytest.approx(0.3 * 6_000, abs=3)
    for rule in ("riskiest first", "at random", "nobody"):
        assert verdict.gains[rule].lower > 0


def test_no_effect_is_shown_where_there_is_none():
    made = simulate(6_000, np.random.default_rng(0), strength=0.0)
    model, _ = learn(made.trial, MONEY, share=0.3, repeats=1)
    assert not model.verdict.passed
    assert model.verdict.why.startswith("no effect shown")


def test_no_effect_is_shown_when_arms_are_shuffled(known):
    trial = replace(known.trial, arm=np.random.default_rng(5).permutation(known.trial.arm))
    held = hold_out(trial, "T", trees_for(len(trial)))
    verdict = judge([held], MONEY, np.random.default_rng(0), share=0.3, draws=200)
    assert not verdict.passed
    assert verdict.why.startswith("no effect shown")


def test_an_action_that_costs_more_than_it_brings_is_given_to_nobody(held):
    verdict = judge([held], Money(0.3, (1e6, 1e6)), np.random.default_rng(0))
    assert (verdict.passed, verdict.treated) == (False, 0)
    assert verdict.why.startswith("no effect shown: no customer")


def test_a_refused_model_tells_everyone_the_average(learned, known):
    model = learned[0]
    refused = replace(model, verdict=replace(model.verdict, passed=False))
    for outcome in ("returned", "spend"):
        effect, error = refused.effect(known.trial.columns, outcome)
        assert (effect == effect[0]).all()
        assert (error == error[0]).all()
        np.testing.assert_allclose(effect[0], [line.mean for line in model.lines[outcome]])


@pytest.mark.parametrize("basis", ["returned", "spend"])
def test_effects_average_to_the_trials_and_tell_customers_apart(learned, known, basis):
    model = replace(learned[0], basis=basis)
    effect, error = model.effect(known.trial.columns, "spend")
    level = np.array([line.mean_error for line in model.lines["spend"]])
    assert (np.abs(effect.mean(axis=0) - known.effects["spend"].mean(axis=0)) < 4 * level).all()
    assert (error >= level - 1e-12).all()
    assert effect[:, 1].std() > 0
    assert np.corrcoef(effect[:, 1], known.effects["spend"][:, 1])[0, 1] > 0.3


def test_what_is_read_again_says_the_same(learned, known, tmp_path):
    model = learned[0]
    model.save(tmp_path / "uplift")
    again = UpliftModel.load(tmp_path / "uplift")
    for outcome in ("returned", "spend"):
        for one, other in zip(
            model.effect(known.trial.columns, outcome),
            again.effect(known.trial.columns, outcome),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
    assert again.verdict == model.verdict
    assert {path.suffix for path in (tmp_path / "uplift").iterdir()} == {".txt", ".json"}


def test_a_folder_without_a_model_or_of_another_format_is_refused(learned, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected uplift\.json"):
        UpliftModel.load(tmp_path)
    learned[0].save(tmp_path)
    head = json.loads((tmp_path / "uplift.json").read_text())
    (tmp_path / "uplift.json").write_text(json.dumps(head | {"format": 99}))
    with pytest.raises(ValueError, match="of format 99"):
        UpliftModel.load(tmp_path)
