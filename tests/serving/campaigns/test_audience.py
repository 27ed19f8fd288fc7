"""Audiences: whom an action is for, and whom a guardrail holds back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from serving.campaigns.audience import (
    COOLING_OFF,
    KEY_ACCOUNT,
    NO_CONSENT,
    SUPPRESSED,
    audience,
)
from serving.campaigns.settings import ActionSettings
from serving.errors import CampaignError
from serving.insight import drivers
from serving.scores import REASON

AS_OF = date(2024, 7, 1)


def action(**given: Any) -> ActionSettings:
    return ActionSettings(channel="e-mail", **{"mass": False, "owner": "Ann", **given})


def allowed(scores: pd.DataFrame, one: ActionSettings, **given: Any) -> np.ndarray:
    return audience(scores, {"it": one}, as_of=AS_OF, **given).allowed[:, 0]


def test_everyone_may_get_what_is_for_everyone(score_rows):
    assert allowed(score_rows, action()).all()


def test_stage_tier_and_risk_have_to_hold_together(score_rows):
    found = allowed(score_rows, action(stages=["at_risk"], tiers=["core", "key"], min_risk=0.5))
    assert found.any()
    some = score_rows[found]
    assert set(some["stage"]) == {"at_risk"} and set(some["tier"]) <= {"core", "key"}
    assert (some["churn_probability"] >= 0.5).all()
    risk = score_rows["churn_probability"]
    assert allowed(score_rows, action(max_risk=0.3)).tolist() == (risk <= 0.3).tolist()


def test_a_reason_has_to_raise_the_risk(score_rows):
    found = allowed(score_rows, action(reasons=["rhythm"]))
    expected = [
        any(r["family"] == "rhythm" and r["direction"] == "raises risk" for r in reasons)
        for reasons in score_rows["reasons"]
    ]
    assert found.tolist() == expected and 0 < sum(expected) < len(expected)


def test_a_driver_stands_for_the_families_of_its_class(score_rows):
    by_driver = allowed(score_rows, action(reasons=["fading_rhythm"]))
    lists = pa.array(score_rows["reasons"].to_list(), pa.list_(REASON))
    fading = drivers.weights(lists)[:, drivers.NAMES.index("fading_rhythm")] > 0
    assert by_driver.tolist() == fading.tolist()
    assert 0 < by_driver.sum() < len(by_driver)
    both = allowed(score_rows, action(reasons=["fading_rhythm", "rhythm"]))
    by_family = allowed(score_rows, action(reasons=["rhythm"]))
    assert both.tolist() == (by_driver | by_family).tolist()


def test_a_reason_that_is_neither_family_nor_driver_is_refused():
    with pytest.raises(ValueError, match="fading_rhythm"):
        action(reasons=["fading_rythm"])


def test_who_has_no_stage_is_in_no_stage(score_rows):
    unknown = score_rows.assign(stage=pd.Series([None] * len(score_rows), dtype="string"))
    assert not allowed(unknown, action(stages=["new"])).any()


def test_only_a_clear_yes_is_consent(score_rows, facts):
    customers = facts(ok=["Yes", "no", None, "maybe", "TRUE", "1"])
    said = customers.set_index("customer_id")["attribute_ok"].reindex(score_rows["customer_id"])
    found = audience(score_rows, {"it": action(consent="ok")}, as_of=AS_OF, customers=customers)
    assert found.allowed[:, 0].tolist() == said.isin(["Yes", "TRUE", "1"]).tolist()
    assert found.held_back[NO_CONSENT] == (~found.allowed[:, 0]).sum()


def test_a_permission_says_what_an_attribute_would(score_rows, facts):
    listed = facts(ok=["yes", "no", None])
    named = listed.rename(columns={"attribute_ok": "permission_ok"})
    found = [allowed(score_rows, action(consent="ok"), customers=one) for one in (listed, named)]
    assert 0 < found[0].sum() < len(score_rows)
    assert found[0].tolist() == found[1].tolist()


def test_numbers_say_yes_and_no_too_and_strangers_nothing(score_rows, facts):
    customers = facts(ok=[1.0, 0.0, np.nan, 2.0])
    said = customers.set_index("customer_id")["attribute_ok"].reindex(score_rows["customer_id"])
    found = allowed(score_rows, action(consent="ok"), customers=customers)
    assert found.tolist() == (said == 1).tolist()
    nobody = customers.iloc[:0]
    assert not allowed(score_rows, action(consent="ok"), customers=nobody).any()


def test_whoever_may_be_suppressed_is(score_rows, facts):
    customers = facts(stop=["no", "yes", None, "deceased", "0", "FALSE"])
    said = customers.set_index("customer_id")["attribute_stop"].reindex(score_rows["customer_id"])
    found = audience(
        score_rows, {"it": action()}, as_of=AS_OF, suppressed="stop", customers=customers
    )
    expected = said.isna() | said.isin(["no", "0", "FALSE"])
    assert found.allowed[:, 0].tolist() == expected.tolist()
    assert found.held_back[SUPPRESSED] == (~expected).sum()


def test_a_column_that_is_not_there_is_no_permission(score_rows, facts):
    with pytest.raises(CampaignError, match="'ok', which decides who may be"):
        allowed(score_rows, action(consent="ok"), customers=facts(other=["yes"]))
    with pytest.raises(CampaignError, match="add it to `permissions`"):
        allowed(score_rows, action(), suppressed="stop")


@pytest.mark.parametrize(("days", "name", "free"), [
    (30, "it", False),
    (31, "it", True),
    (30, "other", True),
    (30, None, False),
])  # fmt: skip
def test_who_was_treated_lately_cools_off(score_rows, days, name, free):
    """Thirty days have to lie between two; on the thirtieth it is too early."""
    contacts = pd.DataFrame(
        {
            "customer_id": [score_rows["customer_id"].iloc[5]],
            "action": [name],
            "day": [AS_OF - timedelta(days=days)],
        }
    )
    found = audience(
        score_rows, {"it": action(cooling_off_days=30)}, as_of=AS_OF, contacts=contacts
    )
    assert found.allowed[5, 0] == free
    assert found.held_back[COOLING_OFF] == (not free)
    assert found.allowed[np.arange(300) != 5, 0].all()


@pytest.mark.parametrize(("mass", "owner", "free"), [
    (False, "Ann", True),
    (False, None, False),
    (True, "Ann", False),
    (True, None, False),
])  # fmt: skip
def test_a_key_account_gets_what_a_named_owner_does_for_it_alone(score_rows, mass, owner, free):
    key = (score_rows["tier"] == "key").to_numpy(bool)
    found = audience(score_rows, {"it": action(mass=mass, owner=owner)}, as_of=AS_OF)
    assert key.any() and found.allowed[~key, 0].all()
    assert found.allowed[key, 0].all() == free and found.allowed[key, 0].any() == free
    assert found.held_back[KEY_ACCOUNT] == (0 if free else key.sum())


def test_a_guardrail_names_the_actions_that_it_kept_somebody_from(score_rows):
    actions = {
        "call": action(),
        "voucher": action(mass=True),
        "letter": action(mass=True),
        "sale": action(mass=True, tiers=["small"]),
    }
    found = audience(score_rows, actions, as_of=AS_OF)
    assert found.kept_from == {KEY_ACCOUNT: ("voucher", "letter")}
    # Each counts once, however many actions it is kept from.
    assert found.held_back[KEY_ACCOUNT] == (score_rows["tier"] == "key").sum()
    assert audience(score_rows, {"call": actions["call"]}, as_of=AS_OF).held_back[KEY_ACCOUNT] == 0


def test_whom_an_action_is_not_for_is_not_held_back(score_rows):
    found = audience(score_rows, {"it": action(tiers=["small"], mass=True)}, as_of=AS_OF)
    assert set(found.held_back.values()) == {0}
