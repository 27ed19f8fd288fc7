"""The choice of the purchase model from past windows, on logs that are true of a known one."""

import dataclasses
import itertools
import warnings
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

from training import families
from training.asked import Asked
from training.errors import StatisticalWarning
from training.families import CANDIDATES, PLAIN, Family, Shelf, choose, seen_from
from training.settings import ChurnSettings, ValueSettings
from training.windows.known import VALUE_FEATURES, know

START = date(2024, 1, 1)
HORIZON = 60
DAYS = (240, 300, 330, 390)
ASKED = Asked(ChurnSettings(horizon_days=HORIZON), ValueSettings())


def purchases(kind, number, seed):
    """A log of (customer, day): who first bought on one of the first days, and what came after.

    BG/NBD: a constant rate, and one in eight leaves after a repeat purchase. MBG/NBD: half of them
    after the first. Wandering: a rate that is drawn anew every month, and nobody leaves.
    """
    random = np.random.default_rng(seed)
    length = max(DAYS) + HORIZON
    level = random.gamma(1.5, 0.1 if kind == "wandering" else 0.03, number)
    months = length // 30 + 1
    wander = random.gamma(0.7, 1 / 0.7, (number, months)) if kind == "wandering" else 1.0
    rate = np.repeat(level[:, None] * wander * np.ones((number, months)), 30, axis=1)[:, :length]
    bought = random.random((number, length)) < -np.expm1(-rate)
    first = random.integers(0, 120, number)
    bought &= np.arange(length) > first[:, None]
    if kind != "wandering":
        after = random.geometric(0.125, number)
        if kind == "mbg_nbd":
            after = np.where(random.random(number) < 0.5, 0, after)
        bought &= np.cumsum(bought, axis=1) <= after[:, None]
    bought[np.arange(number), first] = True
    return bought


def frame(bought, day):
    """The behaviour rows at a day, and the outcomes of the window after it."""
    seen, ahead = bought[:, :day], bought[:, day : day + HORIZON]
    known = seen.any(axis=1)
    seen, ahead = seen[known], ahead[known]
    first = seen.argmax(axis=1)
    last = day - 1 - seen[:, ::-1].argmax(axis=1)
    x = seen.sum(axis=1) - 1
    return pd.DataFrame(
        {
            "customer_id": np.flatnonzero(known).astype(str),
            "frequency": x,
            "recency": last - first,
            "T": day - 1 - first,
            "monetary_value": np.where(x > 0, 10.0 + x % 7, 0.0),
            f"returned_in_{HORIZON}": ahead.any(axis=1).astype(int),
            f"occasions_in_{HORIZON}": ahead.sum(axis=1),
            f"spend_in_{HORIZON}": 10.0 * ahead.sum(axis=1),
        }
    )


def on(day):
    return START + timedelta(days=day)


