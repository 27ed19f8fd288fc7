"""Abstention: names exactly what is null, and why."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.freshness import Freshness
from serving.abstention import ANSWERS, explain
from serving.groups.population import Thresholds
from training.errors import StatisticalWarning
from training.silence.shape import learn
from training.silence.unsaid import SPEND

AS_OF = date(2024, 7, 1)
BOUNDS = [f"{name}_{end}" for name in SPEND for end in ("lower", "upper")]


def told(gone: set[str], *, known: bool) -> str | None:
    missing = {name: np.array([name in gone]) for name in ANSWERS}
    return explain(missing, np.array([known]))[0].as_py()


def test_nothing_is_said_where_nothing_is_missing():
    assert told(set(), known=True) is None


@pytest.mark.golden
def test_the_sentences():
    assert told({"clv", "tier", "potential_value"}, known=True) == (
        "no number from the model: clv, potential_value, tier"
    )
    assert told({"next_purchase_by"}, known=True) == "no number from the model: next_purchase_by"
    assert told({"stage"}, known=True) == (
        "nothing to compare with in the last full scoring: stage"
    )
    assert told({"churn_probability", "p_alive", "rfm"}, known=False) == (
        "no number from the model: churn_probability; no purchases on record: p_alive, rfm"
    )


@given(st.sets(st.sampled_from(ANSWERS)), st.booleans())
def test_it_names_every_null_column_and_no_other(gone, known):
    text = told(gone, known=known) or ""
    lists = [part.split(": ")[1] for part in text.split("; ") if part]
    named = [name for names in lists for name in names.split(", ")]
    assert sorted(named) == sorted(gone)


def test_each_row_has_its_own_reason():
    missing = {name: np.zeros(3, dtype=bool) for name in ANSWERS}
    missing["clv"] = np.array([True, False, True])
    texts = explain(missing, np.array([True, True, False])).to_pylist()
    assert texts == ["no number from the model: clv", None, "no purchases on record: clv"]


def held(made_scorer, **parts: object) -> object:
    """The made model with a reach or a shape, giving every figure that a blend gives."""
    known = {"speaker": "blend", "value": object(), "families": {"order_mean": "spend"}}
    return type("Held", (type(made_scorer),), known | parts)()


def test_whom_the_model_has_never_seen_is_said_nothing_of_in_money(people, scored, made_scorer):
    """Their risk is said, and what is decided by the rhythm."""
    reason = "outside training range (largest order)"
    far = {name: np.where(np.arange(30) == 4, reason, "") for name in SPEND}
    rows, _ = scored(
        people(30), scorer=held(made_scorer, reach=SimpleNamespace(beyond=lambda _: far))
    )
    told, plain = rows.iloc[4], scored(people(30))[0].iloc[4]
    assert told["abstained"] == f"{reason}: expected_spend, clv, potential_value, tier"
    unsaid = [*BOUNDS, "expected_spend", "clv", "potential_value", "tier", "abstained"]
    assert told[unsaid[:-1]].isna().all()
    kept = [name for name in rows.columns if name not in [*unsaid, "reasons", "rfm"]]
    assert told[kept].equals(plain[kept])
    assert rows.drop(index=4)["abstained"].isna().all()


def test_the_next_purchase_is_the_value_models_and_not_told_beyond_its_experience(
    people, scored, made_scorer
):
    """Days of 0.2, 1.0 and 1.2 are the first, first and second day; NaN is no return."""
    told = [0.2, 1.0, 1.2, np.nan, 9.0]
    far = np.array(["", "", "", "", "column missing (frequency)"], dtype=object)
    reach = SimpleNamespace(beyond=lambda _: {"p_alive": far, "next_purchase_by": far})
    says = {"days_to_next_purchase": lambda *_: np.array(told), "reach": reach}
    rows, _ = scored(people(5), scorer=type("Timed", (type(made_scorer),), says)())
    ahead = (pd.to_datetime(rows["next_purchase_by"]) - pd.Timestamp(rows["as_of"][0])).dt.days
    assert ahead.tolist()[:3] == [0, 0, 1]
    assert rows["next_purchase_by"].isna().tolist() == [False, False, False, True, True]
    assert rows["stage"].notna().all()
    assert rows["abstained"][3] == "no number from the model: next_purchase_by"
    assert rows["abstained"][4] == "column missing (frequency): p_alive, next_purchase_by"


def test_a_stale_log_leaves_the_model_silent_about_everybody(people, scored, made_scorer):
    """Their stage and next purchase too, which it would call overdue; past fifths stay."""
    frame = people(60)
    log = Freshness("transactions", AS_OF - timedelta(days=61), 60, 400, 1.0, 2, 7)
    rows, thresholds = scored(frame, scorer=held(made_scorer), freshness=(log,))
    silent = [name for name in ANSWERS if name != "rfm"]
    assert rows[silent].isna().all(axis=None) and rows["rfm"].notna().all()
    assert (rows["abstained"] == f"source stale (transactions): {', '.join(silent)}").all()
    assert "no row for 60 days" in thresholds.findings[0].in_words()


def test_a_fresh_log_is_no_matter(people, scored, made_scorer):
    log = Freshness("transactions", AS_OF - timedelta(days=7), 6, 400, 1.0, 2, 7)
    rows, thresholds = scored(people(60), scorer=held(made_scorer), freshness=(log,))
    assert rows["abstained"].isna().all() and thresholds.findings == ()


def test_a_source_that_no_model_reads_may_be_stale(people, scored, made_scorer):
    events = Freshness("events", AS_OF - timedelta(days=300), 299, 400, 1.0, 2, 7)
    frame = people(60).assign(complaints_90=0)
    rows, _ = scored(frame, scorer=held(made_scorer), freshness=(events,))
    assert rows["abstained"].isna().all()
    reads = held(made_scorer, families={"complaints_90": "care"})
    rows, _ = scored(frame, scorer=reads, freshness=(events,))
    assert rows["abstained"].str.startswith("source stale (events): churn_probability").all()
    assert rows[["p_alive", "stage", "next_purchase_by", "rfm"]].notna().all(axis=None)


def test_what_was_found_of_the_table_holds_for_each_of_its_customers_alone(
    people, scored, made_scorer
):
    """By the thresholds, as the service has them; at another date it is no matter."""
    frame, log = people(60), Freshness("transactions", date(2024, 5, 1), 60, 400, 1.0, 2, 7)
    rows, thresholds = scored(frame, scorer=held(made_scorer), freshness=(log,))
    again = Thresholds.from_json(thresholds.to_json())
    assert again == thresholds
    alone, _ = scored(frame.iloc[[7]], scorer=held(made_scorer), thresholds=again)
    pd.testing.assert_frame_equal(alone, rows.iloc[[7]].reset_index(drop=True))
    later = AS_OF + timedelta(days=1)
    moved, _ = scored(
        frame.iloc[[7]].assign(as_of=later),
        scorer=held(made_scorer),
        thresholds=again,
        as_of=later,
    )
    assert moved["churn_probability"].notna().all()


def test_the_gravest_reason_is_told(people, scored, made_scorer):
    shape = learn([people(300, seed=9).assign(order_mean=10.0, attribute_size=1.0)])
    events = Freshness("events", AS_OF - timedelta(days=300), 299, 400, 1.0, 2, 7)
    reads = {"complaints_90": "care", "attribute_size": "attributes", "order_mean": "spend"}
    scorer = held(made_scorer, families=reads, shape=shape)
    spoilt = people(60).assign(complaints_90=0, order_mean=1e4)
    for freshness, frame, reason in (
        ((events,), spoilt, "source stale (events)"),
        ((), spoilt, "column missing (attribute_size)"),
        ((), spoilt.assign(attribute_size=1.0), "amounts changed (amount)"),
        ((), spoilt.assign(attribute_size=1.0, order_mean=10.0), None),
    ):
        rows, _ = scored(frame, scorer=scorer, freshness=freshness)
        told = rows["abstained"].iloc[0]
        assert pd.isna(told) if reason is None else told.startswith(f"{reason}: churn_prob")


def test_a_population_that_moved_on_is_a_note_and_no_silence(people, scored, made_scorer):
    shape = learn([people(300, seed=9).assign(lines_mean=np.linspace(1.0, 3.0, 300))])
    scorer = held(made_scorer, shape=shape)
    with pytest.warns(StatisticalWarning, match="lay in training, by lines_mean: the population"):
        rows, _ = scored(people(60).assign(lines_mean=9.0), scorer=scorer)
    assert rows["abstained"].isna().all()
    rows, _ = scored(people(60).assign(lines_mean=2.0), scorer=scorer)
    assert rows["abstained"].isna().all()
