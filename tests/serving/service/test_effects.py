"""Measured plans in the service: the figures of the command line, as a page and as an answer."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date

import pytest

from serving.api.effect_messages import EffectsAnswer
from serving.campaigns import learned, measurements
from serving.campaigns.belief import Belief, Effect
from serving.campaigns.delivery import Delivery
from serving.campaigns.measured import measure
from serving.campaigns.results import Measurement
from serving.campaigns.sample_ratio import SampleRatio
from tests.serving.campaigns.trials import records

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def measured(shop):
    """Two measured plans in the store: one with an effect, one so far and with a broken arm."""
    shown = measure(records(3000, holdout=0.4, kept=0.3, lift=0.1, seed=1))
    shown = replace(shown, guardrails=(replace(shown.guardrails[0], verdict="rise"),))
    small = replace(measure(records(200, seed=2)), action="mail", others=7, left_out=5)
    small = replace(small, delivery=Delivery(1200, 310, 1100, 4))
    broken = replace(
        shown, ratio=SampleRatio(900, 300, 1100.0, 1e-9), outcomes=(), guardrails=(), learned={}
    )
    first = Measurement(
        "2024-03-01-aa", date(2024, 3, 1), 60, 60, date(2024, 4, 30), 0, (shown, small)
    )
    second = replace(
        first,
        plan_id="2024-06-01-bb",
        as_of=date(2024, 6, 1),
        days=9,
        misdrawn=3,
        actions=(broken,),
    )
    paths = [measurements.keep(shop.store, one) for one in (first, second)]
    prior = Effect(Belief(0.1, 0.2), Belief(0.0, 0.1))
    estimate = learned.Estimate(shown.learned, first.plan_id, first.measured_on, 1800)
    learned.append(shop.store, "call", estimate, prior)
    yield first, second
    for path in (*paths, shop.store / "effects" / "call.json"):
        path.unlink()


def words(service, **headers):
    told = service.get("/effects", headers={"accept": "text/html", **headers})
    assert told.status_code == 200 and told.headers["content-type"].startswith("text/html")
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", told.text)).split()), told.text


def test_without_a_measurement_both_say_so(service):
    said, _ = words(service)
    assert "No plan was measured yet" in said
    told = service.get("/effects").json()
    assert (told["plans"], told["beliefs"], told["currency"]) == ([], [], "GBP")
    assert told["meta"] == service.get("/segments").json()["meta"]


def test_the_answer_holds_what_was_measured_the_newest_first(service, measured):
    told = service.get("/effects")
    assert told.status_code == 200
    found = told.json()
    EffectsAnswer.model_validate_json(told.content, extra="forbid")
    assert [Measurement.from_dict(one) for one in found["plans"]] == [*reversed(measured)]
    (belief,) = found["beliefs"]
    assert (belief["action"], belief["source"]) == ("call", measured[0].plan_id)
    assert belief["treated"] == 1800 and belief["kept"]["sd"] < 0.2


def test_the_page_shows_intervals_refusals_and_flags(service, measured):
    said, page = words(service)
    call = measured[0].actions[0].outcomes[0]
    assert f"+{100 * call.difference:.2f} points" in said
    assert "too little to say: about 100 customers more" in said
    for told in (
        "So far: 9 of 60 days",
        "3 customers are not in the arm that was drawn",
        "900 treated and 300 held out are left",
        "A guardrail rose: Complained",
        "7 of the treated got more than this",
        "5 are left out, as their stratum lacks an arm",
        "1,100 of 1,200 treated were contacted, and 4 of 310 held out",
        "4 of 310 held out were contacted all the same",
        "What the next plans reckon with",
        "1,800 treated",
    ):
        assert told in said
    assert page.count("<svg") >= 1 and said.index("2024-06-01-bb") < said.rindex("2024-03-01-aa")


def test_plans_that_wait_for_their_measurement_are_named_with_the_day(service, shop, measured):
    folder = shop.store / "plans"
    folder.mkdir(exist_ok=True)
    known, open_ = (folder / f"{name}.json" for name in ("2024-03-01-aa", "2024-08-01-cc"))
    for file in (known, open_):
        file.write_text('{"as_of": "2024-08-01", "horizon_days": 30}')
    try:
        said, _ = words(service)
    finally:
        known.unlink()
        open_.unlink()
    assert "2024-08-01-cc : over on 31 Aug 2024; from then on regulars measure" in said
    assert said.count("2024-03-01-aa : over") == 0


def test_the_page_speaks_chinese_too(service, measured):
    said, _ = words(service, **{"accept-language": "zh"})
    assert "护栏指标上升：投诉" in said and "个百分点" in said
    assert "too little" not in said


def test_it_takes_the_scope_for_value(service, keys, measured):
    for scopes, status in (("risk", 403), ("value", 200), ("admin", 200)):
        assert service.get("/effects", key=keys[scopes]).status_code == status


def test_a_file_that_cannot_be_read_is_named_without_a_trace(service, shop, measured):
    file = shop.store / "measured" / "2024-03-01-aa.json"
    kept = file.read_text()
    file.write_text("{")
    try:
        told = service.get("/effects")
        assert told.status_code == 503
        assert "2024-03-01-aa.json" in told.json()["error"]["message"]
    finally:
        file.write_text(kept)
