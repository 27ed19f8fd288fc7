"""The OpenAPI document: every endpoint, with examples that are what they say."""

from __future__ import annotations

import json

import pytest

from serving.api import (
    campaign_messages,
    documentation,
    effect_messages,
    examples,
    group_messages,
    messages,
    submitted,
    whatifs,
    why,
)
from serving.api.routes import ROUTES

REQUESTS = {
    "/risk": (messages.IdsRequest, messages.RiskAnswer),
    "/value": (messages.ValueRequest, messages.ValueAnswer),
    "/score": (submitted.ScoreRequest, messages.ScoreAnswer),
    "/customers": (messages.CustomersRequest, messages.CustomersAnswer),
    "/plan": (campaign_messages.PlanRequest, campaign_messages.PlanAnswer),
    "/reasons": (why.ReasonsRequest, why.ReasonsAnswer),
    "/whatif": (whatifs.WhatifRequest, whatifs.WhatifAnswer),
}
LOOKS = {
    "/segments": group_messages.SegmentsAnswer,
    "/plans": campaign_messages.PlansAnswer,
    "/equity": group_messages.EquityAnswer,
    "/satisfaction": group_messages.SatisfactionAnswer,
    "/effects": effect_messages.EffectsAnswer,
}


@pytest.mark.parametrize("path", REQUESTS)
def test_examples_are_of_the_types_they_show(path):
    asked, told = REQUESTS[path]
    asked.model_validate_json(json.dumps(examples.REQUESTS[path]))
    told.model_validate_json(json.dumps(examples.ANSWERS[path]), extra="forbid")
    for one in examples.MORE.get(path, {}).values():
        asked.model_validate_json(json.dumps(one["value"]))


@pytest.mark.parametrize("path", LOOKS)
def test_examples_of_what_is_asked_by_get_are_of_their_types(path):
    LOOKS[path].model_validate_json(json.dumps(examples.ANSWERS[path]), extra="forbid")


@pytest.mark.parametrize("status", examples.ERRORS)
def test_examples_of_errors_have_the_one_shape(status):
    messages.ErrorAnswer.model_validate(examples.ERRORS[status], extra="forbid")


def test_every_path_is_described_with_an_example():
    document = documentation.document()
    pages = {"/", "/customer", "/plan/make", "/models", "/models/plot", "/data", "/language"}
    pages |= {"/customers/lists"}
    others = {"/docs", "/openapi.json", "/docs.json", "/schema.json", "/static/*", "/healthz"}
    assert set(document["paths"]) == set(ROUTES) - pages - others
    for path, methods in document["paths"].items():
        for told in methods.values():
            contents = told["responses"]["200"]["content"].values()
            assert any("example" in content for content in contents), path
            if "requestBody" in told:
                assert {"example", "examples"} & set(
                    told["requestBody"]["content"]["application/json"]
                )


def test_every_reference_leads_somewhere():
    document = documentation.document()
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        _, _, _, name = part.split('"')[0].split("/")
        assert name in document["components"]["schemas"]


def test_bentoml_can_describe_the_service_too(monkeypatch, tmp_path):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    from serving.service import Regulars

    described = Regulars.openapi_spec.asdict()
    assert set(REQUESTS) <= set(described["paths"])


@pytest.mark.parametrize(
    ("path", "place", "model"),
    [
        ("/risk", (), messages.IdsRequest),
        ("/customers", ("filter",), messages.Filter),
        ("/score", ("customers", 3, "transactions", 0), submitted.RawTransaction),
        ("/score", ("customers", 0), submitted.RawCustomer),
        ("/whatif", ("change",), whatifs.ChangeRequest),
    ],
)
def test_names_of_every_place_of_a_body_are_known(path, place, model):
    expected = {field.alias or name for name, field in model.model_fields.items()}
    assert set(documentation.names(path, place)) == expected


def test_where_any_name_can_be_none_is_told():
    assert documentation.names("/score", ("customers", 0, "attributes")) == ()
    assert documentation.names("/score", ("nothing", 0)) == ()
    assert documentation.names("/other", ()) == ()
