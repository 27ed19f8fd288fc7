"""Rules: who gets what, and a profit that is right although nobody tried the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.uplift import policy
from training.uplift.policy import Money
from training.uplift.profit import profit_curve

MONEY = Money(0.3, (0.5, 1.0))


def truly(known, rule) -> float:
    """Profit of a rule by the simulated truth."""
    effects = known.effects["spend"]
    spend = known.baseline["spend"][:, None] + np.column_stack([np.zeros(len(rule)), effects])
    return float((rule * (0.3 * spend - [0.0, 0.5, 1.0])).sum(axis=1).mean())


def treated(held, rule) -> float:
    return float(policy.treated(held, rule).sum())


def rules(known, held) -> dict[str, np.ndarray]:
    own = policy.by_profit(held, MONEY.net(held.gains()), 0.4)
    return {"uplift": own, **policy.rivals(held, own, MONEY)}


@pytest.mark.parametrize("method", ["dr", "ipw"])
def test_the_value_of_a_rule_holds_the_truth(known, held, method):
    """95 % intervals of five rules; the truth is known from the simulation."""
    given = rules(known, held)
    earned = {name: policy.earned(held, rule, MONEY, method) for name, rule in given.items()}
    found = policy.values([earned], np.random.default_rng(0), draws=400)
    for name, rule in given.items():
        half = (found[name].upper - found[name].lower) / 2
        # One and a half half-widths, as five intervals of the same customers are looked at.
        assert abs(found[name].estimate - truly(known, rule)) < 1.5 * half


def test_a_rule_gives_each_customer_one_arm(known, held):
    for rule in rules(known, held).values():
        np.testing.assert_allclose(rule.sum(axis=1), 1.0)
        assert (rule >= 0).all()


def test_the_rivals_treat_as_many(known, held):
    given = rules(known, held)
    many = treated(held, given["uplift"])
    assert many == pytest.approx(0.4 * len(known.trial), abs=3)
    assert treated(held, given["riskiest first"]) == many
    assert treated(held, given["at random"]) == pytest.approx(many)
    assert treated(held, given["nobody"]) == 0
    assert treated(held, given["everyone"]) == len(known.trial)


def test_the_riskiest_come_first(known, held):
    given = rules(known, held)
    chosen = given["riskiest first"][:, 0] == 0
    for number in range(5):
        own = held.fold == number
        assert held.risk[chosen & own].min() >= held.risk[~chosen & own].max()


def test_a_lower_level_of_one_fold_changes_no_choice(known, held):
    """Levels are learned from other folds' outcomes; a common list would choose by that."""
    net = MONEY.net(held.gains()) + 5.0
    lower = net - (held.fold == 2)[:, None]
    np.testing.assert_array_equal(
        policy.by_profit(held, net, 0.4), policy.by_profit(held, lower, 0.4)
    )


def test_nobody_is_treated_at_a_loss(known, held):
    net = np.tile([-0.1, 0.0], (len(known.trial), 1))
    assert treated(held, policy.by_profit(held, net)) == 0


def test_a_closed_arm_is_never_given_nor_valued(known, held):
    trial = known.trial
    half = np.arange(len(trial)) % 2 == 0
    propensity = np.where(half[:, None], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5])
    closed = replace(trial, propensity=propensity, arm=np.where(half, 1, 2) * (trial.arm > 0))
    other = replace(held, trial=closed)
    net = np.tile([5.0, 1.0], (len(trial), 1))
    own = policy.by_profit(other, net)
    assert (own[half, 1] == 1).all()
    assert (own[~half, 2] == 1).all()
    assert np.isfinite(policy.earned(other, own, MONEY)).all()
    with pytest.raises(ValueError, match="not open to them"):
        policy.earned(other, np.tile([0.0, 1.0, 0.0], (len(trial), 1)), MONEY)


def test_money_is_checked():
    for margin, costs in ((0.0, (1.0,)), (0.3, (-1.0,)), (0.3, (np.inf,))):
        with pytest.raises(ValueError, match="costs of at least 0"):
            Money(margin, costs)


def test_differences_are_of_the_same_customers(known, held):
    """A rule against itself is 0 in each draw; paired intervals are narrower than unpaired ones."""
    given = rules(known, held)
    earned = {name: policy.earned(held, rule, MONEY) for name, rule in given.items()}
    random = np.random.default_rng(0)
    same = {"uplift": earned["uplift"], "again": earned["uplift"]}
    against = policy.values([same], random, against="uplift", draws=50)["again"]
    assert (against.lower, against.upper) == (0.0, 0.0)
    alone = policy.values([earned], random, draws=200)
    paired = policy.values([earned], random, against="uplift", draws=200)["riskiest first"]
    wide = np.hypot(*[alone[n].upper - alone[n].lower for n in ("uplift", "riskiest first")])
    assert paired.upper - paired.lower < wide


def test_a_profit_curve_starts_at_nothing_and_ends_at_everyone(known, held):
    best = policy.everyone(known.trial, np.array([1.0, 0.0]))
    orders = {"uplift": (best, held.gains()[:, 0]), "riskiest first": (best, held.risk)}
    curve = profit_curve(held, orders, MONEY, np.random.default_rng(0), 50)
    ends = curve.groupby("order", sort=False)["profit"].agg(["first", "last"])
    earned = policy.earned(held, best, MONEY)
    gained = earned - policy.earned(held, policy.nobody(known.trial), MONEY)
    np.testing.assert_allclose(ends["first"], 0.0)
    np.testing.assert_allclose(ends["last"], gained.mean())
    assert (curve["lower"] <= curve["profit"] + 1e-9).mean() > 0.9
