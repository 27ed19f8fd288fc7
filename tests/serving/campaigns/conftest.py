"""Made score tables, actions and orders for the tests of plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.order import Order
from serving.campaigns.settings import ActionSettings, PlanSettings

ACTIONS: dict[str, dict[str, Any]] = {
    "call": {
        "channel": "telephone",
        "cost": 3.0,
        "capacity": 20,
        "mass": False,
        "owner": "Ann",
        "kept": {"mean": 0.3, "sd": 0.1},
    },
    "voucher": {
        "channel": "e-mail",
        "cost": 0.2,
        "cost_per_spend": 0.05,
        "kept": {"mean": 0.1, "sd": 0.05},
        "lift": {"mean": 0.1, "sd": 0.05},
    },
}


@pytest.fixture(scope="session")
def score_rows(people: Callable[..., pd.DataFrame], scored: Callable[..., Any]) -> pd.DataFrame:
    """Scores of 300 made customers."""
    frame, _ = scored(people(300, seed=3))
    return frame


@pytest.fixture(scope="session")
def ordered() -> Callable[..., Order]:
    """`ordered(actions={...}, budget=…)`: an order with two actions, or others."""

    def make(actions: dict[str, dict[str, Any]] | None = None, **rules: Any) -> Order:
        known = {
            name: rules.pop(name)
            for name in ("learned", "customers", "contacts", "plan_id")
            if name in rules
        }
        given = {
            name: ActionSettings.model_validate(one)
            for name, one in (ACTIONS if actions is None else actions).items()
        }
        usual: dict[str, Any] = {"plan_id": "p1", "key": bytes(range(32)), "margin": 0.3}
        return Order(**(usual | known), actions=given, rules=PlanSettings(**rules))

    return make


@pytest.fixture
def facts(score_rows: pd.DataFrame) -> Callable[..., pd.DataFrame]:
    """`facts(ok=[...])`: attributes of the customers, repeated to their number, order turned."""

    def make(**attributes: list[object]) -> pd.DataFrame:
        rows = len(score_rows)
        frame = pd.DataFrame({"customer_id": score_rows["customer_id"].astype(str)})
        for name, values in attributes.items():
            column = np.resize(np.array(values, dtype=object), rows)
            frame[f"attribute_{name}"] = pd.Series(column).infer_objects()
        return frame.iloc[::-1].reset_index(drop=True)

    return make
