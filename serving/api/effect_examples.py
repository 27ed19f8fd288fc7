"""An example of the answer about measured plans."""

from __future__ import annotations

from typing import Any

_RETURNED = {
    "outcome": "returned",
    "treated": 0.412,
    "holdout": 0.341,
    "difference": 0.071,
    "lower": 0.022,
    "upper": 0.12,
    "error": 0.025,
    "adjusted": True,
    "plain": [0.074, 0.021, 0.127],
    "verdict": "rise",
    "needed": None,
    "smallest": 0.07,
}
_SPEND = {
    "outcome": "spend",
    "treated": 118.4,
    "holdout": 112.1,
    "difference": 6.3,
    "lower": -9.8,
    "upper": 22.4,
    "error": 8.2,
    "adjusted": True,
    "plain": [6.9, -10.4, 24.2],
    "verdict": "none",
    "needed": None,
    "smallest": 22.96,
}
_COMPLAINTS = {
    "outcome": "complaints",
    "treated": 0.007,
    "holdout": 0.0,
    "difference": None,
    "lower": None,
    "upper": None,
    "error": None,
    "adjusted": False,
    "plain": None,
    "verdict": "too_little",
    "needed": 14300,
    "smallest": None,
}

_DELIVERY = {"treated": 412, "held_out": 412, "reached": 398, "contaminated": 0}


_ACTION = {
    "action": "call",
    "ratio": {
        "treated": 412,
        "holdout": 412,
        "expected": 412.0,
        "probability": 1.0,
        "broken": False,
    },
    "outcomes": [_RETURNED, _SPEND],
    "guardrails": [_COMPLAINTS],
    "flagged": [],
    "learned": {"kept": {"mean": 0.108, "sd": 0.038}, "lift": {"mean": -0.02, "sd": 0.08}},
    "unknown": 0,
    "left_out": 0,
    "others": 0,
    "delivery": _DELIVERY,
}


def answer(meta: dict[str, Any]) -> dict[str, Any]:
    """Answer of GET /effects."""
    return {
        "meta": meta,
        "name": "online-retail",
        "currency": "GBP",
        "plans": [
            {
                "plan_id": "2011-06-10-9f2c41aa",
                "as_of": "2011-06-10",
                "horizon_days": 90,
                "days": 90,
                "over": True,
                "measured_on": "2011-09-08",
                "misdrawn": 0,
                "held_out": 412,
                "treated_elsewhere": 0,
                "actions": [_ACTION],
            }
        ],
        "beliefs": [
            {
                "action": "call",
                "kept": {"mean": 0.109, "sd": 0.03},
                "lift": {"mean": -0.01, "sd": 0.04},
                "source": "2011-06-10-9f2c41aa",
                "since": "2011-09-08",
                "treated": 412,
            }
        ],
    }
