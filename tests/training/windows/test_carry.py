"""Whatever the levels, a longer horizon never promises less."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.forecast import Forecast
from training.terms import Terms
from training.windows.carry import Carry
from training.windows.level import Level

ANCHORS = (30, 60, 90, 180, 365)
TERMS = Terms("inactivity", 90, 365, 0.3, 0.1, "2024-01-01", 60)


def valued(days: int) -> pd.DataFrame:
    """A value model of four customers, from seldom to often, some of them probably gone."""
    rate = np.array([0.001, 0.01, 0.03, 0.2])
    alive = np.array([0.9, 0.5, 0.99, 0.2])
    bought = alive * rate * days / (1 + days / 2000)
    return pd.DataFrame(
        {
            "return_probability": alive * -np.expm1(-rate * days),
            "p_alive": alive,
            "expected_purchases": bought,
            "expected_spend": bought * np.array([10.0, 20.0, 5.0, 50.0]),
            "clv": 0.3 * bought * 40,
        }
    )


levels = st.lists(st.floats(-2, 2), min_size=5, max_size=5)


def forecast(shifts: list[float], counts: list[float], scales: list[float]) -> Forecast:
    by = [dict(zip(ANCHORS, values, strict=True)) for values in (shifts, counts, scales)]
    carry = Carry(90, dict.fromkeys(ANCHORS, Level()), *by)
    return Forecast(valued, np.array([0.5, -1.0, 0.0, 3.0]), np.array([1.0, 0.1, 9.0, 2.0]), carry)


@given(shifts=levels, counts=levels, scales=levels, days=st.lists(st.integers(1, 900), min_size=2))
def test_every_figure_rises_with_the_horizon(shifts, counts, scales, days) -> None:
    said = forecast(shifts, counts, scales)
    for figure in (said.returning, said.purchases, said.spend):
        rising = [figure(one) for one in sorted(days)]
        assert all((b >= a - 1e-9).all() for a, b in itertools.pairwise(rising))
    assert all((said.returning(one) <= 1).all() for one in days)
    assert all((said.purchases(one) >= said.returning(one)).all() for one in days)


def test_the_trained_horizon_is_what_its_own_level_says() -> None:
    said = forecast([0.1] * 5, [0.2] * 5, [0.3] * 5)
    told = valued(90)["return_probability"]
    odds = np.log(told / (1 - told)) + said.deviation + 0.1
    assert said.returning(90) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_between_anchors_the_value_models_curve_is_followed() -> None:
    said = forecast([0.0] * 5, [0.0] * 5, [0.0] * 5)
    low, middle, high = (said.returning(d) for d in (90, 120, 180))
    start, here, stop = (valued(d)["return_probability"].to_numpy() for d in (90, 120, 180))
    assert (middle - low) / (high - low) == pytest.approx((here - start) / (stop - start))


def test_a_lifetime_holds_the_profit_of_the_horizon_in_it() -> None:
    said = forecast([0.0] * 5, [0.0] * 5, [2.0] * 5)
    assert (said.lifetime(TERMS) >= TERMS.profit(1.0) * said.spend(90) - 1e-9).all()


def test_saved_levels_are_the_same(tmp_path: Path) -> None:
    carry = forecast([0.1, 0.2, 0.3, 0.4, 0.5], [0.0] * 5, [0.5] * 5).carry
    carry.save(tmp_path)
    assert Carry.load(tmp_path) == carry
