"""The chart of profit against budget: money on the axes, the marginal point, this budget."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.workbench import curves

CURVE: dict[str, Any] = {
    "points": [
        {"budget": 0.0, "cost": 0.0, "profit": 0.0, "next_coin": 4.0},
        {"budget": 500.0, "cost": 498.0, "profit": 900.0, "next_coin": 2.0},
        {"budget": 1000.0, "cost": 1000.0, "profit": 1200.0, "next_coin": 1.0},
    ],
    "knee": 1000.0,
    "customers": 3,
}


def drawn(budget: float | None, currency: str = "GBP", **changed: Any) -> Any:
    return curves.draw(CURVE | changed, budget, currency, lambda text: text)


def data_of(specification: str) -> list[list[dict[str, Any]]]:
    return list(json.loads(specification)["datasets"].values())


@pytest.mark.parametrize(("currency", "unit"), [("GBP", "£"), ("CHF", "CHF ")])
def test_the_axes_are_in_money(currency: str, unit: str):
    found = drawn(None, currency)
    layer = json.loads(found.specification)["layer"][0]["encoding"]
    for axis in ("x", "y"):
        assert layer[axis]["axis"]["labelExpr"].startswith(f"'{unit}' + format")
        assert currency in layer[axis]["title"]
    assert f">{unit}1,000<" in found.svg.replace("\u00a0", " ")


def test_the_marginal_point_is_the_knee_and_is_said_in_words():
    found = drawn(None)
    marked = [rows for rows in data_of(found.specification) if len(rows) == 1]
    assert [row["budget"] for (row,) in marked] == [CURVE["knee"]]
    assert curves.MARGINAL in found.svg
    assert "From £1,000 on" in found.caption


@pytest.mark.parametrize(("budget", "shown"), [(250.0, True), (0.0, False), (2000.0, False)])
def test_a_budget_is_marked_where_it_lies_on_the_curve(budget: float, shown: bool):
    assert (curves.CHOSEN in drawn(budget).svg) == shown


def test_nothing_is_drawn_where_nothing_pays():
    assert drawn(10.0, knee=0.0) is None
