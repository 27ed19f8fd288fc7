"""The return probability through time: kept tables as they are, and before them the purchases."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.store import Store
from serving import desk
from serving.insight import past
from training.value.model import ValueModel

DAYS = [
    (date(2024, 1, 10), 20.0),
    (date(2024, 2, 20), 35.0),
    (date(2024, 2, 25), -35.0),
    (date(2024, 5, 1), 12.0),
]
KEPT = date(2024, 7, 1)


@pytest.fixture(scope="module")
def scorer():
    """A value model of 400 simulated histories, over 60 days."""
    random = np.random.default_rng(4)
    age = random.integers(100, 700, 400).astype(float)
    count = random.poisson(age / random.gamma(2, 60, 400))
    recency = np.where(count > 0, np.floor(age * random.beta(3, 1, 400)), 0.0)
    frame = pd.DataFrame(
        {
            "frequency": count.astype(float),
            "recency": recency,
            "T": age,
            "monetary_value": np.where(count > 0, random.gamma(6, 5, 400), 0.0),
            "refund_total": 0.0,
            "spend_total": 100.0,
        }
    )
    terms = SimpleNamespace(rule="inactivity")
    return SimpleNamespace(value=ValueModel().fit(frame), terms=terms, horizon_days=60)


def test_kept_tables_say_what_they_said(tmp_path, score_file):
    store, told = Store(tmp_path), {}
    for day in (date(2024, 3, 1), date(2024, 5, 1), KEPT):
        frame = score_file(store.scores(day), 50, as_of=day).set_index("customer_id")
        told[day] = frame.loc["c000007", "return_probability"]
    table = desk.load(store.scores(KEPT))
    found = past.kept(store, table, "c000007")
    assert {one.as_of: one.probability for one in found} == told
    assert [one.as_of for one in found] == sorted(told)
    assert {one.source for one in found} == {past.SCORED}
    assert past.kept(store, table, "nobody") == ()
    only = past.kept(Store(tmp_path / "new"), table, "c000007")
    assert [one.as_of for one in only] == [KEPT]


def test_before_them_the_value_model_speaks_of_the_purchases_up_to_then(scorer):
    found = past.recomputed(DAYS, scorer, before=KEPT)
    assert 2 <= len(found) <= past.STEPS
    assert DAYS[0][0] < found[0].as_of < found[-1].as_of < KEPT
    one = next(point for point in found if point.as_of > date(2024, 5, 2))
    frame = pd.DataFrame(
        {
            "frequency": [2.0],
            "recency": [float((date(2024, 5, 1) - DAYS[0][0]).days)],
            "T": [(one.as_of - DAYS[0][0]).days - 1.0],
            "monetary_value": [0.0],
        }
    )
    expected = scorer.value.predict(frame, horizon_days=60)["return_probability"].iloc[0]
    assert one.probability == expected


def test_what_comes_later_changes_no_point(scorer):
    found = past.recomputed(DAYS, scorer, before=KEPT)
    for point in found:
        cut = [pair for pair in DAYS if pair[0] < point.as_of]
        assert point in past.recomputed(cut, scorer, before=KEPT)


@pytest.mark.parametrize("rule", ["label", "subscription"])
def test_the_value_model_is_silent_where_another_rule_speaks(scorer, rule):
    other = SimpleNamespace(**{**vars(scorer), "terms": SimpleNamespace(rule=rule)})
    assert past.recomputed(DAYS, other, before=KEPT) == ()
    assert past.recomputed(DAYS, None, before=KEPT) == ()
    assert past.recomputed([], scorer, before=KEPT) == ()
    assert past.recomputed(DAYS, scorer, before=None) == ()
    assert past.recomputed(DAYS, scorer, before=DAYS[0][0] + timedelta(days=3)) == ()
