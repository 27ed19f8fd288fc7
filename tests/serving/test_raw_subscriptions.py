"""Subscriptions sent to /score: the numbers of the table, and a broken row fails alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serving import scoring
from serving.api import answers, billing, raw
from serving.api.failures import Failure
from serving.api.horizon import records
from serving.api.messages import IdsRequest
from serving.api.plans import Plans
from serving.api.submitted import ScoreRequest
from serving.deployment import Deployment, Names
from serving.worker import Worker
from training.subscriptions import simulate
from training.subscriptions.hazard import Hazard
from training.subscriptions.plans import Plans as Retention
from training.subscriptions.prices import Prices
from training.subscriptions.scorer import SubscriptionScorer
from training.terms import Terms
from training.windows.spread import Spread
from training.windows.swing import Swing

AS_OF, NOW = date(2024, 2, 1), datetime(2024, 2, 2, 6, tzinfo=UTC)
FIRST = date(2023, 1, 1)
COLUMNS = ["start", "end", "plan", "price", "end_reason"]
WORDS = {"voluntary": "Cancelled", "involuntary": "Card declined"}
KEPT = {
    "terms": {"annual": "year"},
    "end_reasons": {"cancelled": "voluntary", "card declined": "involuntary"},
    "grace_days": 5,
}
NAMES = Names("made", "EUR", "Europe/Berlin")


@dataclass(frozen=True)
class Made:
    """A business: its rows, its score table by customer, and a worker without a store."""

    rows: pd.DataFrame
    events: pd.DataFrame
    table: dict[str, dict[str, Any]]
    worker: Worker

    def raw(self, *customers: str, events: bool = True) -> dict[str, Any]:
        """A request about customers."""
        return {
            "as_of": AS_OF,
            "customers": [self._customer(one, events=events) for one in customers],
        }

    def _customer(self, one: str, *, events: bool) -> dict[str, Any]:
        mine = {
            "subscriptions": self.rows[self.rows["customer_id"] == one][COLUMNS],
            "events": self.events[self.events["customer_id"] == one][["timestamp", "kind"]],
        }
        told = {name: part.to_dict("records") for name, part in mine.items()}
        return {"customer_id": one, **(told if events else {**told, "events": None})}


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as a file and a request have them: text, null where there is nothing."""
    days = {name: pd.to_datetime(rows[name]).dt.strftime("%Y-%m-%d") for name in ("start", "end")}
    told = rows.assign(**days, end_reason=rows["end_reason"].map(WORDS))
    told = told[["customer_id", *COLUMNS]].astype(object)
    return told.where(told.notna(), None)


def scored(inputs: Any, kept: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], Worker]:
    from features.fates import histories
    from features.table import behaviour

    frame = behaviour(inputs, AS_OF, horizon_days=60, population="subscribers")
    frame = frame.to_pyarrow().to_pandas()
    retention = Retention.fit(histories(inputs.subscriptions, AS_OF).to_pyarrow().to_pandas())
    scorer = SubscriptionScorer(
        Terms("subscription", 60, 365, 0.5, 0.1, str(AS_OF), 60),
        Hazard(retention, 0.1),
        prices=Prices.learn([frame], np.random.default_rng(0)),
        spread=Spread(Swing(0.4, None, None, 4.0), 2),
    )
    table, thresholds = scoring.score(
        frame, scorer, thresholds=None, as_of=AS_OF, model_version="3", scored_at=NOW
    )
    plans = Plans(NAMES.timezone, 60, billing=kept, subscribers=True)
    deployed = Deployment(NAMES, None, None, "3", thresholds, kept)
    worker = Worker(deployed, scorer, None, plans, lambda: NOW)
    return {row["customer_id"]: row for row in records(table)}, worker


