"""Plans measured: what was put in is found, and nothing is said where too little speaks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from serving.campaigns import measurements
from serving.campaigns.measured import LEAST_CUSTOMERS, measure, measure_all
from serving.campaigns.results import Measurement
from serving.errors import CampaignError
from tests.serving.campaigns.trials import COST, records


def outcomes(found):
    return {one.outcome: one for one in found.outcomes}


def test_known_effects_are_found():
    """4,000 customers; 20 % of the leaving kept, the others spend 10 % more."""
    found = measure(records(4000, holdout=0.4, kept=0.2, lift=0.1, seed=1))
    told = outcomes(found)
    assert {name: one.verdict for name, one in told.items()} == dict.fromkeys(
        ("returned", "purchases", "spend", "profit"), "rise"
    )
    for name, true in (("kept", 0.2), ("lift", 0.1)):
        belief = found.learned[name]
        assert abs(belief.mean - true) < 3 * belief.sd < 0.3
    assert told["profit"].difference == pytest.approx(0.3 * told["spend"].difference - COST)


def test_without_an_effect_none_is_shown_and_the_smallest_to_be_seen_is_told():
    told = outcomes(measure(records(2000, seed=2)))
    assert told["returned"].verdict == "none"
    assert told["returned"].smallest > abs(told["returned"].difference)


def test_the_scores_make_it_surer():
    told = outcomes(measure(records(3000, seed=3)))
    for one in told.values():
        _, lower, upper = one.plain
        assert one.adjusted and one.upper - one.lower < upper - lower


def test_beliefs_learn_the_same_whichever_part_of_the_spend_it_was():
    """The two effects give back the change of spend, as the plan reckons: Δs = k A + l s_h."""
    one = records(3000, holdout=0.4, kept=0.3, lift=0.05, seed=4)
    found = measure(one)
    chance, spend = one.scores[:, 0], one.scores[:, 2]
    q = ((1 - chance) * spend / np.maximum(chance, 0.1)).sum() / spend.sum()
    told = outcomes(found)["spend"]
    kept, lift = found.learned["kept"].mean, found.learned["lift"].mean
    assert (kept * q + lift) * told.holdout == pytest.approx(told.difference)


def test_too_few_customers_are_refused_with_how_many_more():
    found = measure(records(200, seed=5))
    told = outcomes(found)["spend"]
    assert (told.verdict, told.difference, told.lower) == ("too_little", None, None)
    assert told.needed == pytest.approx(200 * (LEAST_CUSTOMERS / 20 - 1), abs=1)
    assert found.learned == {}


def test_what_hardly_happened_is_refused():
    one = records(2000, seed=6)
    rare = np.zeros(2000)
    rare[:20] = 1.0
    found = measure(replace(one, harms={"complaints": rare, "refunds": np.zeros(2000)}))
    complaints, refunds = found.guardrails
    assert complaints.verdict == "too_little" and complaints.needed > 2000
    assert refunds.verdict == "too_little" and refunds.needed is None


def test_a_harm_that_rose_is_flagged():
    one = records(3000, holdout=0.3, seed=7)
    more = np.maximum(one.harms["complaints"], one.treated & (np.arange(3000) % 5 == 0))
    found = measure(replace(one, harms={"complaints": more}))
    assert found.flagged == ("complaints",)
    assert measure(one).flagged == ()


def test_arms_that_lost_customers_conclude_nothing():
    """One in fifty of the treated is gone, as where who complained is taken out of the log."""
    one = records(3000, holdout=0.3, kept=0.3, seed=8)
    left = ~(one.treated & (np.arange(3000) % 50 == 0))
    cut = replace(
        one,
        treated=one.treated[left],
        strata=one.strata[left],
        shares=one.shares[left],
        outcomes={name: values[left] for name, values in one.outcomes.items()},
        harms={},
        scores=one.scores[left],
        lost=(int((~left).sum()), 0),
    )
    found = measure(cut)
    assert found.ratio.broken and found.outcomes == () and found.learned == {}
    assert not measure(one).ratio.broken
    # Nor of another action of the plan, whose own arms hold.
    fine = records(4000, holdout=0.4, kept=0.2, lift=0.1, seed=1)
    assert all(told.outcomes for told in measure_all([fine, fine]))
    both = measure_all([fine, cut])
    assert [told.ratio.broken for told in both] == [False, True]
    assert all(told.outcomes == () and told.learned == {} for told in both)


def test_arms_that_were_not_drawn_conclude_nothing():
    found = measure(records(2000, seed=9), drawn=False)
    assert found.outcomes == () and found.guardrails == ()


def test_a_plan_of_strangers_is_refused():
    one = records(100)
    nobody = replace(one, treated=one.treated[:0], lost=(90, 10))
    with pytest.raises(CampaignError, match="the sources know none"):
        measure(nobody)


def test_no_price_no_money():
    one = records(2000, seed=10)
    unknown = {name: np.full(2000, np.nan) for name in ("spend", "profit")}
    found = measure(replace(one, outcomes=dict(one.outcomes) | unknown))
    assert set(outcomes(found)) == {"returned", "purchases"}
    assert set(found.learned) == {"kept"}


def test_a_measurement_comes_back_from_its_file(tmp_path: Path):
    actions = (measure(records(2000, seed=11)), measure(records(100, seed=12)))
    first = Measurement("p1", date(2024, 6, 1), 30, 30, date(2024, 7, 1), 0, actions)
    second = replace(first, plan_id="p2", as_of=date(2024, 8, 1), days=3)
    for one in (first, second):
        measurements.keep(tmp_path, one)
    assert measurements.read(tmp_path) == (second, first)
    assert (first.over, second.over) == (True, False)
    file = tmp_path / "measured" / "p1.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"actions": [1]}))
    with pytest.raises(CampaignError, match=r"p1\.json"):
        measurements.read(tmp_path)
