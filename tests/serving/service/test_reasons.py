"""/reasons: the score table's own reasons with their classes, changes and splits, by scope."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from features.store import Store
from serving import scores
from serving.api import why
from serving.insight import value_split

pytestmark = pytest.mark.service

AS_OF = date(2024, 7, 1)
THEN = date(2024, 6, 1)


@pytest.fixture
def earlier(shop, known):
    """A score table of a month before: half of the customers, likelier to stay by a tenth."""
    store = Store(Path(shop.store))
    path = store.scores(THEN)
    table = scores.to_table(shop.scores.iloc[::2])
    meta = scores.read_meta(store.scores(AS_OF))
    frame = scores.to_frame(table).assign(as_of=THEN)
    frame["as_of"] = frame["as_of"].astype(shop.scores["as_of"].dtype)
    for name in ("churn_probability", "churn_probability_lower", "churn_probability_upper"):
        frame[name] = frame[name] * 0.9
    frame["return_probability"] = 1 - frame["churn_probability"]
    scores.write(
        frame,
        scores.Meta(**{**{n: getattr(meta, n) for n in meta.__dataclass_fields__}, "as_of": THEN}),
        path,
    )
    yield set(frame["customer_id"])
    path.unlink()


@pytest.mark.parity
def test_reasons_are_the_score_tables_with_their_classes(service, shop, known):
    told = service.post("/reasons", {"customer_ids": known}).json()
    why.ReasonsAnswer.model_validate(told, extra="forbid")
    assert told["since"] is None
    expected = {row["customer_id"]: row for row in scores.to_table(shop.scores).to_pylist()}
    assert [item["customer_id"] for item in told["items"]] == known
    for item in told["items"]:
        row = expected[item["customer_id"]]
        own = [{k: v for k, v in one.items() if k != "driver"} for one in item["reasons"]]
        assert own == row["reasons"]
        raising = sum(one["weight"] for one in own if one["weight"] > 0)
        assert sum(one["weight"] for one in item["drivers"]) == pytest.approx(raising, abs=0.01)
        assert bool(item["drivers"]) == (raising > 0)


def test_the_split_multiplies_back_to_the_answers_of_value(service, known):
    split = service.post("/reasons", {"customer_ids": known}).json()["items"]
    value = service.post("/value", {"customer_ids": known}).json()["items"]
    for item, own in zip(split, value, strict=True):
        for names, whole in ((value_split.SPEND, "expected_spend"), (value_split.LIFETIME, "clv")):
            factors = [item["split"][name] for name in names]
            if None not in factors:
                assert np.prod(factors) == pytest.approx(own[whole], rel=1e-12)
    assert sum(item["split"]["months"] is not None for item in split) > 300


@pytest.mark.parametrize("key", ["risk", "value"])
def test_a_key_sees_its_own_part(service, earlier, known, keys, key):
    (item,) = service.post("/reasons", {"customer_ids": known[:1]}, key=keys[key]).json()["items"]
    sees = {
        "risk": {"churn_probability", "reasons", "drivers"},
        "value": {"tier", "expected_spend", "clv", "split"},
    }
    common = {"customer_id", "stage", "rfm", "abstained", "changes"}
    assert set(item) == common | sees[key]
    changed = {
        "risk": {"churn_probability_before", "churn_probability_change", "came", "went"}
        | {"silent_before", "silent_now"},
        "value": {"tier_before", "clv_before", "clv_change"},
    }
    assert set(item["changes"]) == {"there_before", "stage_before"} | changed[key]
    if key == "value":
        assert set(item["split"]) == {"spend_per_purchase", "profit_per_purchase"}


def test_what_changed_since_the_table_before(service, earlier, known):
    told = service.post("/reasons", {"customer_ids": known}).json()
    why.ReasonsAnswer.model_validate(told, extra="forbid")
    assert told["since"] == {"as_of": "2024-06-01", "notes": []}
    for item in told["items"]:
        changed = item["changes"]
        assert changed["there_before"] == (item["customer_id"] in earlier)
        if changed["there_before"] and item["churn_probability"] is not None:
            rise = 0.1 * item["churn_probability"]
            assert changed["churn_probability_change"] == pytest.approx(rise)
            assert changed["clv_change"] == 0
            assert changed["came"] == changed["went"] == []


def test_an_unknown_id_fails_alone(service, known):
    told = service.post("/reasons", {"customer_ids": ["nobody", known[0]]})
    assert told.status_code == 200
    nobody, somebody = told.json()["items"]
    assert nobody["error"]["code"] == "unknown_customer"
    assert somebody["customer_id"] == known[0]


def test_another_key_of_the_request_is_refused(service, known):
    told = service.post("/reasons", {"customer_ids": known[:1], "horizon_days": 30})
    assert told.status_code == 400
