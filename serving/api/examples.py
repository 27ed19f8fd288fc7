"""An example of every request, answer and error, for the documentation; tests hold them to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from serving.api import campaign_examples, effect_examples, group_examples

_META = {
    "as_of": "2011-12-10",
    "horizon_days": 90,
    "clv_horizon_days": 365,
    "model_version": "3",
    "scored_at": "2011-12-10T04:05:06Z",
    "staleness_days": 1,
    "currency": "GBP",
    "name": "online-retail",
    "grades": {"risk": "A", "purchases": "A", "spend": "B"},
}
_RISK: dict[str, Any] = {
    "churn_probability": 0.62,
    "churn_probability_lower": 0.51,
    "churn_probability_upper": 0.7,
    "return_probability": 0.38,
    "p_alive": 0.71,
    "next_purchase_by": "2012-03-06",
    "involuntary_probability": None,
    "expected_months": None,
    "reasons": [
        {
            "family": "rhythm",
            "text": "last purchase 94 days ago; usually every 21",
            "direction": "raises risk",
            "weight": 0.84,
        }
    ],
}
_VALUE = {
    "expected_purchases": 0.9,
    "expected_purchases_lower": 0.0,
    "expected_purchases_upper": 2.0,
    "expected_spend": 212.4,
    "expected_spend_lower": 0.0,
    "expected_spend_upper": 388.5,
    "clv": 241.07,
    "clv_lower": 0.0,
    "clv_upper": 466.2,
    "clv_horizon_days": 365,
    "margin_rate": 0.3,
    "potential_value": 903.5,
    "tier": "core",
}
_WHO = {"customer_id": "C-1021", "stage": "at_risk", "rfm": "2-4-4", "abstained": None}
_ROW = {
    **_WHO,
    "as_of": "2011-12-10",
    "horizon_days": 90,
    **_RISK,
    **_VALUE,
    "model_version": "3",
    "scored_at": "2011-12-10T04:05:06Z",
}
_BESIDE: dict[str, Any] = {
    "ignored_transactions": 0,
    "ignored_subscriptions": 0,
    "ignored_events": 0,
    "notes": [],
}
_UNKNOWN: dict[str, Any] = {
    "customer_id": "C-9999",
    "error": {
        "code": "unknown_customer",
        "message": "Not in the score table of 2011-12-10; send its transactions to /score to have "
        "it scored.",
    },
}
_NOT_IN = "Not in the score table of 2011-12-10."
_WHY = {
    **_WHO,
    "churn_probability": 0.62,
    "reasons": [{**_RISK["reasons"][0], "driver": "fading_rhythm"}],
    "drivers": [
        {
            "driver": "fading_rhythm",
            "weight": 0.84,
            "share": 1.0,
            "advice": "Remind, in time with the customer's own rhythm.",
        }
    ],
    "tier": "core",
    "expected_spend": 212.4,
    "clv": 241.07,
    "split": {
        "return_probability": 0.38,
        "purchases_if_back": 2.368,
        "spend_per_purchase": 236.0,
        "purchases_a_month": 0.801,
        "profit_per_purchase": 70.8,
        "months": 4.251,
    },
    "changes": {
        "there_before": True,
        "stage_before": "loyal",
        "churn_probability_before": 0.41,
        "churn_probability_change": 0.21,
        "came": _RISK["reasons"],
        "went": [],
        "silent_before": 64,
        "silent_now": 94,
        "tier_before": "core",
        "clv_before": 338.9,
        "clv_change": -97.83,
    },
}
_SIDE = {"stage": "at_risk", "rfm": "2-4-4", "abstained": None, **_RISK, **_VALUE}
_AFTER = {
    "stage": "loyal",
    "rfm": "5-4-4",
    "churn_probability": 0.22,
    "churn_probability_lower": 0.15,
    "churn_probability_upper": 0.3,
    "return_probability": 0.78,
    "p_alive": 0.96,
    "next_purchase_by": "2011-12-30",
    "reasons": [],
    "expected_purchases": 2.1,
    "expected_spend": 471.3,
    "clv": 502.6,
}
_BAD = {
    "customer_id": "N-2",
    "error": {
        "code": "bad_transaction",
        "message": "transactions[0]: unparseable amount.",
    },
}

REQUESTS: Mapping[str, Any] = MappingProxyType(
    {
        "/risk": {"customer_ids": ["C-1021", "C-9999"]},
        "/value": {"customer_ids": ["C-1021", "C-9999"], "horizon_days": 30},
        "/score": {
            "customers": [
                {
                    "customer_id": "N-1",
                    "transactions": [
                        {"timestamp": "2011-09-14T10:12:00", "amount": 34.5, "order_id": "A6"},
                        {"timestamp": "2011-10-20", "amount": "19.90", "order_id": "A7"},
                    ],
                    "events": [
                        {"timestamp": "2011-10-22T16:40:00", "kind": "complaint"},
                        {"timestamp": "2011-10-25", "kind": "satisfaction", "value": 2},
                    ],
                },
                {
                    "customer_id": "N-2",
                    "transactions": [{"timestamp": "2011-10-20", "amount": "a lot"}],
                },
            ],
            "as_of": "2011-12-10",
        },
        "/customers": {
            "filter": {"stage": ["at_risk"], "at_least": {"churn_probability": 0.5}},
            "sort": ["-clv"],
            "page": 1,
            "page_size": 50,
        },
        "/plan": campaign_examples.REQUEST,
        "/reasons": {"customer_ids": ["C-1021", "C-9999"]},
        "/whatif": {"customer_ids": ["C-1021"], "change": {"kind": "purchase", "amount": 35}},
    }
)
#: Further requests, each by a word and what it is about.
MORE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "/plan": campaign_examples.MORE,
        "/value": {
            "span": {
                "summary": "Between two days: the spring, of which `until` is the day after.",
                "value": {
                    "customer_ids": ["C-1021"],
                    "from": "2012-03-01",
                    "until": "2012-06-01",
                },
            }
        },
        "/whatif": {
            "price_change": {
                "summary": "Of subscribers: the latest payment was a fifth cheaper.",
                "value": {
                    "customer_ids": ["S-1"],
                    "change": {"kind": "price_change", "percent": -20},
                },
            },
            "plan_change": {
                "summary": "Of subscribers: the latest payment was for another plan, at its usual "
                "price.",
                "value": {
                    "customer_ids": ["S-1"],
                    "change": {"kind": "plan_change", "plan": "Premium"},
                },
            },
            "failed_payment": {
                "summary": "Of subscribers: the latest payment failed at first and came late.",
                "value": {"customer_ids": ["S-1"], "change": {"kind": "failed_payment"}},
            },
            "silence": {
                "summary": "Of anybody: 30 days more in which nothing happens.",
                "value": {
                    "customer_ids": ["C-1021"],
                    "change": {"kind": "silence", "days": 30},
                },
            },
        },
        "/score": {
            "subscriptions": {
                "summary": "Under the rule `subscription`: customers with all their subscriptions.",
                "value": {
                    "customers": [
                        {
                            "customer_id": "S-1",
                            "subscriptions": [
                                {
                                    "start": "2010-11-02",
                                    "end": "2011-02-02",
                                    "plan": "Standard",
                                    "price": 9.99,
                                    "end_reason": "card declined",
                                },
                                {"start": "2011-05-14", "plan": "Standard", "price": "10.99"},
                            ],
                            "events": [{"timestamp": "2011-10-22T16:40:00", "kind": "complaint"}],
                        }
                    ],
                    "as_of": "2011-12-10",
                },
            }
        },
    }
)
ANSWERS: Mapping[str, Any] = MappingProxyType(
    {
        "/risk": {"meta": _META, "items": [{**_WHO, **_RISK}, _UNKNOWN]},
        "/value": {
            "meta": {**_META, "horizon_days": 30},
            "items": [{**_WHO, **_VALUE}, _UNKNOWN],
        },
        "/score": {
            "meta": _META,
            "items": [{**_ROW, "customer_id": "N-1", **_BESIDE}, _BAD],
        },
        "/customers": {"meta": _META, "total": 1, "page": 1, "page_size": 50, "rows": [_ROW]},
        "/plan": campaign_examples.answer(_META),
        "/effects": effect_examples.answer(_META),
        "/plans": {"meta": _META, **campaign_examples.PLANS},
        **group_examples.answers(_META),
        "/reasons": {
            "meta": _META,
            "since": {"as_of": "2011-11-12", "notes": []},
            "items": [_WHY, {**_UNKNOWN, "error": {**_UNKNOWN["error"], "message": _NOT_IN}}],
        },
        "/whatif": {
            "meta": _META,
            "items": [{"customer_id": "C-1021", "before": _SIDE, "after": {**_SIDE, **_AFTER}}],
        },
    }
)
CSV = "customer_id,as_of,horizon_days,churn_probability,…\nC-1021,2011-12-10,90,0.62,…\n"
METRICS = 'regulars_requests_total{method="POST",route="/risk",status="200"} 17.0\n'


def _error(code: str, message: str, detail: Any = None) -> dict[str, Any]:
    told = {"code": code, "message": message}
    return {"error": told if detail is None else {**told, "detail": detail}}


ERRORS: Mapping[str, Any] = MappingProxyType(
    {
        "400": _error(
            "invalid_request",
            "The request is not as described in /docs; see detail.",
            [{"where": "customer_ids", "what": "Field required"}],
        ),
        "401": _error("unauthorized", "An API key is needed: send it as Authorization: Bearer, …"),
        "403": _error("forbidden", "This key has no scope for it; expected one of: risk."),
        "404": _error("not_found", "There is no such plan in the store; /plans lists them."),
        "413": _error("too_large", "The body is larger than 16 MiB; send it in parts."),
        "415": _error(
            "unsupported_media_type", "Expected JSON: send Content-Type: application/json."
        ),
        "422": _error(
            "horizon_unavailable",
            "Another horizon is computed from the behaviour table of 2011-12-10, which is not in "
            "the store: run `regulars build` for that date, or leave horizon_days out.",
        ),
        "500": _error(
            "internal_error",
            "Something failed on our side. The log says where, without your data.",
        ),
        "503": _error("not_scored", "Nothing is scored yet: run `regulars score` first."),
        "504": _error("timeout", "No answer within 30 seconds; ask for less at once."),
    }
)
