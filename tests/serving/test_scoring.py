"""Scoring: one customer alone as in the table, in any order and currency, nothing NaN."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import scores
from serving.abstention import ANSWERS
from serving.errors import ScoreTableError, ScoringError
from serving.groups.population import Thresholds

MONEY = ("expected_spend", "clv", "potential_value")
DECISIONS = ["stage", "tier", "rfm"]
HISTORY = ["days_since_last", "gap_mean", "gap_last", "first_order"]


@pytest.fixture(scope="module")
def full(people, scored):
    """A whole population: its behaviour rows, its score rows and its thresholds."""
    frame = people(700, seed=5)
    return frame, *scored(frame)


class Broken:
    """The made model with some numbers missing, or of a kind that cannot be."""

    horizon_days = 90
    clv_horizon_days = 365

    def __init__(self, made, column: str, value: float) -> None:
        self.made, self.column, self.value = made, column, value

    def predict(self, frame, horizon_days=None):
        """Predicted columns."""
        given = self.made.predict(frame, horizon_days)
        given.loc[given.index[::3], self.column] = self.value
        return given

    def margin_rates(self, frame):
        """Of the made model."""
        return self.made.margin_rates(frame)

    def contributions(self, frame):
        """Log-odds by family."""
        return self.made.contributions(frame)


@pytest.mark.parity
@settings(max_examples=25)
@given(st.lists(st.integers(0, 699), min_size=1, max_size=30, unique=True))
def test_some_customers_score_as_in_the_full_table(full, scored, places):
    """The thresholds go through JSON on the way, as they do in the store."""
    frame, rows, thresholds = full
    kept = Thresholds.from_json(thresholds.to_json())
    some, unchanged = scored(frame.iloc[places], thresholds=kept)
    pd.testing.assert_frame_equal(some, rows.iloc[places].reset_index(drop=True))
    assert unchanged == thresholds


@pytest.mark.parity
def test_each_customer_alone_scores_as_in_the_full_table(full, scored):
    frame, rows, thresholds = full
    alone = [scored(frame.iloc[[place]], thresholds=thresholds)[0] for place in range(60)]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), rows.iloc[:60])


def test_the_order_of_the_rows_changes_nothing(full, scored):
    frame, rows, thresholds = full
    order = np.random.default_rng(9).permutation(len(frame))
    mixed, learned = scored(frame.iloc[order])
    assert learned == thresholds
    pd.testing.assert_frame_equal(mixed, rows.iloc[order].reset_index(drop=True))


@pytest.mark.parametrize("factor", [0.25, 1024.0, 117.3])
def test_another_currency_changes_no_decision(full, scored, factor):
    """As yen for pounds: amounts scale, and who is key, growing or 5-4-5 does not."""
    frame, rows, _ = full
    amounts = ["monetary_value", "spend_total", "first_order"]
    changed, _ = scored(frame.assign(**{name: frame[name] * factor for name in amounts}))
    pd.testing.assert_frame_equal(changed[DECISIONS], rows[DECISIONS])
    for name in MONEY:
        np.testing.assert_allclose(
            changed[name].to_numpy(float), factor * rows[name].to_numpy(float), rtol=1e-12
        )


def test_every_buyer_has_one_stage_one_tier_and_one_segment(full):
    _, rows, _ = full
    assert rows[DECISIONS].notna().all(axis=None)
    counted = scores.counts(rows)
    assert sum(counted["stage"].values()) == sum(counted["tier"].values()) == len(rows)
    assert counted["abstained"] == 0
    assert min(counted["stage"].values()) > 0
    assert min(counted["tier"].values()) > 0


def test_a_growth_customer_has_room_and_has_not_lapsed(full):
    _, rows, _ = full
    growth = rows[rows["tier"] == "growth"]
    assert (growth["potential_value"] >= 3 * growth["clv"]).all()
    assert (growth["stage"] != "lapsed").all()


def test_another_horizon_changes_probabilities_and_no_decision(full, scored):
    frame, rows, thresholds = full
    longer, _ = scored(frame, thresholds=thresholds, horizon_days=180)
    assert set(longer["horizon_days"]) == {180}
    assert (longer["churn_probability"] < rows["churn_probability"]).all()
    pd.testing.assert_frame_equal(longer[DECISIONS], rows[DECISIONS])


def test_the_frame_is_left_as_it_was(people, scored):
    frame = people(50)
    before = frame.copy(deep=True)
    scored(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_nobody_gives_an_empty_table(full, scored):
    frame, rows, thresholds = full
    nobody, unchanged = scored(frame.iloc[:0], thresholds=thresholds)
    assert scores.to_table(nobody).schema == scores.SCHEMA
    assert nobody.empty
    assert nobody.dtypes.equals(rows.dtypes)
    assert unchanged is thresholds


def test_thresholds_are_not_learned_from_nobody(people, scored):
    with pytest.raises(ScoreTableError, match="got no customer"):
        scored(people(3).iloc[:0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("column", "gone"),
    [
        ("clv", {"clv", "potential_value", "tier"}),
        ("p_alive", {"p_alive"}),
        ("expected_spend", {"expected_spend"}),
        ("churn_probability", {"churn_probability"}),
    ],
)
def test_what_the_model_does_not_say_is_null_with_a_reason(
    people, made_scorer, scored, column, gone, value
):
    rows, _ = scored(people(30), scorer=Broken(made_scorer, column, value))
    silent, speaking = rows.iloc[::3], rows.drop(rows.index[::3])
    ordered = ", ".join(name for name in ANSWERS if name in gone)
    assert set(silent["abstained"]) == {f"no number from the model: {ordered}"}
    assert silent[sorted(gone)].isna().all(axis=None)
    assert speaking["abstained"].isna().all()


def test_a_risk_that_is_not_said_has_no_reasons(people, made_scorer, scored):
    rows, _ = scored(people(30), scorer=Broken(made_scorer, "churn_probability", np.nan))
    assert {len(told) for told in rows["reasons"].iloc[::3]} == {0}
    assert {len(told) for told in rows["reasons"].iloc[1::3]} <= {1, 2, 3}


def test_a_model_that_breaks_the_contract_is_refused(people, made_scorer, scored):
    with pytest.raises(ScoreTableError, match="do not add up to 1"):
        scored(people(30), scorer=Broken(made_scorer, "churn_probability", 0.5))


@pytest.fixture(scope="module")
def no_log(people) -> pd.DataFrame:
    """The label rule without transactions: nothing on record but the customers."""
    frame = people(20)
    frame[HISTORY] = np.nan
    frame[["frequency", "recency", "T", "spend_total"]] = 0.0
    return frame


class Labelled(Broken):
    """Knows the risk from attributes, and nothing of purchases."""

    def __init__(self, made) -> None:
        super().__init__(made, "", 0.0)

    def predict(self, frame, horizon_days=None):
        """Predicted columns."""
        given = self.made.predict(frame.fillna(1.0), horizon_days)
        said = ["churn_probability", "return_probability"]
        return given.assign(**dict.fromkeys(given.columns.difference(said), np.nan))


def test_without_a_log_the_risk_is_said_and_the_rest_named(no_log, made_scorer, scored):
    rows, thresholds = scored(no_log, scorer=Labelled(made_scorer))
    assert rows["churn_probability"].notna().all()
    assert {len(told) > 0 for told in rows["reasons"]} == {True}
    gone = [name for name in ANSWERS if name not in ("churn_probability", "return_probability")]
    assert rows[gone].isna().all(axis=None)
    assert set(rows["abstained"]) == {f"no purchases on record: {', '.join(gone)}"}
    assert thresholds.rhythm is None
    assert thresholds.cuts is None


def test_a_buyer_with_no_population_to_compare_with(no_log, people, made_scorer, scored):
    _, thresholds = scored(no_log, scorer=Labelled(made_scorer))
    rows, _ = scored(people(4), thresholds=thresholds)
    assert rows[["clv", "churn_probability"]].notna().all(axis=None)
    told = "potential_value, next_purchase_by, stage, tier, rfm"
    expected = f"nothing to compare with in the last full scoring: {told}"
    assert set(rows["abstained"]) == {expected}


class Guessing(Broken):
    """Gives numbers for everyone, also where there is nothing on record."""

    def __init__(self, made) -> None:
        super().__init__(made, "", 0.0)

    def predict(self, frame, horizon_days=None):
        """Predicted columns."""
        return self.made.predict(frame.fillna({"days_since_last": 1.0}), horizon_days)


def test_a_customer_without_purchases_has_no_worth_even_if_the_model_gives_one(
    full, no_log, made_scorer, scored
):
    """And changes nobody else."""
    frame, rows, thresholds = full
    stranger = no_log.iloc[[0]].assign(customer_id="stranger")
    everyone = pd.concat([frame, stranger], ignore_index=True)
    assert np.isfinite(Guessing(made_scorer).predict(everyone)["clv"]).all()
    both, _ = scored(everyone, scorer=Guessing(made_scorer), thresholds=thresholds)
    pd.testing.assert_frame_equal(both.iloc[:-1], rows)
    last = both.iloc[-1]
    gone = [name for name in ANSWERS if name not in ("churn_probability", "return_probability")]
    assert last[gone].isna().all()
    assert last["abstained"] == f"no purchases on record: {', '.join(gone)}"
    assert 0 <= last["churn_probability"] <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns=["gap_last", "T"]), "without T, gap_last"),
        (lambda frame: frame.drop(columns="customer_id"), "without customer_id"),
        (lambda frame: frame.assign(customer_id="same"), "4 rows of a customer already there"),
        (lambda frame: frame.assign(customer_id=None), "5 rows without a customer_id"),
        (lambda frame: frame.assign(as_of=date(2024, 6, 1)), "rows of 2024-06-01"),
        (lambda frame: frame.assign(as_of=pd.Timestamp("2024-06-01")), "rows of 2024-06-01"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(people, scored, change, message):
    with pytest.raises(ScoringError, match=message):
        scored(change(people(5)))


def test_a_time_without_a_zone_is_refused(people, scored):
    with pytest.raises(ScoringError, match="without a time zone"):
        scored(people(5), scored_at=datetime(2024, 7, 2))


class Cast(Broken):
    """The made model behind a cast to plain numbers, as the registered one casts."""

    def __init__(self, made, columns: list[str]) -> None:
        super().__init__(made, "", 0.0)
        self.types = dict.fromkeys(columns, float)

    def predict(self, frame, horizon_days=None):
        """Predicted columns."""
        return self.made.predict(frame.astype(self.types), horizon_days)

    def contributions(self, frame):
        """Log-odds by family."""
        return self.made.contributions(frame.astype(self.types))


@pytest.mark.parametrize("kind", ["Float64", "double[pyarrow]", object])
def test_the_type_of_the_columns_changes_nothing(full, made_scorer, scored, kind):
    frame, rows, thresholds = full
    columns = ["days_since_last", "frequency", "gap_mean"]
    typed = frame.astype(dict.fromkeys(columns, kind))
    got, _ = scored(typed, scorer=Cast(made_scorer, columns), thresholds=thresholds)
    pd.testing.assert_frame_equal(got, rows)


def test_scoring_starts_without_the_heavy_libraries():
    """Services and the command line start fast: no MLflow, LightGBM, scikit-learn or Ibis."""
    heavy = "{'mlflow', 'lightgbm', 'sklearn', 'ibis', 'pandera', 'altair'}"
    code = f"import sys, serving.scoring; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
