"""The band of a plan: exact for normal beliefs, as a simulation shows."""

from __future__ import annotations

import numpy as np
import pytest

from serving.campaigns.belief import Belief, Effect
from serving.campaigns.outcome import forecast
from serving.campaigns.profit import Outlook, increment

PEOPLE = Outlook(
    leaves=np.array([0.2, 0.5, 0.9]),
    spend=np.array([100.0, 50.0, 10.0]),
    spend_if_back=np.array([125.0, 100.0, 100.0]),
    worth=np.array([60.0, 40.0, 30.0]),
    margin=0.3,
)
EFFECTS = (Effect(Belief(0.2, 0.1), Belief(0.05, 0.04)), Effect(Belief(0.1, 0.2)))


def parts():
    whom = (np.array([True, True, False]), np.array([False, True, True]))
    return [
        (increment(PEOPLE, effect, cost=1.0, cost_per_spend=0.02), effect, who)
        for effect, who in zip(EFFECTS, whom, strict=True)
    ]


def test_the_band_is_the_one_that_draws_from_the_beliefs_give():
    """200,000 draws of both effects: quantiles within 4 standard errors (about 0.05 here)."""
    random = np.random.default_rng(1)
    drawn = np.zeros(200_000)
    for gain, effect, who in parts():
        kept = random.normal(effect.kept.mean, effect.kept.sd, len(drawn))
        lift = random.normal(effect.lift.mean, effect.lift.sd, len(drawn))
        drawn += kept * gain.per_kept[who].sum() + lift * gain.per_lift[who].sum()
        drawn -= gain.fixed[who].sum()
    found = forecast(parts())
    error = 4 * drawn.std() / len(drawn) ** 0.5
    assert found.profit == pytest.approx(drawn.mean(), abs=error)
    assert [found.lower, found.upper] == pytest.approx(
        np.quantile(drawn, [0.1, 0.9]).tolist(), abs=2 * error
    )
    assert found.chance == pytest.approx((drawn > 0).mean(), abs=0.005)


def test_what_is_certain_has_no_band():
    sure = Effect(Belief(0.2, 0.0))
    gain = increment(PEOPLE, sure, cost=1.0, cost_per_spend=0.0)
    found = forecast([(gain, sure, np.array([True, True, True]))])
    assert found.lower == found.profit == found.upper and found.chance == 1.0


def test_nothing_done_brings_nothing():
    assert forecast([]) == forecast([(gain, e, who & False) for gain, e, who in parts()])
