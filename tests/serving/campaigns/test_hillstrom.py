"""Hillstrom's e-mails measured: the textbook's difference in means, surer by what was known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.effects import compare
from serving.campaigns.measured import interval, measure
from serving.campaigns.records import Records

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("REGULARS_DATA", ROOT.parent / "shared" / "data"))
KNOWN = ["recency", "history", "mens"]

pytestmark = [pytest.mark.realdata, pytest.mark.golden]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """64,000 customers, by lot to three arms."""
    path = DATA / "hillstrom" / "hillstrom.csv.gz"
    if not path.is_file():
        pytest.skip("Hillstrom's e-mail test is not in the data folder (REGULARS_DATA)")
    return pd.read_csv(path)


def trial(some: pd.DataFrame, treated: np.ndarray) -> Records:
    """Customers of two arms as records; a visit is a return, conversions are purchases."""
    spend = some["spend"].to_numpy(float)
    outcomes = {
        "returned": some["visit"].to_numpy(float),
        "purchases": some["conversion"].to_numpy(float),
        "spend": spend,
        "profit": 0.3 * spend - 0.01 * treated,
    }
    shares, strata = np.full(len(some), 0.5), np.zeros(len(some), dtype=int)
    return Records("e-mail", treated, strata, shares, outcomes, {}, some[KNOWN].to_numpy(float))


def test_the_mens_e_mail_is_the_difference_in_means_of_the_file(rows):
    """Visits .18276 − .10617 = +7.66 points, and spend, by the means and variances of the file."""
    some = rows[rows["segment"].isin(("Mens E-Mail", "No E-Mail"))]
    arm = (some["segment"] == "Mens E-Mail").to_numpy(bool)
    told = {one.outcome: one for one in measure(trial(some, arm)).outcomes}
    for outcome, column in (("returned", "visit"), ("spend", "spend")):
        both = some.loc[arm, column], some.loc[~arm, column]
        plain, lower, upper = told[outcome].plain
        assert plain == pytest.approx(both[0].mean() - both[1].mean())
        error = sum(one.var() / len(one) for one in both) ** 0.5
        assert (upper - lower) / 2 == pytest.approx(1.96 * error, rel=1e-3)
    visits = told["returned"]
    assert visits.plain[0] == pytest.approx(0.0766, abs=5e-5)
    assert visits.lower < 0.0766 < visits.upper and visits.verdict == "rise"


def test_what_was_known_makes_no_interval_wider(rows):
    for first in ("Mens E-Mail", "Womens E-Mail"):
        some = rows[rows["segment"].isin((first, "No E-Mail"))]
        found = measure(trial(some, (some["segment"] == first).to_numpy(bool)))
        for one in found.outcomes:
            _, lower, upper = one.plain
            assert one.adjusted and one.upper - one.lower <= upper - lower


def test_a_set_without_effect_shows_none(rows):
    """Who got no e-mail, in order of what they did: every second counts as treated."""
    some = rows[rows["segment"] == "No E-Mail"].sort_values(["spend", "visit", "history"])
    found = measure(trial(some, np.arange(len(some)) % 2 == 0))
    told = {one.outcome: one for one in found.outcomes}
    assert {told[name].verdict for name in ("returned", "purchases", "spend")} == {"none"}
    assert told["returned"].smallest == pytest.approx(2.8 * told["returned"].error)


def test_halves_by_lot_raise_a_false_alarm_as_often_as_they_may(rows):
    """Of 200 halvings of an arm 5 % are shown, give or take three standard errors."""
    some = rows[rows["segment"] == "No E-Mail"]
    visits, random = some[["visit"]].to_numpy(float), np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        given = np.zeros(len(some), dtype=int), np.full(len(some), 0.5)
        found = compare(visits, random.random(len(some)) < 0.5, *given)
        _, _, lower, upper = interval(found, 0)
        alarms += not lower <= 0 <= upper
    assert 0.004 * 200 <= alarms <= 0.096 * 200


def test_strata_of_unlike_shares_are_weighed_by_their_customers(rows):
    """By hand: Σ W_s (mean of the treated − mean of the held out), the history above and below."""
    some = rows[rows["segment"].isin(("Mens E-Mail", "No E-Mail"))].reset_index(drop=True)
    rich = (some["history"] > some["history"].median()).to_numpy(bool)
    mens = (some["segment"] == "Mens E-Mail").to_numpy(bool)
    # Of the rich, half of the held out are left away: two thirds of them are treated.
    left = ~(rich & ~mens & (np.arange(len(some)) % 2 == 0))
    some, rich, mens = some[left], rich[left], mens[left]
    shares = np.where(rich, 2 / 3, 1 / 2)
    found = compare(some[["visit"]].to_numpy(float), mens, rich.astype(int), shares)
    by_hand = sum(
        np.mean(rich == one)
        * (some.loc[mens & (rich == one), "visit"].mean()
           - some.loc[~mens & (rich == one), "visit"].mean())
        for one in (True, False)
    )  # fmt: skip
    assert interval(found, 0)[0] == pytest.approx(by_hand)