@pytest.fixture(scope="module")
def making(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    from features import intake
    from features.settings import Sources

    paid = simulate.periods(simulate.Business(), 400, FIRST, 500, np.random.default_rng(5))
    shapes = {"subscription": simulate.subscriptions(paid), "period": paid}

    def make(shape: str) -> Made:
        folder = tmp_path_factory.mktemp(shape)
        rows, kept = as_text(shapes[shape]), {"rows": shape, **KEPT}
        # What is paid ends in another way than what is cancelled; some of it in the future.
        rows = rows[rows["start"] <= "2024-02-01"]
        rows["end"] = rows["end"].where((shape == "period") | (rows["end"] <= "2024-02-01"), None)
        who = rows["customer_id"].unique()[::3]
        day = [(FIRST + timedelta(days=200 + n)).isoformat() for n in range(len(who))]
        events = pd.DataFrame({"customer_id": who, "timestamp": day, "kind": "complaint"})
        for name, part in (("rows", rows), ("events", events)):
            part.to_csv(folder / f"{name}.csv", index=False)
        names = {name: name for name in ("customer_id", *COLUMNS)}
        named = {name: name for name in events.columns}
        sources = Sources.model_validate(
            {
                "subscriptions": {"uri": str(folder / "rows.csv"), **names, **kept},
                "events": {"uri": str(folder / "events.csv"), **named},
            }
        )
        inputs = intake.read(sources, timezone=NAMES.timezone, now=NOW)
        return Made(rows, events, *scored(inputs, kept))

    return make


@pytest.fixture(scope="module")
def made(making) -> Made:
    return making("subscription")


def asked(made: Made, request: dict[str, Any]) -> list[dict[str, Any]]:
    return raw.score(made.worker, None, ScoreRequest.model_validate(request)).items


@pytest.mark.parametrize("shape", ["subscription", "period"])
def test_the_numbers_are_those_of_the_table(making, shape):
    business = making(shape)
    some = list(business.table)[:150]
    for part in (some, some[7:8]):
        items = asked(business, business.raw(*part))
        for one, item in zip(part, items, strict=True):
            assert item.pop("ignored_transactions") == 0 <= item.pop("ignored_subscriptions")
            assert item.pop("ignored_events") >= 0 and item.pop("notes") == []
            assert item == business.table[one]
    stages = {business.table[one]["stage"] for one in some}
    assert {"new", "loyal", "won_back"} <= stages


def test_the_service_tells_what_a_key_may_see(made):
    (one,) = list(made.table)[:1]
    told = answers.score(made.worker, ScoreRequest.model_validate(made.raw(one)), ["risk"])
    (item,) = told["items"]
    assert item["churn_probability_lower"] < item["churn_probability"]
    assert "clv" not in item and item["ignored_subscriptions"] == 0
    assert told["meta"]["as_of"] == AS_OF


def test_what_begins_or_ends_later_is_not_looked_at(made):
    one = next(one for one, row in made.table.items() if row["stage"] == "loyal")
    request = made.raw(one)
    rows = request["customers"][0]["subscriptions"]
    rows[-1] = {**rows[-1], "end": "2024-06-30", "end_reason": "Cancelled"}
    rows.append({"start": "2024-02-01", "plan": "gold", "price": 99})
    (item,) = asked(made, request)
    assert item.pop("ignored_subscriptions") == 1
    for name in ("ignored_transactions", "ignored_events", "notes"):
        item.pop(name)
    assert item == made.table[one]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "no date"),
        ({"start": "soon"}, "unparseable date"),
        ({"start": [1]}, "unparseable date"),
        ({"start": "2023-05-01", "end": "later"}, "unparseable end"),
        ({"start": "2023-05-01", "end": "2023-04-01"}, "end before start"),
        ({"start": "2023-05-01", "price": "much"}, "unparseable price"),
        ({"start": "2023-05-01", "price": -1}, "negative price"),
    ],
)
def test_a_broken_row_fails_its_customer_alone(made, row, said):
    good, bad = list(made.table)[:2]
    request = made.raw(good, bad)
    rows = request["customers"][1]["subscriptions"]
    rows.append(row)
    first, second = asked(made, request)
    assert first["churn_probability"] is not None
    assert second == {
        "customer_id": bad,
        "error": {
            "code": "bad_subscription",
            "message": f"subscriptions[{len(rows) - 1}]: {said}.",
        },
    }


def test_a_start_of_the_future_fails_its_customer(made):
    request = made.raw(next(iter(made.table)))
    request["customers"][0]["subscriptions"].append({"start": "2030-01-01"})
    (item,) = asked(made, request)
    assert item["error"]["message"] == "subscriptions: 1 with a date in the future."


