"""Hillstrom's e-mails: what can be worked out by hand is what the evaluation says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.uplift import policy
from training.uplift.held_out import HeldOut
from training.uplift.policy import Money
from training.uplift.qini import qini
from training.uplift.trial import Trial

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("REGULARS_DATA", ROOT.parent / "shared" / "data"))
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")

pytestmark = [pytest.mark.realdata, pytest.mark.golden]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """64,000 customers, by lot to three arms."""
    path = DATA / "hillstrom" / "hillstrom.csv.gz"
    if not path.is_file():
        pytest.skip("Hillstrom's e-mail test is not in the data folder (REGULARS_DATA)")
    return pd.read_csv(path)


@pytest.fixture(scope="module")
def trial(rows: pd.DataFrame) -> Trial:
    """The same as a trial; a visit is a return."""
    arm = pd.Index(ARMS).get_indexer(rows["segment"])
    outcomes = {name: rows[column].to_numpy(float) for name, column in
                (("returned", "visit"), ("spend", "spend"))}  # fmt: skip
    return Trial(rows[["womens"]], ARMS, arm, np.full((len(rows), 3), 1 / 3), outcomes)


def test_the_gain_of_all_is_the_difference_in_means(rows, trial):
    """Men's e-mail less none: visit +7.66 points (.18276 − .10617, means of the file)."""
    found = qini(trial, 1, "returned", np.zeros(len(trial)), np.random.default_rng(0), 100)
    means = rows.groupby("segment")["visit"].mean()
    assert found.overall.estimate == pytest.approx(means["Mens E-Mail"] - means["No E-Mail"])
    assert found.overall.estimate == pytest.approx(0.0766, abs=5e-5)
    assert found.overall.lower < 0.0766 < found.overall.upper


def test_the_womens_e_mail_brings_those_who_bought_womens_things(rows, trial):
    """A score that needs no model: an area of two trapezia above the line of a random order."""
    bought = rows["womens"].to_numpy(float)
    found = qini(trial, 2, "returned", bought, np.random.default_rng(0), 200)
    share, gain = found.curve["share"], found.curve["gain"]
    by_hand = gain[1] / 2 * share[1] + (gain[1] + gain[2]) / 2 * (1 - share[1]) - gain[2] / 2
    assert found.coefficient.estimate == pytest.approx(by_hand)
    assert found.coefficient.lower > 0


def test_the_profit_of_mailing_everyone_is_the_mean_of_the_arm(rows, trial):
    """0.3 · mean spend of the arm − cost; by weighting exact but for unequal counts of the arms."""
    zeros = {name: np.zeros((len(trial), 3)) for name in ("returned", "spend")}
    flat = {name: np.zeros((len(trial), 2)) for name in ("returned", "spend")}
    held = HeldOut(trial, "T", np.zeros(len(trial), dtype=int), zeros, flat)
    money = Money(0.3, (0.01, 0.01))
    rule = policy.everyone(trial, np.array([1.0, 0.0]))
    found = policy.earned(held, rule, money, "ipw").mean()
    spend = rows.loc[rows["segment"] == "Mens E-Mail", "spend"]
    assert found == pytest.approx(0.3 * 3 * spend.sum() / len(rows) - 0.01)
    assert found == pytest.approx(0.3 * spend.mean() - 0.01, rel=2e-3)
