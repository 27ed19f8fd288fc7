"""The level of a window: the season first, then what lasts of the newest window, then nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from training.windows.level import (
    FURTHEST,
    Level,
    ahead,
    lasting,
    log_odds,
    mean_after,
    of_window,
    shift,
)
from training.windows.panel import YEAR_DAYS

AT = date(2024, 6, 1)
LAST_YEAR = AT - timedelta(days=YEAR_DAYS)


@dataclass(frozen=True)
class Past:
    """A past date as `training.windows.known.Known` has it."""

    frame: pd.DataFrame
    came: pd.DataFrame
    valued: pd.DataFrame
    days: int = 90

    def over(self, horizon_days: int) -> bool:
        """Whether this is the window."""
        return horizon_days == self.days

    def seen(self, _: int) -> pd.DataFrame:
        """What came."""
        return self.came

    def forecast(self, _: int) -> pd.DataFrame:
        """What the value model said."""
        return self.valued


def window(returned: float, factor: float, *, history: int = 400, customers: int = 200, days=90):
    """A finished window: so many returned, and they bought and spent a factor of the forecast."""
    came = (np.arange(customers) < returned * customers).astype(int)
    outcome = {"returned": came, "occasions": 2.0 * factor, "spend": 30.0 * factor}
    valued = {
        "return_probability": np.linspace(0.05, 0.9, customers),
        "expected_purchases": 2.0,
        "expected_spend": 30.0,
    }
    frame = pd.DataFrame({"T": np.full(customers, history)})
    return Past(frame, pd.DataFrame(outcome), pd.DataFrame(valued), days)


def level_of(past):
    return of_window(past.came, past.valued)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=50),
    st.floats(0.001, 0.999),
)
def test_a_shift_gives_the_mean_that_was_asked_for(probabilities, mean):
    values = np.array(probabilities)
    wanted = min(max(mean, 0.5 / len(values)), 1 - 0.5 / len(values))
    moved = shift(values, mean)
    assert expit(log_odds(values) + moved).mean() == pytest.approx(wanted, abs=1e-6)
    assert mean_after(pd.Series(values), moved) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_a_window_in_which_all_share_one_fate_stays_finite(mean):
    assert np.isfinite(shift(np.full(10, 0.3), mean))


def test_without_customers_nothing_moves():
    assert shift(np.array([]), 0.5) == 0.0


def test_a_window_tells_by_what_factor_it_lay_above_the_forecast():
    level = level_of(window(0.5, 1.3))
    assert np.exp([level.purchases, level.spend]) == pytest.approx([1.3, 1.3])
    assert mean_after(window(0.5, 1.3).valued["return_probability"], level.returns) == (
        pytest.approx(0.5)
    )


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_no_window_is_believed_without_bounds(factor):
    assert abs(level_of(window(0.5, factor)).spend) == pytest.approx(np.log(FURTHEST))


def test_a_window_without_any_spend_says_nothing_of_spend():
    assert level_of(window(0.0, 0.0)).spend == 0.0


def test_the_same_window_last_year_speaks_whole():
    past = {LAST_YEAR: window(0.6, 1.5), AT - timedelta(days=90): window(0.2, 0.5)}
    level = ahead(AT, 90, past)
    assert level.source == "last year"
    assert np.exp(level.spend) == pytest.approx(1.5)


def test_a_young_log_a_year_ago_leaves_the_newest_window_to_speak_in_part():
    past = {LAST_YEAR: window(0.6, 1.5, history=100), AT - timedelta(days=90): window(0.2, 0.5)}
    level = ahead(AT, 90, past)
    assert level.source == "newest window"
    assert level.spend == pytest.approx(lasting(90) * np.log(0.5))


@given(st.integers(1, 729))
def test_the_longer_the_windows_the_less_lasts(days):
    assert 0 < lasting(days + 1) < lasting(days) < 1


def test_what_lasts_is_the_regression_of_one_mean_on_the_other():
    """A process that forgets 1/e in 20 days, day by day: its means over 60 days, on each other."""
    random, keep = np.random.default_rng(0), np.exp(-1 / 20)
    noise = random.normal(0, 1, (4_000, 120))
    level = np.empty_like(noise)
    level[:, 0] = noise[:, 0] / np.sqrt(1 - keep**2)
    for day in range(1, 120):
        level[:, day] = keep * level[:, day - 1] + noise[:, day]
    before, after = level[:, :60].mean(axis=1), level[:, 60:].mean(axis=1)
    assert (before @ after) / (before @ before) == pytest.approx(lasting(60), abs=0.05)


def test_a_window_that_is_not_over_says_nothing():
    past = {AT - timedelta(days=89): window(0.2, 0.5)}
    assert ahead(AT, 90, past) == Level()
    longer = past | {AT - timedelta(days=90): window(0.3, 0.9)}
    assert ahead(AT, 90, longer) == ahead(AT, 90, {AT - timedelta(days=90): window(0.3, 0.9)})


@pytest.mark.parametrize("source", ["none", "last year", "newest window"])
def test_a_level_speaks_plainly(source):
    assert ("+30%" in Level(0.1, 0.2, np.log(1.3), source).in_words()) == (source != "none")
