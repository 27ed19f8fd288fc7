"""Terms of plans: what the service reads of the settings, and what bars a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regulars import planning
from regulars.settings import parse
from serving.campaigns.terms import Terms, read
from serving.errors import CampaignError

CONTENT: dict[str, Any] = {
    "name": "shop",
    "currency": "EUR",
    "timezone": "UTC",
    "value": {"margin": 0.4},
    "actions": {
        "call": {"channel": "telephone", "cost": 2.0, "kept": {"mean": 0.2, "sd": 0.1}},
        "mail": {"channel": "e-mail", "consent": "ok", "cooling_off_days": 30},
    },
    "plan": {"budget": 100},
    "sources": {
        "transactions": {
            "uri": "${NOWHERE}/log.csv",
            "customer_id": "id",
            "timestamp": "day",
            "amount": "amount",
        },
        "customers": {"uri": "people.csv", "customer_id": "id", "attributes": ["ok"]},
        "treatments": {
            "uri": "${DATA}/treated.csv",
            "customer_id": "id",
            "timestamp": "day",
            "campaign": "campaign",
        },
    },
}


def terms(environ: dict[str, str] | None = None, **changed: Any) -> Terms:
    given = {"DATA": "/data"} if environ is None else environ
    return read(CONTENT | changed, given, Path("/shop"), margin=0.4, currency="EUR", timezone="UTC")


@pytest.mark.parity
def test_the_service_reads_what_the_command_line_has():
    environ = {"DATA": "/data", "NOWHERE": "/nowhere"}
    settings = parse(CONTENT, file=Path("/shop/regulars.toml"), environment=environ)
    assert terms(environ) == planning.terms(settings)


def test_only_the_sources_that_decide_who_may_be_contacted_are_read():
    """The log's variable is not set where answers are given, and need not be."""
    found = terms()
    assert not found.obstacle and found.sources is not None
    assert found.sources.transactions is None
    assert found.sources.customers.uri == "/shop/people.csv"
    assert found.sources.treatments.uri == "/data/treated.csv"
    plain = {"call": CONTENT["actions"]["call"]}
    assert terms({}, actions=plain).sources is None


def test_an_attribute_of_the_suppressed_needs_the_customers():
    plain = {"call": CONTENT["actions"]["call"]}
    found = terms(actions=plain, plan={"suppressed": "ok"})
    assert found.sources is not None and found.sources.customers is not None
    assert found.sources.treatments is None


def test_a_cooling_off_that_no_source_can_tell_is_said():
    sources = {name: CONTENT["sources"][name] for name in ("customers",)}
    assert terms(sources=sources).uncooled == ("mail",)
    assert terms().uncooled == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"actions": {"call": {"cost": 1}}}, "call.channel"),
        ({"actions": {"ca/ll": {"channel": "x"}}}, "expected letters"),
        ({"plan": {"holdout": 2}}, "holdout"),
    ],
)
def test_a_section_that_cannot_be_bars_plans_and_nothing_else(changed, said):
    found = terms(**changed)
    assert said in found.obstacle and not found.actions


def test_a_variable_that_is_not_set_bars_plans_with_its_name():
    assert "DATA" in terms({}).obstacle


def test_some_actions_are_taken_in_the_order_of_the_settings():
    assert list(terms().of(["mail", "call"]).actions) == ["call", "mail"]
    assert list(terms().of(["mail"]).actions) == ["mail"]
    with pytest.raises(CampaignError, match="unknown actions: bribe; expected some of: call, mail"):
        terms().of(["call", "bribe"])


def test_what_reads_like_no_name_is_not_said_back():
    with pytest.raises(CampaignError, match="unknown actions: 1 that read like no name; expected"):
        terms().of(["C-1021"])
    with pytest.raises(CampaignError, match="unknown actions: bribe, 1 more; expected"):
        terms().of(["C-1021", "bribe"])


def test_no_address_of_a_source_is_shown():
    assert "/data" not in repr(terms())
