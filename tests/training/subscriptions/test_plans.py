"""Retention by plan: small plans borrow, large ones speak for themselves."""

import json

import numpy as np
import pandas as pd
import pytest

from training.errors import NotEnoughData
from training.subscriptions.plans import Plans, require_renewals
from training.subscriptions.retention import Parameters, ending
from training.subscriptions.simulate import cohorts

MONTH, YEAR = 30.4375, 365.25


def rows(truth, customers, plan, term, seed):
    random = np.random.default_rng(seed)
    found = cohorts(truth, customers, random.integers(1, 13, customers), random)
    return pd.DataFrame(
        {
            "plan": plan,
            "term_days": term,
            "renewals": found.renewals,
            "active": found.active,
            "customers": found.counts,
        }
    )


@pytest.fixture(scope="module")
def histories():
    """Two large plans, one small one that is like the second, and a yearly one."""
    return pd.concat(
        [
            rows(Parameters(0.6, 11.0), 4_000, "gold", MONTH, 1),
            rows(Parameters(1.0, 5.0), 4_000, "basic", MONTH, 2),
            rows(Parameters(1.0, 5.0), 12, "tiny", MONTH, 3),
            rows(Parameters(1.0, 5.0), 3, "hardly", MONTH, 4).assign(renewals=0.0, active=True),
            rows(Parameters(1.5, 3.0), 1_000, "gold", YEAR, 5),
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def plans(histories):
    return Plans.fit(histories)


def first(plans, plan, term=MONTH):
    alpha, beta = plans.parameters(pd.Series([plan], dtype=object), pd.Series([term]))
    return alpha[0] / (alpha[0] + beta[0])


def test_large_plans_speak_for_themselves(plans):
    assert first(plans, "gold") == pytest.approx(0.6 / 11.6, rel=0.1)
    assert first(plans, "basic") == pytest.approx(1 / 6, rel=0.1)
    assert first(plans, "gold", YEAR) == pytest.approx(1 / 3, rel=0.1)


def test_a_small_plan_lies_between_its_own_and_its_term(plans, histories):
    term = plans.terms[MONTH].params.churn
    tiny = histories[histories["plan"] == "tiny"]
    left = tiny["customers"][~tiny["active"]].sum()
    own = left / (left + (tiny["customers"] * tiny["renewals"]).sum())
    assert min(term, own) < first(plans, "tiny") < max(term, own) + 0.05
    spread = [plans.plans[name, MONTH].errors[0] for name in ("tiny", "gold")]
    assert spread[0] > 3 * spread[1]


@pytest.mark.parametrize("plan", ["hardly", "never seen", None])
def test_a_plan_of_which_nothing_is_known_goes_by_its_term(plans, plan):
    assert first(plans, plan) == plans.terms[MONTH].params.churn


def test_an_unknown_term_goes_by_all_customers(plans):
    assert first(plans, "gold", 7.0) == plans.overall.params.churn


def test_customers_keep_their_places(plans):
    names = pd.Series(["basic", None, "gold", "basic"], dtype=object)
    alpha, beta = plans.parameters(names, pd.Series([MONTH, MONTH, YEAR, MONTH]))
    assert alpha[0] == alpha[3] and beta[0] == beta[3]
    assert alpha[2] == plans.plans["gold", YEAR].params.alpha
    assert alpha[1] == plans.terms[MONTH].params.alpha


def test_stored_as_json_it_comes_back_the_same(plans):
    assert Plans.from_dict(json.loads(json.dumps(plans.to_dict()))) == plans


def test_the_words_name_every_term_and_plan(plans):
    told = "\n".join(plans.in_words())
    assert "terms of 30.4375 days" in told and "plan basic (30.4375 days)" in told
    shown = ending(plans.plans["basic", MONTH].params, 0)
    assert f"{shown:.1%} leave at the first renewal" in told


def test_too_little_is_refused_with_what_is_missing(histories):
    with pytest.raises(NotEnoughData, match="0 ends"):
        require_renewals(histories[histories["plan"] == "hardly"])
    require_renewals(histories)
