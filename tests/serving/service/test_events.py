"""Events sent to /score: they reach the model as features, and a broken one fails alone."""

from __future__ import annotations

import pandas as pd
import pytest

from serving import scoring
from serving.api import limits

pytestmark = pytest.mark.service

EVENTS = [
    {"timestamp": "2024-05-01T10:00:00", "kind": "Complaint"},
    {"timestamp": "2024-06-01", "kind": "satisfaction", "value": 4},
    {"timestamp": "2024-06-11T09:30:00+02:00", "kind": "satisfaction", "value": "1.5"},
    {"timestamp": "2024-06-12", "kind": "usage", "value": 0.25},
    {"timestamp": "2024-06-13", "kind": "usage", "value": None},
    {"timestamp": "2024-07-01", "kind": "contact"},
]


@pytest.fixture
def seen(monkeypatch) -> list[pd.DataFrame]:
    """Behaviour rows that requests hand to the model, by place."""
    frames = []
    score = scoring.score

    def watched(frame, *given, **named):
        frames.append(frame.set_index("customer_id").sort_index())
        return score(frame, *given, **named)

    monkeypatch.setattr(scoring, "score", watched)
    return frames


def test_events_of_one_customer_are_features_and_the_others_have_none(service, shop, known, seen):
    customers = [{**shop.raw(known[0]), "events": EVENTS}, shop.raw(known[1])]
    told = service.post("/score", {"customers": customers})
    assert told.status_code == 200
    assert [item["churn_probability"] is None for item in told.json()["items"]] == [False] * 2
    (frame,) = seen
    # By hand, on 2024-07-01: the complaint was 61 days ago, marks of 4 and 1.5, 0.25 + 1 used.
    assert frame.iloc[0][
        ["complaints_open", "days_since_complaint", "satisfaction_mean", "usage_90"]
    ].tolist() == [1, 61, 2.75, 1.25]
    assert frame["complaints_total"].tolist() == [1, 0]
    assert frame["contacts_total"].tolist() == [0, 0]
    assert frame["satisfaction_last"].isna().tolist() == [False, True]


@pytest.mark.parametrize(("events", "count"), [({}, None), ({"events": None}, None), ([], 0)])
def test_an_empty_list_says_that_there_were_none(service, shop, known, seen, events, count):
    given = events if isinstance(events, dict) else {"events": events}
    assert service.post("/score", {"customers": [{**shop.raw(known[0]), **given}]}).is_success
    (frame,) = seen
    (found,) = frame["contacts_total"]
    assert (None if pd.isna(found) else found) == count


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"timestamp": "2024-13-01", "kind": "contact"}, "unparseable date"),
        ({"timestamp": {"at": 1}, "kind": "contact"}, "unparseable date"),
        ({"kind": "contact"}, "no date"),
        ({"timestamp": "1969-12-31", "kind": "contact"}, "date before 1970"),
        ({"timestamp": "2024-05-01"}, "no kind"),
        ({"timestamp": "2024-05-01", "kind": ["contact"]}, "no kind"),
        ({"timestamp": "2024-05-01", "kind": "usage", "value": "much"}, "unparseable value"),
        ({"timestamp": "2024-05-01", "kind": "usage", "value": [1]}, "unparseable value"),
        ({"timestamp": "2024-05-01", "kind": "usage", "value": "inf"}, "non-finite value"),
    ],
)
def test_a_broken_event_fails_its_customer_alone(service, shop, known, event, said):
    broken = {**shop.raw(known[1]), "events": [*EVENTS, event]}
    customers = [{**shop.raw(known[0]), "events": EVENTS}, broken]
    told = service.post("/score", {"customers": customers})
    assert told.status_code == 200
    good, bad = told.json()["items"]
    assert good["churn_probability"] is not None
    assert bad == {
        "customer_id": known[1],
        "error": {"code": "bad_event", "message": f"events[6]: {said}."},
    }


def test_an_event_of_the_future_fails_its_customer(service, shop, known):
    events = [*EVENTS, {"timestamp": "9999-01-01", "kind": "contact"}]
    customers = [{**shop.raw(known[0]), "events": events}]
    (item,) = service.post("/score", {"customers": customers}).json()["items"]
    assert item["error"]["message"] == "events: 1 with a date in the future."


def test_too_many_events_are_refused(service, known):
    share = limits.MAX_EVENTS // 2 + 1
    events = [{"timestamp": "2024-05-01", "kind": "contact"}] * share
    customers = [
        {"customer_id": one, "transactions": [], "events": events} for one in (known[0], known[1])
    ]
    told = service.post("/score", {"customers": customers})
    assert told.status_code == 413
    assert told.json()["error"]["message"] == "More than 50,000 events; send them in parts."


@pytest.mark.parametrize(
    ("events", "where"),
    [
        ("contact", "customers.0.events"),
        ([1], "customers.0.events.0"),
        ([{"timestamp": "2024-05-01", "sort": "contact"}], "customers.0.events.0.sort"),
    ],
)
def test_events_that_are_no_list_of_events_fail_the_request(service, shop, known, events, where):
    told = service.post("/score", {"customers": [{**shop.raw(known[0]), "events": events}]})
    assert told.status_code == 400
    assert where in [fault["where"] for fault in told.json()["error"]["detail"]]
