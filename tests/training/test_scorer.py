"""What the registered scorer promises, whichever model speaks in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.inputs import Inputs
from tests.training.conftest import AS_OF, HORIZON
from training.asked import Asked
from training.errors import RegistryError, TrainingError
from training.evidence import Order
from training.learners.blend import Blend
from training.pipeline import Training
from training.scorer import PREDICTED, Scorer
from training.value.calendar import WEEKS, Calendar
from training.windows.panel import behaviour_frame

#: Twice as much in the last eight weeks of the year as in any other.
_WINTER = [2.0 if week >= WEEKS - 8 else 1.0 for week in range(WEEKS)]
SEASON = Calendar(tuple(factor * WEEKS / sum(_WINTER) for factor in _WINTER), 3.0, "")


@pytest.fixture(scope="module")
def rows(shop: Inputs) -> pd.DataFrame:
    """Behaviour rows on the day of the training."""
    return behaviour_frame(shop, AS_OF, horizon_days=HORIZON)


@pytest.fixture(params=("value", "blend"))
def scorer(
    request: pytest.FixtureRequest, trained: Training, order: Callable[..., Order]
) -> Scorer:
    """The shop's scorer, with each model speaking in turn."""
    asked = Asked(order().churn, order().value)
    return trained.evidence.fitted.scorer(request.param, asked, {"risk": "A"})


def test_probabilities_add_up_and_nothing_is_infinite(scorer: Scorer, rows: pd.DataFrame) -> None:
    predicted = scorer.predict(rows)
    assert list(predicted.columns) == list(PREDICTED)
    assert predicted.index.equals(rows.index)
    np.testing.assert_allclose(
        predicted["churn_probability"] + predicted["return_probability"], 1.0
    )
    spoken = predicted.drop(columns=[c for c in predicted if c.endswith(("_lower", "_upper"))])
    assert np.isfinite(spoken.to_numpy()).all()
    assert (spoken >= 0).all(axis=None)


def test_expected_purchases_are_never_below_the_return_probability(
    scorer: Scorer, rows: pd.DataFrame
) -> None:
    predicted = scorer.predict(rows)
    assert (predicted["expected_purchases"] >= predicted["return_probability"] - 1e-12).all()


def test_a_customer_alone_gets_the_same_numbers_as_in_the_table(
    scorer: Scorer, rows: pd.DataFrame
) -> None:
    together = scorer.predict(rows)
    for position in (0, 17, len(rows) - 1):
        alone = scorer.predict(rows.iloc[[position]])
        pd.testing.assert_frame_equal(alone, together.iloc[[position]], check_exact=True)


def test_other_horizons_rise_through_the_trained_one_and_leave_clv_alone(
    scorer: Scorer, rows: pd.DataFrame
) -> None:
    days = (30, HORIZON, 180, 365)
    answers = {d: scorer.predict(rows, horizon_days=d) for d in days}
    pd.testing.assert_frame_equal(answers[HORIZON], scorer.predict(rows), check_exact=True)
    for shorter, longer in ((30, HORIZON), (HORIZON, 180), (180, 365)):
        for column in ("return_probability", "expected_purchases", "expected_spend"):
            rise = answers[longer][column] - answers[shorter][column]
            assert (rise >= -1e-9).all(), (column, shorter, longer)
        np.testing.assert_array_equal(answers[longer]["clv"], answers[shorter]["clv"])


@pytest.mark.parametrize("seasonal", [False, True])
def test_neighbouring_windows_add_up_to_the_tables_own_figures(
    scorer: Scorer, rows: pd.DataFrame, seasonal: bool
) -> None:
    if seasonal:
        scorer = replace(scorer, calendar=SEASON)
    days = [AS_OF + timedelta(days=n) for n in (0, 17, HORIZON, 101, 400, 500)]
    parts = [scorer.between(rows, AS_OF, a, b) for a, b in pairwise(days)]
    columns = ["expected_purchases", "expected_spend"]
    for until, day in enumerate(days[1:], start=1):
        whole = scorer.predict(rows, (day - AS_OF).days)[columns]
        pd.testing.assert_frame_equal(sum(parts[1:until], parts[0]), whole, rtol=1e-9)
    assert (scorer.between(rows, AS_OF, days[1], days[1]) == 0).all(axis=None)
    with pytest.raises(TrainingError, match="expected as_of <= start <= end"):
        scorer.between(rows, AS_OF, AS_OF - timedelta(days=1), AS_OF)


def test_the_next_purchase_does_not_depend_on_the_models_beside_the_value_model(
    scorer: Scorer, rows: pd.DataFrame
) -> None:
    days = scorer.days_to_next_purchase(rows)
    assert days is not None
    assert (days > 0).all() and (days < 365).all()
    beside = replace(scorer, speaker="value", churn=None, carry=None)
    np.testing.assert_array_equal(beside.days_to_next_purchase(rows), days)
    assert replace(scorer, value=None).days_to_next_purchase(rows) is None