def test_who_has_left_or_never_subscribed_is_no_subscriber(made):
    ended = {"customer_id": "x", "subscriptions": [{"start": "2023-01-01", "end": "2023-04-01"}]}
    nobody = {"customer_id": "y", "subscriptions": []}
    for item in asked(made, {"as_of": AS_OF, "customers": [ended, nobody]}):
        assert item["error"]["code"] == "no_subscription"
        assert str(AS_OF) in item["error"]["message"]


def test_purchases_besides_are_features_where_they_are_sent(made):
    one = next(iter(made.table))
    request = made.raw(one, events=False)
    bought = [{"timestamp": "2023-12-01", "amount": 20}, {"timestamp": "2024-01-05", "amount": 4}]
    request["customers"][0]["transactions"] = bought
    (item,) = asked(made, request)
    assert item["rfm"] is not None or "rfm" in item["abstained"]
    assert item["churn_probability"] == made.table[one]["churn_probability"]


def test_a_customer_without_the_rows_it_is_scored_from_fails_alone(made):
    one = next(iter(made.table))
    bare = {"customer_id": "x", "transactions": [{"timestamp": "2024-01-05", "amount": 4}]}
    first, second = asked(made, {"as_of": AS_OF, "customers": [bare, *made.raw(one)["customers"]]})
    assert first["error"]["code"] == "bad_subscription"
    assert "Got no `subscriptions`" in first["error"]["message"]
    assert second["churn_probability"] == made.table[one]["churn_probability"]
    (alone,) = asked(made, {"as_of": AS_OF, "customers": [bare]})
    assert alone == first


def test_without_their_settings_subscribers_are_refused(made):
    bare = Worker(
        made.worker.deployment,
        made.worker.scorer,
        None,
        Plans(NAMES.timezone, 60, subscribers=True),
        lambda: NOW,
    )
    with pytest.raises(Failure, match=r"\[sources.subscriptions\]") as caught:
        raw.score(bare, None, ScoreRequest.model_validate(made.raw(next(iter(made.table)))))
    assert caught.value.status == 422


def test_the_source_of_a_request_is_that_of_the_settings_but_for_its_columns():
    given = {"uri": "x", "customer_id": "c", "start": "s", **KEPT}
    kept = billing.kept({"sources": {"subscriptions": given}})
    assert kept == KEPT
    source = billing.source(kept)
    assert (source.uri, source.start, source.end) == ("request", "start", "end")
    assert source.grace_days == 5 and source.end_reasons["cancelled"] == "voluntary"
    assert billing.kept({"sources": {}}) is None and billing.kept({}) is None


def test_an_unknown_customer_is_told_what_to_send(made):
    class Empty:
        meta = SimpleNamespace(
            as_of=AS_OF,
            horizon_days=60,
            clv_horizon_days=365,
            model_version="3",
            scored_at=NOW,
            grades={},
        )

        def rows(self, *_: Any) -> dict[str, Any]:
            return {}

    worker = replace(made.worker, newest=SimpleNamespace(current=Empty))
    told = answers.about(worker, IdsRequest(customer_ids=["x"]), "risk")
    assert "send its subscriptions to /score" in told["items"][0]["error"]["message"]


def test_events_go_by_the_settings_words_and_those_of_no_kind_are_counted(made):
    deployed = replace(made.worker.deployment, kinds={"beschwerde": "complaint"})
    worker = replace(made.worker, deployment=deployed)
    row = {"start": "2023-05-01", "plan": "basic", "price": 9.0}
    days = [
        ("2024-01-05", "complaint"),
        ("2024-01-05", " Beschwerde"),
        ("2024-01-05", "nonsense"),
        ("2024-02-01", "complaint"),
    ]
    sent = [
        {"customer_id": "x", "subscriptions": [row], "events": [{"timestamp": day, "kind": kind}]}
        for day, kind in days
    ]
    request = ScoreRequest.model_validate({"as_of": AS_OF, "customers": sent})
    known, own, strange, later = raw.score(worker, None, request).items
    assert [one["ignored_events"] for one in (known, own, strange, later)] == [0, 0, 1, 1]
    assert known == own
