"""Intervals of probabilities and totals hold what windows do that nobody had seen."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from tests.training.windows.test_spread import drawn
from training.windows.level import log_odds
from training.windows.swing import PRIOR, PRIOR_KIND, PRIOR_WINDOWS, Swing, learn, with_levels
from training.windows.window import Window

CUSTOMERS, GROUPS = 2_000, 10


def season(random: np.random.Generator, level: float, kind: float) -> tuple[Window, np.ndarray]:
    """A window whose level and kinds of customers are off by known deviations, and the truth."""
    told = np.sort(random.beta(1.0, 1.5, CUSTOMERS).clip(0.02, 0.98))
    off = np.repeat(random.normal(0, kind, GROUPS), CUSTOMERS // GROUPS)
    true = expit(log_odds(told) + random.normal(0, level) + off)
    scale = np.exp(random.normal(0, level, 2))
    came = {
        "returned": (random.random(CUSTOMERS) < true).astype(int),
        "occasions": np.full(CUSTOMERS, 2.0 * scale[0]),
        "spend": np.full(CUSTOMERS, 30.0 * scale[1]),
    }
    predicted = {"return_probability": told, "expected_purchases": 2.0, "expected_spend": 30.0}
    return Window(pd.DataFrame(predicted), pd.DataFrame(came)), true


@pytest.mark.parametrize(("level", "kind"), [(0.2, 0.2), (0.5, 0.1)])
def test_the_true_rates_of_a_new_window_lie_inside_in_eight_of_ten(level, kind):
    random = np.random.default_rng(7)
    inside: dict[str, list[float]] = {"rates": [], "purchases": [], "spend": []}
    for _ in range(100):
        found = learn([season(random, level, kind)[0] for _ in range(8)])
        window, true = season(random, level, kind)
        told = window.predicted["return_probability"].to_numpy()
        off = np.abs(log_odds(true) - log_odds(told))
        inside["rates"].append(float((off <= found.within(told)).mean()))
        for name, outcome in (("purchases", "occasions"), ("spend", "spend")):
            low, high = found.total(name, float(window.predicted[f"expected_{name}"].sum()))
            inside[name].append(float(low <= window.came[outcome].sum() <= high))
    # 100 windows, whose customers share a level: a standard error of 0.04.
    for shares in inside.values():
        assert 0.80 - 0.08 <= np.mean(shares) <= 0.80 + 0.12


def test_where_windows_drift_the_intervals_are_wider():
    random = np.random.default_rng(3)
    told = np.array([0.1, 0.5, 0.9])
    calm, wild = (learn([season(random, s, 0.0)[0] for _ in range(4)]) for s in (0.05, 0.6))
    assert (wild.within(told) > 1.5 * calm.within(told)).all()
    assert wild.total("spend", 1.0)[1] > calm.total("spend", 1.0)[1]


def test_luck_in_small_groups_is_no_swing():
    """Customers who do just what was said of them: the level's prior fades, kinds keep theirs."""
    found = learn([drawn(3_000, seed) for seed in range(12)])
    assert found.returns == pytest.approx(PRIOR * np.sqrt(PRIOR_WINDOWS / 14), rel=0.25)
    assert max(found.kinds) < 2 * PRIOR_KIND


def test_a_single_window_is_believed_with_three_degrees_of_freedom():
    (window, _) = season(np.random.default_rng(1), 0.0, 0.0)
    moved = replace(window, predicted=window.predicted.assign(expected_spend=30.0 * np.exp(-0.6)))
    found = learn([moved])
    assert found.freedom == PRIOR_WINDOWS + 1
    assert found.spend == pytest.approx(np.sqrt((2 * PRIOR**2 + 0.6**2) / 3), rel=1e-6)
    # t₀.₉(3) = 1.6377, Student's table.
    assert found.total("spend", 100.0)[1] == pytest.approx(100 * np.exp(1.6377 * found.spend), 1e-3)


def test_without_seasons_only_customers_tell():
    found = learn([drawn(2_000, 4)], prior=0.0)
    assert found.returns < 0.1 < learn([drawn(2_000, 4)]).returns


def test_levels_of_some_windows_leave_the_kinds_alone():
    calm, wild = drawn(4_000, 1), drawn(4_000, 2, level=3.0)
    both = learn([calm, wild])
    found = with_levels(both, [calm])
    assert found.kinds == both.kinds and found.places == both.places
    assert found.spend < both.spend


def test_few_customers_and_one_group_tell_nothing_of_kinds():
    assert learn([drawn(300, 5)]).kinds == (PRIOR_KIND,)


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=20),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(1, 30),
)
def test_an_interval_is_finite_and_holds_what_was_expected(stays, level, kind, freedom):
    found = Swing(level, level, level, freedom, (-1.0, 2.0), (kind, 2 * kind))
    within = found.within(np.array(stays))
    assert np.isfinite(within).all() and (within >= 0).all()
    low, high = found.total("spend", 100.0)
    assert 0 < low <= 100.0 <= high or high == pytest.approx(100.0)


def test_what_is_null_gets_no_interval_and_words_are_plain():
    found = Swing(0.1, 0.1, 0.2, 5.0, (0.0,), (0.1,))
    assert np.isnan(found.within(np.array([np.nan]))).all()
    # exp(±1.4759 · 0.1) and exp(±1.4759 · 0.2), t₀.₉(5) = 1.4759 from Student's table.
    assert "purchases from -14% to +16%, spend from -26% to +34%" in found.in_words()
    assert asdict(found)["freedom"] == 5.0
