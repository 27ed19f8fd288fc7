"""Examples of requests and answers about plans, for the documentation; tests hold them to it."""

from __future__ import annotations

from typing import Any

_ID = "2011-12-10-5c1f09ab"
_TOTAL = {
    "treated": 412,
    "cost": 1498.4,
    "profit": 5210.6,
    "lower": 2104.9,
    "upper": 8316.3,
    "chance": 0.98,
}
_FIGURES: dict[str, Any] = {
    "plan_id": _ID,
    "as_of": "2011-12-10",
    "horizon_days": 90,
    "budget": 1500.0,
    "total": _TOTAL,
    "actions": [
        {
            "action": "call",
            "channel": "telephone",
            "owner": "key account desk",
            "source": "assumed",
            "since": None,
            "chosen": 458,
            "forecast": _TOTAL,
            "capacity": 500,
            "measured": None,
        }
    ],
    "assumed": ["call"],
    "held_back": {
        "suppressed": 12,
        "no consent": 0,
        "in a plan that still runs": 0,
        "cooling off": 31,
        "key account without a named owner": 0,
    },
    "kept_from": {"suppressed": ["call"], "cooling off": ["call"]},
    "unscored": 20,
    "curve": {
        "points": [
            {"budget": 0.0, "cost": 0.0, "profit": 0.0, "next_coin": 9.4},
            {"budget": 1804.0, "cost": 1802.5, "profit": 5806.0, "next_coin": 3.1},
            {"budget": 3608.0, "cost": 3608.0, "profit": 7412.0, "next_coin": 1.0},
        ],
        "knee": 3608.0,
        "customers": 5878,
        "estimated": False,
    },
    "holdout": {
        "treated": 412,
        "holdout": 46,
        "base": 0.41,
        "expected": 0.088,
        "power": 0.21,
        "smallest": 0.218,
        "smallest_adjusted": 0.187,
    },
    "gap": 0.0002,
}

REQUEST: dict[str, Any] = {"budget": 1500, "actions": ["call"], "page_size": 1}
MORE: dict[str, Any] = {
    "keep": {
        "summary": "Make it: kept in the store, its holdout drawn, noted in the audit file.",
        "value": {"budget": 1500, "actions": ["call"], "keep": True},
    },
    "read": {
        "summary": "Read a plan that is kept, page by page.",
        "value": {"plan_id": _ID, "page": 2, "page_size": 500},
    },
}
_ASSIGNMENT = {
    "assignment_id": "9d20c4b1f0a7e3c5",
    "plan_id": _ID,
    "customer_id": "C-1021",
    "as_of": "2011-12-10",
    "horizon_days": 90,
    "action": "call",
    "channel": "telephone",
    "owner": "key account desk",
    "stratum": "call/key/high",
    "treated_share": 0.9,
    "cost": 4.0,
    "expected_profit": 38.2,
    "return_probability": 0.38,
    "expected_purchases": 0.9,
    "expected_spend": 212.4,
    "margin_rate": 0.3,
}
_PAGE = {"total": 458, "page": 1, "page_size": 1, "assignments": [_ASSIGNMENT]}
_HEAD: dict[str, Any] = {"plan_id": _ID, "state": "proposed", "estimated_from": None}
_REMARKS = [
    "Beyond 3,608.00 GBP the next coin brings back less than itself: more is not spent.",
    "Nothing was ever measured of call: effect, profit and band are assumptions from the settings. "
    "Run `regulars measure` once the horizon is over.",
]


def answer(meta: dict[str, Any]) -> dict[str, Any]:
    """Answer of /plan; `meta` is that of the other examples."""
    return {"meta": meta, **_HEAD, "plan": _FIGURES, "remarks": _REMARKS, **_PAGE}


PLANS: dict[str, Any] = {
    "currency": "GBP",
    "total": 1,
    "plans": [
        {
            "plan_id": _ID,
            "kept_at": "2011-12-10T09:30:00Z",
            "as_of": "2011-12-10",
            "horizon_days": 90,
            "budget": 1500.0,
            "total": _TOTAL,
            "holdout": 46,
        }
    ],
}
CSV = "assignment_id,plan_id,customer_id,…\n9d20c4b1f0a7e3c5,2011-12-10-5c1f09ab,C-1021,…\n"