def shelf(kind, seed=1, number=400):
    bought = purchases(kind, number, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        return Shelf({on(day): know(frame(bought, day), ASKED) for day in DAYS}, ASKED)


@pytest.fixture(scope="module")
def wanderers():
    return shelf("wandering")


@pytest.fixture(scope="module")
def choice(wanderers):
    return choose(wanderers, on(450))


def test_rates_that_wander_are_found(choice):
    assert choice.family.purchases == "wandering"
    best = max(choice.gains, key=choice.gains.get)
    assert choice.gains[choice.family.name] >= choice.gains[best] - choice.errors[best]
    assert choice.gains[choice.family.name] > 2 * choice.errors[choice.family.name] > 0
    assert "better than BG/NBD, by" in choice.in_words()


def test_leaving_after_the_first_purchase_is_found():
    assert choose(shelf("mbg_nbd", number=2_000), on(450)).family == Family("mbg_nbd")


def test_bg_nbd_stays_where_it_is_true():
    found = choose(shelf("bg_nbd"), on(450))
    assert found.family == PLAIN
    # A slow family that does not gain in the oldest window is not looked at in the others.
    assert {f.name for f in CANDIDATES} - set(found.gains) <= set(families.SLOW)
    assert "no other purchase model was clearly better" in found.in_words()


def test_windows_are_over_and_do_not_overlap(wanderers, choice):
    assert choice.windows == (on(390), on(330), on(240))
    for later, earlier in itertools.pairwise(choice.windows):
        assert earlier + timedelta(days=HORIZON) <= later
    assert choose(wanderers, on(449)).windows == (on(330), on(240))
    assert choose(wanderers, on(300)).windows == (on(240),)
    nothing = choose(wanderers, on(299))
    assert nothing.family == PLAIN and nothing.windows == ()
    assert "no finished window" in nothing.in_words()


def test_later_outcomes_change_nothing(wanderers):
    """Outcomes of windows that end later are turned around, and the choice is the same."""
    plain = dict(wanderers.plain)
    for day in (on(330), on(390)):
        known = plain[day]
        name = f"returned_in_{HORIZON}"
        plain[day] = dataclasses.replace(
            known, came=known.came.assign(**{name: 1 - known.came[name]})
        )
    turned = dataclasses.replace(wanderers, plain=plain)
    assert choose(turned, on(389)) == choose(wanderers, on(389))
    assert choose(turned, on(450)) != choose(wanderers, on(450))


def test_row_order_changes_nothing(wanderers, choice):
    turned = {
        day: dataclasses.replace(
            known,
            frame=known.frame.iloc[::-1].reset_index(drop=True),
            came=known.came.iloc[::-1].reset_index(drop=True),
        )
        for day, known in wanderers.plain.items()
    }
    again = choose(dataclasses.replace(wanderers, plain=turned), on(450))
    assert again.family == choice.family
    assert again.gains == pytest.approx(choice.gains, rel=1e-6, abs=1e-9)


def test_gain_of_a_window_is_the_held_out_likelihood(wanderers):
    """By hand for one family: shifted log-odds, ln q where returned, ln(1 − q) where not."""
    found = choose(wanderers, on(300))
    known = wanderers[on(240)]
    returned = known.seen(HORIZON)["returned"].to_numpy(float)

    def score(family):
        model = wanderers.model(on(240), family)
        back = model.predict(known.frame, HORIZON)["return_probability"].to_numpy()
        z = logit(np.clip(back, 1e-9, 1 - 1e-9))
        s = brentq(lambda move: expit(z + move).mean() - returned.mean(), -50, 50)
        return np.where(returned > 0, np.log(expit(z + s)), np.log(expit(-z - s)))

    family = Family("wandering", 10.0)
    gain = score(family) - score(PLAIN)
    assert found.gains[family.name] == pytest.approx(gain.mean(), rel=1e-6)
    assert found.errors[family.name] == pytest.approx(gain.std() / len(gain) ** 0.5, rel=1e-6)


def test_all_snapshots_of_a_fit_are_seen_through_one_family(wanderers, choice):
    seen = seen_from(wanderers, on(450))
    assert set(seen) == set(wanderers)
    for day, known in seen.items():
        assert known.value.purchases == "wandering"
        assert known.value.memory == choice.family.memory
        assert known.value.spend_ == wanderers[day].value.spend_
        answers = known.value.predict(known.frame, HORIZON)
        for column, source in VALUE_FEATURES.items():
            assert np.array_equal(known.frame[column], answers[source])


def test_what_is_no_shelf_is_seen_as_it_is(wanderers):
    plain = dict(wanderers)
    assert seen_from(plain, on(450)) is plain
    assert seen_from(wanderers, on(299))[on(240)] is wanderers[on(240)]


def test_a_family_whose_fit_failed_is_not_chosen(wanderers, choice):
    model = wanderers.model(on(330), choice.family)
    failed = type(model)(model.purchases, model.memory)
    failed.purchases_ = dataclasses.replace(model.purchases_, verdict="failed")
    models = {**wanderers._models, (on(330), choice.family): failed}
    again = choose(dataclasses.replace(wanderers, _models=models), on(450))
    assert again.family != choice.family and choice.family.name not in again.gains


def test_without_two_windows_of_the_horizon_shorter_ones_speak(wanderers):
    longer = Asked(ChurnSettings(horizon_days=180), ValueSettings())
    found = choose(dataclasses.replace(wanderers, asked=longer), on(450))
    assert found.window_days == HORIZON
    assert len(found.windows) == 3


def test_of_families_about_as_good_the_longest_memory_is_held():
    long, short = Family("wandering", 20.0), Family("wandering", 5.0)
    errors = dict.fromkeys((PLAIN, long, short), 0.01)
    best = families._best
    assert best({PLAIN: 0.0, long: 0.05, short: 0.055}, errors) == long
    assert best({PLAIN: 0.0, long: 0.05, short: 0.065}, errors) == short
    assert best({PLAIN: 0.0, long: 0.015, short: 0.019}, errors) == PLAIN
