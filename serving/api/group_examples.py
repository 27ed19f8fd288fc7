"""Examples of the answers about groups of customers and their satisfaction."""

from __future__ import annotations

from typing import Any

_GROUPS = [
    {
        "name": "key",
        "customers": 412,
        "share": 0.1,
        "equity": 812_340.5,
        "equity_share": 0.8,
        "churn_probability": 0.31,
        "expected_spend": 640_210.0,
    },
]
_FIELDS = [
    {
        "mood": mood,
        "staying": staying,
        "customers": customers,
        "share": share,
        "churn_probability": risk,
        "equity": equity,
    }
    for mood, staying, customers, share, risk, equity in (
        ("satisfied", True, 610, 0.305, 0.21, 402_118.5),
        ("satisfied", False, 84, 0.042, 0.71, 20_733.0),
        ("unhappy", True, 131, 0.0655, 0.33, 60_412.25),
        ("unhappy", False, 75, 0.0375, 0.82, 9_120.0),
        ("silent", True, 640, 0.32, 0.29, 210_000.0),
        ("silent", False, 460, 0.23, 0.86, 31_050.75),
    )
]
_MOOD = {
    "customer_id": "C-1021",
    "stage": "at_risk",
    "tier": "core",
    "churn_probability": 0.62,
    "clv": 241.07,
    "complaints_open": 1,
    "days_since_complaint": 12,
    "satisfaction_last": 2.0,
}
_STAGES = [{**_GROUPS[0], "name": "loyal"}]
_SINCE = {
    "as_of": "2011-11-10",
    "movement": {
        "before": 1_001_200.0,
        "now": 1_015_425.5,
        "change": 14_225.5,
        "parts": [
            {"kind": "won", "customers": 96, "before": 0.0, "now": 18_400.5, "change": 18_400.5},
            {
                "kind": "shrank",
                "customers": 1730,
                "before": 1_001_200.0,
                "now": 997_025.0,
                "change": -4_175.0,
            },
        ],
    },
    "stages": [
        {
            "before": "loyal",
            "now": "at_risk",
            "customers": 37,
            "share": 0.06,
            "clv_before": 30_120.0,
            "clv_now": 14_600.0,
        }
    ],
    "tiers": [],
    "rises": [
        {
            "customer_id": "C-1021",
            "churn_before": 0.41,
            "churn_now": 0.62,
            "clv_before": 402.2,
            "clv_now": 241.07,
            "stage_before": "loyal",
            "stage_now": "at_risk",
            "tier_before": "key",
            "tier_now": "core",
            "at_stake": 84.46,
            "turns": [
                {
                    "family": "rhythm",
                    "now": "last purchase 94 days ago; usually every 21",
                    "then": "last purchase 64 days ago; usually every 21",
                    "weight": 0.52,
                }
            ],
            "silent_before": 64,
            "silent_now": 94,
        }
    ],
    "notes": [],
}


def answers(meta: dict[str, Any]) -> dict[str, Any]:
    """Answers by path."""
    return {
        "/segments": {
            "meta": meta,
            "tiers": _GROUPS,
            "stages": _STAGES,
            "named": [{**_GROUPS[0], "name": "champions"}],
            "rules": [
                {
                    **_GROUPS[0],
                    "name": "late_key",
                    "where": "tier = 'key' and days_since_last > 60",
                    "description": "Call them.",
                }
            ],
            "notes": [],
        },
        "/equity": {
            "meta": meta,
            "total": {"equity": 1_015_425.6, "lower": 846_000.0, "upper": 1_219_000.0},
            "tiers": _GROUPS,
            "stages": _STAGES,
            "raised": 0.05,
            "gains": [
                {
                    "tier": "key",
                    "customers": 412,
                    "equity": 812_340.5,
                    "gain": 51_200.0,
                    "elasticity": 1.26,
                }
            ],
            "since": _SINCE,
            "notes": [],
        },
        "/satisfaction": {
            "meta": meta,
            "fields": _FIELDS,
            "open": 1,
            "scale": [1.0, 5.0],
            "complaints": [_MOOD],
            "leaving": [],
            "staying": [],
            "notes": [],
        },
    }