def test_a_calendar_leaves_the_tested_horizons_alone_and_moves_the_days_between(
    trained: Training, order: Callable[..., Order], rows: pd.DataFrame
) -> None:
    """From 26 February on: winter begins on day 252, and the first 75 days of a year hold none."""
    plain = trained.evidence.fitted.scorer("blend", Asked(order().churn, order().value), {})
    seasonal = replace(plain, calendar=SEASON)
    for days in (30, HORIZON, 180, 365):
        same, moved = plain.predict(rows, days), seasonal.predict(rows, days)
        pd.testing.assert_frame_equal(same, moved, check_exact=True)
    for days, more in ((240, -1), (320, 1), (440, -1)):
        change = seasonal.predict(rows, days) - plain.predict(rows, days)
        assert np.sign(change["expected_purchases"].sum()) == more, days


def test_contributions_come_by_family_and_tell_the_risk(scorer: Scorer, rows: pd.DataFrame) -> None:
    drivers = scorer.contributions(rows)
    assert drivers.index.equals(rows.index)
    assert {"rfm", "rhythm"} <= set(drivers.columns)
    if isinstance(scorer.churn, Blend):
        # Of the window that it learned from, before the level of the season.
        odds = scorer.churn.decision_function(scorer.with_value_features(rows))
    else:
        risk = scorer.predict(rows)["churn_probability"].clip(1e-9, 1 - 1e-9)
        odds = np.log(risk / (1 - risk))
    rest = odds - drivers.sum(axis=1)
    # What is left is one constant: the bias, or the newcomer's log-odds.
    np.testing.assert_allclose(rest, rest.iloc[0], atol=1e-6)


def test_a_saved_scorer_predicts_bit_for_bit_the_same(
    scorer: Scorer, rows: pd.DataFrame, tmp_path: Path
) -> None:
    scorer = replace(scorer, calendar=SEASON)
    scorer.save(tmp_path)
    again = Scorer.load(tmp_path)
    assert (again.terms, again.calendar) == (scorer.terms, SEASON)
    assert (again.speaker, again.grades) == (scorer.speaker, scorer.grades)
    pd.testing.assert_frame_equal(again.predict(rows), scorer.predict(rows), check_exact=True)
    pd.testing.assert_frame_equal(
        again.contributions(rows), scorer.contributions(rows), check_exact=True
    )


def test_a_folder_without_a_scorer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"scorer\.json is missing"):
        Scorer.load(tmp_path)


def test_a_scorer_of_another_format_is_refused(trained: Training, tmp_path: Path) -> None:
    trained.evidence.scorer.save(tmp_path)
    path = tmp_path / "scorer.json"
    head = json.loads(path.read_text())
    path.write_text(json.dumps(head | {"format": 99}))
    with pytest.raises(RegistryError, match="has format 99"):
        Scorer.load(tmp_path)


def test_a_label_leaves_the_value_figures_as_they_are(
    trained: Training, rows: pd.DataFrame, order: Callable[..., Order]
) -> None:
    asked = Asked(order().churn, order().value)
    value = trained.evidence.fitted.scorer("value", asked, {})
    blend = trained.evidence.fitted.blend
    assert blend is not None
    learner = blend.members["logistic"]
    families = trained.evidence.fitted.families
    label = replace(value, speaker="logistic", churn=learner, families=families)
    same = ["p_alive", "expected_purchases", "expected_spend", "clv"]
    pd.testing.assert_frame_equal(label.predict(rows)[same], value.predict(rows)[same])
    risk = learner.predict_proba(label.with_value_features(rows))[:, 1]
    np.testing.assert_allclose(label.predict(rows)["churn_probability"], risk)


def test_a_blends_figures_agree_with_each_other(
    trained: Training, order: Callable[..., Order], rows: pd.DataFrame
) -> None:
    """What is spent fits what is bought, and a lifetime holds the horizon that is part of it."""
    asked = Asked(order().churn, order().value)
    scorer = trained.evidence.fitted.scorer("blend", asked, {})
    valued = trained.evidence.fitted.value
    assert valued is not None
    # Customers whom the value model takes for gone, and the blend does not quite.
    gone = rows.assign(frequency=30, recency=40, T=400)
    for frame in (rows, gone):
        found = scorer.predict(frame)
        usual = valued.predict(frame, horizon_days=HORIZON)
        worth = usual["expected_spend"] / usual["expected_purchases"]
        paid = found["expected_spend"] / found["expected_purchases"]
        assert (paid <= 5.0 * worth * (1 + 1e-9)).all()
        assert (paid >= worth / 5.0 * (1 - 1e-9)).all()
        terms = scorer.terms
        discount = (1 + terms.annual_discount_rate) ** (-HORIZON / 365)
        assert (found["clv"] >= terms.margin * discount * found["expected_spend"] - 1e-9).all()
