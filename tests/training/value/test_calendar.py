"""The season of a business, learned from its log."""

import json
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from training.errors import TrainingError
from training.value.calendar import TWO_YEARS, WEEKS, Calendar, learn, of_log, week_of

FIRST = date(2021, 3, 1)
WINTER = tuple(1.6 if week >= 44 else 1.0 for week in range(WEEKS))
SEASON = Calendar(tuple(f / np.mean(WINTER) for f in WINTER), 3.0, "")


def log(days, growth, season, seed=None):
    """Daily purchases with growth by year and a factor by week, exact or Poisson."""
    time = np.arange(days) / 365
    weeks = [week_of(FIRST + timedelta(days=day)) for day in range(days)]
    mean = 40 * np.exp(growth * time) * np.asarray(season)[weeks]
    return mean if seed is None else np.random.default_rng(seed).poisson(mean)


def test_season_is_told_from_growth():
    """Without noise to the smoothing: exact away from the step at week 44, level and slope gone."""
    found = learn(FIRST, log(3 * 365, 0.8, SEASON.factors))
    assert found.missing == "" and found.years == pytest.approx(3.0)
    assert np.mean(found.factors) == pytest.approx(1.0, rel=1e-12)
    inside = [*range(2, 42), *range(46, 50)]
    np.testing.assert_allclose(
        np.array(found.factors)[inside], np.array(SEASON.factors)[inside], rtol=0.03
    )
    growing = learn(FIRST, log(3 * 365, 0.8, [1.0] * WEEKS))
    np.testing.assert_allclose(growing.factors, 1.0, atol=0.01)


def test_noise_is_not_taken_for_a_season():
    """Of 280 purchases a week each raw factor has an error of 4 per cent; shrunk, half or less."""
    found = learn(FIRST, log(2 * 365 + 10, 0.1, [1.0] * WEEKS, seed=1))
    assert np.std(found.factors) < 0.02
    noisy = learn(FIRST, log(3 * 365, 0.1, SEASON.factors, seed=2))
    assert np.corrcoef(noisy.factors, SEASON.factors)[0, 1] > 0.95


def test_less_than_two_years_have_no_season_and_say_so():
    found = learn(FIRST, np.ones(TWO_YEARS - 1))
    assert set(found.factors) == {1.0} and "needs 730" in found.missing
    assert learn(FIRST, log(TWO_YEARS, 0.1, SEASON.factors)).missing == ""
    with pytest.raises(TrainingError, match="no numbers of at least 0"):
        learn(FIRST, [1.0, -1.0])


def test_days_without_purchases_are_borne():
    closed = log(2 * 365, 0.0, [1.0] * WEEKS)
    closed[[week_of(FIRST + timedelta(days=day)) == 30 for day in range(closed.size)]] = 0
    found = learn(FIRST, closed)
    assert np.isfinite(found.factors).all() and found.factors[30] == min(found.factors)


def test_the_horizons_that_are_tested_stay_and_the_days_between_follow_the_season():
    """December at 1.6 against 1.0 for the rest of the 60 days between two anchors."""
    as_of, anchors = date(2024, 9, 1), (30, 90, 180)
    assert [SEASON.aligned(as_of, days, anchors) for days in anchors] == [30.0, 90.0, 180.0]
    # Day 62 is 2 November, the first of week 44: 32 days at 1.0 of 32 + 28 * 1.6 in all.
    assert week_of(as_of + timedelta(days=62)) == 43 and week_of(date(2024, 11, 4)) == 44
    reached = SEASON.aligned(as_of, 64, anchors)
    assert reached == pytest.approx(30 + 60 * 34 / (34 + 26 * 1.6))
    assert Calendar(SEASON.factors).aligned(as_of, 64, anchors) == 64.0


@pytest.mark.parametrize("start", [1, 100, 250, 340])
def test_horizons_by_the_calendar_rise(start):
    day = date(2024, 1, 1) + timedelta(days=start)
    found = [SEASON.aligned(day, days, (30, 60, 90)) for days in range(731)]
    assert found[0] == 0.0 and (np.diff(found) > 0).all()
    # A whole year has no season: 455 days are 365 more than 90.
    assert found[90 + 365] == pytest.approx(90 * SEASON.days(day, 455) / SEASON.days(day, 90))


def test_a_calendar_is_the_same_after_text():
    assert Calendar.from_dict(json.loads(json.dumps(SEASON.to_dict()))) == SEASON


def test_months_and_words_say_what_is_known():
    months = SEASON.by_month()
    assert len(months) == 12 and max(months) == months[11] > 1.4 * months[5]
    assert "3.0 years" in SEASON.in_words()
    assert "the log holds 100 days" in learn(FIRST, np.ones(100)).in_words()


def test_nothing_from_the_as_of_day_on_reaches_the_calendar():
    """Days are occasions, refunds no purchase; later rows change nothing."""
    days = pd.date_range(FIRST, periods=800)
    log = pd.DataFrame({"customer_id": "a", "day": days.date, "amount": 5.0})
    back = log.iloc[::3].assign(amount=-9.0)
    as_of = FIRST + timedelta(days=750)
    found = of_log(table(pd.concat([log, back])), as_of)
    past = log["day"] < as_of
    assert found == of_log(table(pd.concat([log[past], back[back["day"] < as_of]])), as_of)
    bought = np.ones(750)
    bought[::3] = 0.0
    # The first day is no occasion, so the log of purchases begins on the second.
    assert found == learn(FIRST + timedelta(days=1), bought[1:])
    assert of_log(table(log), FIRST).missing


def table(rows):
    accepted = ibis.duckdb.connect().create_table("log", rows, temp=True)
    return accepted.mutate(
        day=accepted.day.cast("date"), amount=accepted.amount.cast("decimal(18, 6)")
    )
